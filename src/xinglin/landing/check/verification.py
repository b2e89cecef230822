"""Compute everything again that a batch was signed for, and name the first byte that is not so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.core.files import file_sha256
from xinglin.core.ids import omop_key
from xinglin.core.merkle import Tree, cover
from xinglin.landing.batch.originals import original_sha256
from xinglin.landing.erasures.erase import pending
from xinglin.landing.erasures.returned import returned
from xinglin.landing.manifest import canonical, check_signature, digest
from xinglin.landing.store import Batch, LandedFile, Landing, Site
from xinglin.landing.tombstone import folder_of, originals_now, read_tombstones

__all__ = ["VerifyReport", "verify"]


@dataclass(frozen=True)
class VerifyReport:
    """What was found to be as it was signed; `erased` of the resources are gone, as signed tombstones say."""

    sites: int
    batches: int
    files: int
    resources: int
    erased: int = 0


def verify(
    landing: Landing, site: str | None = None, progress: Callable[[int, int], None] | None = None
) -> VerifyReport:
    """Check signatures, the chain of manifests, files, leaves, Merkle roots and counts.

    Args:
        landing: What to check.
        site: Only this site.
        progress: Told of the files checked and the files in all.

    Raises:
        VerificationFailed: Names the first file or resource that is not what was signed.
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
        if returned(landing, one.name):
            raise VerificationFailed(
                "a person who was erased is here again",
                source=str(landing.folder(one.name)),
                remedy="erase them again: xinglin erase --again",
            )
    erased = sum(len(batch.erased(file.name)) for _, batch in batches for file in batch.files())
    return VerifyReport(len(sites), len(batches), files, resources, erased)


def _manifest(batch: Batch) -> dict[str, Any]:
    try:
        return batch.manifest
    except (OSError, ValueError) as error:
        raise VerificationFailed("the manifest cannot be read", source=str(batch.path / "manifest.json")) from error


def _check_tombstones(landing: Landing, site: Site) -> dict[str, str | None]:
    """Signatures and order of a site's tombstones; what stands in the place of originals that they name."""
    folder = landing.folder(site.name)
    if pending(folder):
        raise VerificationFailed(
            "an erasure was interrupted", source=str(folder), remedy="finish it: xinglin erase --resume"
        )
    tombstones = read_tombstones(folder, site.public_key)
    there = {batch.sequence for batch in landing.batches(site.name)}
    for tombstone in tombstones:
        if tombstone.site != site.name or not {one.sequence for one in tombstone.batches} <= there:
            raise VerificationFailed("a tombstone does not belong to what is there", source=str(folder_of(folder)))
    return originals_now(tombstones)


def _check_chain(site: Site, batch: Batch, previous: Batch | None) -> None:
    where = str(batch.path / "manifest.json")
    try:
        signature = (batch.path / "manifest.sig").read_bytes()
    except OSError as error:
        raise VerificationFailed("the signature is not there", source=str(batch.path / "manifest.sig")) from error
    check_signature(site.public_key, batch.manifest_bytes, signature, where=where)
    manifest = batch.manifest
    expected = (batch.change.redacted or batch.change.manifest) if batch.change else None
    if expected is not None and digest(batch.manifest_bytes) != expected:
        raise VerificationFailed("the manifest is not the one that the tombstone names", source=where)
    if canonical(manifest) != batch.manifest_bytes:
        raise VerificationFailed("the manifest is not in its canonical form", source=where)
    if (manifest["site"], manifest["sequence"]) != (site.name, batch.sequence):
        raise VerificationFailed("the batch does not stand where it was signed for", source=where)
    if batch.sequence != (previous.sequence + 1 if previous else 1):
        raise VerificationFailed("a batch before this one is missing", source=where)
    if manifest["previous"] != (previous.digest if previous else None):
        raise VerificationFailed("the manifest does not follow the one before it", source=where)
    counts = manifest["counts"]
    if counts["received"] != counts["landed"] + counts["duplicate"] + counts["quarantined"]:
        raise VerificationFailed("received is not landed + duplicate + quarantined", source=where)


