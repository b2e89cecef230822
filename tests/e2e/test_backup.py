"""A region is backed up, the machine is wiped, and the same answers come back."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from xinglin.core.settings import Settings
from xinglin.wiring import open_ledger

from .conftest import Xinglin

QUESTIONS = (
    "SELECT count(*) AS persons, sum(person_id % 1000) AS keys FROM person",
    "SELECT condition_concept_id, count(*) AS n FROM condition_occurrence GROUP BY ALL ORDER BY ALL",
)


@pytest.fixture
def recipient(own: Xinglin, tmp_path: Path) -> str:
    return str(own.json("backup", "keygen", tmp_path / "identity", "--json")["recipient"])


def app_hashes(home: Path) -> list[str]:
    """What each block of the region's ledger commits to."""
    with closing(open_ledger(Settings.load(home))) as ledger:
        return [ledger.header(height).app_hash.hex() for height in range(ledger.height() + 1)]


def test_a_wiped_machine_answers_the_same_after_a_restore(own: Xinglin, tmp_path: Path, recipient: str) -> None:
    answers = [own("sql", question, "--format", "csv") for question in QUESTIONS]
    made = own.json("backup", "create", tmp_path / "copies", "--recipient", recipient, "--json")
    kept = {path.name: path.stat().st_mode & 0o777 for path in (own.home / "keys").rglob("*")}
    hashes = app_hashes(own.home)
    shutil.rmtree(own.home)

    own("backup", "verify", tmp_path / "copies")
    put = own.json("backup", "restore", tmp_path / "copies", "--identity", tmp_path / "identity", "--json")
    own("verify")
    own("run")

    assert put["root"] == made["root"]
    assert made["anchored"]
    assert put["app_hash"] in hashes
    assert app_hashes(own.home)[: hashes.index(put["app_hash"]) + 1] == hashes[: hashes.index(put["app_hash"]) + 1]
    assert [own("sql", question, "--format", "csv") for question in QUESTIONS] == answers
    assert {path.name: path.stat().st_mode & 0o777 for path in (own.home / "keys").rglob("*")}.items() >= kept.items()
    assert (own.home / "keys").stat().st_mode & 0o077 == 0


def test_with_the_mart_nothing_is_built_again(own: Xinglin, tmp_path: Path, recipient: str) -> None:
    answer = own("sql", QUESTIONS[0], "--format", "csv")
    own("backup", "create", tmp_path / "copies", "--recipient", recipient, "--with-mart")
    shutil.rmtree(own.home)
    own("backup", "restore", tmp_path / "copies", "--identity", tmp_path / "identity")

    assert own("sql", QUESTIONS[0], "--format", "csv") == answer
    assert own.json("run", "--json")["mart"]["units_done"] == 0


def test_a_backup_that_was_made_while_records_landed_is_whole(
    own: Xinglin, region: Path, tmp_path: Path, recipient: str
) -> None:
    site = json.loads((region / "region.json").read_bytes())["sites"][0]
    own("backup", "create", tmp_path / "copies", "--recipient", recipient)
    work = [
        subprocess.Popen([*own.command, "ingest", str(path), "--site", name], env=own.environment)
        for name, path in (("late-clinic", region / site["folder"]), ("later-clinic", region / site["folder"]))
    ]
    while any(one.poll() is None for one in work):
        own("backup", "create")
    assert [one.returncode for one in work] == [0, 0]

    made = own.json("backup", "list", tmp_path / "copies", "--json")["backups"]
    for backup in made[1 :: max(1, len(made) // 2)]:
        again = Xinglin(tmp_path / backup["name"])
        words = ["--identity", tmp_path / "identity", "--backup", backup["name"]]
        again("backup", "restore", tmp_path / "copies", *words)
        again("verify")
        shutil.rmtree(again.home)


def test_another_identity_and_a_full_home_are_refused(own: Xinglin, tmp_path: Path, recipient: str) -> None:
    own("backup", "create", tmp_path / "copies", "--recipient", recipient)
    own("backup", "keygen", tmp_path / "other")
    other = Xinglin(tmp_path / "elsewhere")

    said = other("backup", "restore", tmp_path / "copies", "--identity", tmp_path / "other", code=1)
    assert "other recipients" in said
    assert not other.home.exists()
    said = own("backup", "restore", tmp_path / "copies", "--identity", tmp_path / "identity", code=1)
    assert "the home is not empty" in said
    said = own("backup", "keygen", tmp_path / "other", code=2)
    assert "never overwritten" in said
