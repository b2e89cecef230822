from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from xinglin.core.errors import UsageError
from xinglin.core.permit import OPEN
from xinglin.lake import Lake, Local
from xinglin.lake.storage.s3 import S3, access_options

SECRET = 'aws_access_key_id = "mine"\naws_secret_access_key = "hidden word"\n'


def secrets(folder: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    path = folder / "lake.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_file_comes_before_the_environment(tmp_path: Path) -> None:
    found = access_options(secrets(tmp_path), {"AWS_ACCESS_KEY_ID": "other", "AWS_REGION": "here"})

    assert found == {"aws_access_key_id": "mine", "aws_secret_access_key": "hidden word", "aws_region": "here"}


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="chmod 600") as refused:
        access_options(secrets(tmp_path, mode=0o640), {})

    assert "hidden word" not in str(refused.value)


def test_an_unknown_name_in_the_file_is_refused_without_its_value(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="aws_secret") as refused:
        access_options(secrets(tmp_path, 'aws_secret = "hidden word"\n'), {})

    assert "hidden word" not in str(refused.value)


def test_no_key_shows_in_a_lake_or_travels_with_it(tmp_path: Path) -> None:
    lake = Lake("s3://bucket/lake", Local(tmp_path, secrets(tmp_path)), permit=OPEN)

    assert "hidden" not in repr(lake) + repr(S3.at("s3://bucket/lake", secrets(tmp_path)))
    assert b"hidden" not in pickle.dumps(lake)
