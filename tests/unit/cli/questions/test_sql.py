from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.cli.questions.sql import file_form
from xinglin.core.errors import UsageError


@pytest.mark.parametrize(
    ("form", "out", "chosen"),
    [
        ("table", None, "table"),
        ("table", "answer.csv", "csv"),
        ("table", "answer.json", "json"),
        ("table", "answer.parquet", "parquet"),
        ("table", "answer", "csv"),
        ("json", "answer.csv", "json"),
    ],
)
def test_a_file_has_the_form_of_its_name_unless_another_is_said(form: str, out: str | None, chosen: str) -> None:
    assert file_form(form, Path(out) if out else None) == chosen


def test_parquet_needs_a_file() -> None:
    with pytest.raises(UsageError, match="needs a file"):
        file_form("parquet", None)
