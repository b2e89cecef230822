"""A generated region: same bytes however it was made, whole, resolvable, its truth kept apart."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from xinglin.core.errors import Conflict, UsageError
from xinglin.synthetic import RegionPlan, build, generate

PERSONS = 600
PLAN = RegionPlan(persons=PERSONS, seed=7, workers=1)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("region") / "out"
    generate(PLAN, out)
    return out


def digests(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def resources(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob("*.ndjson")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield path, json.loads(line)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "reference" in value:
            yield value["reference"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def site_names(region: Path) -> list[str]:
    return [site["name"] for site in json.loads((region / "region.json").read_text())["sites"]]


def test_two_workers_under_another_hash_seed_and_time_zone_write_the_same_bytes(region: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    code = (
        "from pathlib import Path\nfrom xinglin.synthetic import RegionPlan, generate\n"
        f"generate(RegionPlan(persons={PERSONS}, seed=7, workers=2), Path({str(out)!r}))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "TZ": "America/New_York"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert digests(out) == digests(region)


def test_another_seed_makes_another_region(region: Path, tmp_path: Path) -> None:
    generate(RegionPlan(persons=20, seed=8, workers=1), tmp_path / "other")
    ours = {row["local_id"] for row in table(region / "truth" / "persons.csv")}
    theirs = {row["local_id"] for row in table(tmp_path / "other" / "truth" / "persons.csv")}
    assert theirs and not ours & theirs


def test_a_person_is_the_same_in_a_smaller_region(region: Path, tmp_path: Path) -> None:
    generate(RegionPlan(persons=100, seed=7, workers=1), tmp_path / "small")
    for site in site_names(region):
        small = (tmp_path / "small" / site / "Observation.0000.ndjson").read_bytes()
        assert (region / site / "Observation.0000.ndjson").read_bytes().startswith(small)


def test_every_line_is_a_resource_with_a_type_and_an_id_of_its_own(region: Path) -> None:
    for site in site_names(region):
        seen: set[str] = set()
        for path, resource in resources(region / site):
            assert path.name.split(".")[0] == resource["resourceType"]
            key = f"{resource['resourceType']}/{resource['id']}"
            assert key not in seen
            seen.add(key)
        assert len(seen) > 100


def test_every_reference_leads_to_a_resource_of_the_same_folder(region: Path) -> None:
    for site in site_names(region):
        found, named = set(), set()
        for _, resource in resources(region / site):
            found.add(f"{resource['resourceType']}/{resource['id']}")
            named.update(references(resource))
        assert named and named <= found


def test_about_a_third_of_the_persons_go_to_several_institutions(region: Path) -> None:
    sites = defaultdict(set)
    for row in table(region / "truth" / "persons.csv"):
        sites[row["person"]].add(row["site"])
    assert len(sites) == PERSONS
    assert 0.27 < sum(len(found) > 1 for found in sites.values()) / PERSONS < 0.41


def test_local_ids_of_the_truth_are_the_patients_and_share_nothing_between_institutions(region: Path) -> None:
    truth = Counter((row["site"], row["local_id"]) for row in table(region / "truth" / "persons.csv"))
    data = Counter(
        (site, resource["id"])
        for site in site_names(region)
        for path, resource in resources(region / site)
        if path.name.startswith("Patient")
    )
    assert truth == data
    assert len({local for _, local in truth}) == len(truth)


def test_nothing_of_the_truth_is_in_the_data(region: Path) -> None:
    allowed = {"resourceType", "id", "meta", "identifier", "active", "name", "telecom", "gender", "birthDate",
               "deceasedDateTime", "address"}  # fmt: skip
    for site in site_names(region):
        assert not list((region / site).glob("*.csv"))
        for path, resource in resources(region / site):
            if path.name.startswith("Patient"):
                assert set(resource) <= allowed
                systems = {identifier["system"] for identifier in resource["identifier"]}
                assert not any("truth" in system or "person" in system for system in systems)


def test_decimals_are_written_as_measured(region: Path) -> None:
    text = (region / "east-hospital" / "Observation.0000.ndjson").read_text()
    assert '0,"unit":"mmol/L"' in text


def test_nobody_is_seen_after_the_end_or_after_death(region: Path) -> None:
    death = {row["person"]: row["death"] for row in table(region / "truth" / "outcomes.csv")}
    person = {(row["site"], row["local_id"]): row["person"] for row in table(region / "truth" / "persons.csv")}
    seen_dead = 0
    for site in site_names(region):
        for path, resource in resources(region / site):
            if not path.name.startswith("Encounter"):
                continue
            period = resource["period"]
            assert period["start"] <= period["end"]
            assert "2016-01-01" <= period["start"] < "2026-01-01"
            died = death[person[(site, resource["subject"]["reference"].split("/")[1])]]
            if died:
                seen_dead += 1
                assert period["end"][:10] <= died
    assert seen_dead > 20


@pytest.mark.parametrize(("workers", "ahead"), [(1, 0), (2, 4)])
def test_persons_are_written_as_a_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: int, ahead: int
) -> None:
    asked = Counter[str]()
    empty, submit = build.make_block(RegionPlan(persons=1), 1), ThreadPoolExecutor.submit

    class Threads(ThreadPoolExecutor):
        def __init__(self, count: int, mp_context: object) -> None:
            super().__init__(count)

        def submit(self, task: Any, /, *words: Any, **named: Any) -> Any:
            asked["blocks"] += 1
            return submit(self, task, *words, **named)

    def counted(plan: RegionPlan, number: int) -> Any:
        asked["blocks"] += workers == 1
        return empty

    monkeypatch.setattr(build, "make_block", counted)
    monkeypatch.setattr(build, "ProcessPoolExecutor", Threads)
    written: list[int] = []
    plan = RegionPlan(persons=40_000, patients_only=True, workers=workers)
    generate(plan, tmp_path / "stream", lambda done, total: written.append(asked["blocks"]))
    assert len(written) == 10
    assert all(made_so_far - number <= ahead + 1 for number, made_so_far in enumerate(written))


def test_a_part_ends_before_it_gets_too_large(tmp_path: Path) -> None:
    generate(RegionPlan(persons=9_000, patients_only=True, workers=1, part_bytes=2_000_000), tmp_path / "parts")
    parts = sorted((tmp_path / "parts" / "east-hospital").glob("Patient.*.ndjson"))
    assert [part.name for part in parts[:2]] == ["Patient.0000.ndjson", "Patient.0001.ndjson"]
    assert all(part.stat().st_size <= 2_000_000 for part in parts)


def test_a_patients_only_region_holds_no_visit(tmp_path: Path) -> None:
    report = generate(RegionPlan(persons=50, patients_only=True, workers=1), tmp_path / "patients")
    assert set(report.resources) == {"Patient", "Organization", "Location", "Practitioner"}
    assert report.patients == len(table(tmp_path / "patients" / "truth" / "persons.csv"))


def test_the_report_counts_what_is_in_the_files(tmp_path: Path) -> None:
    out = tmp_path / "counted"
    report = generate(RegionPlan(persons=30, institutions=6, workers=1), out)
    files = list(out.glob("*/*.ndjson"))
    counted = Counter(path.name.split(".")[0] for path in files for _ in path.open())
    assert report.resources == dict(counted)
    assert (report.files, report.size) == (len(files), sum(path.stat().st_size for path in files))
    assert len(json.loads((out / "region.json").read_text())["sites"]) == 6


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        generate(RegionPlan(persons=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_generation_that_breaks_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(done: int, total: int) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        generate(RegionPlan(persons=3, workers=1), tmp_path / "out", broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"persons": 0}, {"persons": 1, "institutions": 0}, {"persons": 1, "years": 99}])
def test_a_plan_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="must be between"):
        RegionPlan(**wrong)


def test_a_format_nobody_writes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown format"):
        generate(RegionPlan(persons=1, formats=("cuneiform",), workers=1), tmp_path / "out")
