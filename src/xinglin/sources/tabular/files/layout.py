"""How one text file of a table stands: encoding, delimiter, header; what a worker needs to read a stretch of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from xinglin.sources.record import Rejected
from xinglin.sources.tabular.files.delimited import Dialect, delimiter_of, first_row
from xinglin.sources.tabular.files.encoding import ascii_safe, encoding_of
from xinglin.sources.tabular.mapping.file import Table

__all__ = ["Layout", "file_encoding", "text_layout"]

_BLOCK = 1_000_000
_LOOKED_AT = 200_000


class Layout(msgspec.Struct, frozen=True):
    """What stands before a file's rows.

    Args:
        table: Name of the mapping's table.
        header: Names of the columns.
        encoding: Of the text.
        delimiter: Between fields.
        quote: Around fields.
        group: Row group of a Parquet file; -1 where all are meant.
    """

    table: str
    header: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    group: int = -1

    @property
    def dialect(self) -> Dialect:
        """How the fields stand."""
        return Dialect(self.encoding, self.delimiter, self.quote)


def file_encoding(table: Table, head: bytes, path: Path | None) -> str:
    """The encoding of a file: what the mapping says, else what the bytes look like.

    Args:
        table: Its table.
        head: Its beginning.
        path: The file, to look further where its beginning is all ASCII.
    """
    if table.encoding != "auto":
        return table.encoding
    if path is not None and head.isascii() and b"\x00" not in head[:4_000]:
        head = _beyond_ascii(path) or head
    return encoding_of(head)


def _beyond_ascii(path: Path) -> bytes:
    """The first stretch of a file with something else than ASCII in it."""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if not block.isascii():
                    return block + file.read(_BLOCK)
    except OSError:
        return b""
    return b""


def text_layout(table: Table, head: bytes, encoding: str) -> tuple[Layout, int, int]:
    """The layout of a text file, where its rows begin, and the number of the line they begin in.

    Args:
        table: Its table.
        head: Its beginning, the header row included.
        encoding: One in which a line feed is one byte.

    Raises:
        Rejected: The header cannot be read.

    """
    if not ascii_safe(encoding):
        raise ValueError(encoding)
    line_end = b"\n" if b"\n" in head else b"\r"
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    encoding = "utf-8" if encoding.replace("_", "-").lower() in ("utf-8-sig", "utf8") else encoding
    offset, line = mark, 1
    for _ in range(table.skip):
        offset, line = (head.find(line_end, offset) + 1) or len(head), line + 1
    begin = head[offset:]
    dialect = Dialect(encoding, table.delimiter, table.quote)
    if dialect.delimiter == "auto":
        guessed = delimiter_of(begin[:_LOOKED_AT].decode(encoding, "replace"), table.quote)
        dialect = Dialect(encoding, guessed, table.quote)
    if table.header:
        header: list[str] = list(table.header)
    else:
        header, lines = _header(begin, dialect, line_end)
        for _ in range(lines):
            offset, line = (head.find(line_end, offset) + 1) or len(head), line + 1
    layout = Layout(table.name, tuple(name.strip() for name in header), encoding, dialect.delimiter, dialect.quote)
    return layout, offset, line


def _header(begin: bytes, dialect: Dialect, line_end: bytes) -> tuple[list[str], int]:
    """The first record; only as many lines are decoded as it takes."""
    stop = 0
    for _ in range(100):
        stop = (begin.find(line_end, stop) + 1) or len(begin)
        try:
            text = begin[:stop].decode(dialect.encoding)
        except UnicodeDecodeError as error:
            detail = f"expected {dialect.encoding} at byte {error.start} of the header"
            raise Rejected("invalid-encoding", detail) from None
        header, lines = first_row(text, dialect)
        if stop == len(begin) or text.count(line_end.decode()) > lines or _is_closed(text, dialect):
            return header, lines
    return header, lines


def _is_closed(text: str, dialect: Dialect) -> bool:
    return dialect.quote == "none" or text.count(dialect.quote) % 2 == 0
