"""Keys are the same in Python and in SQL, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.core.ids import bucket_of, bucket_sql, key_sql, omop_key, text_key

# DuckDB's text is UTF-8 and cannot hold lone surrogates; nor can JSON that was landed.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_sql_computes_the_same_key_as_python(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert connection.execute(f"SELECT {key_sql('?')}", [text]).fetchone() == (text_key(text),)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, buckets=st.integers(1, 4096))
def test_sql_finds_the_same_bucket_as_python(connection: duckdb.DuckDBPyConnection, text: str, buckets: int) -> None:
    key = text_key(text)
    bucket = bucket_of(key, buckets)

    assert 0 <= bucket < buckets
    assert connection.execute(f"SELECT {bucket_sql('?::BIGINT', buckets)}", [key]).fetchone() == (bucket,)


@given(text=TEXTS)
def test_a_key_is_a_positive_63_bit_number(text: str) -> None:
    assert 0 <= text_key(text) < 2**63


def test_a_null_text_has_no_key(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute(f"SELECT {key_sql('NULL')}").fetchone() == (None,)


def test_site_type_and_id_all_count() -> None:
    keys = {omop_key("a", "Patient", "1"), omop_key("b", "Patient", "1"), omop_key("a", "Group", "1")}
    assert len(keys | {omop_key("a", "Patient", "2")}) == 4


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_a_key_does_not_depend_on_the_process(seed: str) -> None:
    code = "from xinglin.core.ids import text_key; print(text_key('mercy/Patient/abc'))"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Shanghai"}

    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "2663311146306717066"
