"""Institutions that write in their own formats: the same bytes however they were made, and described."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from xinglin.core.errors import UsageError
from xinglin.synthetic import RegionPlan, generate, institutional

OWN = institutional(4)


def digests(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_the_number_of_workers_changes_no_byte_of_any_format(tmp_path: Path) -> None:
    for workers in (1, 2):
        plan = RegionPlan(persons=300, seed=9, workers=workers, formats=OWN, images=1)
        generate(plan, tmp_path / str(workers))
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_the_region_says_how_each_institution_is_to_be_read(tmp_path: Path) -> None:
    report = generate(RegionPlan(persons=60, seed=3, workers=1, formats=OWN, images=1), tmp_path / "region")
    sites = json.loads((tmp_path / "region" / "region.json").read_bytes())["sites"]
    assert [site["format"] for site in sites] == ["auto", "hl7v2", "tabular", "tabular"]
    assert [bool(site["mapping"]) for site in sites] == [False, False, True, True]
    assert [bool(site["database"]) for site in sites] == [False, False, False, True]
    for site in sites:
        for named in (site["folder"], site["mapping"], site["database"]):
            assert named is None or (tmp_path / "region" / named).exists()
    assert report.files == sum(
        path.is_file() for site in sites for path in (tmp_path / "region" / site["name"]).rglob("*")
    )
    assert report.total == sum(report.resources.values()) + sum(report.records.values()) + report.images


def test_every_format_writes_the_patients_of_the_truth(tmp_path: Path) -> None:
    report = generate(RegionPlan(persons=60, seed=3, workers=1, formats=OWN), tmp_path / "region")
    truth = Counter(
        line.split(",")[1] for line in (tmp_path / "region" / "truth" / "persons.csv").read_text().splitlines()[1:]
    )
    assert report.patients == sum(truth.values())
    assert report.resources["Patient"] == truth["east-hospital"]
    assert report.records["csv patients"] == truth["garden-clinic"]
    assert report.records["database patient"] == truth["north-exam-centre"]
    messages = (tmp_path / "region" / "lake-health-centre" / "ADT.0000.hl7").read_bytes()
    assert messages.count(b"|ADT^A28^") == truth["lake-health-centre"]


def test_patients_only_works_in_every_format(tmp_path: Path) -> None:
    plan = RegionPlan(persons=40, seed=3, workers=1, formats=OWN, patients_only=True)
    report = generate(plan, tmp_path / "region")
    assert report.records["hl7v2 ADT"] + report.records["csv patients"] > 10
    assert "csv visits" not in report.records


def test_fewer_than_no_images_are_refused() -> None:
    with pytest.raises(UsageError, match="negative"):
        RegionPlan(persons=1, images=-1)
