"""When an AuditEvent was recorded, read from its bytes without parsing the JSON."""

from __future__ import annotations

import re

from xinglin.core.fhir_times import microseconds

__all__ = ["micros_of"]

_RECORDED = re.compile(rb'"recorded":"([^"]+)"')


def micros_of(event: bytes) -> int:
    """The `recorded` time of an AuditEvent, in microseconds since 1970; 0 if it has none.

    Args:
        event: The AuditEvent's bytes.

    Example:
        >>> micros_of(b'{"recorded":"2023-11-14T22:13:20.000001Z"}')
        1700000000000001
    """
    found = _RECORDED.search(event)
    return 0 if found is None else microseconds(found[1].decode(errors="replace")) or 0
