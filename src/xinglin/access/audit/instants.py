"""FHIR instants to the microsecond (https://hl7.org/fhir/R4/datatypes.html#instant)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["instant", "micros_of"]

_RECORDED = re.compile(rb'"recorded":"([^"]+)"')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(micros: int) -> str:
    """Format a time as a FHIR instant.

    Args:
        micros: Microseconds since 1970.

    Example:
        >>> instant(1_700_000_000_000_001)
        '2023-11-14T22:13:20.000001Z'
    """
    second, fraction = divmod(micros, 1_000_000)
    return f"{_second(second)}.{fraction:06d}Z"


def micros_of(event: bytes) -> int:
    """The `recorded` time of an AuditEvent, in microseconds since 1970; 0 if it has none.

    Args:
        event: The AuditEvent's bytes.

    Example:
        >>> micros_of(b'{"recorded":"2023-11-14T22:13:20.000001Z"}')
        1700000000000001
    """
    found = _RECORDED.search(event)
    if found is None:
        return 0
    try:
        return (datetime.fromisoformat(found[1].decode()) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        return 0


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
