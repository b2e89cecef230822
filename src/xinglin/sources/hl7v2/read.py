"""HL7 v2 files cut into stretches of whole messages, and stretches read as records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from xinglin.sources.hl7v2.convert import convert
from xinglin.sources.hl7v2.message.counts import BatchCounts
from xinglin.sources.hl7v2.message.envelope import is_xml, messages, recognised, stretches
from xinglin.sources.hl7v2.message.parse import parse
from xinglin.sources.hl7v2.message.xml import from_xml
from xinglin.sources.hl7v2.rules.load import compiled
from xinglin.sources.opened import Opened, rejected_part
from xinglin.sources.part import Part, read
from xinglin.sources.reading import Reading
from xinglin.sources.record import KEPT, Record, Rejected

__all__ = ["Told", "cut", "recognises", "records", "told"]

_XML = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?MSH[\s/>]")


def recognises(name: str, head: bytes, reading: Reading) -> bool:
    """Whether a file begins as HL7 v2 does: with MSH, a batch envelope, MLLP's frame, or XML that holds an MSH."""
    return recognised(head) or (is_xml(head) and bool(_XML.search(head)))


def cut(opened: Opened) -> Iterator[Part]:
    """Stretches of whole messages; XML, and what holds no message, is one document."""
    opened.entry.rewritten = True
    if is_xml(opened.head):
        yield opened.document("hl7v2")
        return
    counts = BatchCounts() if b"BHS" in opened.head or b"BTS" in opened.head else None
    for stretch in stretches(opened.blocks, opened.limits):
        yield opened.stretch(stretch, "hl7v2")
        for differs in counts.feed(stretch.data) if counts else ():
            yield rejected_part(opened.source, differs, first=0)


@dataclass(frozen=True)
class Told:
    """What became of one message.

    Args:
        position: Its number; 0 for what is no message.
        records: Its resources, and what was set aside.
        kind: ``ADT^A01``; what MSH-9 says where that is not known.
        control_id: MSH-10.
        unused: Segments that the mapping makes nothing of.
    """

    position: int
    records: list[Record]
    kind: str = ""
    control_id: str = ""
    unused: Counter[str] = field(default_factory=Counter)


def records(part: Part, reading: Reading) -> Iterator[Record]:
    """The records of a part: of every message its resources, or one that says why there are none."""
    for one in told(part, reading):
        yield from one.records


def told(part: Part, reading: Reading) -> Iterator[Told]:
    """The messages of a part with what became of each."""
    try:
        data = read(part)
    except Rejected as rejected:
        yield Told(0, [Record(0, rejected, b"")])
        return
    if is_xml(data):
        yield _message(data, 1, reading)
        return
    for position, message in messages(data, part.first):
        if isinstance(message, Rejected):
            yield Told(position, [Record(position, message, data[:KEPT], len(data))])
        else:
            yield _message(message, position, reading)
    if part.form == "auto":  # a member of an archive that nobody looked at before
        yield from (Told(0, [Record(0, differs, b"")]) for differs in BatchCounts().feed(data))


def _message(raw: bytes, position: int, reading: Reading) -> Told:
    """One message; where nothing can be made of it, one record says why."""
    message = None
    try:
        if len(raw) > reading.limits.resource_bytes:
            raise Rejected("too-large", f"expected at most {reading.limits.resource_bytes} bytes")
        whole = from_xml(raw) if is_xml(raw) else raw
        message = parse(whole, compiled(reading.mapping).charset)
        made = convert(message, whole, position, reading.limits, reading.mapping)
    except Rejected as rejected:
        kind, control_id = (message.header(9), message.header(10)) if message else ("", "")
        bare = Rejected(rejected.reason, rejected.detail)  # its traceback would hold the whole message
        return Told(position, [Record(position, bare, raw[:KEPT], len(raw))], kind, control_id)
    return Told(position, made.records, made.kind, message.header(10), made.unused)
