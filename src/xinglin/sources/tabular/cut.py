"""Files of tables cut into parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import msgspec

from xinglin.sources.opened import Opened
from xinglin.sources.part import Part
from xinglin.sources.reading import Reading
from xinglin.sources.record import Rejected
from xinglin.sources.tabular.chosen import mapping_of, no_table, recipes_of, tables_of
from xinglin.sources.tabular.files import typed
from xinglin.sources.tabular.files.boundaries import cut_records
from xinglin.sources.tabular.files.encoding import ascii_safe
from xinglin.sources.tabular.files.layout import Layout, file_encoding, text_layout
from xinglin.sources.tabular.mapping.file import Table, is_mapping

__all__ = ["cut", "recognises"]


def recognises(name: str, head: bytes, reading: Reading) -> bool:
    """Whether the mapping names the file."""
    return is_mapping(reading.mapping) and bool(tables_of(mapping_of(reading), name))


def cut(opened: Opened) -> Iterator[Part]:
    """A text file as stretches of records, a Parquet file by row groups, anything else as one document."""
    mapping = mapping_of(opened.reading)
    name = opened.entry.name
    tables = tables_of(mapping, name)
    if not tables:
        yield opened.document("tabular", no_table())
        return
    opened.entry.rewritten = True
    if typed.is_parquet(opened.head) and opened.path is not None:
        yield from _row_groups(opened, tables, opened.path)
    elif typed.is_workbook(name, opened.head) or typed.is_parquet(opened.head):
        yield opened.document("tabular")
    else:
        yield from _text(opened, tables[0])


def _row_groups(opened: Opened, tables: list[Table], path: Path) -> Iterator[Part]:
    try:
        for _ in opened.blocks:
            pass
        count = typed.groups_of(path)
        facts = typed.facts_of(path)
    except Rejected as rejected:
        yield opened.document("tabular", rejected)
        return
    if mark := facts.get(typed.WATERMARK_KEY.decode()):
        opened.entry.facts["watermark"] = {facts[typed.TABLE_KEY.decode()]: mark}
    for group in range(count):
        context = msgspec.json.encode(Layout(tables[0].name, group=group))
        size = path.stat().st_size // count
        yield Part(opened.source, "document", path, 0, size, format="tabular", name=opened.entry.name, context=context)


def _text(opened: Opened, table: Table) -> Iterator[Part]:
    encoding = file_encoding(table, opened.head, opened.path)
    opened.entry.facts["encoding"] = encoding
    if not ascii_safe(encoding):
        context = msgspec.json.encode(Layout(table.name, encoding=encoding))
        yield replace(opened.document("tabular"), context=context)
        return
    head, blocks = _with_header(opened, table)
    try:
        layout, offset, line = text_layout(table, head, encoding)
        recipes_of(opened.reading.mapping or "", table.name, layout.header, False)
    except Rejected as rejected:
        yield opened.document("tabular", rejected)
        return
    context = msgspec.json.encode(layout)
    for stretch in cut_records(_after(blocks, offset), layout.dialect, line, offset, opened.limits):
        yield opened.stretch(stretch, "tabular", context)


def _with_header(opened: Opened, table: Table) -> tuple[bytes, Iterator[bytes]]:
    """A beginning that holds the header even where that is very long, and all blocks."""
    if table.header or opened.head.count(b"\n") > table.skip:
        return opened.head, opened.blocks
    seen: list[bytes] = []
    size = 0
    for block in _whole(opened):
        seen.append(block)
        size += len(block)
        if size > opened.limits.resource_bytes or (size > len(opened.head) and b"\n" in block):
            break
    return b"".join(seen), chain(seen, opened.blocks)


def _whole(opened: Opened) -> Iterator[bytes]:
    """The blocks up to where the file breaks off; whoever goes on reading meets that again."""
    try:
        yield from opened.blocks
    except Rejected:
        return


def _after(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """The blocks without their first bytes."""
    for block in blocks:
        if offset < len(block):
            yield block[offset:]
        offset = max(0, offset - len(block))
