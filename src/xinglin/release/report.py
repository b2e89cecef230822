"""The risk of an extract as a text that can be read beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.release.extract import Extract, Request
    from xinglin.release.risk import RiskReport

__all__ = ["readable"]

_WIDTH = 40


def readable(extract: Extract, request: Request) -> str:
    """The report of an extract in plain words, with a plot of the classes' sizes.

    Args:
        extract: The extract.
        request: What was asked for.
    """
    lines = [f"Extract for the project {request.project}", ""]
    if extract.kind == "cells":
        lines += [
            f"Aggregates over persons; a cell stands for at least {request.rules.smallest} of them.",
            f"{extract.suppressed} cells suppressed, {extract.rows_left_out} rows left out wholly.",
            f"The smallest cell that leaves stands for {extract.smallest_cell} persons."
            if extract.smallest_cell is not None
            else "No cell leaves.",
        ]
    elif extract.risk is None:
        lines.append("It tells nothing about persons.")
    else:
        lines += _of_rows(extract.risk, extract, request)
    if extract.refused:
        lines += ["", f"Refused: {extract.refused}."]
    if request.accepted:
        lines += ["", f"A higher risk was accepted: {request.accepted}"]
    return "\n".join(lines) + "\n"


def _of_rows(risk: RiskReport, extract: Extract, request: Request) -> list[str]:
    lines = [
        f"{risk.persons:,} persons in {risk.classes:,} classes by {', '.join(risk.quasi) or 'nothing'}.",
        f"k = {risk.k}; {risk.uniques:,} persons are alone in their class; {risk.below:,} are in too small a class.",
        f"Prosecutor risk  worst {risk.prosecutor['worst']:.3f}, average {risk.prosecutor['average']:.3f}"
        f"  (let through: {request.most_risk:.3f})",
        f"Journalist risk  worst {risk.journalist['worst']:.3f}, average {risk.journalist['average']:.3f}",
        f"Marketer risk    {risk.marketer:.3f}",
    ]
    if risk.sensitive and risk.l_entropy is not None:
        lines.append(f"{risk.sensitive}: l = {risk.l_distinct} distinct, {risk.l_entropy:.2f} by entropy.")
    if extract.persons_dropped:
        lines.append(f"{extract.persons_dropped:,} persons were left out because of their risk.")
    most = max((row["persons"] for row in risk.sizes), default=0) or 1
    lines += ["", f"{'class size':>12}  {'classes':>9}  {'persons':>9}"]
    lines += [
        f"{row['size']:>12}  {row['classes']:>9,}  {row['persons']:>9,}  {'#' * round(_WIDTH * row['persons'] / most)}"
        for row in risk.sizes
    ]
    return lines
