"""The ABCI 2.0 application: check, propose, accept, execute and commit with the ledger's state machine.

Nothing is durable before Commit; after a crash before it, the application executes the same block again. A block with
an invalid transaction is rejected as a whole: an honest proposer never makes one.
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
"""Protocol version of the application, in every block header; increased by incompatible changes."""

_Block = tuple[int, int, list[bytes], tuple[bytes, ...]]
"""Input of an execution: height, Unix seconds, transactions, addresses of double-signing validators."""

_ACCEPT = 1
_REJECT = 2


class LedgerApplication:
    """Answers the requests of a CometBFT node.

    Args:
        store: The ledger's store; only this application writes it.
        interface: The ABCI messages.
        clock: Unix seconds; used only for the mempool.
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
        """The response to a request; `kind` is the name of the method. For CheckTx use `check`.

        Raises:
            VerificationFailed: The node's chain differs from the store's.
        """
        return _METHODS[kind](self, request)

    def check(self, transactions: Sequence[bytes]) -> list[Any]:
        """CheckTx responses; accepted transactions share one response object."""
        now = max(int(self._clock()), self._block_time)
        with self._machine.reading():
            self._machine.verify_ahead(transactions)
            codes = [self._mempool.check(transaction, now) for transaction in transactions]
        return [self._may_wait if code is Code.OK else self._refused(code) for code in codes]

    def _refused(self, code: Code) -> Any:
        return self._message["CheckTx"](code=code, log=code.reason, codespace="xinglin")

    def info(self, request: Any) -> Any:
        """Info: height and app hash of the store, from which the node replays."""
        height, app_hash = self._machine.info()
        return self._message["Info"](
            data="xinglin",
            version=str(PROTOCOL),
            app_version=PROTOCOL,
            last_block_height=height,
            last_block_app_hash=app_hash if height else b"",
        )

    def init_chain(self, request: Any) -> Any:
        """InitChain: start from the genesis that all institutions share."""
        genesis = Genesis.from_json(request.app_state_bytes)
        named = {one.validator_key: one.power for one in genesis.institutions if one.validator_key and one.power}
        voting = {update.pub_key.ed25519: update.power for update in request.validators}
        if genesis.chain_id != request.chain_id or named != voting:
            raise VerificationFailed("chain id or validators of the node's genesis differ from the ledger's")
        return self._message["InitChain"](app_hash=self._machine.genesis(genesis))

    def prepare_proposal(self, request: Any) -> Any:
        """PrepareProposal: the waiting transactions that are valid in sequence."""
        txs = list(request.txs)
        codes = self._execute(request, txs).codes
        kept = [tx for tx, code in zip(txs, codes, strict=True) if code == Code.OK]
        return self._message["PrepareProposal"](txs=kept)

    def process_proposal(self, request: Any) -> Any:
        """ProcessProposal: accept a block only if all its transactions are valid."""
        codes = self._execute(request, list(request.txs)).codes
        return self._message["ProcessProposal"](status=_ACCEPT if all(code == Code.OK for code in codes) else _REJECT)

    def finalize_block(self, request: Any) -> Any:
        """FinalizeBlock: execute a decided block; nothing is durable yet."""
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
        """Commit: make the executed block durable.

        Raises:
            VerificationFailed: The last executed block is not the decided one.
        """
        if self._decided is None or self._decided is not self._executed:
            raise VerificationFailed("the node commits a block that was not decided")
        self._machine.commit()
        self._mempool.reset()
        self._executed = self._decided = None
        return self._message["Commit"](retain_height=self._retain)

    def query(self, request: Any) -> Any:
        """Query: not supported; the institution reads state and proofs from its own store."""
        return self._message["Query"](code=Code.UNKNOWN_TYPE, log="state and proofs are read from the store")

    def list_snapshots(self, request: Any) -> Any:
        """ListSnapshots: none; a new node replays and checks all blocks."""
        return self._message["ListSnapshots"]()

    def offer_snapshot(self, request: Any) -> Any:
        """OfferSnapshot: rejected."""
        return self._message["OfferSnapshot"](result=3)

    def load_snapshot_chunk(self, request: Any) -> Any:
        """LoadSnapshotChunk: none."""
        return self._message["LoadSnapshotChunk"]()

    def apply_snapshot_chunk(self, request: Any) -> Any:
        """ApplySnapshotChunk: rejected."""
        return self._message["ApplySnapshotChunk"](result=5)

    def extend_vote(self, request: Any) -> Any:
        """ExtendVote: no extension."""
        return self._message["ExtendVote"]()

    def verify_vote_extension(self, request: Any) -> Any:
        """VerifyVoteExtension: accepts only votes without extension."""
        return self._message["VerifyVoteExtension"](status=_REJECT if request.vote_extension else _ACCEPT)

    def _execute(self, request: Any, txs: list[bytes]) -> BlockResult:
        """Execute a block, or return the last result if it was this block."""
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
