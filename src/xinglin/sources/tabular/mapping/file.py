"""A mapping file: which tables become which resources. Validated as a whole before anything is read."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from datetime import tzinfo
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from xinglin.core.errors import BadInput
from xinglin.sources.tabular import dates
from xinglin.sources.tabular.mapping.places import Path, Source, parse

__all__ = [
    "Column",
    "Mapping",
    "Table",
    "checked_formats",
    "fault",
    "is_mapping",
    "is_yes",
    "parse_mapping",
    "schema",
    "unpacked_name",
    "zone_at",
]

_PACKED = (".gz", ".zst", ".zstd")


@dataclass(frozen=True)
class Column:
    """What is said of one column.

    Args:
        nulls: Texts that stand for a missing value here; None where the table's apply.
        optional: Whether it may be absent.
        thousands: What separates groups of digits.
        decimal: What stands before the fraction.
    """

    nulls: frozenset[str] | None = None
    optional: bool = False
    thousands: str = ""
    decimal: str = "."


@dataclass(frozen=True)
class Table:
    """How one table is read and what is made of its rows; the words are those of ``mapping.schema.json``."""

    name: str
    file: str | None
    sheet: str | None
    table: str | None
    query: str | None
    key: tuple[str, ...]
    watermark: str | None
    encoding: str
    delimiter: str
    quote: str
    nulls: frozenset[str]
    zone: tzinfo | None
    date_formats: tuple[str, ...]
    header: tuple[str, ...]
    skip: int
    pad: bool
    skip_unmatched: bool
    columns: dict[str, Column]
    resources: list[dict[str, Any]]

    def column(self, name: str) -> Column:
        """What is said of a column."""
        return self.columns.get(name, _PLAIN)

    def matches(self, name: str) -> bool:
        """Whether a file of that name holds this table."""
        if self.file is None:
            return False
        name, wanted = unpacked_name(name).lower(), self.file.lower()
        return fnmatchcase(name, wanted) or fnmatchcase(name.rsplit("/", 1)[-1], wanted)


_PLAIN = Column()


def unpacked_name(name: str) -> str:
    """A file's name without the ending of its packing.

    Example:
        >>> unpacked_name("a/patients.csv.gz")
        'a/patients.csv'
    """
    for ending in _PACKED:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


@dataclass(frozen=True)
class Mapping:
    """A validated mapping file.

    Args:
        tables: By name, in the file's order.
        maps: Code lists by name.
        source: Where everything stands in the text.
    """

    tables: dict[str, Table]
    maps: dict[str, dict[str, Any]]
    source: Source = field(repr=False, compare=False)

    def tables_of(self, name: str) -> list[Table]:
        """The tables that a file of that name holds."""
        return [table for table in self.tables.values() if table.matches(name)]


@cache
def schema() -> Any:
    """The JSON Schema of mapping files.

    Example:
        >>> schema()["title"]
        'Xinglin mapping of tables to FHIR R4'
    """
    import orjson

    return orjson.loads((files(__package__) / "mapping.schema.json").read_bytes())


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema())


def fault(source: Source, path: Path, what: str, remedy: str) -> BadInput:
    """An error in a mapping file, with its place."""
    return BadInput(f"the mapping cannot be used: {what}", source=source.where(path), remedy=remedy)


def is_mapping(text: str | None) -> bool:
    """Whether a text is meant as a mapping of tables: its outermost level has the word tables.

    Example:
        >>> is_mapping("tables: {}"), is_mapping("segments: {}"), is_mapping(None)
        (True, False, False)
    """
    return text is not None and ("\ntables:" in f"\n{text}" or '"tables"' in text or "tables: {" in text)


def parse_mapping(text: str) -> Mapping:
    """Read a mapping file's text and hold it against the schema; the trees of elements are not looked into yet."""
    source = parse(text)
    for error in _validator().iter_errors(source.content):
        remedy = "write it as docs/how-to/load/tables.md shows"
        raise fault(source, tuple(error.instance_path), _said(error.message), remedy)
    content = source.content
    tables = {name: _table(source, content, name, entry) for name, entry in content["tables"].items()}
    return Mapping(tables, content.get("maps", {}), source)


def _said(message: str) -> str:
    """The schema's complaint; a long value in it is cut."""
    return message if len(message) <= 300 else f"{message[:140]} … {message[-140:]}"


def _table(source: Source, top: dict[str, Any], name: str, entry: dict[str, Any]) -> Table:
    path: Path = ("tables", name)
    if not any(word in entry for word in ("file", "table", "query")):
        raise fault(source, path, "where the table comes from is missing", "say file, table or query")
    said = {word: entry.get(word, top.get(word)) for word in ("encoding", "delimiter", "quote", "null", "time_zone")}
    encoding = said["encoding"] or "auto"
    if encoding != "auto" and not _is_encoding(encoding):
        raise fault(
            source, (*path, "encoding"), f"there is no encoding {encoding}", "say auto or a name such as gb18030"
        )
    zone = zone_at(source, path if "time_zone" in entry else (), said["time_zone"])
    formats = entry.get("date_formats", top.get("date_formats"))
    where: Path = (*path, "date_formats") if "date_formats" in entry else ("date_formats",)
    key = entry.get("key", [])
    return Table(
        name, entry.get("file"), entry.get("sheet"), entry.get("table"), entry.get("query"),
        (key,) if isinstance(key, str) else tuple(key), entry.get("watermark"),
        encoding, _delimiter(said["delimiter"] or "auto"), said["quote"] or '"',
        frozenset(said["null"] or ()), zone, checked_formats(source, where, formats, zone),
        tuple(entry.get("header", ())), int(entry.get("skip", 0)), entry.get("short_rows") == "pad",
        entry.get("unmatched") == "skip",
        {column: _column(one) for column, one in entry.get("columns", {}).items()}, entry["resources"],
    )  # fmt: skip


def _is_encoding(name: str) -> bool:
    try:
        return bool(getattr(codecs.lookup(name), "_is_text_encoding", True))
    except (LookupError, ValueError):
        return False


def _delimiter(word: str) -> str:
    return {"tab": "\t", "space": " "}.get(word, word)


def zone_at(source: Source, path: Path, name: str | None) -> tzinfo | None:
    """The time zone that a place of the mapping names."""
    if name is None:
        return None
    try:
        return dates.zone_named(name)
    except ValueError as error:
        raise fault(source, (*path, "time_zone"), f"there is no time zone {name}", str(error)) from None


def checked_formats(source: Source, path: Path, formats: Any, zone: tzinfo | None) -> tuple[str, ...]:
    """Patterns of dates, each of which can be used; ISO 8601 where none are given.

    Raises:
        BadInput: A pattern cannot be read, or reads local times of which nobody says where.
    """
    if formats is None:
        return dates.ISO
    listed = (formats,) if isinstance(formats, str) else tuple(formats)
    for form in listed:
        try:
            local = dates.has_local_time(form)
        except ValueError as error:
            raise fault(source, path, f"the pattern {form} cannot be read: {error}", "mend the pattern") from None
        if local and zone is None:
            raise fault(
                source, path, f"times read by {form} have no offset", "say time_zone, for example Asia/Shanghai"
            )
    return listed


def is_yes(value: Any) -> bool:
    """Whether an option of the mapping is on."""
    return value in (True, "true")


def _column(entry: dict[str, Any]) -> Column:
    nulls = entry.get("null")
    return Column(
        None if nulls is None else frozenset(nulls),
        is_yes(entry.get("optional")),
        entry.get("thousands", ""),
        entry.get("decimal", "."),
    )
