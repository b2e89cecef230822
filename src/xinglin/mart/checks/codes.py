"""Rules about single codes, from two small tables: plausible values by unit, and codes of one gender only.

To add one, add a line to ``plausible_values.csv`` (one line per code and unit; ``|`` between spellings of a unit) or
to ``one_gender.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources

from xinglin.mart.checks.concepts import MAIN_CONCEPTS
from xinglin.mart.checks.rule import ScanRule

__all__ = ["code_rules"]


def code_rules(table: str) -> Iterator[ScanRule]:
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


def _values() -> Iterator[ScanRule]:
    units: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for line in _read("plausible_values.csv"):
        code, spellings = line["loinc"], line["units"].split("|")
        units.setdefault(code, []).extend(spellings)
        names[code] = line["name"]
        yield ScanRule(
            "plausibleValueRange",
            "plausibility",
            "concept",
            "measurement",
            f"value_as_number/{code}/{spellings[0]}",
            f"{line['name']} outside {line['low']} to {line['high']} {spellings[0]}",
            threshold=0.01,
            applies=f"{_code('measurement', code)} AND t.unit_source_value IN ({_texts(spellings)}) "
            "AND t.value_as_number IS NOT NULL",
            violation=f"t.value_as_number NOT BETWEEN {line['low']} AND {line['high']}",
        )
    for code, spellings in units.items():
        yield ScanRule(
            "plausibleUnit",
            "plausibility",
            "concept",
            "measurement",
            f"unit_source_value/{code}",
            f"{names[code]} in a unit it is not measured in, or in none",
            threshold=0.05,
            applies=f"{_code('measurement', code)} AND t.value_as_number IS NOT NULL",
            violation=f"coalesce(t.unit_source_value, '') NOT IN ({_texts(spellings)})",
        )


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


def _texts(values: list[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
