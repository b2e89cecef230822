"""Ids that are functions of a record's own identifiers, so that the same thing gets the same id in every message."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import md5

from xinglin.sources.hl7v2.rules.primitives import text_of

__all__ = ["hashed", "own_id", "valid_id"]

valid_id = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


@lru_cache(maxsize=4_096)
def own_id(value: str, authority: str) -> str:
    """An identifier as an id: itself where it can be one, with its authority before it; else a hash of both.

    Args:
        value: As written, CX-1.
        authority: As written, CX-4; its name, else its universal id.

    Example:
        >>> own_id("4711", ""), own_id("4711", "KH&1.2.3&ISO"), own_id("47/11", "KH")
        ('4711', 'KH.4711', '41b1c053-7004-2bb9-5120-786c6d667556')
    """
    text = text_of(value.split("&", 1)[0])
    if not text:
        return ""
    parts = [text_of(part) for part in re.split(r"[&^]", authority)]
    name = next((part for part in parts[:2] if part), "")
    whole = f"{name}.{text}" if name else text
    return whole if valid_id(whole) else hashed(f"{name}|{text}")


def hashed(text: str) -> str:
    """An id shaped like a UUID from any text; no protection, only a short name.

    Example:
        >>> len(hashed("a")), hashed("a") == hashed("a")
        (36, True)
    """
    found = md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"
