"""A patient's consents decide who reads, the log says who did, and strangers believe both by files alone."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.conftest import Xinglin
from xinglin.cli import run

pytestmark = pytest.mark.e2e


class Story(NamedTuple):
    """A region, a person who has records in it, and people with credentials."""

    xinglin: Xinglin
    person: str
    site: str
    elsewhere: str
    folder: Path

    def __call__(self, who: str, *words: str | Path, code: int = 0) -> str:
        """Run a command in this process, which many of them need; what it says."""
        extra = ["--as", str(self.folder / f"{who}.jws")] if who != "owner" else []
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = run([*map(str, words), "--home", str(self.xinglin.home), *extra])
        assert ended == code, f"{words} ended with {ended}\n{out.getvalue()}\n{err.getvalue()}"
        return out.getvalue() + err.getvalue() if code else out.getvalue()

    def looks(self, who: str = "patient") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self(who, "access", "log", "--person", self.person, "--json"))["looks"]
        return found

    def record(self, who: str, *more: str, code: int = 0) -> Any:
        said = self(who, "record", "--person", self.person, *more, code=code)
        return said if code else json.loads(said)

    def consent(self, *words: str) -> str:
        said = self("patient", "consent", "grant", "--person", self.person, *words, "--json")
        kept = json.loads(said)
        assert kept["state"] == "granted"
        return str(kept["handle"])

    def withdraw(self, handle: str) -> None:
        self("patient", "consent", "withdraw", handle, "--person", self.person)


@pytest.fixture
def story(own: Xinglin, tmp_path: Path) -> Story:
    story = Story(own, "", "", "", tmp_path)
    commonest = "SELECT person_id FROM condition_occurrence GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    person = story("owner", "sql", commonest, "--format", "csv").split()[-1]
    links = [line.split(",") for line in story("owner", "identity", "links", "--format", "csv").splitlines()]
    treated = {line[0] for line in links if line[2] == person}
    sites = [one["name"] for one in json.loads(story("owner", "site", "list", "--json"))["sites"]]
    story = Story(own, person, min(treated), next(name for name in sites if name not in treated), tmp_path)
    people = {
        "patient": ["--role", "patient", "--person", person],
        "clinician": ["--role", "clinician", "--institution", story.site],
        "stranger": ["--role", "clinician", "--institution", story.elsewhere],
        "analyst": ["--role", "analyst"],
        "steward": ["--role", "steward"],
        "auditor": ["--role", "auditor"],
    }
    for name, words in people.items():
        story("owner", "access", "issue", name, *words, "--out", tmp_path / f"{name}.jws")
    return story


def test_the_record_is_whole_and_current(story: Story) -> None:
    bundle = story.record("patient")
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "searchset"
    assert bundle["total"] == len(bundle["entry"]) > 10
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == bundle["total"]
    conditions = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Condition"]
    question = f"SELECT count(*) AS n FROM condition_occurrence WHERE person_id = {story.person}"
    told = json.loads(story("owner", "sql", question, "--json"))[0]["n"]
    assert len(conditions) >= told > 0
    assert story.record("clinician") == bundle


def test_a_clinician_reads_whom_the_institution_treats(story: Story) -> None:
    assert "not a patient of your institution" in story.record("stranger", code=1)
    story("owner", "access", "relate", "--person", story.person, "--institution", story.elsewhere)
    assert story.looks()[-2]["action"] == "refer", "the person sees who made a referral"
    assert story.record("stranger")["total"] > 10
    story("owner", "access", "relate", "--person", story.person, "--institution", story.elsewhere, "--days", "0")
    assert "no-relation" in story.record("stranger", code=1)


def test_broken_glass_opens_and_is_flagged(story: Story) -> None:
    story.consent("--purpose", "TREAT", "--deny")
    assert "consent-denies" in story.record("clinician", code=1)
    assert story.record("stranger", "--break-glass", "found unconscious")["total"] > 10
    look = story.looks()[-2]
    assert (look["who"], look["permitted"], look["emergency"]) == ("stranger", True, "found unconscious")
    assert "emergency access needs a reason" in story.record("stranger", "--break-glass", " ", code=1)
    broken = json.loads(story("auditor", "access", "log", "--json"))["looks"]
    assert [one["event"] for one in broken] == [look["event"]]


def test_a_denied_kind_of_record_is_left_out(story: Story) -> None:
    def kinds(who: str) -> set[str]:
        return {entry["resource"]["resourceType"] for entry in story.record(who)["entry"]}

    story.consent("--purpose", "TREAT", "--class", "Condition", "--deny")
    assert "Condition" not in kinds("clinician")
    assert "Observation" in kinds("clinician")
    assert "Condition" in kinds("patient")
    assert "consent-denies" in story.record("clinician", "--class", "Condition", code=1)


def test_who_denies_research_is_in_no_answer_to_it(story: Story, tmp_path: Path) -> None:
    view = tmp_path / "view.json"
    column = [{"name": "patient", "path": "subject.getReferenceKey(Patient)"}]
    view.write_text(json.dumps({"resourceType": "ViewDefinition", "resource": "Condition", "status": "active",
                                "select": [{"column": column}]}))  # fmt: skip
    script = tmp_path / "count.py"
    script.write_text(
        "TABLES = ['person', 'lineage']\n"
        "def map(tables, params):\n"
        f"    return tables.sql('SELECT (SELECT count(*) FROM person WHERE person_id = {story.person}) AS here, '\n"
        "                      '(SELECT count(*) FROM lineage) AS rows')\n"
        "def combine(partials, params):\n"
        "    return partials.sql('SELECT sum(here)::BIGINT AS here, sum(rows)::BIGINT AS rows FROM partials')\n"
    )
    questions: dict[str, Callable[[str], int]] = {
        "persons": lambda who: _number(story(who, "sql", "SELECT count(*) FROM person", "--format", "csv")),
        "lineage": lambda who: _number(story(who, "sql", "SELECT count(*) FROM lineage", "--format", "csv")),
        "view": lambda _: len(story("owner", "view", "run", view, "--lake", "--format", "csv").splitlines()),
        "job": lambda _: json.loads(story("steward", "job", "run", script, "--json"))[0]["rows"],
    }
    before = {name: ask("analyst") for name, ask in questions.items()}
    handle = story.consent("--purpose", "HRESCH", "--deny")
    after = {name: ask("analyst") for name, ask in questions.items()}
    assert after["persons"] == before["persons"] - 1
    assert all(after[name] < before[name] for name in questions)
    assert after["job"] == after["lineage"]
    operations = story("analyst", "sql", "SELECT count(*) FROM person", "--format", "csv", "--purpose", "HOPERAT")
    assert _number(operations) == before["persons"]
    story.withdraw(handle)
    assert {name: ask("analyst") for name, ask in questions.items()} == before


def _number(said: str) -> int:
    return int(said.split()[-1])


def test_grant_read_withdraw_refused_and_all_of_it_proved_to_a_stranger(story: Story, tmp_path: Path) -> None:
    research = ["record", "--person", story.person, "--purpose", "HRESCH"]
    assert "consent-missing" in story("analyst", *research, code=1)
    handle = story.consent("--purpose", "HRESCH")
    proofs = tmp_path / "proofs"
    proofs.mkdir()
    own = ["--person", story.person]
    story("patient", "ledger", "prove", "consent", handle, *own, "--content", "--out", proofs / "granted.cbor")
    assert json.loads(story("analyst", *research))["total"] > 10
    read = story.looks()[-2]
    assert (read["who"], read["permitted"], read["purpose"]) == ("analyst", True, "HRESCH")
    story.withdraw(handle)
    assert "consent-missing" in story("analyst", *research, code=1)
    refused = story.looks()[-2]
    assert (refused["who"], refused["permitted"]) == ("analyst", False)
    story("owner", "ledger", "anchor")
    assert all(look["height"] for look in story.looks() if look["event"] in {read["event"], refused["event"]})
    for name, event in (("read", read), ("refused", refused)):
        story("patient", "ledger", "prove", "access", event["event"], *own, "--out", proofs / f"{name}.cbor")
    story("patient", "ledger", "prove", "consent", handle, *own, "--out", proofs / "withdrawn.cbor")
    proved = _stranger(proofs, story.xinglin.home / "ledger" / "genesis.json", tmp_path)
    assert {Path(one["file"]).stem for one in proved} == {"granted", "read", "refused", "withdrawn"}


def _stranger(proofs: Path, genesis: Path, folder: Path) -> list[dict[str, Any]]:
    """Who has the proof files and the genesis, and nothing else: another folder, no region."""
    place = folder / "stranger"
    shutil.copytree(proofs, place)
    shutil.copy(genesis, place / "genesis.json")
    command = [sys.executable, "-m", "xinglin", "ledger", "verify-proof", "--trust", "genesis.json", "--json"]
    files = sorted(path.name for path in place.glob("*.cbor"))
    done = subprocess.run(
        [*command, *files], cwd=place, env={"XINGLIN_HOME": "nowhere"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    damaged = (place / "read.cbor").read_bytes()
    (place / "damaged.cbor").write_bytes(damaged[:-40] + bytes([damaged[-40] ^ 1]) + damaged[-39:])
    wrong = subprocess.run([*command, "damaged.cbor"], cwd=place, capture_output=True, text=True)
    assert wrong.returncode == 1
    proved: list[dict[str, Any]] = json.loads(done.stdout)
    return proved


def test_a_patient_sees_the_own_log_and_proves_nobody_elses(story: Story) -> None:
    story.record("clinician")
    assert [look["who"] for look in story.looks()] == ["clinician", "patient"]
    assert "not-own-record" in story("patient", "access", "log", "--person", "5", code=1)
    event = story.looks()[0]["event"]
    story(
        "owner", "access", "issue", "other", "--role", "patient", "--person", "5", "--out", story.folder / "other.jws"
    )
    said = story("other", "ledger", "prove", "access", event, "--person", "5", code=1)
    assert "the log of the person has no such event" in said


def test_by_opt_in_research_reads_who_granted_it(story: Story) -> None:
    toml = story.xinglin.home / "xinglin.toml"
    toml.write_text(toml.read_text() + '\n[access]\nresearch = "opt-in"\n')
    count = ["sql", "SELECT count(*) FROM person", "--format", "csv"]
    assert _number(story("analyst", *count, "--purpose", "HRESCH")) == 0
    story.consent("--purpose", "HRESCH")
    assert _number(story("analyst", *count, "--purpose", "HRESCH")) == 1
    assert _number(story("analyst", *count, "--purpose", "HOPERAT")) > 1


def test_what_a_row_says_is_shown_to_whoever_may_read_the_record(story: Story, tmp_path: Path) -> None:
    question = f"SELECT condition_occurrence_id FROM condition_occurrence WHERE person_id = {story.person} LIMIT 1"
    row = f"condition_occurrence:{story('owner', 'sql', question, '--format', 'csv').split()[-1]}"
    other = "SELECT condition_occurrence_id FROM condition_occurrence WHERE person_id != " + story.person + " LIMIT 1"
    others = f"condition_occurrence:{story('owner', 'sql', other, '--format', 'csv').split()[-1]}"
    story("owner", "ledger", "anchor")
    shown = ["--content", "--person", story.person, "--out", str(tmp_path / "row.cbor")]
    for who in ("auditor", "owner", "stranger", "analyst"):
        assert "refused" in story(who, "ledger", "prove", "row", row, *shown, code=1)
    assert "add --content and --person ID" in story("auditor", "ledger", "prove", "row", row, "--content", code=2)
    story("patient", "ledger", "prove", "row", row, *shown)
    assert b'"resourceType"' in (tmp_path / "row.cbor").read_bytes()
    assert "not of this person" in story("patient", "ledger", "prove", "row", others, *shown, code=1)
    story.consent("--purpose", "TREAT", "--class", "Condition", "--deny")
    assert "consent-denies" in story("clinician", "ledger", "prove", "row", row, *shown, code=1)
    story("auditor", "ledger", "prove", "row", row, "--out", tmp_path / "hashes.cbor")
    assert b'"resourceType"' not in (tmp_path / "hashes.cbor").read_bytes()


def test_words_and_numbers_that_nobody_expects_are_refused_and_written_down(story: Story) -> None:
    before = len(story.looks())
    assert "consent-missing" in story("analyst", "record", "--person", "9" * 30, "--purpose", "HRESCH", code=1)
    assert "not-own-record" not in story.record("stranger", "--break-glass", "\udcff\udcfe", code=0)["entry"][0]
    assert story.looks()[before]["emergency"] == "\\udcff\\udcfe"
    assert "outside-role" in story.record("clinician", "--class", "\udcff", code=1)
    for hours in ("nan", "1e12", "-1"):
        assert "some hours" in story("owner", "access", "issue", "x", "--role", "analyst", "--hours", hours, code=2)


def test_what_is_written_of_records_is_for_whoever_asked(story: Story, tmp_path: Path) -> None:
    story("patient", "record", "--person", story.person, "--out", tmp_path / "record.json")
    view = tmp_path / "view.json"
    column = [{"name": "family", "path": "name.family.first()"}]
    view.write_text(json.dumps({"resourceType": "ViewDefinition", "resource": "Patient", "status": "active",
                                "select": [{"column": column}]}))  # fmt: skip
    story("owner", "view", "run", view, "--lake", "--out", tmp_path / "view.ndjson")
    assert "outside-role" in story("analyst", "view", "run", view, "--lake", code=1)
    for name in ("record.json", "view.ndjson"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_home_whose_owner_had_fewer_roles_gets_the_owners_of_today(story: Story) -> None:
    home = story.xinglin.home
    owner = home / "keys" / "actors" / "owner.jws"
    words: list[str | Path] = ["--role", "operator", "--role", "analyst", "--hours", "24", "--out", owner]
    story("owner", "access", "issue", "owner", *words)
    before = owner.read_text()
    story("owner", "status")
    assert owner.read_text() != before
