"""A small region, generated once, built once, and copied where a test changes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Xinglin:
    """The command line as a user has it, in a process of its own."""

    home: Path
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        fixed = {"XINGLIN_HOME": str(self.home), "SOURCE_DATE_EPOCH": "1767225600"}
        return os.environ | fixed | dict(self.extra)

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "xinglin"]

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        words = [*self.command, *map(str, arguments)]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == code, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr if code else done.stdout

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self(*arguments))


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of four institutions and 150 persons."""
    from xinglin.synthetic import RegionPlan, generate

    out = tmp_path_factory.mktemp("region")
    generate(RegionPlan(persons=150, seed=11, workers=1), out)
    return out


@pytest.fixture(scope="session")
def ingest_all(region: Path) -> Callable[[Xinglin], None]:
    """Land every institution's files."""

    def ingest(xinglin: Xinglin) -> None:
        for site in json.loads((region / "region.json").read_bytes())["sites"]:
            xinglin("ingest", region / site["folder"], "--site", site["name"], "--kind", site["kind"])

    return ingest


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, ingest_all: Callable[[Xinglin], None], worker_id: str) -> Xinglin:
    """The region, landed, linked and built; not to be changed. It is built once, and every process has its copy."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "built-once"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (shared / "done").exists():
            xinglin = Xinglin(shared / "home")
            ingest_all(xinglin)
            xinglin("run")
            (shared / "done").touch()
    shutil.copytree(shared / "home", own / "built-copy" / "home")
    return Xinglin(own / "built-copy" / "home")


@pytest.fixture
def own(built: Xinglin, tmp_path: Path) -> Xinglin:
    """A copy of the built region that a test may change."""
    shutil.copytree(built.home, tmp_path / "home")
    return Xinglin(tmp_path / "home")


def data_files(home: Path) -> dict[str, bytes]:
    """Every data file of a region: landed files and table files, without logs, keys and manifests."""
    roots = [home / "landing", home / "lake"]
    return {
        str(path.relative_to(home)): path.read_bytes()
        for root in roots
        for path in sorted(root.rglob("*.parquet"))
        if "_delta_log" not in path.parts
    }
