"""Rules about single codes, from two small tables: plausible values by unit, and codes of one gender only.

To add one, add a line to ``plausible_values.csv`` (one line per code and unit; ``|`` between spellings of a unit) or
to ``one_gender.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING

from xinglin.core.sql import quote
from xinglin.mart.checks.concepts import MAIN_CONCEPTS
from xinglin.mart.checks.joins import failing_rows
from xinglin.mart.checks.rule import CheckResult, CodeRule, Rule, ScanRule, judge

if TYPE_CHECKING:
    import duckdb

__all__ = ["code_rules", "count_codes"]


def code_rules(table: str) -> Iterator[Rule]:
    """The rules about codes that are found in one table.

    Example:
        >>> sorted({rule.name for rule in code_rules("measurement")})
        ['plausibleGender', 'plausibleUnit', 'plausibleValueRange']
    """
    if table == "measurement":
        yield from _values()
    for line in _read("one_gender.csv"):
        if line["table"] == table:
            yield _gender(line)


def _read(name: str) -> list[dict[str, str]]:
    text = (resources.files("xinglin.mart.checks") / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _values() -> Iterator[CodeRule]:
    units: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for line in _read("plausible_values.csv"):
        code, spellings = line["loinc"], tuple(line["units"].split("|"))
        units[code] = units.get(code, ()) + spellings
        names[code] = line["name"]
        yield CodeRule(
            "plausibleValueRange",
            "plausibility",
            "concept",
            "measurement",
            f"value_as_number/{code}/{spellings[0]}",
            f"{line['name']} outside {line['low']} to {line['high']} {spellings[0]}",
            threshold=0.01,
            code=code,
            units=spellings,
            low=float(line["low"]),
            high=float(line["high"]),
        )
    for code, spellings in units.items():
        yield CodeRule(
            "plausibleUnit",
            "plausibility",
            "concept",
            "measurement",
            f"unit_source_value/{code}",
            f"{names[code]} in a unit it is not measured in, or in none",
            threshold=0.05,
            code=code,
            units=spellings,
        )


def count_codes(connection: duckdb.DuckDBPyConnection, rules: Sequence[CodeRule]) -> list[CheckResult]:
    """Count all rules about measured values in one grouping by code and unit."""
    limits: dict[tuple[str, str], str] = {}
    for rule in rules:
        for unit in rule.units:
            if rule.low is not None:
                limits[rule.code, unit] = f"{rule.low}, {rule.high}"
            else:
                limits.setdefault((rule.code, unit), "NULL, NULL")
    lines = ", ".join(f"({_texts(pair)}, {ends})" for pair, ends in limits.items())
    codes = _texts(sorted({rule.code for rule in rules}))
    groups = connection.execute(
        "SELECT t.code, t.unit, count(*), count_if(t.value NOT BETWEEN r.low AND r.high) FROM ("
        "SELECT measurement_source_value AS code, coalesce(unit_source_value, '') AS unit, value_as_number AS value "
        f"FROM measurement WHERE measurement_source_value IN ({codes}) AND value_as_number IS NOT NULL) AS t "
        f"LEFT JOIN (VALUES {lines}) AS r (code, unit, low, high) "
        "ON r.code = t.code AND r.unit = t.unit GROUP BY ALL"
    ).fetchall()
    return [_judged(rule, groups) for rule in rules]


def _judged(rule: CodeRule, groups: list[tuple[str, str, int, int]]) -> CheckResult:
    mine = [group for group in groups if group[0] == rule.code]
    applies = f"{_code('measurement', rule.code)} AND t.value_as_number IS NOT NULL"
    known = f"coalesce(t.unit_source_value, '') IN ({_texts(rule.units)})"
    if rule.low is None:
        checked = sum(rows for _, _, rows, _ in mine)
        failed = sum(rows for _, unit, rows, _ in mine if unit not in rule.units)
        return judge(rule, checked, failed, failing_rows("measurement", (), applies, f"NOT {known}"))
    checked = sum(rows for _, unit, rows, _ in mine if unit in rule.units)
    failed = sum(outside for _, unit, _, outside in mine if unit in rule.units)
    outside = f"t.value_as_number NOT BETWEEN {rule.low} AND {rule.high}"
    return judge(rule, checked, failed, failing_rows("measurement", (), f"{applies} AND {known}", outside))


def _gender(line: dict[str, str]) -> ScanRule:
    table, code = line["table"], line["code"]
    return ScanRule(
        "plausibleGender",
        "plausibility",
        "concept",
        table,
        f"{MAIN_CONCEPTS[table][1]}/{code}",
        f"{line['name']} in a person whose recorded gender rules it out",
        threshold=0.02,
        applies=f"{_code(table, code)} AND person.gender IN (8507, 8532)",
        violation=f"person.gender <> {line['gender_concept_id']}",
        joins=("person",),
    )


def _code(table: str, code: str) -> str:
    return f"t.{MAIN_CONCEPTS[table][1]} = {_texts([code])}"


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(quote, values))
