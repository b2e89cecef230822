"""What a file holds, told by its first bytes."""

from __future__ import annotations

import re

import orjson

__all__ = ["is_json", "is_lines", "is_log"]

_LINES_NAME = re.compile(r"(?i).*\.(ndjson|jsonl)(\.gz|\.zst|\.zstd)?").fullmatch
_BOM = b"\xef\xbb\xbf"


def is_lines(name: str, head: bytes) -> bool:
    """Whether the file is NDJSON: by its name, or because its first line is a whole JSON object and more follows.

    Example:
        >>> is_lines("a.json", b'{"id":1}\\n{"id":2}'), is_lines("a.json", b'{\\n "id": 1\\n}')
        (True, False)
    """
    if _LINES_NAME(name):
        return True
    first, _, rest = head.removeprefix(_BOM).lstrip().partition(b"\n")
    if not rest.strip() or first[:1] != b"{":
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True


def is_json(head: bytes) -> bool:
    """Whether the file can be JSON at all.

    Example:
        >>> is_json(b" {}"), is_json(b"PK"), is_json(b"")
        (True, False, True)
    """
    start = head.removeprefix(_BOM).lstrip()
    return not start or start[:1] in b"{["


def is_log(head: bytes) -> bool:
    """Whether the file tells about a bulk export: its log (bulk-export events) or its list of files.

    Example:
        >>> is_log(b'{"exportId": "1", "timestamp": "2024", "eventId": "kickoff"}')
        True
    """
    start = head[:20_000]
    if b'"resourceType"' in start:
        return False
    return (b'"exportId"' in start and b'"eventId"' in start) or (
        b'"transactionTime"' in start and b'"output"' in start and b'"request"' in start
    )
