"""Files of the mart are grouped for readers; names and digests do not know the groups."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xinglin.mart import queries


def test_a_type_is_found_in_whatever_group_its_files_are() -> None:
    assert queries.query("event/Condition").startswith("--")
    assert queries.schema("PractitionerRole").startswith("{")
    assert {"Claim", "Device", "Immunization", "Observation"} <= queries.EVENT_TYPES


def test_regrouping_the_files_of_a_type_keeps_the_digest_and_changing_one_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = queries.code_digest()
    mart = tmp_path / "mart"
    shutil.copytree(Path(queries.__file__).parent, mart)
    monkeypatch.setattr(queries, "_HERE", mart)
    event = mart / "sql" / "event"

    (event / "other").mkdir()
    (event / "clinical" / "Condition.sql").rename(event / "other" / "Condition.sql")
    regrouped = queries.code_digest.__wrapped__()
    (event / "other" / "Condition.sql").write_text("SELECT 1")
    changed = queries.code_digest.__wrapped__()

    assert regrouped == before
    assert changed != before
