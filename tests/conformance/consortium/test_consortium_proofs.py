"""Proof files of a real chain: blocks signed by four CometBFT validators, checked with the genesis alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.consortium import Consortium
from tests.ledgers import change
from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import leaf_hash
from xinglin.flows.evidence.check import verify_proof
from xinglin.ledger import Code, digest_of
from xinglin.ledger.consortium.rpc import NodeClient
from xinglin.ledger.keys import consent_key
from xinglin.ledger.proofs.answers import signed_header_of
from xinglin.ledger.proofs.check import Checker
from xinglin.ledger.proofs.light import check_commit
from xinglin.ledger.proofs.make import BlockAnchors, Prover
from xinglin.ledger.proofs.trust import Trust

EVENT = b'{"resourceType":"AuditEvent"}'


def trusted(consortium: Consortium) -> Trust:
    return Trust.from_json(consortium.members[0].home.genesis.read_bytes())


def submitted(consortium: Consortium, kind: str, body: dict[str, Any], member: int = 0) -> bytes:
    one = consortium.members[member]
    ledger = one.ledger()
    transaction = one.sign(consortium.chain_id, kind, body)
    (receipt,) = ledger.submit([transaction])
    ledger.close()
    assert receipt.code is Code.OK, receipt
    return digest_of(transaction)


def access(name: str) -> dict[str, Any]:
    stream = hashlib.sha256(name.encode()).digest()[:16]
    return {"root": leaf_hash(EVENT), "count": 1, "first": 0, "last": 0, "stream": stream}


def proof(consortium: Consortium, digest: bytes) -> bytes:
    ledger, client = consortium.members[0].ledger(), NodeClient(consortium.members[0].url)
    # The block after the one that holds it carries its app_hash.
    seen = ledger.transaction(digest)
    assert seen is not None
    consortium.wait(lambda: _height(client) > seen.height, "the next block")
    trust = trusted(consortium)
    prover = Prover(ledger, BlockAnchors(client.call, trust), trust)
    made = prover.of_transaction("access", {"leaf": leaf_hash(EVENT), "event": EVENT, "path": b""}, digest)
    ledger.close()
    return made


def _height(client: NodeClient) -> int:
    return int(client.call("status")["sync_info"]["latest_block_height"])


def test_every_commit_of_a_real_chain_is_checked_without_the_node(consortium: Consortium) -> None:
    submitted(consortium, "AccessBatch", access("every commit"))
    client, trust = NodeClient(consortium.members[1].url), trusted(consortium)
    last = _height(client)
    for height in range(max(2, last - 10), last):
        signed = signed_header_of(client.call("commit", height=str(height))["signed_header"])
        named = client.call("commit", height=str(height))["signed_header"]["commit"]["block_id"]["hash"]
        assert signed.header.hash().hex().upper() == named
        if signed.header.validators_hash == trust.validators.hash():
            assert 3 * check_commit(signed, trust.validators) > 2 * trust.validators.power


def test_a_stranger_believes_an_access_by_more_than_two_thirds(consortium: Consortium, tmp_path: Path) -> None:
    content = proof(consortium, submitted(consortium, "AccessBatch", access("a stranger")))
    (tmp_path / "proof.cbor").write_bytes(content)
    (tmp_path / "genesis.json").write_bytes(consortium.members[2].home.genesis.read_bytes())
    command = [sys.executable, "-m", "xinglin", "ledger", "verify-proof", "proof.cbor", "--trust", "genesis.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "of the voting power at height" in done.stdout
    checker = Checker(trusted(consortium))
    for place in range(len(content)):
        with pytest.raises(VerificationFailed):
            verify_proof(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], checker)


def test_proofs_follow_the_validators_over_their_votes(consortium: Consortium) -> None:
    def power(of: str, value: int) -> None:
        proposal = submitted(consortium, "InstitutionPropose", change("power", of, value), 1)
        for member in (2, 3):
            submitted(consortium, "InstitutionVote", {"proposal": proposal, "approve": True}, member)

    before = proof(consortium, submitted(consortium, "AccessBatch", access("before")))
    power("institution-0", 12)
    client = NodeClient(consortium.members[0].url)
    after = _height(client) + 3
    consortium.wait(lambda: _height(client) >= after or bool(submitted_tick(consortium)), "the change", 60)
    changed = proof(consortium, submitted(consortium, "AccessBatch", access("changed")))
    power("institution-0", 10)
    checker = Checker(trusted(consortium))
    assert "of 40 of the voting power" in verify_proof(before, checker).by
    assert "of 42 of the voting power" in verify_proof(changed, checker).by


_TICKS = iter(range(1_000_000))


def submitted_tick(consortium: Consortium) -> None:
    """Without transactions there are no blocks."""
    submitted(consortium, "AccessBatch", access(f"tick {next(_TICKS)}"))


def test_a_consent_that_was_never_given_is_proved_absent(consortium: Consortium) -> None:
    submitted(consortium, "AccessBatch", access("absent"))
    ledger, client, trust = consortium.members[0].ledger(), NodeClient(consortium.members[0].url), trusted(consortium)
    handle = bytes(16)
    made = Prover(ledger, BlockAnchors(client.call, trust), trust)
    content = made.of_state("consent", {"handle": handle, "opened": None}, consent_key(handle.hex()))
    ledger.close()
    assert verify_proof(content, Checker(trust)).facts["status"] == "none"
