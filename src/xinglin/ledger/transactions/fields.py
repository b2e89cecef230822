"""Checks for the fields of transaction bodies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any

__all__ = [
    "MAX_INPUTS",
    "Check",
    "checked",
    "is_bytes",
    "is_count",
    "is_flag",
    "is_hash",
    "is_hashes",
    "is_key_id",
    "is_label",
    "is_name",
    "is_number",
    "is_one_of",
    "is_signature",
    "or_none",
]

MAX_INPUTS = 1_024

_LARGEST = 2**53
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}").fullmatch
_LABEL = re.compile(r"[!-~][ -~]{0,127}").fullmatch
_KEY_ID = re.compile(r"[0-9a-f]{16}").fullmatch

Check = Callable[[object], bool]


def is_name(value: object) -> bool:
    """Whether a value is a valid name of an institution, site, build or backup.

    Example:
        >>> is_name("hospital-1"), is_name("a/b")
        (True, False)
    """
    return type(value) is str and _NAME(value) is not None


def is_label(value: object) -> bool:
    """Whether a value is a short text of printable ASCII."""
    return type(value) is str and _LABEL(value) is not None


def is_key_id(value: object) -> bool:
    """Whether a value is a key id (`envelope.key_id_of`)."""
    return type(value) is str and _KEY_ID(value) is not None


def is_flag(value: object) -> bool:
    """Whether a value is true or false."""
    return type(value) is bool


def is_bytes(length: int) -> Check:
    """Check for a byte string of this length."""
    return lambda value: type(value) is bytes and len(value) == length


def is_number(least: int, most: int) -> Check:
    """Check for an integer within limits; booleans are refused."""
    return lambda value: type(value) is int and least <= value <= most


def is_one_of(*words: str) -> Check:
    """Check for one of some texts."""
    return lambda value: type(value) is str and value in words


def or_none(check: Check) -> Check:
    """The same check, or null."""
    return lambda value: value is None or check(value)


is_hash = is_bytes(32)
is_signature = is_bytes(64)
is_count = is_number(0, _LARGEST)


def is_hashes(value: object) -> bool:
    """Whether a value is a list of at most 1,024 hashes."""
    return type(value) is list and len(value) <= MAX_INPUTS and all(map(is_hash, value))


def checked(check: Check) -> Any:
    """A dataclass field with its check."""
    return field(metadata={"check": check})
