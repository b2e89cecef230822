from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xinglin.access.consent.period import ALWAYS, Period, period_of
from xinglin.core.errors import BadInput


def seconds(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("start", "end", "period"),
    [
        ("2026", "2026", Period(seconds(2026, 1, 1), seconds(2027, 1, 1))),
        ("2026-02", "2026-12", Period(seconds(2026, 2, 1), seconds(2027, 1, 1))),
        ("2026-02-28", "2026-02-28", Period(seconds(2026, 2, 28), seconds(2026, 3, 1))),
        (
            "2026-02-28T12:00:00Z",
            "2026-02-28T12:00:00Z",
            Period(seconds(2026, 2, 28, 12), seconds(2026, 2, 28, 12, 0, 1)),
        ),
        ("2026-02-28T12:00:00+08:00", None, Period(seconds(2026, 2, 28, 4), None)),
    ],
)
def test_an_end_is_inclusive_to_its_precision(start: str, end: str | None, period: Period) -> None:
    assert period_of({"start": start} | ({"end": end} if end else {})) == period


def test_no_period_holds_always() -> None:
    assert period_of(None) == ALWAYS and ALWAYS.holds(-1e12) and ALWAYS.holds(1e12)


def test_the_last_moment_is_in_and_the_next_is_not() -> None:
    period = period_of({"end": "2026-03-01"})
    assert period.holds(seconds(2026, 3, 1, 23, 59, 59)) and not period.holds(seconds(2026, 3, 2))


@pytest.mark.parametrize(
    "found",
    [
        "2026",
        {"start": 2026},
        {"start": "yesterday"},
        {"start": "2026-13"},
        {"start": "2026-02-30"},
        {"start": "2026-02-28T12:00:00"},
        {"start": "2026-03-01", "end": "2026-02-01"},
        {"start": "2026", "until": "2027"},
        {"end": "9999"},
    ],
)
def test_what_is_no_period_is_refused(found: object) -> None:
    with pytest.raises(BadInput):
        period_of(found)  # type: ignore[arg-type]