def _check_files(batch: Batch) -> Iterator[str]:
    entries = {entry["name"]: entry for entry in batch.manifest["files"]}
    there = {path.name for path in batch.path.iterdir()} - {"manifest.json", "manifest.sig"}
    for name in sorted(there - set(entries)):
        raise VerificationFailed("a file is there that was not signed for", source=str(batch.path / name))
    for name, entry in entries.items():
        path = batch.path / name
        if not path.is_file():
            raise VerificationFailed("a signed file is missing", source=str(path))
        now = batch.change.files.get(name) if batch.change else None
        if now and (now.before, now.role) != (entry["sha256"], entry["role"]):
            raise VerificationFailed("the tombstone is not about the file that was signed", source=str(path))
        size, sha256 = (now.bytes, now.sha256) if now else (entry["bytes"], entry["sha256"])
        if path.stat().st_size != size or file_sha256(path) != sha256:
            raise VerificationFailed(
                f"the file is not what was signed{_first_bad_row(batch, name)}",
                source=str(path),
                remedy="restore it from a backup, or from the original that the site sent",
            )
        yield name


def _first_bad_row(batch: Batch, name: str) -> str:
    """Which resource of a damaged file is the first bad one, where the file can still be read."""
    file = next((one for one in batch.files() if one.name == name), None)
    if file is None:
        return ""
    try:
        for row, resource_id, bad in _rows(file, _gone(batch, name)):
            if bad:
                key = omop_key(file.site, file.resource_type, resource_id)
                return f", first in row {row} ({file.resource_type}, key {key})"
    except Exception:  # whatever a damaged Parquet file makes a reader raise
        return ""
    return ""


def _gone(batch: Batch, name: str) -> dict[int, str]:
    """Leaves of the rows of a file that were erased."""
    file = batch.change.files.get(name) if batch.change else None
    return dict(zip(file.rows, file.leaves, strict=True)) if file else {}


def _rows(file: LandedFile, gone: dict[int, str]) -> Iterator[tuple[int, str, bool]]:
    """Row number, id, and whether key or leaf differ from what the row's text and id say.

    An erased row has nothing but the leaf that the tombstone names.
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
                raise VerificationFailed(
                    f"row {row} ({file.resource_type}, key {key}) does not have the hash it was landed with",
                    source=str(file.path),
                )
        if rows != file.rows:
            raise VerificationFailed(f"the file has {rows} rows, signed were {file.rows}", source=str(file.path))
        leaves = [one for part in pq.read_table(file.path, columns=["leaf"])["leaf"].chunks for one in part.to_pylist()]
        tree.extend(cover(leaves, tree.size))
    where = str(batch.path / "manifest.json")
    if tree.root().hex() != batch.manifest["merkle_root"]:
        raise VerificationFailed("the Merkle root over the resources is not the one that was signed", source=where)
    if tree.size != batch.manifest["counts"]["landed"]:
        raise VerificationFailed("the files do not have the number of resources that was landed", source=where)
    return tree.size


def _check_originals(landing: Landing, batch: Batch, now: dict[str, str | None]) -> None:
    """Every original is as it was received, or as a tombstone says it was made anew, or erased and gone."""
    for source in batch.manifest["sources"]:
        if "original" not in source:
            continue
        folder = landing.folder(batch.site) / "originals"
        first = folder / source["original"]
        name = now.get(first.name, first.name)
        if name != first.name and first.exists():
            raise VerificationFailed("an original that was erased is there", source=str(first))
        if name is None:
            continue
        path = folder / name
        if not path.is_file():
            raise VerificationFailed("the original of a received file is missing", source=str(path))
        # Its own name is the hash of one that something was taken out of, here or when it was received.
        redacted = name != first.name or "redacted" in source
        if original_sha256(path) != (name.split(".")[0] if redacted else source["sha256"]):
            kind = "the original of a received file, redacted," if redacted else "the original of a received file"
            raise VerificationFailed(f"{kind} was changed", source=str(path))
