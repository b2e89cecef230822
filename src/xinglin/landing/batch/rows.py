"""Buffer of the rows of one resource type, column by column."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Rows", "conditional_references"]

_CONDITIONAL = re.compile(rb'"reference":"[A-Z][A-Za-z]+\?')


def conditional_references(text: bytes) -> int:
    """Number of references by search in a resource's text.

    Example:
        >>> conditional_references(b'{"subject":{"reference":"Patient?identifier=x|1"}}')
        1
    """
    return len(_CONDITIONAL.findall(text))


class Rows:
    """Columns of the rows of one resource type.

    Args:
        site: The site.
        resource_type: Resource type.
    """

    def __init__(self, site: str, resource_type: str) -> None:
        self.resource_type = resource_type
        self.prefix = f"{site}/{resource_type}/".encode()
        self.digests: list[bytes] = []
        self.patients: list[int | None] = []
        self.ids: list[str] = []
        self.leaves: list[bytes] = []
        self.sources: list[int] = []
        self.positions: list[int] = []
        self.mentions: list[bool] = []
        self.updated: list[int | None] = []
        self.deleted: list[bool] = []
        self.fixed: list[int] = []
        self.texts: list[bytes] = []
        self.conditional = 0
        self.text_bytes = 0

    def keys(self) -> Any:
        """`core.ids.text_key` of all rows."""
        import numpy as np

        halves = np.frombuffer(b"".join(self.digests), dtype="<i8").reshape(-1, 2)
        return halves[:, 1] & np.int64((1 << 63) - 1)
