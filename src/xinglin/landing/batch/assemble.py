"""Assemble the pieces into the files of a batch: grouped by type, without duplicates, hashed."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinglin.contracts.landing import RESOURCE
from xinglin.core.files import file_sha256, full_disk
from xinglin.core.merkle import Subtree, cover
from xinglin.landing.batch.parquet import ROW_GROUP, sync, writer
from xinglin.landing.batch.pieces import FILE_BYTES, FILE_ROWS, Piece

__all__ = ["Assembled", "FilePlan", "assemble", "plan"]


@dataclass(frozen=True)
class FilePlan:
    """One file to write.

    Args:
        name: Its name in the batch.
        resource_type: Type of its resources.
        folder: Folder to write it to.
        pieces: Numbers of its pieces.
        paths: Their files.
        dropped: Rows of the pieces to leave out.
        rows: Number of rows.
        start: Number of its first row among all rows of the batch.
        conditional: References by search or identifier in its pieces, rows left out included.
    """

    name: str
    resource_type: str
    folder: Path
    pieces: tuple[int, ...]
    paths: tuple[Path, ...]
    dropped: tuple[array[int], ...]
    rows: int
    start: int
    conditional: int


@dataclass(frozen=True)
class Assembled:
    """One file that was written."""

    size: int
    sha256: str
    subtrees: list[Subtree]


def plan(pieces: list[Piece], dropped: Mapping[int, Sequence[int]], folder: Path) -> list[FilePlan]:
    """Group the pieces of a type, in their order, into files that are neither tiny nor huge.

    Args:
        pieces: All pieces of the batch, in order.
        dropped: Rows to leave out, by number of the piece.
        folder: Folder to write the files to.
    """
    groups: list[tuple[str, list[int]]] = []
    for resource_type in sorted({piece.resource_type for piece in pieces}):
        group: list[int] = []
        rows = size = 0
        for number, piece in enumerate(pieces):
            kept = piece.rows - len(dropped.get(number, ()))
            if piece.resource_type != resource_type or not kept:
                continue
            if group and (rows + kept > FILE_ROWS or size + piece.text_bytes > FILE_BYTES):
                groups.append((resource_type, group))
                group, rows, size = [], 0, 0
            group, rows, size = [*group, number], rows + kept, size + piece.text_bytes
        if group:
            groups.append((resource_type, group))
    return _numbered(groups, pieces, dropped, folder)


def _numbered(
    groups: list[tuple[str, list[int]]], pieces: list[Piece], dropped: Mapping[int, Sequence[int]], folder: Path
) -> list[FilePlan]:
    plans: list[FilePlan] = []
    start, number, before = 0, 0, ""
    for resource_type, group in groups:
        number = number + 1 if resource_type == before else 0
        before = resource_type
        without = tuple(array("I", sorted(dropped.get(one, ()))) for one in group)
        rows = sum(pieces[one].rows for one in group) - sum(map(len, without))
        plans.append(
            FilePlan(
                name=f"{resource_type}-{number:05d}.parquet",
                resource_type=resource_type,
                folder=folder,
                pieces=tuple(group),
                paths=tuple(pieces[one].path for one in group),
                dropped=without,
                rows=rows,
                start=start,
                conditional=sum(pieces[one].conditional for one in group),
            )
        )
        start += rows
    return plans


def assemble(file: FilePlan) -> Assembled:
    """Write one file and hash it.

    Raises:
        StorageError: The disk is full.
    """
    path = file.folder / file.name
    with full_disk(path):
        if len(file.paths) == 1 and not file.dropped[0]:
            file.paths[0].rename(path)
        else:
            _merge(file, path)
        sync(path)
    leaves = [leaf for group in _groups(path, ["leaf"]) for leaf in group["leaf"].to_pylist()]
    return Assembled(path.stat().st_size, file_sha256(path), cover(leaves, file.start))


def _merge(file: FilePlan, path: Path) -> None:
    """Merge the pieces by row groups; less than two row groups are in memory."""
    with writer(path, RESOURCE) as out:
        waiting: list[Any] = []
        rows = 0
        for piece, gone in zip(file.paths, file.dropped, strict=True):
            for group in _without(_groups(piece), gone):
                waiting.append(group)
                rows += group.num_rows
                while rows >= ROW_GROUP:
                    waiting = [_written(waiting, out)]
                    rows -= ROW_GROUP
            piece.unlink()
        if rows:
            _written(waiting, out)


def _written(waiting: list[Any], out: Any) -> Any:
    """Write the first row group of the waiting rows; return the rest."""
    import pyarrow as pa

    table = pa.concat_tables(waiting)
    out.write_table(table.slice(0, ROW_GROUP).cast(out.schema), row_group_size=ROW_GROUP)
    return table.slice(ROW_GROUP)


def _groups(path: Path, columns: list[str] | None = None) -> Iterator[Any]:
    """The row groups of a file, one after the other."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns, use_threads=False)


def _without(groups: Iterator[Any], gone: array[int]) -> Iterator[Any]:
    """Row groups of a piece without the dropped rows."""
    import numpy as np
    import pyarrow as pa

    left_out = np.array(gone, dtype=np.int64)
    first = 0
    for group in groups:
        keep = np.ones(group.num_rows, dtype=bool)
        here = left_out[np.searchsorted(left_out, first) : np.searchsorted(left_out, first + group.num_rows)]
        keep[here - first] = False
        first += group.num_rows
        yield group.filter(pa.array(keep)) if len(here) else group
