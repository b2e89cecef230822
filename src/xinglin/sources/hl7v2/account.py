"""What would become of HL7 v2 messages: every one with its resources or its reason, without landing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.sources import Part, Reading

__all__ = ["Account", "accounts"]


@dataclass
class Account:
    """What became of one message, or of what stands in a file beside its messages.

    Args:
        file: Name of the file within the path.
        message: Number of the message; 0 for what is no message.
        kind: ``ADT^A01``; what MSH-9 says where that is not known; empty where there is no MSH.
        control_id: MSH-10.
        landed: Resources that would be landed, by type.
        mentioned: Resources that are only mentioned, by type.
        unused: Segments that the mapping makes nothing of.
        set_aside: Reasons of what would be quarantined, with what was expected.
    """

    file: str
    message: int
    kind: str = ""
    control_id: str = ""
    landed: Counter[str] = field(default_factory=Counter)
    mentioned: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    set_aside: list[tuple[str, str]] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """``landed``, ``landed in part`` or ``quarantined``."""
        if not self.set_aside:
            return "landed"
        return "landed in part" if self.landed else "quarantined"


def accounts(paths: list[Path], reading: Reading) -> Iterator[Account]:
    """An account of every message at the paths, in the order of files and messages.

    Args:
        paths: Files or folders.
        reading: Mapping and limits; the format is HL7 v2.

    Raises:
        NotFound: There is nothing at a path.
        UsageError: The mapping is wrong.
    """
    from xinglin.sources import Splitter, discover

    reading = replace(reading, format="hl7v2")
    for path in paths:
        for found in discover(path, reading):
            splitter = Splitter(reading)
            for part in splitter.parts(found):
                name = splitter.received[part.source].name
                yield from _part(part, name, reading)


def _part(part: Part, name: str, reading: Reading) -> Iterator[Account]:
    from xinglin.sources import Rejected
    from xinglin.sources.hl7v2 import told

    if part.form == "rejected":
        yield Account(name, part.first, set_aside=[(part.reason, part.detail)])
        return
    for one in told(part, reading):
        account = Account(name, one.position, one.kind, one.control_id, unused=one.unused)
        for record in one.records:
            if isinstance(record.found, Rejected):
                account.set_aside.append((record.found.reason, record.found.detail))
            elif record.mention:
                account.mentioned[record.found.resource_type] += 1
            else:
                account.landed[record.found.resource_type] += 1
        yield account
