"""A killed ingest leaves a whole batch or none, and the next run gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.dying import events, killed, moments
from tests.unit.landing.conftest import condition, lines, patient
from xinglin.core.permit import OPEN
from xinglin.landing import Landing, verify

_CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest, receive
from xinglin.sources import Limits, Reading

if __name__ == "__main__":
    home, source = map(Path, sys.argv[1:])
    receive._SMALL = 0
    ingest(
        Landing(home / "landing", permit=OPEN), source, "mercy", Settings(home, threads=2),
        fixed_clock(datetime(2026, 1, 1, tzinfo=UTC)), reading=Reading(limits=Limits(chunk_bytes=100_000)),
    )
"""


def made(home: Path) -> Landing:
    landing = Landing(home / "landing", permit=OPEN)
    landing.add_site("mercy", "hospital", seed=bytes(32))
    return landing


def content(landing: Landing) -> dict[str, bytes]:
    folder = landing.batches("mercy")[0].path
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_killed_at_any_moment_a_batch_is_there_wholly_or_not_at_all(tmp_path: Path) -> None:
    source = tmp_path / "a.ndjson"
    source.write_bytes(lines(*(one for n in range(6_000) for one in (patient(n % 5_000), condition(n, n)))) + b"junk\n")
    script = tmp_path / "child.py"
    script.write_text(_CHILD)
    environment = os.environ | {"PYTHONHASHSEED": "random"}
    undisturbed = made(tmp_path / "undisturbed")
    total = events([script, tmp_path / "undisturbed", source], tmp_path / "events", environment)
    expected = content(undisturbed)
    outcomes = set()
    for number, moment in enumerate(moments(total, int(os.environ.get("XINGLIN_KILLS", "4")), seed=5)):
        home = tmp_path / f"home{number}"
        landing = made(home)
        killed([script, home, source], moment, environment)
        outcomes.add(len(landing.batches("mercy")))
        verify(landing)
        assert subprocess.run([sys.executable, script, home, source], check=False).returncode == 0
        assert content(landing) == expected
        assert not list(landing.folder("mercy").glob(".batch-*"))
        verify(landing)
    assert 0 in outcomes
