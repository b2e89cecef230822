"""Checkpoints and cosignatures."""

from __future__ import annotations

import base64
import dataclasses

import pytest

from tests.unit.ledger.proofs.test_note import signer, verifier
from xinglin.core.errors import VerificationFailed
from xinglin.ledger.proofs.checkpoint import Checkpoint, cosign, open_checkpoint, sign_checkpoint
from xinglin.ledger.proofs.note import COSIGNATURE, Note

ONE = Checkpoint("region.example", 2, b"r" * 32, 7, 1_780_000_000, b"s" * 32)
LOG = verifier("region.example")
WITNESS = verifier("witness.example/one", 2, COSIGNATURE)


def signed(checkpoint: Checkpoint = ONE) -> Note:
    return sign_checkpoint(checkpoint, LOG, lambda text: signer().sign(text).signature)


def cosigned() -> Note:
    return cosign(signed(), WITNESS, lambda text: signer(2).sign(text).signature, 1_780_000_060)


def test_the_first_three_lines_are_those_of_the_specification() -> None:
    origin, size, root, extension, end = ONE.text().split("\n")
    assert (origin, size, root, end) == ("region.example", "2", base64.b64encode(b"r" * 32).decode(), "")
    assert extension.startswith("xinglin 7 1780000000 ")


def test_a_signed_checkpoint_opens_with_the_key_of_the_log_and_names_its_witnesses() -> None:
    opened, witnesses = open_checkpoint(str(cosigned()), LOG, [WITNESS])
    assert opened == ONE
    assert [(key.name, line.time) for key, line in witnesses] == [("witness.example/one", 1_780_000_060)]


def test_a_witness_that_nobody_named_is_passed_over() -> None:
    assert open_checkpoint(str(cosigned()), LOG) == (ONE, [])


def test_a_checkpoint_that_only_a_witness_signed_is_refused() -> None:
    note = cosigned()
    with pytest.raises(VerificationFailed, match="checkpoint is not signed by the ledger"):
        open_checkpoint(str(Note(note.text, note.signatures[1:])), LOG, [WITNESS])


def test_cosigning_again_replaces_the_earlier_line() -> None:
    again = cosign(cosigned(), WITNESS, lambda text: signer(2).sign(text).signature, 1_780_000_120)
    assert [line.time for _, line in open_checkpoint(str(again), LOG, [WITNESS])[1]] == [1_780_000_120]


def test_a_checkpoint_of_another_chain_is_refused() -> None:
    note = signed(dataclasses.replace(ONE, origin="other.example"))
    with pytest.raises(VerificationFailed, match="another chain"):
        open_checkpoint(str(note), LOG)


@pytest.mark.parametrize("number", range(len(ONE.text())))
def test_every_changed_character_of_the_text_is_refused(number: int) -> None:
    note = signed()
    text = note.text[:number] + chr(ord(note.text[number]) ^ 1) + note.text[number + 1 :]
    with pytest.raises(VerificationFailed):
        open_checkpoint(text + "\n" + note.signatures[0].line(), LOG)


@pytest.mark.parametrize(
    ("found", "put"),
    [("\n2\n", "\n02\n"), ("\n2\n", "\n-2\n"), ("xinglin", "other"), (" 7 ", " 07 "), (" 7 ", " "), ("AAA", "AAB")],
)
def test_a_text_of_another_form_is_no_checkpoint(found: str, put: str) -> None:
    text = dataclasses.replace(ONE, root=bytes(32), state_root=bytes(32)).text()
    assert found in text
    changed = text.replace(found, put, 1) if found != "AAA" else text[:-3] + "B=\n"
    with pytest.raises(VerificationFailed):
        Checkpoint.parse(changed)
