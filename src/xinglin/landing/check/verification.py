"""Verify batches: recompute every signed hash and report the first file or resource that differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.core.files import file_sha256
from xinglin.core.ids import omop_key
from xinglin.core.merkle import Tree, cover
from xinglin.core.progress import Steps
from xinglin.landing.batch.originals import original_sha256
from xinglin.landing.erasures.erase import pending
from xinglin.landing.erasures.landed_again import landed_again
from xinglin.landing.manifest import canonical, check_signature, digest
from xinglin.landing.store import Batch, LandedFile, Landing, Site
from xinglin.landing.tombstone import folder_of, originals_now, read_tombstones

__all__ = ["VerifyReport", "verify"]


@dataclass(frozen=True)
class VerifyReport:
    """What was verified; `erased` counts resources deleted by signed tombstones."""

    sites: int
    batches: int
    files: int
    resources: int
    erased: int = 0


def verify(landing: Landing, site: str | None = None, progress: Steps | None = None) -> VerifyReport:
    """Check signatures, the chain of manifests, files, leaves, Merkle roots and counts.

    Args:
        landing: The region's landing.
        site: Check only this site.
        progress: Called with the number of files checked and the total.

    Raises:
        VerificationFailed: Names the first file or resource that is not as signed.
    """
    sites = [landing.site(site)] if site else landing.sites()
    batches = [(one, batch) for one in sites for batch in landing.batches(one.name)]
    total = sum(len(_manifest(batch)["files"]) for _, batch in batches)
    files = resources = 0
    previous: dict[str, Batch] = {}
    now = {one.name: _check_tombstones(landing, one) for one in sites}
    for one, batch in batches:
        _check_chain(one, batch, previous.get(one.name))
        previous[one.name] = batch
        for _ in _check_files(batch):
            files += 1
            if progress:
                progress(files, total)
        resources += _check_resources(batch)
        _check_originals(landing, batch, now[one.name])
    for one in sites:
        if landed_again(landing, one.name):
            raise VerificationFailed(
                "an erased person was landed again",
                source=str(landing.folder(one.name)),
                remedy="erase them again: xinglin erase --again",
            )
    erased = sum(len(batch.erased(file.name)) for _, batch in batches for file in batch.files())
    return VerifyReport(len(sites), len(batches), files, resources, erased)


def _damaged(what: str, path: Path | str) -> VerificationFailed:
    return VerificationFailed(what, source=str(path), remedy="restore the site's folder from a backup")


def _manifest(batch: Batch) -> dict[str, Any]:
    try:
        return batch.manifest
    except (OSError, ValueError) as error:
        raise _damaged("the manifest cannot be read", batch.path / "manifest.json") from error


def _check_tombstones(landing: Landing, site: Site) -> dict[str, str | None]:
    """Check signatures and chain of a site's tombstones; return the current names of redacted originals."""
    folder = landing.folder(site.name)
    if pending(folder):
        raise VerificationFailed("an erasure was interrupted", source=str(folder), remedy="run: xinglin erase --resume")
    tombstones = read_tombstones(folder, site.public_key)
    there = {batch.sequence for batch in landing.batches(site.name)}
    for tombstone in tombstones:
        if tombstone.site != site.name or not {one.sequence for one in tombstone.batches} <= there:
            raise _damaged("a tombstone does not match the landed batches", folder_of(folder))
    return originals_now(tombstones)


def _check_chain(site: Site, batch: Batch, previous: Batch | None) -> None:
    where = str(batch.path / "manifest.json")
    try:
        signature = (batch.path / "manifest.sig").read_bytes()
    except OSError as error:
        raise _damaged("the signature is missing", batch.path / "manifest.sig") from error
    check_signature(site.public_key, batch.manifest_bytes, signature, where=where)
    manifest = batch.manifest
    expected = (batch.change.redacted or batch.change.manifest) if batch.change else None
    if expected is not None and digest(batch.manifest_bytes) != expected:
        raise _damaged("the manifest is not the one in the tombstone", where)
    if canonical(manifest) != batch.manifest_bytes:
        raise _damaged("the manifest is not canonical JSON", where)
    if (manifest["site"], manifest["sequence"]) != (site.name, batch.sequence):
        raise _damaged("the batch is not in the folder it was signed for", where)
    if batch.sequence != (previous.sequence + 1 if previous else 1):
        raise _damaged("an earlier batch is missing", where)
    if manifest["previous"] != (previous.digest if previous else None):
        raise _damaged("the manifest does not refer to the previous one", where)
    counts = manifest["counts"]
    if counts["received"] != counts["landed"] + counts["duplicate"] + counts["quarantined"]:
        raise _damaged("received is not the sum of landed, duplicate and quarantined", where)


