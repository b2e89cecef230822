"""Every landed byte is watched; a proof leads from one resource to the signature."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.landing.conftest import condition, lines, patient
from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.landing import Landing, prove, verify

Land = Callable[..., Any]


@pytest.fixture
def batch(land: Land, landing: Landing) -> Path:
    land(lines(*(patient(n, name=[{"family": f"Secret{n}"}]) for n in range(200)), condition(1, 1)) + b"junk\n")
    land(lines(patient(1)), "b.ndjson")
    return landing.batches("mercy")[0].path


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_what_was_landed_is_found_to_be_so(batch: Path, landing: Landing) -> None:
    told: list[tuple[int, int]] = []
    report = verify(landing, progress=lambda done, total: told.append((done, total)))
    assert (report.sites, report.batches, report.files, report.resources) == (1, 2, 5, 202)
    assert told[-1] == (5, 5)


@pytest.mark.parametrize(
    "name", ["Patient-00000.parquet", "Condition-00000.parquet", "quarantine.parquet", "manifest.json", "manifest.sig"]
)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_one_flipped_byte_names_the_file(batch: Path, landing: Landing, name: str, part: float) -> None:
    flip(batch / name, int((batch / name).stat().st_size * part))
    with pytest.raises(VerificationFailed) as caught:
        verify(landing)
    expected = "manifest.json" if name == "manifest.sig" else name
    assert caught.value.source == str(batch / expected)
    assert "Secret" not in str(caught.value)


def test_a_missing_file_an_extra_file_and_a_missing_batch_are_named(batch: Path, landing: Landing) -> None:
    extra = batch / "Patient-00001.parquet"
    shutil.copy(batch / "Patient-00000.parquet", extra)
    with pytest.raises(VerificationFailed, match="not listed in the signed manifest"):
        verify(landing)
    extra.unlink()
    kept = (batch / "Patient-00000.parquet").rename(batch.parent / "kept")
    with pytest.raises(VerificationFailed, match="missing"):
        verify(landing)
    kept.rename(batch / "Patient-00000.parquet")
    verify(landing)
    shutil.rmtree(batch)
    with pytest.raises(VerificationFailed, match="an earlier batch is missing"):
        verify(landing)


def test_a_changed_resource_is_found_even_when_the_file_hash_was_signed_again(batch: Path, landing: Landing) -> None:
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    from xinglin.core.files import file_sha256
    from xinglin.landing.manifest import canonical, sign

    path = batch / "Patient-00000.parquet"
    table = pq.read_table(path)
    texts = table["resource"].to_pylist()
    texts[7] = texts[7].replace("Secret7", "Secret8")
    pq.write_table(table.set_column(6, "resource", pa.array(texts)), path)
    shutil.rmtree(batch.parent / "batch-000002")
    manifest = json.loads((batch / "manifest.json").read_bytes())
    entry = next(one for one in manifest["files"] if one["name"] == path.name)
    entry |= {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    (batch / "manifest.json").write_bytes(canonical(manifest))
    (batch / "manifest.sig").write_bytes(sign(landing.signing_key("mercy"), canonical(manifest)))
    with pytest.raises(VerificationFailed, match=r"row 7 \(Patient, key \d+\)"):
        verify(landing)


def test_a_signature_of_another_site_does_not_count(batch: Path, landing: Landing) -> None:
    from xinglin.landing.manifest import new_key, sign

    (batch / "manifest.sig").write_bytes(sign(new_key(b"x" * 32), (batch / "manifest.json").read_bytes()))
    with pytest.raises(VerificationFailed, match="signature"):
        verify(landing)


@pytest.mark.parametrize(("file", "row"), [("Condition-00000.parquet", 0), ("Patient-00000.parquet", 131)])
def test_a_proof_holds_for_its_resource_only(batch: Path, landing: Landing, file: str, row: int) -> None:
    proof = prove(landing, "mercy", 1, file, row)
    proof.check()
    other = prove(landing, "mercy", 1, "Patient-00000.parquet", 9)
    for forged in (
        replace(proof, leaf=other.leaf),
        replace(proof, path=proof.path[:-1]),
        replace(proof, root=bytes(32)),
        replace(proof, signature="00" * 64),
        replace(proof, manifest=proof.manifest + b" "),
    ):
        with pytest.raises(VerificationFailed):
            forged.check()


def test_a_proof_of_nothing_is_an_error(batch: Path, landing: Landing) -> None:
    for place in ((9, "Patient-00000.parquet", 0), (1, "Goal-00000.parquet", 0), (1, "Patient-00000.parquet", 200)):
        with pytest.raises(NotFound):
            prove(landing, "mercy", *place)
