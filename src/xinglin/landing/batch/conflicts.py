"""Records in conflict with landed resources, as rows of the quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xinglin.landing.batch.pieces import Piece
from xinglin.sources import KEPT

__all__ = ["conflicts"]

_DETAIL = "expected one patient, study and series for one SOP Instance UID, as in what was landed before"


def conflicts(pieces: list[Piece], rows: Mapping[int, Sequence[int]]) -> list[dict[str, Any]]:
    """The quarantine rows for conflicting rows of pieces; the files of the pieces must still exist.

    Args:
        pieces: All pieces of the batch.
        rows: Rows in conflict, by number of the piece.
    """
    import pyarrow.parquet as pq

    found = []
    for number in sorted(rows):
        table = pq.read_table(pieces[number].path, columns=["source", "position", "resource"]).take(
            sorted(rows[number])
        )
        for row in table.to_pylist():
            text = row["resource"].encode()
            found.append(
                {
                    "source": row["source"],
                    "member": None,
                    "position": row["position"],
                    "reason": "uid-conflict",
                    "detail": _DETAIL,
                    "original": text[:KEPT],
                    "original_bytes": len(text),
                }
            )
    return found
