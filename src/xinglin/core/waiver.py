"""Waivers: quality checks whose threshold an operator raises for a time, with a name and a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from xinglin.core.errors import UsageError

__all__ = ["Waiver"]

_KEYS = {"check", "threshold", "by", "until", "why"}


@dataclass(frozen=True)
class Waiver:
    """One waiver of a quality check.

    Args:
        check: Name of the check as `xinglin mart check` prints it.
        threshold: Largest share of failing rows (0 to 1) that is accepted.
        by: Name of the person who accepts it.
        until: Last day on which it counts.
        why: The reason.

    Example:
        >>> Waiver("plausibleValueLow.cost.total_paid", 0.02, "operator", date(2027, 1, 1), "refunds").counts(
        ...     date(2026, 12, 31))
        True
    """

    check: str
    threshold: float
    by: str
    until: date
    why: str

    def __post_init__(self) -> None:
        if not all(isinstance(text, str) and text.strip() for text in (self.check, self.by, self.why)):
            raise UsageError(
                "a waiver without check, name or reason", source="[[waivers]]", remedy="write check, by and why"
            )
        if not isinstance(self.threshold, int | float) or not 0 <= self.threshold <= 1:
            raise UsageError("the threshold of a waiver is a share", source=self.check, remedy="write 0 to 1")
        if type(self.until) is not date:
            raise UsageError("a waiver has a last day", source=self.check, remedy="write until = 2027-01-31")

    def counts(self, today: date) -> bool:
        """Whether it has not expired on that day."""
        return today <= self.until

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> Waiver:
        """One table of ``[[waivers]]`` in ``xinglin.toml``.

        Raises:
            UsageError: A key is missing or unknown, or a value makes no sense.
        """
        if set(values) != _KEYS:
            wrong = ", ".join(sorted(set(values) ^ _KEYS))
            raise UsageError(
                f"missing or unknown keys: {wrong}", source="[[waivers]]", remedy=f"write {', '.join(sorted(_KEYS))}"
            )
        return cls(**values)

    def to_toml(self) -> str:
        """The text of the table."""
        return (
            f"\n[[waivers]]\ncheck = {json.dumps(self.check)}\nthreshold = {self.threshold}\n"
            f"by = {json.dumps(self.by, ensure_ascii=False)}\nuntil = {self.until.isoformat()}\n"
            f"why = {json.dumps(self.why, ensure_ascii=False)}\n"
        )
