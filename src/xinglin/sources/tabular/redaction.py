"""Remove a person from tables of delimited text: whole rows; line ends and the header stay.

The line ends stay so that other rows keep the numbers by which landed resources name them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from xinglin.sources.formats import records
from xinglin.sources.part import Part
from xinglin.sources.removal import Account, Content, Cut, Judge, Out, Uncuttable, about_another, unbroken
from xinglin.sources.tabular.chosen import mapping_of, tables_of
from xinglin.sources.tabular.files.boundaries import cut_records
from xinglin.sources.tabular.files.delimited import rows_of
from xinglin.sources.tabular.files.encoding import ascii_safe
from xinglin.sources.tabular.files.layout import Layout, file_encoding, text_layout
from xinglin.sources.unpack import Stretch

__all__ = ["redact"]


def redact(content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
    """Delimited text without the person's rows; the header stays.

    Raises:
        Uncuttable: The mapping names no table for it, or its text is in an encoding of wider letters.
    """
    tables = tables_of(mapping_of(content.reading), content.name)
    if not tables:
        raise Uncuttable
    encoding = content.encoding or file_encoding(tables[0], head, None)
    if not ascii_safe(encoding):
        raise Uncuttable
    layout, offset, line = text_layout(tables[0], head, encoding)
    if judge.told(head[:offset]):
        raise Uncuttable
    out.write(head[:offset])
    account = Account()
    limits = content.reading.limits
    for stretch in unbroken(cut_records(_after(content.blocks(), offset), layout.dialect, line, offset, limits)):
        _rows(content, judge, (stretch, layout, tables[0].pad), out, account)
    return account.cut


def _rows(content: Content, judge: Judge, where: tuple[Stretch, Layout, bool], out: Out, account: Account) -> None:
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


def _after(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    for block in blocks:
        if offset < len(block):
            yield block[offset:]
        offset = max(0, offset - len(block))
