"""What a person denied, and who looked, follows the person when identity joins two persons, or divides them again."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from tests.e2e.conftest import Xinglin
from xinglin.cli import run

pytestmark = pytest.mark.e2e


def said(own: Xinglin, *words: str | Path, code: int = 0) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = run([*map(str, words), "--home", str(own.home)])
    assert ended == code, err.getvalue()
    return out.getvalue()


def persons(own: Xinglin) -> list[str]:
    return said(own, "sql", "SELECT person_id FROM person", "--format", "csv").split()[1:]


def looks(own: Xinglin, person: str) -> int:
    auditor = ["--as", own.home / "keys" / "actors" / "auditor.jws"]
    return len(json.loads(said(own, "access", "log", "--person", person, "--json", *auditor))["looks"])


def test_a_denial_and_the_log_follow_a_joined_person_and_come_back(own: Xinglin) -> None:
    rows = [line.split(",") for line in said(own, "identity", "links", "--format", "csv").split()[1:]]
    alone = [row for row in rows if sum(row[2] == other[2] for other in rows) == 1 and row[0] == rows[0][0]]
    kept, ending = sorted(alone, key=lambda row: int(row[2]))[:2]
    said(own, "access", "issue", "auditor", "--role", "auditor")
    said(own, "consent", "grant", "--person", ending[2], "--purpose", "HRESCH", "--deny")
    assert kept[2] in persons(own) and ending[2] not in persons(own)
    records = [f"{kept[0]}/{kept[1]}", f"{ending[0]}/{ending[1]}"]
    told = ["--who", "me", "--why", "they are one"]
    said(own, "identity", "merge", *records, *told)
    said(own, "link")
    before = looks(own, ending[2])
    assert looks(own, kept[2]) >= before >= 1, "the log of the joined person begins before it was joined"
    assert not {kept[2], ending[2]} & set(persons(own)), "a mart from before the join knows both"
    said(own, "run")
    assert not {kept[2], ending[2]} & set(persons(own))
    assert json.loads(said(own, "consent", "list", "--person", kept[2], "--json"))["consents"]
    said(own, "identity", "split", *records, *told)
    said(own, "run")
    assert kept[2] in persons(own) and ending[2] not in persons(own)


def test_records_that_were_not_linked_yet_are_in_no_view_that_leaves_persons_out(own: Xinglin, tmp_path: Path) -> None:
    rows = [line.split(",") for line in said(own, "identity", "links", "--format", "csv").split()[1:]]
    site, local, person, _ = rows[0]
    view = tmp_path / "view.json"
    column = [{"name": "subject", "path": "subject.reference"}]
    view.write_text(json.dumps({"resourceType": "ViewDefinition", "resource": "Condition", "status": "active",
                                "select": [{"column": column}]}))  # fmt: skip
    late = {"resourceType": "Condition", "id": "late", "subject": {"reference": "Patient/nobody-yet"}}
    (tmp_path / "late.ndjson").write_text(json.dumps(late) + "\n")
    said(own, "ingest", tmp_path / "late.ndjson", "--site", site)
    assert "Patient/nobody-yet" in said(own, "view", "run", view, "--lake", "--format", "csv")
    said(own, "consent", "grant", "--person", person, "--purpose", "HRESCH", "--deny")
    after = said(own, "view", "run", view, "--lake", "--format", "csv")
    assert "nobody-yet" not in after and local not in after and len(after.splitlines()) > 10
