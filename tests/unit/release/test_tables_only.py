"""A question over views that leave persons out must not reach the files behind them."""

from __future__ import annotations

import duckdb
import pytest

from xinglin.core.errors import UsageError
from xinglin.release.tables_only import check_tables_only

OUTSIDE = [
    "SELECT * FROM read_parquet('/a.parquet')",
    "FROM '/a.parquet'",
    'FROM "/a"."parquet"',
    "FROM a.parquet",
    "SELECT (SELECT max(b) FROM '/a.parquet')",
    "WITH found AS (FROM glob('*')) SELECT * FROM found",
    "SUMMARIZE '/a.parquet'",
    "DESCRIBE FROM parquet_metadata('/a.parquet')",
    "EXPLAIN ANALYZE SELECT * FROM parquet_scan('/a.parquet')",
    "explain (format json) FROM '/a.parquet'",
    "/* first */ EXPLAIN SELECT * FROM read_text('/a')",
    "FROM query('FROM read_parquet(''/a.parquet'')')",
    "SELECT 1 WHERE EXISTS (FROM read_blob('/a'))",
    "SELECT * FROM person UNION ALL FROM read_csv('/a')",
]
INSIDE = [
    "SELECT count(*) FROM person",
    "SHOW TABLES",
    "DESCRIBE person",
    "SUMMARIZE person",
    "EXPLAIN SELECT * FROM main.person",
    "WITH few AS (FROM person LIMIT 3) SELECT * FROM few, unnest([1, 2]), range(3)",
    "SELECT table_name FROM information_schema.tables",
]


@pytest.mark.parametrize("question", OUTSIDE)
def test_a_question_that_names_files_is_refused(question: str) -> None:
    with pytest.raises(UsageError):
        check_tables_only(duckdb.connect(), question)


@pytest.mark.parametrize("question", INSIDE)
def test_a_question_over_tables_passes(question: str) -> None:
    check_tables_only(duckdb.connect(), question)
