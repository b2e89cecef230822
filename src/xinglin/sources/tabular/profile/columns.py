"""A look at a table nobody has described: what stands in its columns, told without showing values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xinglin.sources.tabular import dates
from xinglin.sources.tabular.numbers import decimal_text
from xinglin.sources.tabular.profile.meaning import meaning_of

__all__ = ["NULL_WORDS", "ColumnProfile", "TableProfile", "profile_rows", "shape_of"]

_LATIN = "NA N/A n/a #N/A NULL null None none nan NaN - -- --- / . ? unknown Unknown"
_CHINESE = "无 不详 未知 未查 未做 缺失 空"
NULL_WORDS = frozenset(f"{_LATIN} {_CHINESE}".split(" "))
"""Words that often stand for a missing value; whether they do here, only the institution knows."""

FORMS = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d",
    "%Y年%m月%d日", "%Y年%m月%d日 %H:%M", "%Y%m%d", "%Y%m%d%H%M%S", "%Y-%m", "%m-%d-%Y", "%m/%d/%Y", "%d/%m/%Y",
    "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d-%b-%Y",
)  # fmt: skip
_READERS = tuple((form, dates.reader((form,), dates.zone_named("+08:00"))) for form in FORMS)
_DATES = ("birth-date", "death-date", "start", "end", "date")
_MOST_DISTINCT = 10_000
_MOST_LOOKED_AT = 2_000


@dataclass(frozen=True)
class ColumnProfile:
    """What stands in one column.

    Args:
        name: Its heading.
        kind: empty, integer, decimal, date, time or text.
        filled: Rows with a value.
        empty: Rows without.
        distinct: Different values, at most 10,000 are counted.
        shortest: Characters of the shortest value.
        longest: Characters of the longest.
        meaning: What it may be; empty where nothing fits.
        date_formats: Patterns that fit all its values; several where day and month cannot be told apart.
        null_words: Words in it that often mean a missing value, with their number.
        words: Its values where they are a few words that stand in many rows, such as the sex; else none.
        shapes: Commonest shapes of its values, letters and digits masked.
    """

    name: str
    kind: str
    filled: int
    empty: int
    distinct: int
    shortest: int
    longest: int
    meaning: str
    date_formats: tuple[str, ...] = ()
    null_words: dict[str, int] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableProfile:
    """One table: where it is, how it is read, and its columns.

    Args:
        name: Of the table: sheet, database table, or the file's name without ending.
        source: file, sheet or table.
        rows: Rows looked at.
        unreadable: Rows that could not be read.
        encoding: Of a text file.
        delimiter: Of a text file.
        has_header: Whether the first row names the columns.
        columns: In their order.
    """

    name: str
    source: str
    rows: int
    unreadable: int
    encoding: str
    delimiter: str
    has_header: bool
    columns: tuple[ColumnProfile, ...]


class _Column:
    def __init__(self, name: str) -> None:
        self.name = name
        self.filled = self.empty = self.longest = 0
        self.shortest = 1 << 60
        self.values: Counter[str] = Counter()
        self.nulls: Counter[str] = Counter()

    def add(self, value: str) -> None:
        value = value.strip()
        if not value:
            self.empty += 1
            return
        self.filled += 1
        if value in NULL_WORDS:
            self.nulls[value] += 1
            return
        self.longest, self.shortest = max(self.longest, len(value)), min(self.shortest, len(value))
        if value in self.values or len(self.values) < _MOST_DISTINCT:
            self.values[value] += 1

    def profile(self) -> ColumnProfile:
        values = list(self.values)[:_MOST_LOOKED_AT]
        meaning = meaning_of(self.name, values)
        forms = _forms(values)
        if forms and meaning not in _DATES:
            meaning = "date"
        few = len(self.values) <= 12 and self.filled >= 3 * len(self.values) and meaning == "sex"
        shapes = Counter(shape_of(value) for value in values)
        return ColumnProfile(
            self.name, _kind(values, forms), self.filled, self.empty, len(self.values),
            0 if self.longest == 0 else self.shortest, self.longest, meaning, forms, dict(self.nulls.most_common(5)),
            tuple(sorted(self.values)) if few or (meaning == "sex" and len(self.values) <= 6) else (),
            tuple(shape for shape, _ in shapes.most_common(3)),
        )  # fmt: skip


def profile_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[int, tuple[ColumnProfile, ...]]:
    """The columns of a table.

    Args:
        header: Their names.
        rows: Their cells as text.

    Returns:
        The number of rows, and the columns.

    Example:
        >>> count, columns = profile_rows(["性别", "bmi"], [["男", "23.5"], ["女", "N/A"]])
        >>> [(one.name, one.kind, one.meaning, one.null_words) for one in columns]
        [('性别', 'text', 'sex', {}), ('bmi', 'decimal', '', {'N/A': 1})]
    """
    columns = [_Column(name) for name in header]
    count = 0
    for row in rows:
        count += 1
        for column, value in zip(columns, row, strict=False):
            column.add(value)
    return count, tuple(column.profile() for column in columns)


def _forms(values: list[str]) -> tuple[str, ...]:
    """The patterns that all values fit; numbers are no dates unless their years are of our time."""
    if not values:
        return ()
    fitting = []
    for form, read in _READERS:
        found = [read(value) for value in values]
        if all(one is not None and "1850" < one.day < "2150" for one in found):
            fitting.append(form)
    return tuple(fitting)


def _kind(values: list[str], forms: tuple[str, ...]) -> str:
    if not values:
        return "empty"
    if forms:
        return "time" if "%H" in forms[0] else "date"
    numbers = [decimal_text(value) for value in values]
    if all(number is not None for number in numbers):
        return "integer" if all(value.lstrip("+-").isdecimal() for value in values) else "decimal"
    return "text"


def shape_of(value: str) -> str:
    """A value with its letters and digits masked.

    Example:
        >>> shape_of("张三 A-17"), shape_of("I63.902")
        ('汉汉 A-99', 'A99.999')
    """
    masked = re.sub("[0-9]", "9", value[:24])
    masked = re.sub("[A-Z]", "A", masked)
    masked = re.sub("[^\\W\\d_A]", lambda sign: "汉" if sign[0] >= "\u2e80" else "a", masked)
    return masked + ("…" if len(value) > 24 else "")
