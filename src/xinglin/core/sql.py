"""SQL text: quoted literals and lists of files."""

from __future__ import annotations

__all__ = ["parquet_list", "quote"]


def parquet_list(paths: list[str]) -> str:
    """The paths as a DuckDB list literal, for ``read_parquet``.

    Example:
        >>> parquet_list(["/a.parquet", "/b'c.parquet"])
        "['/a.parquet', '/b''c.parquet']"
    """
    quoted = ", ".join(map(quote, paths))
    return f"[{quoted}]"


def quote(text: str) -> str:
    """A text as an SQL string literal.

    Example:
        >>> quote("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
