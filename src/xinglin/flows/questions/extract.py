"""A table leaves the region: de-identified, with the report of its risk beside it, or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import UsageError
from xinglin.core.files import full_disk, write_atomic

if TYPE_CHECKING:
    from xinglin.admission.stores import Stores
    from xinglin.release import Extract, Request

__all__ = ["FORMS", "extract"]

FORMS = (".parquet", ".csv")
"""What an extract can be written as."""


def extract(stores: Stores, request: Request, out: Path) -> dict[str, Any]:
    """Make an extract and its risk report.

    Args:
        stores: The region; persons whom its permit leaves out are in no extract.
        request: What is asked for.
        out: The file; ``.risk.json`` and ``.risk.txt`` are written beside it, also where it is refused.

    Returns:
        The report, as it stands in ``.risk.json``.

    Raises:
        ReleaseRefused: The risk is higher than is let through; the file was not written.
        UsageError: The question asks for what cannot leave.
    """
    from xinglin.release import make_extract, readable
    from xinglin.release.extract import refusal

    if out.suffix not in FORMS:
        raise UsageError(f"an extract is one of {', '.join(FORMS)}", source=str(out))
    made = make_extract(stores.lake, stores.settings, request)
    report = _report(made, request)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    write_atomic(out.with_name(f"{out.name}.risk.json"), text.encode())
    write_atomic(out.with_name(f"{out.name}.risk.txt"), readable(made, request).encode())
    if made.refused:
        raise refusal(made, str(out))
    _write(made.table, out)
    return report


def _report(made: Extract, request: Request) -> dict[str, Any]:
    return {
        "project": request.project,
        "question": request.question,
        "kind": made.kind,
        "rows": made.table.num_rows,
        "smallest": request.rules.smallest,
        "birth_years": request.rules.band,
        "left_out_by_consent": len(request.rules.left_out),
        "risk": asdict(made.risk) if made.risk else None,
        "dates": request.dates,
        "most_risk": request.most_risk,
        "persons_dropped": made.persons_dropped,
        "suppressed_cells": made.suppressed,
        "suppressed_rows": made.rows_left_out,
        "smallest_cell": made.smallest_cell,
        "refused": made.refused,
        "accepted": request.accepted,
    }


def _write(table: Any, out: Path) -> None:
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with full_disk(out):
        try:
            if out.suffix == ".csv":
                csv.write_csv(table, temporary)
            else:
                parquet.write_table(table, temporary, compression="zstd")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
