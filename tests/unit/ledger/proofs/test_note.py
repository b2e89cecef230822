"""Signed notes: published examples, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.proofs.note import COSIGNATURE, Note, Signature, Verifier, open_note, sign_note

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The example key of golang.org/x/mod/sumdb/note, and a note that it signed."""
SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"


def signer(seed: int = 1) -> SigningKey:
    return SigningKey(bytes([seed]) * 32)


def verifier(name: str, seed: int = 1, kind: int = 1) -> Verifier:
    return Verifier(name, bytes(signer(seed).verify_key), kind)


def test_the_published_note_is_read_and_written_byte_for_byte() -> None:
    import base64

    key = Verifier.parse(NEUMANN)
    note = Note.parse(TEXT + "\n" + LINE)
    assert [one.name for one, _ in open_note(note, [key])] == ["PeterNeumann"]
    secret = SigningKey(base64.b64decode(SEED)[1:])
    assert sign_note(TEXT, key, lambda text: secret.sign(text).signature).line() == LINE
    assert key.text() == NEUMANN
    assert str(note) == TEXT + "\n" + LINE


def test_the_key_id_of_the_published_cosignature_is_not_that_of_a_log_key() -> None:
    assert verifier("w", kind=COSIGNATURE).key_id != verifier("w").key_id


def test_signatures_of_strangers_are_passed_over_and_none_known_is_refused() -> None:
    key = verifier("log.example")
    line = sign_note("a\n", key, lambda text: signer().sign(text).signature)
    note = Note("a\n", (Signature("stranger.example", b"abcd", b"x" * 64), line))
    assert len(open_note(note, [key])) == 1
    with pytest.raises(VerificationFailed, match="no known key"):
        open_note(note, [verifier("log.example", 2)])


def test_a_bad_signature_of_a_known_key_refuses_the_whole_note() -> None:
    key, other = verifier("log.example"), verifier("other.example", 2)
    good = sign_note("a\n", key, lambda text: signer().sign(text).signature)
    bad = Signature(other.name, other.key_id, bytes(64))
    with pytest.raises(VerificationFailed, match=r"signature of the note is invalid.*other\.example"):
        open_note(Note("a\n", (good, bad)), [key, other])


def test_a_cosignature_binds_its_time() -> None:
    key = verifier("witness.example", kind=COSIGNATURE)
    line = sign_note("a\n", key, lambda text: signer().sign(text).signature, time=1_679_315_147)
    assert line.time == 1_679_315_147
    assert key.verifies("a\n", line)
    assert not key.verifies("a\n", Signature(line.name, line.key_id, (5).to_bytes(8, "big") + line.value[8:]))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\n\n" + LINE.encode(),
        b"text without signatures\n",
        b"a\n\n- PeterNeumann x08go/ZJkuBS9UG/SffcvI=\n",
        "a\n\n— name+plus AAAAAAA=\n".encode(),
        "a\n\n— name AAAAAAA\n".encode(),
        "a\n\n— name AAAAAAB=\n".encode(),
        "a\n\n— name AAAA\n".encode(),
        "a\x01\n\n— name AAAAAAA=\n".encode(),
        "a\n\n— name AAAAAAA=".encode(),
    ],
)
def test_what_is_not_a_note_is_refused(content: bytes) -> None:
    with pytest.raises(VerificationFailed):
        Note.parse(content)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AAAA", NEUMANN.replace("c74f", "c74e"), NEUMANN + "="])
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed):
        Verifier.parse(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), st.integers(1, 5))
def test_every_note_reads_back_as_it_was_written(text: str, signatures: int) -> None:
    keys = [verifier(f"log.example/{number}", number) for number in range(1, signatures + 1)]
    whole = text + "\n"
    lines = tuple(sign_note(whole, key, lambda m, n=n: signer(n + 1).sign(m).signature) for n, key in enumerate(keys))
    note = Note.parse(str(Note(whole, lines)).encode())
    assert note.text == whole
    assert [key for key, _ in open_note(note, keys)] == keys
