"""A witness cosigns what continues, and refuses what was rolled back or forked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.ledger.proofs.test_note import signer, verifier
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import leaf_hash, root_of
from xinglin.ledger.proofs.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from xinglin.ledger.state.consistency import consistency_spans
from xinglin.ledger.witnesses.witness import Refusal, Refused, Request, Witness

LOG = verifier("region.example")
CLOCK = fixed_clock(datetime(2026, 6, 1, tzinfo=UTC))


def leaves(count: int, kind: str = "") -> list[bytes]:
    return [leaf_hash(f"{kind}{number}".encode()) for number in range(count)]


def request(old: int, new: int, kind: str = "", height: int | None = None) -> Request:
    entries = leaves(new, kind)
    height = new if height is None else height
    checkpoint = Checkpoint("region.example", new, root_of(entries), height, 1_780_000_000, bytes(32))
    note = sign_checkpoint(checkpoint, LOG, lambda text: signer().sign(text).signature)
    spans = consistency_spans(old, new) if old <= new else []
    return Request(old, tuple(root_of(entries[first:end]) for first, end in spans), note)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    made = Witness(tmp_path / "witness", CLOCK, "witness.example/one")
    made.trust(LOG)
    return made


def test_a_growing_log_is_cosigned_each_time(witness: Witness) -> None:
    for old, new in [(0, 3), (3, 3), (3, 8), (8, 21)]:
        note = witness.add(Request.parse(str(request(old, new))))
        checkpoint, cosigners = open_checkpoint(str(note), LOG, [witness.key])
        assert checkpoint.size == new
        assert [key.name for key, _ in cosigners] == ["witness.example/one"]


def test_a_rolled_back_log_is_refused_also_by_the_witness_opened_again(witness: Witness) -> None:
    witness.add(request(0, 8))
    again = Witness(witness.folder, CLOCK)
    assert again.key == witness.key
    with pytest.raises(Refused, match="8 entries were cosigned") as caught:
        again.add(request(5, 6))
    assert (caught.value.reason, caught.value.size) == (Refusal.CONFLICT, 8)
    with pytest.raises(Refused) as caught:
        again.add(request(8, 6))
    assert caught.value.reason is Refusal.MALFORMED


def test_a_forked_log_is_refused(witness: Witness) -> None:
    witness.add(request(0, 8))
    with pytest.raises(Refused, match="was forked") as caught:
        witness.add(request(8, 8, "other"))
    assert caught.value.reason is Refusal.CONFLICT
    with pytest.raises(Refused, match="does not lead to the root") as caught:
        witness.add(request(8, 12, "other"))
    assert caught.value.reason is Refusal.INCONSISTENT
    seen = witness.seen("region.example")
    assert seen is not None
    assert seen.size == 8


def test_the_state_cannot_go_back_under_the_same_log(witness: Witness) -> None:
    witness.add(request(0, 8, height=9))
    with pytest.raises(Refused, match="height 9 was cosigned"):
        witness.add(request(8, 8, height=8))


def test_a_chain_that_is_not_watched_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        Witness(tmp_path, CLOCK).add(request(0, 1))
    assert caught.value.reason is Refusal.UNKNOWN_LOG


def test_a_checkpoint_under_another_key_is_refused_and_the_key_is_not_replaced(witness: Witness) -> None:
    note = request(0, 1).note
    stranger = sign_checkpoint(
        Checkpoint.parse(note.text), verifier("region.example", 3), lambda text: signer(3).sign(text).signature
    )
    with pytest.raises(Refused) as caught:
        witness.add(Request(0, (), stranger))
    assert caught.value.reason is Refusal.NO_SIGNATURE
    with pytest.raises(VerificationFailed, match="another checkpoint key"):
        witness.trust(verifier("region.example", 3))


def test_a_witness_whose_own_memory_was_changed_says_so(witness: Witness) -> None:
    witness.add(request(0, 8))
    (path,) = (witness.folder / "seen").iterdir()
    path.write_text(path.read_text().replace("\n8\n", "\n5\n", 1))
    with pytest.raises(VerificationFailed, match="signature of the note is invalid"):
        witness.add(request(5, 6))


def test_the_key_is_readable_by_nobody_else(witness: Witness) -> None:
    assert (witness.folder / "witness.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("head", ["new 0", "old", "old 01", "old -1", "old 0\n!", "old 0" + "\nAAAA" * 64])
def test_a_malformed_request_is_refused(head: str) -> None:
    with pytest.raises(Refused) as caught:
        Request.parse(f"{head}\n\n{request(0, 1).note}")
    assert caught.value.reason is Refusal.MALFORMED


def test_one_log_with_two_states_is_a_fork(witness: Witness) -> None:
    first = request(0, 3)
    witness.add(first)
    other = replace(Checkpoint.parse(first.note.text), state_root=bytes([1]) * 32)
    forked = Request(3, (), sign_checkpoint(other, LOG, lambda text: signer().sign(text).signature))
    with pytest.raises(Refused, match="forked") as caught:
        witness.add(forked)
    assert caught.value.reason is Refusal.CONFLICT


@pytest.mark.parametrize("number", ["9" * 5_000, "\u00b2", "-1", "01", ""])
def test_a_size_that_is_no_number_is_malformed(number: str) -> None:
    with pytest.raises(Refused) as caught:
        Request.parse(str(request(0, 3)).replace("old 0", f"old {number}"))
    assert caught.value.reason is Refusal.MALFORMED
