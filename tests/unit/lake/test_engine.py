from __future__ import annotations

import hashlib

import pytest

from xinglin.core.errors import StorageError
from xinglin.core.sql import parquet_list
from xinglin.lake import connect, write_parquet


def test_the_same_rows_give_the_same_bytes(tmp_path):
    digests = set()
    for number in range(3):
        path = tmp_path / f"{number}.parquet"
        assert write_parquet(connect(200, 1), "SELECT range AS n, hash(range) AS h FROM range(200000)", path) == 200_000
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_engine_cannot_fetch_extensions():
    connection = connect(200, 1)
    settings = dict(
        connection.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'threads')"
        ).fetchall()
    )
    assert settings == {"autoinstall_known_extensions": "false", "threads": "1"}


def test_a_file_that_cannot_be_written_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="could not be written"):
        write_parquet(connect(200, 1), "SELECT 1 AS a", tmp_path / "missing" / "a.parquet")


def test_quotes_in_paths_are_data(tmp_path):
    path = tmp_path / "it's.parquet"
    write_parquet(connect(200, 1), "SELECT 1 AS a", path)
    assert connect(200, 1).execute(f"SELECT a FROM read_parquet({parquet_list([str(path)])})").fetchall() == [(1,)]
