"""Lines, messages and rows: stretches of text without what is one person's, every other byte as it was.

Of a line or row its line ends stay, so that the others keep the numbers that landed resources name them by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from xinglin.sources.formats import records
from xinglin.sources.hl7v2.message.envelope import beginnings, envelopes
from xinglin.sources.hl7v2.message.envelope import stretches as message_stretches
from xinglin.sources.part import Part
from xinglin.sources.redact.bundle import cut_document
from xinglin.sources.redact.judge import Content, Cut, Judge, Out, Uncuttable, about_another
from xinglin.sources.tabular.chosen import mapping_of, tables_of
from xinglin.sources.tabular.files.boundaries import cut_records
from xinglin.sources.tabular.files.delimited import rows_of
from xinglin.sources.tabular.files.encoding import ascii_safe
from xinglin.sources.tabular.files.layout import Layout, file_encoding, text_layout
from xinglin.sources.unpack import Stretch, stretches

__all__ = ["cut_lines", "cut_messages", "cut_rows"]

_BOM = b"\xef\xbb\xbf"


@dataclass
class _Account:
    removed: int = 0
    lost: int = 0
    remains: bool = False

    @property
    def cut(self) -> Cut:
        return Cut(self.removed, self.remains or not self.removed, self.lost)


def cut_lines(content: Content, judge: Judge, out: Out) -> Cut:
    """NDJSON without the person's lines; a line that is a Bundle of several persons without the person's entries."""
    account = _Account()
    for stretch in _whole(stretches(content.blocks(), content.reading.limits)):
        out.write(b"\n".join(_line(content, judge, line, account) for line in stretch.data.split(b"\n")))
    return account.cut


def _line(content: Content, judge: Judge, line: bytes, account: _Account) -> bytes:
    inside = line.removeprefix(_BOM)
    found = list(records(Part(0, "lines", data=inside, format="fhir", name=content.name), content.reading))
    if not any(judge.owns(one) for one in found):
        account.remains |= bool(found)
        return line
    if len(found) == 1:
        account.removed += 1
        return b""
    cut, rest = cut_document(inside, content.name, content.reading, judge)
    account.removed += cut.removed
    account.lost += cut.lost
    account.remains |= cut.remains
    return rest


def cut_messages(content: Content, judge: Judge, out: Out) -> Cut:
    """HL7 v2 messages without the person's; batch headers and trailers stay, and with them the counts in these."""
    account = _Account()
    first = True
    for stretch in _whole(message_stretches(content.blocks(), content.reading.limits)):
        data = stretch.data
        if first and data.startswith(_BOM):
            out.write(_BOM)
            data = data[len(_BOM) :]
        first = False
        starts = [start - (start > 0 and data[start - 1] == 0x0B) for start in beginnings(data)]
        before = data[: starts[0]] if starts else data
        if judge.told(before):
            raise Uncuttable
        out.write(before)
        for start, end in pairwise([*starts, len(data)]):
            _message(content, judge, data[start:end], out, account)
    return account.cut


def _message(content: Content, judge: Judge, message: bytes, out: Out, account: _Account) -> None:
    part = Part(0, "lines", data=message.lstrip(b"\x0b"), format="hl7v2", name=content.name)
    found = list(records(part, content.reading))
    owned = [judge.owns(one) for one in found]
    if not any(owned):
        account.remains |= bool(found)
        out.write(message)
        return
    account.removed += 1
    account.lost += sum(about_another(one) for one, mine in zip(found, owned, strict=True) if not mine)
    out.write(envelopes(message))


def cut_rows(content: Content, judge: Judge, out: Out) -> Cut:
    """Delimited text without the person's rows; the header stays.

    Raises:
        Uncuttable: The mapping names no table for it, or its text is in an encoding of wider letters.
    """
    tables = tables_of(mapping_of(content.reading), content.name)
    head = content.head()
    if not tables:
        raise Uncuttable
    encoding = content.encoding or file_encoding(tables[0], head, None)
    if not ascii_safe(encoding):
        raise Uncuttable
    layout, offset, line = text_layout(tables[0], head, encoding)
    if judge.told(head[:offset]):
        raise Uncuttable
    out.write(head[:offset])
    account = _Account()
    limits = content.reading.limits
    for stretch in _whole(cut_records(_after(content.blocks(), offset), layout.dialect, line, offset, limits)):
        _rows(content, judge, (stretch, layout, tables[0].pad), out, account)
    return account.cut


def _rows(content: Content, judge: Judge, where: tuple[Stretch, Layout, bool], out: Out, account: _Account) -> None:
    stretch, layout, pad = where
    context = msgspec.json.encode(layout)
    part = Part(0, "lines", data=stretch.data, first=stretch.first, format="tabular", name=content.name,
                context=context)  # fmt: skip
    gone: set[int] = set()
    others: dict[int, int] = {}
    for record in records(part, content.reading):
        if judge.owns(record):
            gone.add(record.position)
        elif about_another(record):
            others[record.position] = others.get(record.position, 0) + 1
    if not gone:
        account.remains |= bool(stretch.data.strip())
        out.write(stretch.data)
        return
    account.removed += len(gone)
    account.lost += sum(count for position, count in others.items() if position in gone)
    rows = rows_of(stretch.data, stretch.first, layout.dialect, len(layout.header), pad, content.reading.limits)
    end = b"\n" if b"\n" in stretch.data else b"\r"
    lines = stretch.data.split(end)
    for row in rows:
        if row.position not in gone:
            account.remains = True
            continue
        height = 1 if isinstance(row.raw, bytes) else max(row.raw.count("\n"), 1)
        for number in range(row.position - stretch.first, row.position - stretch.first + height):
            lines[number] = b"\r" if end == b"\n" and lines[number].endswith(b"\r") else b""
    out.write(end.join(lines))


def _whole(found: Iterator[Stretch]) -> Iterator[Stretch]:
    """Stretches, as long as none was given up: of such a one not all bytes are there."""
    for stretch in found:
        if stretch.rejected:
            raise Uncuttable
        yield stretch


def _after(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    for block in blocks:
        if offset < len(block):
            yield block[offset:]
        offset = max(0, offset - len(block))
