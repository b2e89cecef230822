"""The report of an extract as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.release.extract import Extract, Request
    from xinglin.release.risk import RiskReport

__all__ = ["readable"]

_WIDTH = 40


def readable(extract: Extract, request: Request) -> str:
    """Write the report of an extract, with a plot of the class sizes.

    Args:
        extract: The extract.
        request: The request.
    """
    lines = [f"Extract for project {request.project}", ""]
    if extract.kind == "cells":
        lines += [
            f"Aggregates over persons; minimum cell size {request.rules.smallest} persons.",
            f"{extract.suppressed} cells suppressed, {extract.rows_left_out} rows removed.",
            f"Smallest released cell: {extract.smallest_cell} persons."
            if extract.smallest_cell is not None
            else "No cell is released.",
        ]
    elif extract.risk is None:
        lines.append("No personal data.")
    else:
        lines += _of_rows(extract.risk, extract, request)
    if extract.refused:
        lines += ["", f"Refused: {extract.refused}."]
    if request.accepted:
        lines += ["", f"Higher risk accepted: {request.accepted}"]
    return "\n".join(lines) + "\n"


def _of_rows(risk: RiskReport, extract: Extract, request: Request) -> list[str]:
    lines = [
        f"{risk.persons:,} persons in {risk.classes:,} classes by {', '.join(risk.quasi) or 'no quasi-identifier'}.",
        f"k = {risk.k}; {risk.uniques:,} unique persons; {risk.below:,} persons in classes below the minimum size.",
        f"Prosecutor risk  worst {risk.prosecutor['worst']:.3f}, average {risk.prosecutor['average']:.3f}"
        f"  (maximum: {request.most_risk:.3f})",
        f"Journalist risk  worst {risk.journalist['worst']:.3f}, average {risk.journalist['average']:.3f}",
        f"Marketer risk    {risk.marketer:.3f}",
    ]
    if risk.sensitive and risk.l_entropy is not None:
        lines.append(f"{risk.sensitive}: l-diversity {risk.l_distinct} (distinct), {risk.l_entropy:.2f} (entropy).")
    if extract.persons_dropped:
        lines.append(f"{extract.persons_dropped:,} persons dropped because of their risk.")
    most = max((row["persons"] for row in risk.sizes), default=0) or 1
    lines += ["", f"{'class size':>12}  {'classes':>9}  {'persons':>9}"]
    lines += [
        f"{row['size']:>12}  {row['classes']:>9,}  {row['persons']:>9,}  {'#' * round(_WIDTH * row['persons'] / most)}"
        for row in risk.sizes
    ]
    return lines
