"""The state machine: the same transactions give the same app hash at every institution."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass

from xinglin.core.errors import Conflict, NotFound
from xinglin.core.merkle import leaf_hash
from xinglin.ledger.codes import Code
from xinglin.ledger.keys import CHAIN, INSTITUTIONS, signing_key
from xinglin.ledger.port import Header
from xinglin.ledger.state import authmap, log, rules
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.state.store import NewBlock, Store
from xinglin.ledger.state.view import Entry, View
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import Refused
from xinglin.ledger.transactions.signatures import ParsedTransaction, TransactionCache

__all__ = ["BlockResult", "Machine", "app_hash_of"]

_REMEMBERED = 65_536
_UNKNOWN: Entry = {}


def app_hash_of(log_root: bytes, state_root: bytes) -> bytes:
    """The app hash; covers neither height nor time, so a block without transactions does not change it.

    Example:
        >>> app_hash_of(bytes(32), bytes(32)).hex()[:16]
        '3c20ad3035b985a0'
    """
    return hashlib.sha256(b"xinglin app 1\x00" + log_root + state_root).digest()


def _digest(header: Header, blamed: bytes, before: bytes) -> bytes:
    return hashlib.sha256(b"xinglin block 1\x00" + cbor.encode([*astuple(header), blamed, before])).digest()


@dataclass(frozen=True, slots=True)
class BlockResult:
    """The result of executing a block (ABCI 2.0, FinalizeBlock).

    Attributes:
        codes: One code per transaction.
        indexes: Position of each transaction in the log; None if refused.
        validator_updates: (Ed25519 key, new power) of changed validators, ordered by key.
        app_hash: App hash after the block.
        retain: Lowest height that the node must keep; 0 keeps all.
    """

    codes: tuple[Code, ...]
    indexes: tuple[int | None, ...]
    validator_updates: tuple[tuple[bytes, int], ...]
    app_hash: bytes
    retain: int = 0


class Machine:
    """Checks, executes and commits transactions; one thread at a time.

    Args:
        store: Store of the committed chain.

    Example:
        >>> import tempfile; from pathlib import Path; from xinglin.ledger.state.genesis import Founder
        >>> machine = Machine(Store(Path(tempfile.mkdtemp()) / "ledger.sqlite"))
        >>> _ = machine.genesis(Genesis("region", 0, (Founder("hospital", bytes(32), None, 1),)))
        >>> result = machine.execute(1, 60, [b"no transaction"])
        >>> _ = machine.commit(); result.codes[0].name, machine.info()[0]
        ('MALFORMED', 1)
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.cache = TransactionCache()
        self._entries: dict[bytes, Entry | None] = {}
        self._nodes: dict[int, bytes] = {}
        self._reserved: dict[tuple[str, int], tuple[bytes, int]] = {}
        self._executed: tuple[NewBlock, dict[bytes, Entry]] | None = None
        self._chain_id: str | None = None
        self._header: Header | None = None
        self._check_view = self.view()
        self.refresh()

    def refresh(self) -> None:
        """Read blocks that another process committed."""
        header = self._store.writer.header()
        if header != self._header:
            self._header, self._entries = header, {}

    @property
    def header(self) -> Header:
        """Header of the last committed block.

        Raises:
            NotFound: The chain has no genesis.
        """
        if self._header is None:
            raise NotFound(
                "the ledger has no genesis yet", source=str(self._store.path), remedy="run xinglin ledger anchor"
            )
        return self._header

    @property
    def chain_id(self) -> str:
        """The chain id."""
        if self._chain_id is None:
            chain = self._entry(CHAIN)
            if chain is None:
                raise NotFound("the ledger has no genesis yet", source=str(self._store.path))
            self._chain_id = str(chain["chain_id"])
        return self._chain_id

    def info(self) -> tuple[int, bytes]:
        """The last committed height and app hash; (0, empty) before the genesis (ABCI 2.0, Info)."""
        return (0, b"") if self._header is None else (self._header.height, self._header.app_hash)

    def genesis(self, genesis: Genesis) -> bytes:
        """Start the chain durably and return the app hash; repeating it with the same genesis changes nothing.

        Raises:
            BadInput: The genesis is invalid.
            Conflict: The chain has another genesis.
        """
        genesis.check()
        text = genesis.to_json().encode()
        if self._header is not None:
            if self._store.writer.meta("genesis") != text:
                raise Conflict(
                    "the ledger has another genesis", source=str(self._store.path), remedy="use another home"
                )
            return self._header.app_hash
        view = self.view()
        rules.apply_genesis(view, genesis)
        view.commit()
        self._executed = self._block(Header(0, genesis.time, 0, b"", b"", b""), view, [], [])
        return self.commit({"genesis": text}).app_hash

    def view(self) -> View:
        """A view of the committed state with pending changes."""
        return View(self._entry, self._store.writer.scan)

    def reading(self) -> AbstractContextManager[None]:
        """Read the store in one transaction while many transactions are checked and none is executed."""
        return self._store.writer.read_transaction()

    def _entry(self, key: bytes) -> Entry | None:
        known = self._entries.get(key, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        value = self._store.writer.state(key)
        if len(self._entries) >= _REMEMBERED:
            self._entries = {}
        entry = self._entries[key] = None if value is None else cbor.decode(value)
        return entry

    def _node(self, number: int) -> bytes:
        body = self._nodes.get(number)
        if body is None:
            body = self._nodes[number] = self._store.writer.node(number)
        return body

    def check(self, transaction: bytes, now: int) -> Code:
        """Check whether a transaction may wait for a block (ABCI 2.0, CheckTx).

        The rule of its body is applied only in the block, because earlier transactions may change the state. The
        sequence number of a waiting transaction is reserved.

        Args:
            transaction: The transaction's bytes.
            now: Unix seconds.
        """
        return self.check_opened(self.cache.open(transaction), now)

    def check_opened(self, opened: ParsedTransaction, now: int) -> Code:
        """Check a parsed transaction."""
        code = self._admit(self._check_view, opened, now)
        self._check_view.rollback()
        if code is not Code.OK or opened.envelope is None:
            return code
        if len(self._reserved) >= _REMEMBERED:
            # Blocks check sequence numbers anyway; reservations only refuse duplicates earlier.
            self._reserved = {}
        place = (opened.envelope.key_id, opened.envelope.seq)
        if self._reserved.setdefault(place, (opened.digest, opened.envelope.valid_until))[0] != opened.digest:
            return Code.REPLAYED_SEQ
        return Code.OK

    def _admit(self, view: View, opened: ParsedTransaction, time: int) -> Code:
        """Check everything except the body's rule; writes the used sequence number to the view."""
        if opened.envelope is None:
            return opened.code
        try:
            key = rules.admit(view, opened.envelope, self.chain_id, time)
            if opened.verified != key and not self.cache.signed_by(opened, key):
                return Code.BAD_SIGNATURE
            rules.use_sequence(view, opened.envelope.key_id, opened.envelope.seq)
            rules.prove(opened.envelope, opened.body)
        except Refused as refused:
            return refused.code
        return opened.code

    def execute(
        self, height: int, time: int, transactions: Sequence[bytes], misbehaviour: Sequence[bytes] = ()
    ) -> BlockResult:
        """Execute the next block; nothing is durable until `commit` (ABCI 2.0, FinalizeBlock).

        Args:
            height: The next height.
            time: Block time, Unix seconds.
            transactions: The transactions in order; a refused one changes nothing and is not logged.
            misbehaviour: Addresses of validators that signed two blocks at one height.

        Raises:
            Conflict: The height is not the next one.
        """
        if height != self.header.height + 1:
            raise Conflict(f"block {height} does not follow block {self.header.height}", source=str(self._store.path))
        self.cache.verify_ahead(transactions, self._known_key)
        view = self.view()
        for address in misbehaviour:
            rules.record_double_signing(view, address)
        view.commit()
        accepted: list[tuple[int, bytes, bytes]] = []
        codes: list[Code] = []
        indexes: list[int | None] = []
        for transaction in transactions:
            opened = self.cache.open(transaction)
            code = self._apply(view, opened, time)
            codes.append(code)
            indexes.append(self.header.size + len(accepted) if code is Code.OK else None)
            if code is Code.OK:
                accepted.append((self.header.size + len(accepted), opened.digest, transaction))
        before = self.header
        parent = Header(height, time, before.size, before.log_root, before.state_root, b"")
        self._executed = self._block(parent, view, accepted, misbehaviour)
        updates = self._validator_updates(view)
        return BlockResult(tuple(codes), tuple(indexes), updates, self._executed[0].header.app_hash)

    def verify_ahead(self, transactions: Sequence[bytes]) -> None:
        """Parse and verify transactions that will be checked next; decides nothing."""
        self.cache.verify_ahead(transactions, self._known_key, spread=False)

    def _known_key(self, key_id: str) -> bytes | None:
        entry = self._entry(signing_key(key_id))
        return None if entry is None else entry["public_key"]

    def _apply(self, view: View, opened: ParsedTransaction, time: int) -> Code:
        code = self._admit(view, opened, time)
        if code is Code.OK and opened.envelope is not None and opened.body is not None:
            try:
                context = rules.Context(opened.envelope.institution, time, opened.digest)
                rules.apply(view, opened.body, context)
                view.commit()
            except Refused as refused:
                code = refused.code
        view.rollback()
        return code

    def _block(
        self, parent: Header, view: View, accepted: list[tuple[int, bytes, bytes]], misbehaviour: Sequence[bytes]
    ) -> tuple[NewBlock, dict[bytes, Entry]]:
        changed = view.changed()
        state = {key: cbor.encode(entry) for key, entry in changed.items()}
        rows = self._store.writer
        root = rows.state_root(parent.height - 1) if parent.height else authmap.EMPTY
        made = authmap.update(root, state.items(), self._node, rows.nodes())
        state_root, root_node = made.root
        subtrees = log.append(parent.size, (leaf_hash(one) for _, _, one in accepted), rows.subtree)
        size = parent.size + len(accepted)
        log_root = log.root(size, lambda *subtree: subtrees.get(subtree) or rows.subtree(*subtree))
        app_hash = app_hash_of(log_root, state_root)
        header = Header(parent.height, parent.time, size, log_root, state_root, app_hash)
        blamed = cbor.encode(list(misbehaviour))
        digest = _digest(header, blamed, rows.digest(parent.height - 1))
        return NewBlock(
            header, root_node, blamed, digest, accepted, subtrees, made.nodes, state, made.replaced
        ), changed

    def _validator_updates(self, view: View) -> tuple[tuple[bytes, int], ...]:
        if not any(key.startswith(INSTITUTIONS) for key in view.changed()):
            return ()
        before, after = rules.validators(self.view()), rules.validators(view)
        keys = sorted(before.keys() | after.keys())
        return tuple((key, after.get(key, 0)) for key in keys if before.get(key) != after.get(key))

    def commit(self, meta: dict[str, bytes] | None = None) -> Header:
        """Make the executed block durable, atomically (ABCI 2.0, Commit).

        Args:
            meta: Metadata of the store, at the genesis only.

        Raises:
            Conflict: No block was executed, or another process committed in the meantime.
        """
        if self._executed is None:
            raise Conflict("there is no executed block to commit", source=str(self._store.path))
        (block, changed), self._executed = self._executed, None
        self._store.write(block, meta)
        self._header = block.header
        self._entries.update(changed)
        self._remember(block.nodes)
        self._release_reserved(block)
        return block.header

    def _remember(self, nodes: dict[int, bytes]) -> None:
        if len(self._nodes) + len(nodes) > _REMEMBERED:
            self._nodes = {}
        self._nodes.update(nodes)

    def _release_reserved(self, block: NewBlock) -> None:
        if self._reserved:
            done = {digest for _, digest, _ in block.entries}
            time = block.header.time
            promises = self._reserved.items()
            self._reserved = {place: one for place, one in promises if one[0] not in done and one[1] > time}
