from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from xinglin.core.errors import StorageError
from xinglin.lake.storage.cache import Cache

CONTENT = {f"t/{hashlib.sha256(text).hexdigest()[:40]}.parquet": text for text in (b"a" * 100, b"b" * 100, b"c" * 100)}
FIRST, SECOND, THIRD = CONTENT


class Elsewhere:
    """Counts what is fetched."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def __call__(self, key: str, path: Path) -> None:
        self.fetched.append(key)
        path.write_bytes(CONTENT[key])


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    elsewhere, cache = Elsewhere(), Cache(tmp_path, 1000)

    for _ in range(2):
        assert [Path(path).read_bytes() for path in cache.paths([SECOND, FIRST], elsewhere)] == [b"b" * 100, b"a" * 100]

    assert sorted(elsewhere.fetched) == sorted([FIRST, SECOND])


def test_the_copy_unused_for_longest_goes_first(tmp_path: Path) -> None:
    elsewhere, cache = Elsewhere(), Cache(tmp_path, limit=250, grace=60)
    cache.paths([FIRST, SECOND], elsewhere)
    for key, age in ((FIRST, 100), (SECOND, 200)):
        os.utime(tmp_path / key, (time.time() - age,) * 2)

    cache.paths([THIRD], elsewhere)

    assert [(tmp_path / key).exists() for key in CONTENT] == [True, False, True]


def test_copies_in_use_stay_beyond_the_limit(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=50)

    cache.paths(list(CONTENT), Elsewhere())

    assert all((tmp_path / key).exists() for key in CONTENT)


def test_content_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    def fetch(key: str, path: Path) -> None:
        path.write_bytes(b"cut short")

    with pytest.raises(StorageError, match="content its name says"):
        Cache(tmp_path, 1000).paths([FIRST], fetch)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
