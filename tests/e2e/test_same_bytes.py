from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dying import events, killed, moments

from .conftest import Xinglin, data_files

pytestmark = pytest.mark.e2e


def test_two_builds_under_other_hash_seeds_and_time_zones_have_the_same_bytes(tmp_path, built, ingest_all):
    other = Xinglin(tmp_path / "home", (("PYTHONHASHSEED", "4242"), ("TZ", "Asia/Shanghai")))
    ingest_all(other)
    other("run", "--full")
    ours, theirs = data_files(built.home), data_files(other.home)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert any("measurement" in name for name in ours)


def test_running_again_changes_nothing_but_that_it_was_decided_and_written_down(own):
    before = _times(own.home)
    own("run")
    after = _times(own.home)
    changed = [path for path in before | after if before.get(path) != after.get(path) and path.name != "_lock"]
    assert changed == []


def _times(home: Path) -> dict[Path, int]:
    paths = (path for path in home.rglob("*") if path.relative_to(home).parts[0] not in {"access", "ledger"})
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}


def test_site_by_site_and_all_at_once_give_the_same_mart(tmp_path, built, region):
    import json

    other = Xinglin(tmp_path / "home")
    for site in json.loads((region / "region.json").read_bytes())["sites"]:
        other("ingest", region / site["folder"], "--site", site["name"], "--kind", site["kind"])
        other("run")
    assert other.json("status", "--json")["tables"] == built.json("status", "--json")["tables"]


def test_a_rebuild_from_the_landing_gives_the_same_bytes(own):
    before = data_files(own.home)
    shutil.rmtree(own.home / "lake" / "mart")
    own("run")
    assert data_files(own.home) == before


def test_kill_9_at_random_points_then_again_gives_the_bytes_of_an_undisturbed_run(
    tmp_path: Path, built: Xinglin, region: Path, ingest_all: Callable[[Xinglin], None]
):
    victim = Xinglin(tmp_path / "home")
    first = ("ingest", str(region / "east-hospital"), "--site", "east-hospital")
    kills = int(os.environ.get("XINGLIN_KILLS", "9"))
    early = kills // 3
    times = 0
    for moment in moments(_events(tmp_path / "whole", first), early, seed=5):
        times += _killed(victim, moment, *first)
    ingest_all(victim)
    shutil.copytree(victim.home, tmp_path / "landed")
    for moment in moments(_events(tmp_path / "landed", ("run",)), kills - early, seed=6):
        times += _killed(victim, moment, "run")
    assert times >= kills // 2, "too few runs were killed in the middle for this test to mean anything"
    victim("run")
    ours, theirs = data_files(built.home), data_files(victim.home)
    assert _tables(ours) == _tables(theirs)
    status = victim.json("status", "--json")
    assert status["tables"] == built.json("status", "--json")["tables"]
    for site in status["sites"]:
        assert site["received"] == site["landed"] + site["duplicate"] + site["quarantined"]
    victim("verify")


def _tables(files: dict[str, bytes]) -> dict[str, bytes]:
    """Tables of the lake and landed resources; how often a killed ingest was repeated is no part of them."""
    return {name: content for name, content in files.items() if name.startswith("lake/")}


def _events(home: Path, words: tuple[str, ...]) -> int:
    return events(["-m", "xinglin", *words], home.with_suffix(".events"), Xinglin(home).environment)


def _killed(xinglin: Xinglin, moment: int, *words: str) -> bool:
    return killed(["-m", "xinglin", *words], moment, xinglin.environment)
