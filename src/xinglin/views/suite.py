"""Run the official test suite of SQL on FHIR v2; the report has the suite's format."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.fhirpath.errors import ViewError
from xinglin.lake import connect
from xinglin.views.compile import compile_view
from xinglin.views.run import fetch

if TYPE_CHECKING:
    import duckdb

__all__ = ["run_suite"]


def run_suite(folder: Path) -> dict[str, Any]:
    """Run every test file of a folder.

    Args:
        folder: Folder of the suite's JSON files.

    Returns:
        The report: by file its tests, with the result of each and the reason of a failure. A test that expects an error
        passes only with a `ViewError`; its class is reported as ``error``.
    """
    return {path.name: {"tests": _file(path)} for path in sorted(folder.glob("*.json"), key=lambda path: path.name)}


def _file(path: Path) -> list[dict[str, Any]]:
    # Numbers keep their text: a boundary depends on the number of digits.
    content = json.loads(path.read_text(), parse_float=_Written)
    connection = connect(memory_mb=500, threads=1)
    connection.execute("CREATE TABLE resources (site VARCHAR, type VARCHAR, resource VARCHAR)")
    for resource in content["resources"]:
        connection.execute("INSERT INTO resources VALUES ('', ?, ?)", [resource["resourceType"], json.dumps(resource)])
    return [{"name": test["title"], "result": _result(test, connection)} for test in content["tests"]]


def _result(test: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    try:
        view = compile_view(json.loads(json.dumps(test["view"])))
        source = f"(SELECT site, resource FROM resources WHERE type = '{view.resource}')"
        names, rows = fetch(connection, view.sql(source))
    except ViewError as error:
        if test.get("expectError"):
            return {"passed": True, "error": type(error).__name__}
        return {"passed": False, "reason": f"{type(error).__name__}: {error}"}
    except Exception as error:  # a defect of Xinglin: never what a test expects
        return {"passed": False, "reason": f"{type(error).__name__}: {error}"}
    return _compared(test, names, [dict(zip(names, row, strict=True)) for row in rows])


def _compared(test: dict[str, Any], names: list[str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    if test.get("expectError"):
        return {"passed": False, "reason": "an error was expected"}
    if "expectCount" in test and len(rows) != test["expectCount"]:
        return {"passed": False, "reason": f"expected {test['expectCount']} rows, found {len(rows)}"}
    if "expectColumns" in test and names != test["expectColumns"]:
        return {"passed": False, "reason": f"expected columns {test['expectColumns']} , found {names}"}
    if "expect" in test:
        expected, found = (Counter(_comparable(row) for row in side) for side in (test["expect"], rows))
        if expected != found:
            return {"passed": False, "reason": f"missing {expected - found}, too many {found - expected}"}
    return {"passed": True}


def _comparable(value: Any) -> Any:
    """A hashable row or value: numbers by value, booleans distinct from numbers."""
    if isinstance(value, dict):
        return tuple(sorted((key, _comparable(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", *(_comparable(item) for item in value))
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    return ("number", float(format(float(value), ".12g")) if math.isfinite(value) else str(value))


class _Written(float):
    """A number that is written as it was read."""

    text: str

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text