def _check_files(batch: Batch) -> Iterator[str]:
    entries = {entry["name"]: entry for entry in batch.manifest["files"]}
    there = {path.name for path in batch.path.iterdir()} - {"manifest.json", "manifest.sig"}
    for name in sorted(there - set(entries)):
        raise VerificationFailed(
            "a file is not listed in the signed manifest",
            source=str(batch.path / name),
            remedy="move the file out of the batch",
        )
    for name, entry in entries.items():
        path = batch.path / name
        if not path.is_file():
            raise _damaged("a signed file is missing", path)
        now = batch.change.files.get(name) if batch.change else None
        if now and (now.before, now.role) != (entry["sha256"], entry["role"]):
            raise _damaged("the tombstone does not refer to the signed file", path)
        size, sha256 = (now.bytes, now.sha256) if now else (entry["bytes"], entry["sha256"])
        if path.stat().st_size != size or file_sha256(path) != sha256:
            raise _damaged(f"the file differs from what was signed{_first_bad_row(batch, name)}", path)
        yield name


def _first_bad_row(batch: Batch, name: str) -> str:
    """The first differing resource of a damaged file, if the file can still be read."""
    file = next((one for one in batch.files() if one.name == name), None)
    if file is None:
        return ""
    try:
        for row, resource_id, bad in _rows(file, _gone(batch, name)):
            if bad:
                key = omop_key(file.site, file.resource_type, resource_id)
                return f", first in row {row} ({file.resource_type}, key {key})"
    except Exception:  # a damaged Parquet file can raise any error
        return ""
    return ""


def _gone(batch: Batch, name: str) -> dict[int, str]:
    """Leaf hashes of the erased rows of a file."""
    file = batch.change.files.get(name) if batch.change else None
    return dict(zip(file.rows, file.leaves, strict=True)) if file else {}


def _rows(file: LandedFile, gone: dict[int, str]) -> Iterator[tuple[int, str, bool]]:
    """Row number, id, and whether key or leaf differ from those of the row's text and id.

    An erased row has only the leaf that the tombstone lists.
    """
    import pyarrow.parquet as pq

    row = 0
    with pq.ParquetFile(file.path) as parquet:
        for batch in parquet.iter_batches(batch_size=4_096, columns=["key", "resource_id", "leaf", "resource"]):
            columns = (batch[name].to_pylist() for name in ("key", "resource_id", "leaf", "resource"))
            for key, resource_id, leaf, text in zip(*columns, strict=True):
                if row in gone:
                    yield row, resource_id, (key, resource_id, text, leaf.hex()) != (0, "", "", gone[row])
                    row += 1
                    continue
                bad = hashlib.sha256(b"\x00" + text.encode()).digest() != leaf
                yield row, resource_id, bad or key != omop_key(file.site, file.resource_type, resource_id)
                row += 1


def _check_resources(batch: Batch) -> int:
    import pyarrow.parquet as pq

    tree = Tree()
    for file in batch.files():
        rows = 0
        for row, resource_id, bad in _rows(file, _gone(batch, file.name)):
            rows += 1
            if bad:
                key = omop_key(file.site, file.resource_type, resource_id)
                raise _damaged(f"row {row} ({file.resource_type}, key {key}) does not have its signed hash", file.path)
        if rows != file.rows:
            raise _damaged(f"the file has {rows} rows, but {file.rows} were signed", file.path)
        leaves = [one for part in pq.read_table(file.path, columns=["leaf"])["leaf"].chunks for one in part.to_pylist()]
        tree.extend(cover(leaves, tree.size))
    where = str(batch.path / "manifest.json")
    if tree.root().hex() != batch.manifest["merkle_root"]:
        raise _damaged("the Merkle root over the resources is not the signed one", where)
    if tree.size != batch.manifest["counts"]["landed"]:
        raise _damaged("the number of resources in the files is not the signed one", where)
    return tree.size


def _check_originals(landing: Landing, batch: Batch, now: dict[str, str | None]) -> None:
    """Every original is as received, or redacted or deleted as a tombstone says."""
    for source in batch.manifest["sources"]:
        if "original" not in source:
            continue
        folder = landing.folder(batch.site) / "originals"
        first = folder / source["original"]
        name = now.get(first.name, first.name)
        if name != first.name and first.exists():
            raise VerificationFailed("an erased original still exists", source=str(first), remedy="delete the file")
        if name is None:
            continue
        path = folder / name
        if not path.is_file():
            raise _damaged("the original of a received file is missing", path)
        # A redacted original is named by its own hash.
        redacted = name != first.name or "redacted" in source
        if original_sha256(path) != (name.split(".")[0] if redacted else source["sha256"]):
            kind = "the redacted original of a received file" if redacted else "the original of a received file"
            raise _damaged(f"{kind} was changed", path)
