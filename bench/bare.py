"""The physical limit: DuckDB alone reads the same NDJSON with an explicit schema and writes Parquet."""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import duckdb

from xinglin.mart.schemas import columns_of


def main() -> None:
    region = Path(sys.argv[1])
    by_type: dict[str, list[str]] = defaultdict(list)
    for file in sorted(region.glob("*/*.ndjson")):
        if file.stat().st_size:
            by_type[file.name.split(".")[0]].append(str(file))
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1800MB"})
    with tempfile.TemporaryDirectory(dir=region.parent) as out:
        rows = 0
        for resource_type, files in sorted(by_type.items()):
            columns = columns_of(resource_type)
            copied = connection.execute(
                f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns}))"
                f" TO '{out}/{resource_type}.parquet' (FORMAT parquet, COMPRESSION zstd)",
                [files],
            ).fetchone()
            rows += copied[0] if copied else 0
    print(rows)


if __name__ == "__main__":
    main()
