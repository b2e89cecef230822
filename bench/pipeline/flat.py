"""One flat table of Observations: the same columns by DuckDB and by Spark SQL, from NDJSON with an explicit schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_CODING = "STRUCT(system VARCHAR, code VARCHAR, display VARCHAR)"
_CONCEPT = f"STRUCT(coding {_CODING}[], text VARCHAR)"
_QUANTITY = "STRUCT(value DOUBLE, unit VARCHAR, system VARCHAR, code VARCHAR)"
_REFERENCE = "STRUCT(reference VARCHAR)"
_COLUMNS = {
    "id": "VARCHAR",
    "status": "VARCHAR",
    "category": f"{_CONCEPT}[]",
    "code": _CONCEPT,
    "subject": _REFERENCE,
    "encounter": _REFERENCE,
    "effectiveDateTime": "VARCHAR",
    "issued": "VARCHAR",
    "valueQuantity": _QUANTITY,
    "valueCodeableConcept": _CONCEPT,
    "valueString": "VARCHAR",
    "interpretation": f"{_CONCEPT}[]",
    "referenceRange": f"STRUCT(low {_QUANTITY}, high {_QUANTITY})[]",
}
_SELECT = """
SELECT id, status, category[{first}].coding[{first}].code AS category, code.coding[{first}].system AS system,
    code.coding[{first}].code AS code, coalesce(code.text, code.coding[{first}].display) AS name,
    subject.reference AS patient, encounter.reference AS visit, effectiveDateTime AS moment, issued,
    valueQuantity.value AS value, valueQuantity.code AS unit, valueCodeableConcept.coding[{first}].code AS value_code,
    valueString AS value_string, interpretation[{first}].coding[{first}].code AS interpretation,
    referenceRange[{first}].low.value AS low, referenceRange[{first}].high.value AS high
FROM {source}
"""


def by_duckdb(task: tuple[str, str]) -> int:
    """One file to one Parquet file; the number of rows."""
    import duckdb

    file, out = task
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
    source = f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"
    target = f"{out}/{file.strip('/').replace('/', '-')}.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        copy = f"COPY ({_SELECT.format(first=1, source=source)}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        row = connection.execute(copy).fetchone()
    return int(row[0]) if row else 0


def by_spark_sql(context: Any, files: list[str], out: str) -> int:
    """All files to one folder of Parquet files; the number of rows."""
    from pyspark.sql import SparkSession

    session = SparkSession(context)
    session.read.schema(_spark_schema()).json(files).createOrReplaceTempView("observation")
    table = session.sql(_SELECT.format(first=0, source="observation"))
    table.write.option("compression", "zstd").parquet(str(Path(out) / "spark"))
    return sum(_rows(path) for path in (Path(out) / "spark").glob("*.parquet"))


def _rows(path: Path) -> int:
    import pyarrow.parquet as parquet

    return int(parquet.read_metadata(path).num_rows)


def _spark_schema() -> str:
    return ", ".join(f"{name} {_spark(kind)}" for name, kind in _COLUMNS.items())


def _spark(kind: str) -> str:
    """A DuckDB type in Spark's words.

    >>> _spark("STRUCT(low STRUCT(value DOUBLE))[]")
    'ARRAY<STRUCT<low: STRUCT<value: DOUBLE>>>'
    """
    if kind.endswith("[]"):
        return f"ARRAY<{_spark(kind[:-2])}>"
    if not kind.startswith("STRUCT("):
        return {"VARCHAR": "STRING"}.get(kind, kind)
    fields, depth, begin, inner = [], 0, 0, kind[len("STRUCT(") : -1]
    for place, sign in enumerate(inner + ","):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            name, _, inside = inner[begin:place].strip().partition(" ")
            fields.append(f"{name}: {_spark(inside)}")
            begin = place + 1
    return f"STRUCT<{', '.join(fields)}>"
