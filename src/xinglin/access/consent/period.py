"""A FHIR Period of FHIR dateTimes, as Unix seconds (https://hl7.org/fhir/R4/datatypes.html#Period)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from xinglin.core.errors import BadInput

__all__ = ["ALWAYS", "Period", "period_of"]

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (inclusive) to `end` (exclusive), in Unix seconds; None means unlimited."""

    start: float | None = None
    end: float | None = None

    def holds(self, moment: float) -> bool:
        """Whether the period contains a moment.

        Args:
            moment: Unix seconds.
        """
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


ALWAYS = Period()


def period_of(found: Mapping[str, Any] | None) -> Period:
    """Read a Period. Its end is inclusive to the given precision; a date without a time zone is UTC.

    Args:
        found: The FHIR element, or None.

    Raises:
        BadInput: The element is not a Period, or ends before it begins.

    Example:
        >>> day = period_of({"start": "2026-03-01", "end": "2026-03-01"})
        >>> day.end - day.start
        86400.0
    """
    if found is None:
        return ALWAYS
    if not isinstance(found, Mapping) or set(found) - {"start", "end", "id"}:
        raise BadInput("a period of the consent is not a FHIR Period", remedy="use only start and end")
    start, end = (_span(found.get(name)) for name in ("start", "end"))
    period = Period(start and start[0].timestamp(), end and end[1].timestamp())
    if period.start is not None and period.end is not None and period.end <= period.start:
        raise BadInput("a period of the consent ends before it begins", remedy="give a start before the end")
    return period


def _span(text: object) -> tuple[datetime, datetime] | None:
    """The first moment of a FHIR dateTime, and the first one after it."""
    if text is None:
        return None
    try:
        if not isinstance(text, str):
            raise ValueError
        date = _DATE.fullmatch(text)
        if date:
            year, month, day = (part and int(part) for part in date.groups())
            first = datetime(int(year or 0), month or 1, day or 1, tzinfo=UTC)
            if day:
                return first, first + timedelta(days=1)
            if month:
                return first, datetime(first.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            return first, datetime(first.year + 1, 1, 1, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or "T" not in text:
            raise ValueError
        return moment, moment + (timedelta(microseconds=1) if "." in text else timedelta(seconds=1))
    except (ValueError, OverflowError) as error:
        raise BadInput("a period of the consent is not a FHIR dateTime", remedy="write it as 2026-03-01") from error
