"""Input data, generated once and kept in XINGLIN_BENCH_DATA (default: a folder in the system's temporary folder)."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

RESOURCES_PER_PERSON = 115


def folder() -> Path:
    path = Path(os.environ.get("XINGLIN_BENCH_DATA") or Path(tempfile.gettempdir()) / "xinglin-bench")
    path.mkdir(parents=True, exist_ok=True)
    return path


def region(resources: int) -> Path:
    """A synthetic region of about this many resources."""
    return _made(f"region-{resources}", max(1, resources // RESOURCES_PER_PERSON), patients_only=False)


def patients(records: int) -> Path:
    """Patient records only."""
    return _made(f"patients-{records}", round(records / 1.45), patients_only=True)


def count(path: Path) -> int:
    """Resources of a region."""
    total = 0
    for file in path.glob("*/*.ndjson"):
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                total += block.count(b"\n")
    return total


def sites(path: Path) -> list[dict[str, str]]:
    return json.loads((path / "region.json").read_bytes())["sites"]


def split(path: Path, share: float) -> tuple[Path, Path]:
    """Split a region at random in two: the bulk and a later delivery.

    The later part has half of the share as new persons with all their records, and half as other records of all
    persons; so it touches most buckets.
    """
    bulk, later = path.with_name(f"{path.name}-bulk"), path.with_name(f"{path.name}-later")
    if (later / "region.json").exists():
        return bulk, later
    chance = random.Random(3)
    for site in sites(path):
        for target in (bulk, later):
            (target / site["folder"]).mkdir(parents=True, exist_ok=True)
        new: set[str] = set()
        files = sorted(
            (path / site["folder"]).glob("*.ndjson"), key=lambda file: (not file.name.startswith("Patient"), file)
        )
        for file in files:
            _split_file(file, bulk / site["folder"], later / site["folder"], new, share, chance)
    for target in (bulk, later):
        shutil.copy(path / "region.json", target / "region.json")
    return bulk, later


def _split_file(file: Path, bulk: Path, later: Path, new: set[str], share: float, chance: random.Random) -> None:
    keep_all = file.name.startswith(("Organization", "Practitioner", "Location"))
    with file.open("rb") as source, (bulk / file.name).open("wb") as old, (later / file.name).open("wb") as recent:
        for line in source:
            if file.name.startswith("Patient"):
                goes = chance.random() < share / 2
                if goes:
                    new.add(json.loads(line)["id"])
            elif keep_all:
                goes = False
            else:
                at = line.find(b'"Patient/')
                person = line[at + 9 : line.find(b'"', at + 9)].decode() if at >= 0 else ""
                goes = person in new or chance.random() < share / 2
            (recent if goes else old).write(line)


def _made(name: str, persons: int, *, patients_only: bool) -> Path:
    from xinglin.synthetic import RegionPlan, generate

    path = folder() / name
    if not (path / "region.json").exists():
        shutil.rmtree(path, ignore_errors=True)
        generate(RegionPlan(persons=persons, seed=1, patients_only=patients_only), path)
    return path
