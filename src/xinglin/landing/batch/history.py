"""Index of earlier versions by key, so that not every batch of a site is opened for each new batch.

After months of micro-batches a site has a hundred thousand batches. Their keys are therefore indexed in a few sorted
runs, merged like those of a log-structured merge tree; a look-up is a binary search in each. Runs are derived data:
each names the last manifest it covers. A run that is missing or names another manifest is rebuilt from the batches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from xinglin.core.files import write_atomic
from xinglin.landing.store import Batch

__all__ = ["UNKNOWN", "Find", "Place", "Version", "history"]

UNKNOWN = -(1 << 63)
"""Time of change of a version without one."""

_FEW = 8
_NAME = re.compile(r"run2-(\d+)-(\d+)-([0-9a-f]{16})").fullmatch
_COLUMNS = (("key", "<i8"), ("leaf", "<u8"), ("batch", "<u4"), ("row", "<u4"), ("file", "<u4"), ("updated", "<i8"))


class Place(NamedTuple):
    """Position of a landed version; in the new batch (batch 0), `file` is the number of a piece."""

    batch: int
    file: str | int
    row: int


class Version(NamedTuple):
    """First 8 bytes of the leaf hash, time of change (`UNKNOWN` if not stated), and position."""

    leaf: int
    updated: int
    place: Place


Find = Callable[[Any], dict[int, list[Version]]]
"""Finds the versions of sorted keys, oldest first."""


@dataclass(frozen=True)
class _Run:
    """Rows of consecutive batches, by key and age.

    Args:
        first: Sequence of the first batch.
        last: Sequence of the last batch.
        names: Names of their files, sorted.
        columns: Arrays by name, as in `_COLUMNS`; `file` counts `names`.
    """

    first: int
    last: int
    names: list[str]
    columns: dict[str, Any]

    @property
    def rows(self) -> int:
        return len(self.columns["key"])


def history(earlier: list[Batch], types: set[str], folder: Path) -> Find:
    """A function that finds earlier versions in a site's batches.

    Args:
        earlier: The batches, oldest first.
        types: Resource types to search.
        folder: Folder of the runs, which are used from a number of batches on.
    """
    if len(earlier) < _FEW:
        return lambda wanted: _scanned(wanted, types, earlier)
    runs = _runs(earlier, folder)
    return lambda wanted: _collect(runs, wanted)


def _collect(runs: list[_Run], wanted: Any) -> dict[int, list[Version]]:
    import numpy as np

    found: dict[int, list[Version]] = {}
    for run in runs:
        keys = run.columns["key"]
        first, end = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        for index in np.flatnonzero(end > first).tolist():
            rows = slice(first[index], end[index])
            columns = (run.columns[name][rows].tolist() for name in ("leaf", "updated", "batch", "row", "file"))
            versions = found.setdefault(int(wanted[index]), [])
            versions += [
                Version(leaf, updated, Place(batch, run.names[file], row))
                for leaf, updated, batch, row, file in zip(*columns, strict=True)
            ]
    return found


def _scanned(wanted: Any, types: set[str], earlier: list[Batch]) -> dict[int, list[Version]]:
    """The same directly from the batches' files: a few large batches need no runs."""
    import numpy as np
    import pyarrow.parquet as pq

    found: dict[int, list[Version]] = {}
    for batch in earlier:
        for file in batch.files():
            if file.resource_type not in types:
                continue
            keys = pq.read_table(file.path, columns=["key"])["key"].to_numpy()
            rows = np.flatnonzero(np.isin(keys, wanted))
            if not len(rows):
                continue
            leaves = _leaf_prefixes(pq.read_table(file.path, columns=["leaf"])["leaf"])[rows]
            columns = (keys[rows], leaves, _updated(file.path)[rows], rows)
            for key, leaf, updated, row in zip(*(one.tolist() for one in columns), strict=True):
                found.setdefault(key, []).append(Version(leaf, updated, Place(batch.sequence, file.name, row)))
    return found


def _updated(path: Path) -> Any:
    """Time of change of each row; batches of earlier releases have none."""
    import numpy as np
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if "updated" not in file.schema_arrow.names:
            return np.full(file.metadata.num_rows, UNKNOWN, "<i8")
        return file.read(["updated"])["updated"].fill_null(UNKNOWN).to_numpy()


