from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from xinglin.views import compile_view, fetch

Answer = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def answer() -> Answer:
    """Run a view over resources given as dicts or as JSON text."""

    def run(view: dict[str, Any], *resources: Any, site: str = "") -> list[dict[str, Any]]:
        compiled = compile_view(view)
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("CREATE TABLE resources (site VARCHAR, resource VARCHAR)")
        for resource in resources:
            text = resource if isinstance(resource, str) else json.dumps(resource)
            connection.execute("INSERT INTO resources VALUES (?, ?)", [site, text])
        names, rows = fetch(connection, compiled.sql())
        return [dict(zip(names, row, strict=True)) for row in rows]

    return run


@pytest.fixture
def value(answer: Answer) -> Callable[..., Any]:
    """The one value that a path gives for a resource."""

    def run(path: str, resource: Any, **column: Any) -> Any:
        kind = json.loads(resource)["resourceType"] if isinstance(resource, str) else resource["resourceType"]
        view = {"resource": kind, "select": [{"column": [{"name": "v", "path": path, **column}]}]}
        [row] = answer(view, resource)
        return row["v"]

    return run
