"""How many proof files one process checks in a second, under a checkpoint and under the blocks of a chain."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey, VerifyKey
from tests.ledgers import CHAIN, START, Desk, TurnedClock, filled, public, seed
from tests.ledgers import genesis as founded

from bench.measure import record
from xinglin.core.merkle import audit_path, leaf_hash, root_of
from xinglin.flows.evidence.check import verify_proof
from xinglin.ledger import EmbeddedLedger, digest_of
from xinglin.ledger.proofs.check import Checker
from xinglin.ledger.proofs.light import BlockId, Header, SignedHeader, Vote, address, vote_bytes
from xinglin.ledger.proofs.make import Anchor, Prover
from xinglin.ledger.proofs.path import with_sides
from xinglin.ledger.proofs.trust import Trust, commit_anchor
from xinglin.ledger.witnesses.checkpoints import CheckpointStore

TRANSACTIONS = 2_000
EVENTS = 1_000
NAMES = ("one", "two", "three", "four")


def bench(resources: int, times: int) -> None:
    """Proofs of accesses, each in a segment of 1,000 events; a transaction for every 500 resources, at most 2,000."""
    transactions = min(TRANSACTIONS, max(100, resources // 500))
    with tempfile.TemporaryDirectory() as folder:
        ledger = EmbeddedLedger.create(Path(folder), founded(**dict.fromkeys(NAMES, 10)), TurnedClock())
        checkpoints = CheckpointStore(Path(folder), Path(folder) / "checkpoint.key", ledger.chain_id)
        digests = _filled(ledger, transactions)
        under = {"checkpoint": checkpoints.anchors(), "block": Blocks()}
        proofs = {name: _proofs(Prover(ledger, anchors, checkpoints.trust), digests) for name, anchors in under.items()}
        ledger.close()
        found = _measured(proofs, checkpoints.trust, times)
    record("ledger/ledger_proof", found)


def _filled(ledger: EmbeddedLedger, count: int) -> list[bytes]:
    desk, first = Desk("one"), START * 1_000_000
    body = {"root": root_of(_leaves()), "count": EVENTS, "first": first, "last": first}
    streams = [filled(number, 16) for number in range(count)]
    transactions = [desk.sign("AccessBatch", body | {"stream": stream}) for stream in streams]
    assert all(one.code.name == "OK" for one in ledger.submit(transactions))
    return [digest_of(one) for one in transactions[::10]]


def _leaves() -> list[bytes]:
    return [leaf_hash(b"event %d" % number) for number in range(EVENTS)]


def _proofs(prover: Prover, digests: list[bytes]) -> list[bytes]:
    leaves = _leaves()
    item = {"leaf": leaves[7], "event": b"event 7", "path": with_sides(7, EVENTS, audit_path(leaves, 7))}
    return [prover.of_transaction("access", item, digest) for digest in digests]


class Blocks:
    """The block that four validators would have signed; three votes are more than two thirds."""

    def newest(self, ledger: Any) -> Anchor:
        """A block over the ledger's last app hash."""
        trust = Trust.from_json(founded(**dict.fromkeys(NAMES, 10)).to_json())
        last, some = ledger.header(), hashlib.sha256(b"some").digest()
        who = trust.validators.hash()
        header = Header(
            (11, 1), CHAIN, last.height + 1, (last.time, 0), BlockId(some, 1, some), some, some, who, who, some,
            last.app_hash, some, some, some[:20],
        )  # fmt: skip
        named, time_ = BlockId(header.hash(), 1, some), (last.time, 5)
        text = vote_bytes(CHAIN, header.height, 0, named, time_)
        keys = [SigningKey(seed(f"{name} validator")) for name in NAMES[:3]]
        votes = tuple(Vote(address(bytes(key.verify_key)), time_, key.sign(text).signature) for key in keys)
        return Anchor(last.height, commit_anchor((), SignedHeader(header, 0, 1, some, votes)))


def _measured(proofs: dict[str, list[bytes]], trust: Trust, times: int) -> dict[str, Any]:
    found: dict[str, Any] = {"Ed25519 checks/s (PyNaCl)": [], "proof file bytes": {}}
    found["SHA-256 of 64 bytes/s"] = []
    for name, some in proofs.items():
        found["proof file bytes"][name] = int(statistics.mean(map(len, some)))
        found[f"{name}: one reader, same anchor, proofs/s"] = []
        found[f"{name}: a new reader each time, proofs/s"] = []
    for _ in range(times):
        found["Ed25519 checks/s (PyNaCl)"].append(_ed25519())
        found["SHA-256 of 64 bytes/s"].append(_rate(lambda _: hashlib.sha256(bytes(64)).digest(), range(100_000)))
        for name, some in proofs.items():
            reader = Checker(trust)
            found[f"{name}: one reader, same anchor, proofs/s"].append(
                _rate(lambda one, reader=reader: verify_proof(one, reader), some * 10)
            )
            found[f"{name}: a new reader each time, proofs/s"].append(
                _rate(lambda one: verify_proof(one, Checker(trust)), some * 5)
            )
    return found


def _ed25519() -> int:
    key = SigningKey(bytes(32))
    signature, public_key = key.sign(bytes(300)).signature, VerifyKey(public(bytes(32)))
    return _rate(lambda _: public_key.verify(bytes(300), signature), range(5_000))


def _rate(work: Callable[[Any], object], items: Any) -> int:
    begin = time.perf_counter()
    count = 0
    for one in items:
        work(one)
        count += 1
    return round(count / (time.perf_counter() - begin))
