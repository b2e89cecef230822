"""age and zstd: the usual tools open what is sealed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import zstandard

from tests.unit.backup.conftest import NOW, Bed
from xinglin.backup import Recipients, new_identity, read_identities
from xinglin.core.errors import UsageError, VerificationFailed


def program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"not tested with the real {name}, which is not installed (make servers)")
    return found


def test_age_opens_every_object(bed: Bed) -> None:
    age = program("age")
    bed.create()
    found = sorted((bed.folder / "target").rglob("*.age"))
    plain = [
        zstandard.decompress(
            subprocess.run([age, "-d", "-i", bed.identity, path], check=True, capture_output=True).stdout
        )
        for path in found
    ]

    assert b'"path":"xinglin.toml"' in b"".join(plain)
    assert (bed.home / "landing/mercy/batch-000001/Patient-00000.parquet").read_bytes() in b"".join(plain)


def test_an_identity_of_age_keygen_opens_backups(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    done = subprocess.run([program("age-keygen"), "-o", path], check=True, capture_output=True, text=True)
    public = done.stderr.split("Public key: ")[1].strip()
    Recipients.of([public]).seal(b"plain", tmp_path / "sealed")

    assert read_identities(path).open((tmp_path / "sealed").read_bytes(), 100, "here") == b"plain"


def test_age_reads_an_identity_that_was_made_here(tmp_path: Path) -> None:
    text, public = new_identity(NOW)
    (tmp_path / "identity").write_text(text)

    done = subprocess.run(
        [program("age-keygen"), "-y", tmp_path / "identity"], check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == public


def test_several_recipients_can_each_open_it(tmp_path: Path) -> None:
    pairs = [new_identity(NOW) for _ in range(3)]
    Recipients.of([public for _, public in pairs]).seal(b"plain", tmp_path / "sealed")
    for text, _ in pairs:
        (tmp_path / "identity").write_text(text)
        assert read_identities(tmp_path / "identity").open((tmp_path / "sealed").read_bytes(), 100, "here") == b"plain"


def test_the_order_of_recipients_does_not_matter() -> None:
    words = [new_identity(NOW)[1] for _ in range(3)]

    assert Recipients.of(words) == Recipients.of([*words[::-1], words[0]])
    assert Recipients.of(words).name != Recipients.of(words[:2]).name


@pytest.mark.parametrize("words", [[], ["age1nonsense"], ["ssh-ed25519 nonsense"], ["AGE-SECRET-KEY-1QQ"]])
def test_what_is_no_recipient_is_refused_and_a_secret_is_not_quoted(words: list[str]) -> None:
    with pytest.raises(UsageError) as refusal:
        Recipients.of(words)
    assert "SECRET" not in str(refusal.value)


def test_more_bytes_than_agreed_are_not_unpacked(tmp_path: Path) -> None:
    text, public = new_identity(NOW)
    (tmp_path / "identity").write_text(text)
    Recipients.of([public]).seal(bytes(10_000_000), tmp_path / "sealed")

    with pytest.raises(VerificationFailed, match="larger than permitted"):
        read_identities(tmp_path / "identity").open((tmp_path / "sealed").read_bytes(), 1_000_000, "here")
