"""The same columns as bench/views/definitions, in SQL written by hand: ``python -m bench.views.hand HOME NAME OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_SCHEMA = {
    "flat": '{"id":"VARCHAR","status":"VARCHAR","subject":{"reference":"VARCHAR"},'
    '"code":{"coding":[{"code":"VARCHAR"}]},"effectiveDateTime":"VARCHAR","valueQuantity":{"value":"DOUBLE","unit":"VARCHAR"}}',
    "nested": '{"id":"VARCHAR","status":"VARCHAR","subject":{"reference":"VARCHAR"},'
    '"code":{"coding":[{"system":"VARCHAR","code":"VARCHAR"}]},'
    '"component":[{"code":{"coding":[{"code":"VARCHAR"}]},"valueQuantity":{"value":"DOUBLE"}}]}',
}
_SELECT = {
    "flat": "SELECT o.id, o.subject.reference AS patient, o.status, o.code.coding[1].code AS code, "
    "o.effectiveDateTime AS effective, o.valueQuantity.value AS value, o.valueQuantity.unit AS unit FROM parsed",
    "nested": "SELECT o.id, site || '/' || regexp_extract(o.subject.reference, 'Patient/[^/]+') AS patient, "
    "list_filter(o.code.coding, lambda c: c.system = 'http://loinc.org')[1].code AS panel, "
    "part.code.coding[1].code AS code, part.valueQuantity.value AS value "
    "FROM (SELECT *, unnest(o.component) AS part FROM parsed) WHERE o.status = 'final'",
}


def main() -> None:
    home, name, out = sys.argv[1:]
    files = sorted(str(path) for path in Path(home).glob("landing/*/batch-*/Observation-*.parquet"))
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "900MB"})
    rows = connection.execute(
        f"COPY (WITH parsed AS NOT MATERIALIZED (SELECT parse_path(filename)[-3] AS site, "
        f"from_json(resource, '{_SCHEMA[name]}') AS o FROM read_parquet({files}, filename = true)) {_SELECT[name]}) "
        f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    print(rows[0] if rows else 0)


if __name__ == "__main__":
    main()
