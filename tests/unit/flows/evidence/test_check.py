"""Proof files: what they say, and that no byte of them can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledgers import CHAIN, START, Desk, TurnedClock, filled, public, seed
from tests.proofs import CONSENT, EVENTS, KINDS, RESOURCES, Provable, provable
from xinglin.core.errors import VerificationFailed
from xinglin.flows.evidence.check import verify_proof
from xinglin.ledger import digest_of
from xinglin.ledger.keys import consent_key
from xinglin.ledger.proofs.check import Checker
from xinglin.ledger.proofs.note import COSIGNATURE, Note, Signature, Verifier
from xinglin.ledger.proofs.trust import Trust, note_anchor, open_anchor
from xinglin.ledger.transactions import cbor
from xinglin.ledger.witnesses.witness import Witness


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Provable:
    return provable(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def trust(made: Provable) -> Trust:
    return Trust.from_json(made.checkpoints.genesis.read_bytes())


def test_every_kind_proves_what_is_there(made: Provable, trust: Trust) -> None:
    checker = Checker(trust)
    proven = {kind: verify_proof(made.file(kind), checker) for kind in KINDS}
    assert {one.height for one in proven.values()} == {5}
    assert {one.by for one in proven.values()} == {f"the checkpoint key of {CHAIN}, without cosignature"}
    batch = proven["batch"].facts
    assert (batch["site"], batch["sequence"], batch["resources"], batch["log_index"]) == ("lab", 1, 11, 0)
    assert proven["row"].facts["number"] == 4
    assert "resource" not in proven["row"].facts
    assert proven["row with all"].facts["resource"] == RESOURCES[4].decode()
    assert (proven["access"].facts["event"], proven["access"].facts["number"]) == (EVENTS[3].decode(), 3)
    assert "event" not in proven["access hidden"].facts
    assert (proven["consent"].facts["status"], proven["consent"].facts["consent"]) == ("current", CONSENT.decode())
    assert proven["consent withdrawn"].facts["status"] == "withdrawn"
    assert proven["consent never"].facts["status"] == "none"


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_of_a_proof_can_be_changed(made: Provable, trust: Trust, kind: str) -> None:
    content = made.file(kind)
    checker = Checker(trust)
    named = set()
    for place in range(len(content)):
        for mask in (0x01, 0x80):
            changed = content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]
            with pytest.raises(VerificationFailed) as caught:
                verify_proof(changed, checker)
            named.add(caught.value.what.partition(":")[0])
    # The first bad item is named, and not always the same one.
    assert {"file", "anchor"} < named
    assert len(named) > 4


def test_a_shortened_or_lengthened_file_is_refused(made: Provable, trust: Trust) -> None:
    content = made.file("row")
    for changed in (b"", content[:-1], content + b"\x00", content[: len(content) // 2]):
        with pytest.raises(VerificationFailed, match="file: it is not canonical CBOR"):
            verify_proof(changed, Checker(trust))


def test_a_proof_of_another_chain_or_under_another_checkpoint_key_is_refused(
    made: Provable, trust: Trust, tmp_path: Path
) -> None:
    stranger = provable(tmp_path)
    with pytest.raises(VerificationFailed, match=r"anchor: .*no known key signed"):
        verify_proof(stranger.file("row"), Checker(trust))


def test_an_item_of_one_proof_does_not_fit_into_another(made: Provable, trust: Trust) -> None:
    row, access = cbor.decode(made.file("row")), cbor.decode(made.file("access"))
    for taken, message in [
        (access | {"item": row["item"], "kind": "row"}, "transaction: it anchors no batch"),
        (row | {"item": access["item"], "kind": "access"}, "transaction: it anchors no accesses"),
        (row | {"ledger": row["ledger"] | {"path": access["ledger"]["path"]}}, "log path: it does not lead"),
        (row | {"ledger": row["ledger"] | {"state_root": bytes(32)}}, "state root: it differs"),
        (row | {"kind": "other"}, "kind: there is no such kind"),
        (row | {"more": 1}, "file: the expected fields are"),
        (row | {"item": row["item"] | {"leaf": bytes(32)}}, "resource or its path"),
    ]:
        with pytest.raises(VerificationFailed, match=message):
            verify_proof(cbor.encode(taken), Checker(trust))


def test_a_consent_opened_with_another_text_is_refused(made: Provable, trust: Trust) -> None:
    proof = cbor.decode(made.file("consent"))
    salt, text = proof["item"]["opened"]
    for opened in ([salt, text + b" "], [salt + text[:1], text[1:]]):
        changed = proof | {"item": proof["item"] | {"opened": opened}}
        with pytest.raises(VerificationFailed, match="opened consent: it is not what was committed to"):
            verify_proof(cbor.encode(changed), Checker(trust))


def test_a_consent_whose_time_is_over_is_not_called_current(tmp_path: Path) -> None:
    made = provable(tmp_path)
    handle = filled(9)[:16]
    body = {"handle": handle, "commitment": filled(8), "valid_from": 1, "valid_until": START, "previous": None}
    assert made.ledger.submit([made.desk.sign("ConsentPut", body)])[0].code.name == "OK"
    content = made.prover().of_state("consent", {"handle": handle, "opened": None}, consent_key(handle.hex()))
    assert verify_proof(content, Checker(made.checkpoints.trust)).facts["status"] == "ended"


def test_a_key_that_the_genesis_does_not_have_is_shown_by_the_state(tmp_path: Path) -> None:
    made = provable(tmp_path)
    new = seed("hospital, second key")
    assert made.ledger.submit([made.desk.rotate(new)])[0].code.name == "OK"
    previous = cbor.decode(made.ledger.state(b"site/lab") or b"")["manifest"]
    body = {"site": "lab", "sequence": 2, "manifest": filled(2), "root": filled(3), "size": 1, "schema": "FHIR R4"}
    transaction = Desk(key=new).sign("DataAnchor", body | {"previous": previous})
    assert made.ledger.submit([transaction])[0].code.name == "OK"
    leaf = {"leaf": filled(3), "resource": None, "path": b"", "batch": None}
    content = made.prover().of_transaction("row", leaf, digest_of(transaction))
    checker = Checker(made.checkpoints.trust)
    assert verify_proof(content, checker).facts["sequence"] == 2
    proof = cbor.decode(content)
    without = proof | {"ledger": proof["ledger"] | {"key": None}}
    with pytest.raises(VerificationFailed, match="signer's key"):
        verify_proof(cbor.encode(without), checker)
    for place in range(len(content)):
        with pytest.raises(VerificationFailed):
            verify_proof(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], checker)


def test_a_witness_that_cosigned_can_be_asked_for(tmp_path: Path) -> None:
    made = provable(tmp_path / "ledger")
    witness = Witness(tmp_path / "witness", TurnedClock(), "witness.example/one")
    witness.trust(made.checkpoints.key)
    strict = Checker(made.checkpoints.trust.requiring([witness.key], 1))
    with pytest.raises(VerificationFailed, match="0 of the known witnesses cosigned, 1 are required"):
        verify_proof(made.file("row"), strict)
    assert made.checkpoints.take(witness.add(made.checkpoints.request(made.ledger)), [witness.key]) == [
        "witness.example/one"
    ]
    content = made.file("row")
    assert verify_proof(content, strict).by.endswith("cosigned by witness.example/one")
    stranger = Verifier("witness.example/two", public(seed("two")), COSIGNATURE)
    with pytest.raises(VerificationFailed, match="0 of the known"):
        verify_proof(content, Checker(Trust.from_json(b"%s" % _unwatched(made)).requiring([stranger], 1)))
    for place in range(len(content)):
        with pytest.raises(VerificationFailed):
            verify_proof(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], strict)


def test_one_witness_under_two_names_is_one_witness(tmp_path: Path) -> None:
    made = provable(tmp_path / "ledger")
    witness = Witness(tmp_path / "witness", TurnedClock(), "witness.example/one")
    witness.trust(made.checkpoints.key)
    note = witness.add(made.checkpoints.request(made.ledger))
    twin = Verifier("witness.example/twin", witness.key.public_key, COSIGNATURE)
    line = Signature(twin.name, twin.key_id, note.signatures[-1].value)
    anchor = note_anchor(Note(note.text, (*note.signatures, line)), [witness.key, twin])
    assert (
        open_anchor(anchor, made.checkpoints.trust.requiring([witness.key, twin], 1)).by.count("witness.example") == 2
    )
    with pytest.raises(VerificationFailed, match="1 of the known witnesses cosigned, 2 are required"):
        open_anchor(anchor, made.checkpoints.trust.requiring([witness.key, twin], 2))


def _unwatched(made: Provable) -> bytes:
    import json

    told = json.loads(made.checkpoints.genesis.read_bytes())
    return json.dumps({name: value for name, value in told.items() if name != "witnesses"}).encode()
