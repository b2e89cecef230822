"""Four institutions, each in its own format, tell the same as in FHIR alone."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..opened import opened
from .conftest import Xinglin

pytestmark = pytest.mark.e2e

IMAGES = 3
COUNTED = (
    "person", "visit_occurrence", "condition_occurrence", "measurement", "drug_exposure", "procedure_occurrence",
    "observation", "note", "cost", "death", "observation_period", "image_occurrence",
)  # fmt: skip
# Visits have the same key in every format, so that what was noted in them can be compared row by row.
TOLD = {
    "visit_occurrence": "visit_occurrence_id, visit_source_value, visit_start_datetime, visit_end_datetime",
    "condition_occurrence": "visit_occurrence_id, condition_source_value, condition_start_datetime, "
    "condition_end_datetime",
    "measurement": "visit_occurrence_id, measurement_source_value, measurement_datetime, value_as_number, "
    "unit_source_value",
    "drug_exposure": "visit_occurrence_id, drug_source_value, drug_exposure_start_datetime, quantity, lot_number",
    "procedure_occurrence": "visit_occurrence_id, procedure_source_value, procedure_datetime",
    "observation": "observation_source_value, observation_datetime, value_as_string",
    "note": "visit_occurrence_id, note_source_value, note_text",
    "cost": "cost_event_id, total_charge",
    "death": "death_date, death_datetime",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The region of the other tests, written by each institution in its own format."""
    from xinglin.synthetic import RegionPlan, generate, institutional

    out = tmp_path_factory.mktemp("institutional") / "region"
    generate(RegionPlan(persons=150, seed=11, workers=1, formats=institutional(4), images=IMAGES), out)
    return out


@pytest.fixture(scope="module")
def own(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Xinglin:
    """That region, landed, linked and built."""
    from xinglin.flows.demo import gather

    home = tmp_path_factory.mktemp("own") / "home"
    spoken = gather(opened(home, create=True), files)
    assert [one.writes for one in spoken] == ["fhir+dicom", "hl7v2", "csv", "database"]
    assert all(one.received == one.landed + one.duplicate and one.landed > 100 for one in spoken)
    xinglin = Xinglin(home)
    xinglin("run")
    return xinglin


def rows(xinglin: Xinglin, question: str) -> list[tuple[Any, ...]]:
    """The rows of an answer."""
    lines = xinglin("sql", question, "--format", "csv").splitlines()
    return [tuple(row) for row in csv.reader(lines)][1:]


def test_as_many_rows_as_from_fhir_alone_to_the_unit(own: Xinglin, built: Xinglin) -> None:
    question = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in COUNTED)
    assert rows(own, question) == rows(built, question)
    assert all(int(count) > 0 for _, count in rows(own, question))


@pytest.mark.parametrize("table", sorted(TOLD))
def test_what_is_told_is_the_same(own: Xinglin, built: Xinglin, table: str) -> None:
    question = f"SELECT {TOLD[table]} FROM {table}"
    ours, theirs = Counter(rows(own, question)), Counter(rows(built, question))
    assert ours == theirs
    assert sum(ours.values()) > 0


def linked(xinglin: Xinglin, files: Path) -> set[frozenset[tuple[str, str]]]:
    """Who is one person, among the records that the truth names."""
    from xinglin.identity import person_links

    columns, found = person_links(opened(xinglin.home).lake)
    with (files / "truth" / "persons.csv").open(encoding="utf-8") as file:
        known = {(row["site"], row["local_id"]) for row in csv.DictReader(file)}
    persons: dict[str, set[tuple[str, str]]] = {}
    for row in found:
        record = (row[columns.index("site")], row[columns.index("local_id")])
        if record in known:
            persons.setdefault(row[columns.index("person_id")], set()).add(record)
    assert sum(map(len, persons.values())) == len(known)
    return {frozenset(records) for records in persons.values()}


def test_the_same_records_are_the_same_persons(own: Xinglin, built: Xinglin, files: Path) -> None:
    assert linked(own, files) == linked(built, files)


FEATURES = ("given_name", "family_name", "birth_date", "gender", "national_id", "phone", "address", "postal_code",
            "city")  # fmt: skip


def features(xinglin: Xinglin) -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    """What linkage compares of each record."""
    import duckdb

    from xinglin.contracts.identity import PATIENT

    lake = opened(xinglin.home).lake
    snapshot = lake.snapshot(PATIENT.stage)
    assert snapshot is not None
    paths = lake.paths(PATIENT, [file.path for file in snapshot.tables[PATIENT.name]])
    found = duckdb.execute(f"SELECT site, local_id, {', '.join(FEATURES)} FROM read_parquet(?)", [paths]).fetchall()
    return ((row[:2], row[2:]) for row in found)


def test_linkage_sees_the_same_features_in_every_format(own: Xinglin, built: Xinglin) -> None:
    ours, theirs = dict(features(own)), dict(features(built))
    assert {key: ours.get(key) for key in theirs} == theirs


def test_the_images_lie_in_the_mart_and_as_they_were_received(own: Xinglin, files: Path) -> None:
    assert rows(own, "SELECT count(*), count(DISTINCT image_study_uid) FROM image_instance") == [
        (str(12 * IMAGES), str(IMAGES))
    ]
    with (files / "truth" / "images.csv").open(encoding="utf-8") as file:
        told = {row["study_uid"] for row in csv.DictReader(file)}
    assert told <= {uid for (uid,) in rows(own, "SELECT image_study_uid FROM image_occurrence")}
    kept = json.loads(own("verify", "--json"))
    assert kept


def test_gathering_again_lands_nothing(own: Xinglin, files: Path) -> None:
    from xinglin.flows.demo import gather

    assert sum(one.landed for one in gather(opened(own.home), files)) == 0


@pytest.mark.parametrize(
    ("formats", "writers"), [("fhir", {"fhir"}), ("institutional", {"fhir", "hl7v2", "csv", "database"})]
)
def test_the_command_line_chooses_how_institutions_write(tmp_path: Path, formats: str, writers: set[str]) -> None:
    out = tmp_path / "region"
    arguments = ("region", "generate", out, "--persons", "20", "--formats", formats, "--images", "0", "--json")
    told = Xinglin(tmp_path / "home").json(*arguments)
    assert told["persons"] == 20
    sites = json.loads((out / "region.json").read_bytes())["sites"]
    assert {site["writer"] for site in sites} == writers