def _read(batch: Batch) -> _Run:
    """The keys of one batch, from its files."""
    import numpy as np
    import pyarrow.parquet as pq

    names: list[str] = []
    parts: list[dict[str, Any]] = []
    for file in batch.files():
        table = pq.read_table(file.path, columns=["key", "leaf"])
        part = {
            "key": table["key"].to_numpy(),
            "leaf": _leaf_prefixes(table["leaf"]),
            "batch": np.full(table.num_rows, batch.sequence, "<u4"),
            "row": np.arange(table.num_rows, dtype="<u4"),
            "file": np.full(table.num_rows, len(names), "<u4"),
            "updated": _updated(file.path),
        }
        names.append(file.name)
        parts.append(part)
    return _sorted(batch.sequence, batch.sequence, names, parts)


def _sorted(first: int, last: int, names: list[str], parts: list[dict[str, Any]]) -> _Run:
    """Merge parts, oldest first, into one run; equal keys keep that order."""
    import numpy as np

    columns = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, kind) for name, kind in _COLUMNS
    }
    order = np.argsort(columns["key"], kind="stable")
    return _Run(first, last, names, {name: columns[name][order] for name, _ in _COLUMNS})


def _runs(earlier: list[Batch], folder: Path) -> list[_Run]:
    """The stored runs, updated with new batches."""
    folder.mkdir(exist_ok=True)
    by_sequence = {batch.sequence: batch for batch in earlier}
    kept = _kept(by_sequence, folder)
    runs: list[_Run] = []
    at = 0
    while at < len(earlier) and (path := kept.get(earlier[at].sequence)):
        runs.append(_load(path))
        at = 1 + next(n for n in range(at, len(earlier)) if earlier[n].sequence == runs[-1].last)
    unchanged = len(runs)
    for batch in earlier[at:]:
        runs.append(_read(batch))
        while len(runs) > 1 and runs[-2].rows <= 2 * runs[-1].rows:
            runs[-2:] = [_merged(*runs[-2:])]
            unchanged = min(unchanged, len(runs) - 1)
    names = [f"run2-{run.first}-{run.last}-{by_sequence[run.last].digest[:16]}" for run in runs]
    for run, name in zip(runs[unchanged:], names[unchanged:], strict=True):
        _save(run, folder / name)
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()
    return runs


def _kept(batches: dict[int, Batch], folder: Path) -> dict[int, Path]:
    """The longest valid run that begins at each batch: its name contains the digest of its last manifest."""
    kept: dict[int, tuple[int, Path]] = {}
    for path in folder.iterdir():
        name = _NAME(path.name)
        last = batches.get(int(name[2])) if name else None
        if name and last and last.digest[:16] == name[3]:
            first = int(name[1])
            kept[first] = max(kept.get(first, (0, path)), (last.sequence, path))
    return {first: path for first, (_, path) in kept.items()}


def _merged(one: _Run, other: _Run) -> _Run:
    """Merge two runs; the earlier comes first among equal keys."""
    import numpy as np

    names = sorted({*one.names, *other.names})
    place = {name: number for number, name in enumerate(names)}
    parts = []
    for run in (one, other):
        renumbered = np.array([place[name] for name in run.names], "<u4")
        parts.append({**run.columns, "file": renumbered[run.columns["file"]]})
    return _sorted(one.first, other.last, names, parts)


def _save(run: _Run, path: Path) -> None:
    head = json.dumps({"rows": run.rows, "names": run.names}).encode()
    head += b" " * (-len(head) % 8) + b"\n" * 8
    write_atomic(path, len(head).to_bytes(8, "little") + head + b"".join(run.columns[n].tobytes() for n, _ in _COLUMNS))


def _load(path: Path) -> _Run:
    import numpy as np

    _, first, last, _ = path.name.split("-")
    data = np.memmap(path, dtype="u1", mode="r")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    head = json.loads(data[8:start].tobytes())
    columns = {}
    for name, kind in _COLUMNS:
        end = start + head["rows"] * np.dtype(kind).itemsize
        columns[name] = data[start:end].view(kind)
        start = end
    return _Run(int(first), int(last), head["names"], columns)


def _leaf_prefixes(column: Any) -> Any:
    """The first 8 bytes of every leaf as unsigned integers."""
    import numpy as np

    parts = []
    for chunk in column.chunks:
        raw = np.frombuffer(chunk.buffers()[1], dtype="<u8").reshape(-1, 4)[:, 0]
        parts.append(raw[chunk.offset : chunk.offset + len(chunk)])
    return np.concatenate(parts) if parts else np.zeros(0, dtype="<u8")
