"""Images beside the records: the studies of the charts, with lesions where the truth says."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pydicom
import pytest

from xinglin.synthetic import RegionPlan, generate
from xinglin.synthetic.plan import SLICES

STUDIES = 4


def plan(**more: Any) -> RegionPlan:
    return RegionPlan(persons=300, seed=5, workers=1, **more)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("images") / "region"
    assert generate(plan(images=STUDIES), out).images == STUDIES * SLICES
    return out


@pytest.fixture(scope="module")
def truth(region: Path) -> dict[str, list[dict[str, str]]]:
    studies = defaultdict(list)
    with (region / "truth" / "images.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            studies[row["study_uid"]].append(row)
    return dict(studies)


def charted(region: Path, resource_type: str) -> list[dict[str, Any]]:
    path = region / "east-hospital" / f"{resource_type}.0000.ndjson"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def objects(region: Path, study: str) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted((region / "east-hospital" / "dicom" / study).glob("*.dcm"))]


def test_objects_are_those_of_the_charts_studies(region: Path, truth: dict[str, list[dict[str, str]]]) -> None:
    studies = {one["identifier"][0]["value"].removeprefix("urn:oid:"): one for one in charted(region, "ImagingStudy")}
    patients = {one["id"]: one for one in charted(region, "Patient")}
    assert len(truth) == STUDIES
    for study, instances in truth.items():
        noted = studies[study]
        patient = patients[noted["subject"]["reference"].removeprefix("Patient/")]
        found = objects(region, study)
        assert len(found) == len(instances) == noted["numberOfInstances"] == noted["series"][0]["numberOfInstances"]
        assert {one.SeriesInstanceUID for one in found} == {noted["series"][0]["uid"]}
        assert [one.SOPInstanceUID for one in found] == [row["instance_uid"] for row in instances]
        assert {one.Modality for one in found} == {noted["modality"][0]["code"]} == {instances[0]["modality"]}
        assert {one.PatientID for one in found} == {patient["identifier"][0]["value"]}
        assert {one.IssuerOfPatientID for one in found} == {patient["identifier"][0]["system"]}
        assert f"{found[0].StudyDate}{found[0].StudyTime[:4]}" == "".join(filter(str.isdigit, noted["started"]))[:12]


def test_names_are_written_as_the_front_desk_wrote_them(region: Path, truth: dict[str, list[dict[str, str]]]) -> None:
    names = {one["identifier"][0]["value"]: one["name"][0] for one in charted(region, "Patient")}
    for study in truth:
        first = objects(region, study)[0]
        name = names[first.PatientID]
        shown = str(first.PatientName).removeprefix("=")
        assert shown == f"{name['family']}^{name['given'][0]}"


def test_a_lesion_is_where_the_truth_says_and_looks_like_its_kind(
    region: Path, truth: dict[str, list[dict[str, str]]]
) -> None:
    kinds = set()
    for study, instances in truth.items():
        row = max(instances, key=lambda one: int(one["lesion_pixels"]))
        shown = objects(region, study)[int(row["instance"]) - 1]
        x, y = (float(row[name]) for name in ("x_mm", "y_mm"))
        corner, step = [float(value) for value in shown.ImagePositionPatient], float(shown.PixelSpacing[0])
        column, line = round((x - corner[0]) / step), round((y - corner[1]) / step)
        values = shown.pixel_array.astype(float) * float(shown.get("RescaleSlope", 1))
        values += float(shown.get("RescaleIntercept", 0))
        inside = values[line - 1 : line + 2, column - 1 : column + 2].mean()
        mirrored = round((-x - corner[0]) / step)
        other = values[line - 1 : line + 2, mirrored - 1 : mirrored + 2].mean()
        brighter = (row["kind"] == "haemorrhagic") == (row["modality"] == "CT")
        assert bool(inside > other + 6) == brighter
        assert bool(inside < other - 6) != brighter
        assert (row["side"] == "left") is (x > 0)
        kinds.add((row["modality"], row["kind"]))
    assert len(kinds) > 1


def test_all_studies_of_a_stroke_show_one_lesion(region: Path, truth: dict[str, list[dict[str, str]]]) -> None:
    lesions = defaultdict(set)
    for instances in truth.values():
        lesions[instances[0]["person"]].add(tuple(instances[0][name] for name in ("x_mm", "y_mm", "z_mm", "radius_mm")))
    assert len(lesions) < len(truth)
    assert all(len(found) == 1 for found in lesions.values())


def test_the_volume_is_that_of_the_drawn_pixels(truth: dict[str, list[dict[str, str]]]) -> None:
    for instances in truth.values():
        pixels = sum(int(row["lesion_pixels"]) for row in instances)
        assert float(instances[0]["volume_ml"]) == pytest.approx(pixels * 1.8 * 1.8 * 10 / 1000, abs=0.01)


def test_images_change_only_how_many_a_head_study_has(region: Path, tmp_path: Path) -> None:
    generate(plan(), tmp_path / "plain")
    assert not list((tmp_path / "plain").rglob("*.dcm"))
    for path in sorted((tmp_path / "plain").glob("*/*.ndjson")):
        theirs = (region / path.relative_to(tmp_path / "plain")).read_bytes()
        if path.name.startswith("ImagingStudy"):
            assert theirs != path.read_bytes()
        else:
            assert theirs == path.read_bytes()


def test_the_same_plan_gives_the_same_objects(region: Path, tmp_path: Path) -> None:
    generate(plan(images=STUDIES), tmp_path / "again")

    def digests(out: Path) -> dict[str, str]:
        return {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(out.rglob("*.dcm"))
        }

    assert digests(region) == digests(tmp_path / "again")
    assert len(digests(region)) == STUDIES * SLICES
