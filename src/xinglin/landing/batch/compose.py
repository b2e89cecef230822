"""The parts of a batch beside its resources: replaced versions, quarantine, manifest and signature."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import Any

from xinglin.contracts.landing import QUARANTINE
from xinglin.core.files import file_sha256, sync_folder, write_atomic
from xinglin.core.merkle import Tree
from xinglin.landing.batch.assemble import Assembled, FilePlan
from xinglin.landing.batch.parquet import superseded_table, sync, write_table, writer
from xinglin.landing.batch.versions import Decision
from xinglin.landing.manifest import FORMAT, canonical, sign
from xinglin.sources import Received

__all__ = ["file_entries", "seal", "source_entries", "write_quarantine", "write_superseded"]


def file_entries(plans: list[FilePlan], made: list[Assembled]) -> dict[str, Any]:
    """Entries of the manifest about resources: files, rows per type, Merkle root.

    Args:
        plans: The files in order of their names.
        made: The written files.
    """
    tree = Tree()
    types: Counter[str] = Counter()
    files = []
    for file, result in zip(plans, made, strict=True):
        tree.extend(result.subtrees)
        types[file.resource_type] += file.rows
        files.append(
            {
                "name": file.name,
                "role": "resource",
                "resource_type": file.resource_type,
                "rows": file.rows,
                "bytes": result.size,
                "sha256": result.sha256,
                "conditional_references": file.conditional,
            }
        )
    return {"format": FORMAT, "files": files, "types": dict(types), "merkle_root": tree.root().hex()}


def source_entries(
    received: list[Received], records: Counter[int], quarantined: Counter[int], originals: dict[int, str]
) -> list[dict[str, Any]]:
    """Entries of the manifest about received files, in the order that columns `source` refer to.

    Args:
        received: The files.
        records: Records in each.
        quarantined: Quarantined records of each.
        originals: Name of the stored original of each file that was redacted.
    """
    entries = []
    archive: dict[str, Any] | None = None
    for index, one in enumerate(received):
        entry: dict[str, Any] = {
            "name": one.name,
            "role": one.role,
            "bytes": one.bytes,
            "sha256": one.sha256,
            "records": records[index],
            "quarantined": quarantined[index],
            "complete": one.complete,
            **one.facts,
        }
        if index in originals:
            entry["original"] = originals[index]
        if one.role == "archive":
            archive = entry
        elif one.in_archive and archive is not None:
            archive["records"] += entry["records"]
        entries.append(entry)
    return entries


def write_superseded(
    folder: Path, sequence: int, decision: Decision, plans: list[FilePlan], rows: list[int]
) -> dict[str, Any] | None:
    """Write which earlier versions the batch replaces; None if it replaces none.

    Args:
        folder: Folder of the new batch.
        sequence: Its number, for versions that it both adds and replaces.
        decision: Which versions are replaced.
        plans: Its files.
        rows: Rows of each piece.
    """
    if not decision.superseded:
        return None
    places: dict[int, tuple[str, int, array[int]]] = {}
    for file in plans:
        offset = 0
        for piece, gone in zip(file.pieces, file.dropped, strict=True):
            places[piece] = (file.name, offset, gone)
            offset += rows[piece] - len(gone)
    found = []
    for (batch, file_or_piece, row), key in decision.superseded:
        if isinstance(file_or_piece, int):
            name, offset, gone = places[file_or_piece]
            found.append({"batch": sequence, "file": name, "row": offset + row - bisect_left(gone, row), "key": key})
        else:
            found.append({"batch": batch, "file": file_or_piece, "row": row, "key": key})
    found = list({(one["batch"], one["file"], one["row"]): one for one in found}.values())
    found.sort(key=lambda one: (one["batch"], one["file"], one["row"]))
    path = folder / "superseded.parquet"
    write_table(superseded_table(found), path)
    return _table_entry(path, "superseded", len(found))


def write_quarantine(folder: Path, pieces: list[Path]) -> dict[str, Any] | None:
    """Merge the quarantined records of all tasks into one file; None if there are none."""
    if not pieces:
        return None
    import pyarrow.parquet as pq

    path = folder / "quarantine.parquet"
    rows = 0
    with writer(path, QUARANTINE) as out:
        for piece in pieces:
            table = pq.read_table(piece)
            rows += table.num_rows
            out.write_table(table.cast(out.schema))
    return _table_entry(path, "quarantine", rows)


def _table_entry(path: Path, role: str, rows: int) -> dict[str, Any]:
    sync(path)
    return {"name": path.name, "role": role, "rows": rows, "bytes": path.stat().st_size, "sha256": file_sha256(path)}


def seal(folder: Path, manifest: dict[str, Any], key: bytes) -> None:
    """Write the manifest and its signature; make all names durable."""
    content = canonical(manifest)
    write_atomic(folder / "manifest.json", content)
    write_atomic(folder / "manifest.sig", sign(key, content))
    sync_folder(folder)
