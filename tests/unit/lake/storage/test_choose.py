from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xinglin.core.errors import UsageError
from xinglin.lake.storage import Local, open_storage
from xinglin.lake.storage.folder import Folder


def test_a_path_and_a_file_url_are_the_same_folder() -> None:
    assert open_storage("/srv/my lake") == open_storage("file:///srv/my%20lake") == Folder(Path("/srv/my lake"))


@pytest.mark.parametrize(
    ("url", "words"),
    [("ftp://host/lake", "s3: URL"), ("s3:///prefix", "names a bucket"), ("hdfs://host:8020", "names a NameNode")],
)
def test_a_url_that_cannot_be_a_lake_says_why(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_storage(url)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "xinglin.lake.storage.s3", raising=False)

    with pytest.raises(UsageError, match=r"xinglin\[s3\]"):
        open_storage("s3://bucket/lake", Local(tmp_path))
