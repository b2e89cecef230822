"""The ledger's state machine behind ABCI 2.0: what a node may take into its pool, propose, accept, execute and commit.

Nothing is durable before Commit, and an application that died in between executes the same block again. A block with
one transaction that does not apply is refused as a whole: an honest proposer never makes one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.codes import Code
from xinglin.ledger.consortium.interface import Interface
from xinglin.ledger.consortium.mempool import Mempool
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.state.machine import BlockResult, Machine
from xinglin.ledger.state.store import Store

__all__ = ["PROTOCOL", "LedgerApplication"]

PROTOCOL = 2
"""The application's protocol version, part of every block header; it grows when old nodes could not follow."""

_Block = tuple[int, int, list[bytes], tuple[bytes, ...]]
"""What an execution depends on: height, seconds, transactions, addresses of those who signed two blocks."""

_ACCEPT = 1
_REJECT = 2


class LedgerApplication:
    """Answers a node's requests from the state machine.

    Args:
        store: Where the ledger lies; only this application writes it.
        interface: The messages.
        clock: Unix seconds now; only the pool of waiting transactions depends on it.
    """

    def __init__(self, store: Store, interface: Interface, clock: Callable[[], float] = time.time) -> None:
        self._machine = Machine(store)
        self._mempool = Mempool(self._machine)
        self._clock = clock
        self._block_time = 0
        self._executed: tuple[_Block, BlockResult] | None = None
        self._decided: tuple[_Block, BlockResult] | None = None
        self._retain = 0
        self._message = {name: interface.message(f"Response{name}") for name in _RESPONSES}
        self._may_wait = self._message["CheckTx"](gas_wanted=1)

    def answer(self, kind: str, request: Any) -> Any:
        """The response to a request; `kind` is the name of the method that answers it. CheckTx is for `check`.

        Raises:
            VerificationFailed: The node's chain is not the one this store holds.
        """
        return _METHODS[kind](self, request)

    def check(self, transactions: Sequence[bytes]) -> list[Any]:
        """Whether each of some transactions may wait for a block; the response is the same object to all that may."""
        now = max(int(self._clock()), self._block_time)
        with self._machine.reading():
            self._machine.verify_ahead(transactions)
            codes = [self._mempool.check(transaction, now) for transaction in transactions]
        return [self._may_wait if code is Code.OK else self._refused(code) for code in codes]

    def _refused(self, code: Code) -> Any:
        return self._message["CheckTx"](code=code, log=code.reason, codespace="xinglin")

    def info(self, request: Any) -> Any:
        """Where the store stands, so that the node knows which blocks to give again."""
        height, app_hash = self._machine.info()
        return self._message["Info"](
            data="xinglin",
            version=str(PROTOCOL),
            app_version=PROTOCOL,
            last_block_height=height,
            last_block_app_hash=app_hash if height else b"",
        )

    def init_chain(self, request: Any) -> Any:
        """Begin with the genesis that every institution has."""
        genesis = Genesis.from_json(request.app_state_bytes)
        named = {one.validator_key: one.power for one in genesis.institutions if one.validator_key and one.power}
        voting = {update.pub_key.ed25519: update.power for update in request.validators}
        if genesis.chain_id != request.chain_id or named != voting:
            raise VerificationFailed("the node's genesis names another chain or other validators than the ledger's")
        return self._message["InitChain"](app_hash=self._machine.genesis(genesis))

    def prepare_proposal(self, request: Any) -> Any:
        """Of the transactions that wait, those that apply one after the other."""
        txs = list(request.txs)
        codes = self._execute(request, txs).codes
        kept = [tx for tx, code in zip(txs, codes, strict=True) if code == Code.OK]
        return self._message["PrepareProposal"](txs=kept)

    def process_proposal(self, request: Any) -> Any:
        """Accept a block only if every transaction of it applies."""
        codes = self._execute(request, list(request.txs)).codes
        return self._message["ProcessProposal"](status=_ACCEPT if all(code == Code.OK for code in codes) else _REJECT)

    def finalize_block(self, request: Any) -> Any:
        """Execute a block that is decided; nothing is durable yet."""
        result = self._execute(request, list(request.txs))
        self._decided = self._executed
        self._retain = result.retain
        self._block_time = request.time.seconds
        response = self._message["FinalizeBlock"](app_hash=result.app_hash)
        for code in result.codes:
            response.tx_results.add(code=code, codespace="xinglin" if code else "")
        for key, power in result.validator_updates:
            response.validator_updates.add(power=power).pub_key.ed25519 = key
        return response

    def commit(self, request: Any) -> Any:
        """Make the executed block durable.

        Raises:
            VerificationFailed: What was executed last is not the block that was decided.
        """
        if self._decided is None or self._decided is not self._executed:
            raise VerificationFailed("the node asks to commit what was not decided")
        self._machine.commit()
        self._mempool.reset()
        self._executed = self._decided = None
        return self._message["Commit"](retain_height=self._retain)

    def query(self, request: Any) -> Any:
        """Nothing: state and proofs are read from the store itself, by the institution that owns it."""
        return self._message["Query"](code=Code.UNKNOWN_TYPE, log="state and proofs are read from the store")

    def list_snapshots(self, request: Any) -> Any:
        """None: a new node replays the blocks, so that it has checked every one of them."""
        return self._message["ListSnapshots"]()

    def offer_snapshot(self, request: Any) -> Any:
        """Refused."""
        return self._message["OfferSnapshot"](result=3)

    def load_snapshot_chunk(self, request: Any) -> Any:
        """There is none."""
        return self._message["LoadSnapshotChunk"]()

    def apply_snapshot_chunk(self, request: Any) -> Any:
        """Refused."""
        return self._message["ApplySnapshotChunk"](result=5)

    def extend_vote(self, request: Any) -> Any:
        """Nothing is added to votes."""
        return self._message["ExtendVote"]()

    def verify_vote_extension(self, request: Any) -> Any:
        """Only a vote without addition is right."""
        return self._message["VerifyVoteExtension"](status=_REJECT if request.vote_extension else _ACCEPT)

    def _execute(self, request: Any, txs: list[bytes]) -> BlockResult:
        """Execute a block, or take what the last execution gave if it was of this very block."""
        offenders = tuple(sorted(one.validator.address for one in request.misbehavior))
        block = (request.height, request.time.seconds, txs, offenders)
        if self._executed is None or self._executed[0] != block:
            self._executed = (block, self._machine.execute(*block))
        return self._executed[1]


_METHODS: dict[str, Callable[[LedgerApplication, Any], Any]] = {
    "info": LedgerApplication.info,
    "init_chain": LedgerApplication.init_chain,
    "prepare_proposal": LedgerApplication.prepare_proposal,
    "process_proposal": LedgerApplication.process_proposal,
    "finalize_block": LedgerApplication.finalize_block,
    "commit": LedgerApplication.commit,
    "query": LedgerApplication.query,
    "list_snapshots": LedgerApplication.list_snapshots,
    "offer_snapshot": LedgerApplication.offer_snapshot,
    "load_snapshot_chunk": LedgerApplication.load_snapshot_chunk,
    "apply_snapshot_chunk": LedgerApplication.apply_snapshot_chunk,
    "extend_vote": LedgerApplication.extend_vote,
    "verify_vote_extension": LedgerApplication.verify_vote_extension,
}
_RESPONSES = ("CheckTx", *("".join(word.capitalize() for word in kind.split("_")) for kind in _METHODS))
