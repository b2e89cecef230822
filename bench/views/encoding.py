"""Landing Observations and one flat view of them, beside Pathling encoding them and one flat view.

Pathling is the last release whose Python package carries its own engine (later ones fetch it when they start), with the
Spark of its time, in an environment of its own. Starting Spark is left out of its time.
"""

from __future__ import annotations

import json
import shutil
import statistics
import venv
from pathlib import Path
from typing import Any

from bench import material
from bench.measure import Run, offline, python, record, run
from bench.views.views import VIEWS

_MOST = 100_000
"""Resources: Pathling needs minutes for these, and an hour for a million."""
_PACKAGES = ("setuptools<80", "wheel", "pathling==6.3.1", "pyspark==3.4.1")


def bench(resources: int, times: int) -> None:
    resources = min(resources, _MOST)
    region = material.region(resources)
    folder = _observations(region)
    runs = [(_ours(folder), {} if offline() else _theirs(folder)) for _ in range(times)]
    figures = {
        "megabytes": round((folder / "Observation.ndjson").stat().st_size / 1e6, 1),
        "land_seconds": [round(land.seconds, 2) for (land, _), _ in runs],
        "view_seconds": [round(view.seconds, 2) for (_, view), _ in runs],
    }
    if not offline():
        figures |= _compared(runs)
    record(f"views/pathling_{resources}", figures)


def _compared(runs: list[tuple[tuple[Run, Run], dict[str, float]]]) -> dict[str, Any]:
    return {
        "against": ", ".join(_PACKAGES[2:]),
        "observations": runs[0][1]["resources"],
        "their_start_seconds": [round(theirs["start"], 1) for _, theirs in runs],
        "their_encode_seconds": [round(theirs["encode"], 1) for _, theirs in runs],
        "their_view_seconds": [round(theirs["view"], 1) for _, theirs in runs],
        "times_faster": round(
            statistics.median(
                (theirs["encode"] + theirs["view"]) / (land.seconds + view.seconds) for (land, view), theirs in runs
            ),
            1,
        ),
        "rows": runs[0][1]["rows"],
    }


def _observations(region: Path) -> Path:
    """All Observations of a region in one file, as Pathling wants it named."""
    folder = region.with_name(f"{region.name}-observations")
    target = folder / "Observation.ndjson"
    if not target.exists():
        folder.mkdir(exist_ok=True)
        unfinished = folder / "unfinished"
        with unfinished.open("wb") as out:
            for path in sorted(region.glob("*/Observation*.ndjson")):
                with path.open("rb") as lines:
                    shutil.copyfileobj(lines, out)
        unfinished.rename(target)
    return folder


def _ours(folder: Path) -> tuple[Run, Run]:
    home = material.folder() / "home-pathling"
    shutil.rmtree(home, ignore_errors=True)
    land = python("xinglin", "ingest", folder, "--site", "all", "--home", home)
    out = home / "flat.parquet"
    where = ("--lake", "--home", home, "--format", "parquet", "--out", out)
    view = python("xinglin", "view", "run", VIEWS / "flat.json", *where)
    shutil.rmtree(home)
    return land, view


def _theirs(folder: Path) -> dict[str, float]:
    environment = material.folder() / "pathling"
    interpreter = environment / "bin" / "python"
    if not (environment / "ready").exists():
        venv.create(environment, with_pip=True)
        run([interpreter, "-m", "pip", "install", "-q", *_PACKAGES])
        (environment / "ready").touch()
    out = material.folder() / "pathling-out"
    shutil.rmtree(out, ignore_errors=True)
    done = run([interpreter, Path(__file__).parent / "pathling_view.py", folder, out])
    shutil.rmtree(out)
    return json.loads(done.output.splitlines()[-1])
