"""Images: series and instances from whole studies and from single objects, each counted once."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.opened import opened
from tests.unit.mart.region_of import TinyRegion, about, patient
from xinglin.admission.stores import Stores
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.stages.run import build, link
from xinglin.lake import Lake
from xinglin.landing import ingest
from xinglin.mart import check_mart

DCM = "http://dicom.nema.org/resources/ontology/DCM"
Resource = dict[str, Any]


def fragment(number: int, *, study: str = "1.1", series: str = "1.1.1", modality: str = "CT", **more: Any) -> Resource:
    """What one object tells, as the DICOM source writes it."""
    of_object = {"url": "urn:xinglin:object-sha256", "valueString": f"{number:064x}"}
    made = about(
        "ImagingStudy",
        f"{series}.{number}",
        meta={"tag": [{"system": "urn:xinglin:tag", "code": "fragment"}]},
        identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:{study}"}],
        status="available",
        modality=[{"system": DCM, "code": modality}],
        started="2024-01-15",
        description="Zhuge Liang, head",
        series=[
            {
                "uid": series,
                "modality": {"system": DCM, "code": modality},
                "description": "Zhuge Liang",
                "bodySite": {"system": "http://snomed.info/sct", "code": "69536005"},
                "instance": [{"uid": f"{series}.{number}", "sopClass": {"code": "urn:oid:1.9"}, "number": number}],
            }
        ],
    )
    extra = more.pop("extension", [])
    return {**made, "extension": [of_object, *extra], **more}


def whole(number: str = "s1", **more: Any) -> Resource:
    """A study as a hospital's FHIR server tells of it."""
    series = {
        "uid": "1.1.1",
        "modality": {"system": DCM, "code": "CT"},
        "started": "2024-01-15T08:31:00+08:00",
        "instance": [{"uid": "1.1.1.1", "number": 7}, {"uid": "1.1.1.9"}],
    }
    told = {
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.1"}],
        "status": "available",
        "started": "2024-01-15T08:30:00+08:00",
        "modality": [{"system": DCM, "code": "CT"}],
        "series": [series],
    }
    return about("ImagingStudy", number, **(told | more))


@pytest.fixture
def region(tmp_path: Path) -> TinyRegion:
    made = TinyRegion(tmp_path)
    made.link({("mercy", "p1"): 17, ("grace", "p1"): 18})
    return made


def numbers(region: TinyRegion) -> tuple[int, int, int, int]:
    """Procedures, studies, series, instances."""
    snapshot = Lake(region.home / "lake", permit=OPEN).snapshot("mart")
    assert snapshot
    ((studies,),) = region.ask("SELECT count(DISTINCT image_study_uid) FROM image_occurrence")
    return (
        snapshot.rows("procedure_occurrence"),
        studies,
        snapshot.rows("image_occurrence"),
        snapshot.rows("image_instance"),
    )


def test_a_whole_study_is_a_procedure_with_its_series_and_instances(region: TinyRegion) -> None:
    region.land([patient(), whole()])
    region.build()

    assert numbers(region) == (1, 1, 1, 2)
    assert region.ask(
        "SELECT i.procedure_occurrence_id = p.procedure_occurrence_id, i.person_id, image_occurrence_date::VARCHAR, "
        "image_study_uid, image_series_uid, modality_source_value, wadors_uri, local_path "
        "FROM image_occurrence i, procedure_occurrence p"
    ) == [(True, 17, "2024-01-15", "1.1", "1.1.1", "CT", None, None)]
    assert region.ask("SELECT sop_instance_uid, instance_number, object_sha256 FROM image_instance ORDER BY 1") == [
        ("1.1.1.1", 7, None),
        ("1.1.1.9", None, None),
    ]


def test_objects_alone_make_one_procedure_per_study(region: TinyRegion) -> None:
    region.land([patient(), *(fragment(number) for number in range(3))])
    region.land([fragment(1, series="1.1.2", modality="SEG"), fragment(1, study="2.1", series="2.1.1")], batch=2)
    report = region.build()

    assert numbers(region) == (2, 2, 3, 5)
    assert report.excluded == {}
    assert (
        region.ask("SELECT procedure_source_value, procedure_date::VARCHAR FROM procedure_occurrence")
        == [("CT", "2024-01-15")] * 2
    )
    assert region.ask("SELECT anatomic_site_source_value, count(*) FROM image_occurrence GROUP BY 1") == [
        ("69536005", 3)
    ]
    assert region.ask(
        "SELECT count(*) FROM image_instance i JOIN image_occurrence o USING (image_occurrence_id, person_id) "
        "WHERE i.image_study_uid = o.image_study_uid AND i.object_sha256 IS NOT NULL AND i.sop_class_uid = '1.9'"
    ) == [(5,)]
    assert region.ask("SELECT observation_period_start_date::VARCHAR FROM observation_period") == [("2024-01-15",)]


def test_the_clock_of_the_object_is_the_moment_of_the_procedure(region: TinyRegion) -> None:
    late, early = ({"url": "urn:xinglin:local-time", "valueTime": time} for time in ("09:30:00", "08:15:30"))
    region.land([patient(), fragment(1, extension=[late]), fragment(2, extension=[early])])
    region.build()

    assert region.ask("SELECT procedure_datetime::VARCHAR FROM procedure_occurrence") == [("2024-01-15 08:15:30",)]


def test_a_study_and_its_objects_are_counted_once(region: TinyRegion) -> None:
    region.land([patient(), whole(), fragment(1), fragment(2), fragment(3, series="1.1.2")])
    region.build()

    assert numbers(region) == (1, 1, 2, 4)
    assert region.ask("SELECT count(DISTINCT procedure_occurrence_id) FROM image_occurrence") == [(1,)]
    known = region.ask("SELECT instance_number, object_sha256 FROM image_instance WHERE sop_instance_uid = '1.1.1.1'")
    assert known == [(1, f"{1:064x}")]


def test_the_same_series_at_two_sites_stays_two(region: TinyRegion) -> None:
    region.land([patient(), fragment(1)])
    region.land([patient(), fragment(1)], site="grace")
    region.build()

    assert numbers(region) == (2, 1, 2, 2)


def test_a_replaced_object_is_counted_once(region: TinyRegion) -> None:
    region.land([patient(), fragment(1), fragment(2)])
    region.land([fragment(1, started="2024-01-16")], batch=2)
    region.superseded_rows = {("mercy", 1, "ImagingStudy-00000.parquet"): [0]}
    region.build()

    assert numbers(region) == (1, 1, 1, 2)


def test_the_age_at_an_image_stands_in_for_a_date_of_birth_nobody_tells(region: TinyRegion) -> None:
    aged = {"url": "urn:xinglin:patient-age", "valueAge": {"value": 59, "code": "a"}}
    region.land([{"resourceType": "Patient", "id": "p1", "gender": "male"}, fragment(1), fragment(2, extension=[aged])])
    region.land([patient(), fragment(1, extension=[aged])], site="grace")
    region.build()

    assert region.ask("SELECT person_id, year_of_birth, month_of_birth FROM person ORDER BY 1") == [
        (17, 1965, None),
        (18, 1950, 2),
    ]
    assert numbers(region)[3] == 3


def test_without_date_or_age_nothing_is_made_up(region: TinyRegion) -> None:
    region.land([{"resourceType": "Patient", "id": "p1"}, fragment(1)])
    region.land([patient(), fragment(1, started=None), fragment(2, status="cancelled")], site="grace")
    report = region.build()

    assert report.excluded == {"no-date": 1, "no-person": 2, "status-cancelled": 1}
    assert (report.rows["image_occurrence"], report.rows["image_instance"], report.rows["person"]) == (0, 0, 1)


def test_a_series_without_a_uid_is_counted_as_a_part_left_out(region: TinyRegion) -> None:
    region.land([patient(), whole(series=[{"modality": {"code": "CT"}}, {"uid": "1.1.5"}])])
    region.build()

    assert numbers(region) == (1, 1, 1, 0)
    assert region.ask("SELECT rows FROM etl_count WHERE outcome = 'part: no-series-uid'") == [(1,)]


def test_every_object_is_accounted_for_and_every_row_leads_back(region: TinyRegion) -> None:
    region.land([patient(), whole(), fragment(1), fragment(2, started=None), whole("s2", status="cancelled")])
    region.land([fragment(1, study="2.1", series="2.1.1"), fragment(2, study="2.1", series="2.1.1")], batch=2)
    report = region.build()

    assert region.ask(
        "SELECT batch, sum(rows) FILTER (outcome = 'resources'), sum(rows) FILTER (outcome <> 'resources') "
        "FROM etl_count WHERE resource_type = 'ImagingStudy' AND table_name = '' GROUP BY 1 ORDER BY 1"
    ) == [(1, 4, 4), (2, 2, 2)]
    for table in ("procedure_occurrence", "image_occurrence", "image_instance"):
        written = f"SELECT sum(rows) FROM etl_count WHERE outcome = 'written' AND table_name = '{table}'"
        assert region.ask(written) == [(report.rows[table],)], table
        led = f"SELECT count(DISTINCT row_id) FROM lineage JOIN {table} ON row_id = {table}_id"
        assert region.ask(f"{led} WHERE table_name = '{table}'") == [(report.rows[table],)], table
    blocking = check_mart(Lake(region.home / "lake", permit=OPEN), Settings(home=region.home, threads=1)).blocking
    assert blocking == ()


def test_new_objects_touch_their_bucket_only_and_give_the_bytes_of_a_full_build(region: TinyRegion) -> None:
    region.land([patient(), whole(), fragment(1)])
    region.land([patient(), fragment(1)], site="grace")
    region.build()
    region.land([fragment(2), fragment(3, study="2.1", series="2.1.1")], batch=2)
    report = region.build()

    assert (report.units_done, report.buckets_done) == (1, 1)
    snapshot = Lake(region.home / "lake", permit=OPEN).snapshot("mart")
    region.build(full=True)
    again = Lake(region.home / "lake", permit=OPEN).snapshot("mart")
    assert snapshot and again
    assert snapshot.tables == again.tables


def test_no_description_reaches_the_mart(region: TinyRegion) -> None:
    region.land([patient(), fragment(1)])
    region.build()

    files = list((region.home / "lake" / "mart").rglob("*.parquet"))
    assert files
    assert not any(b"Zhuge" in path.read_bytes() for path in files)
    for table in ("image_occurrence", "image_instance"):
        assert "Zhuge" not in str(region.ask(f"FROM {table}"))


@pytest.mark.real
def test_real_studies_have_the_patients_series_and_instances_that_pydicom_finds(
    tmp_path: Path, real_data: Callable[[str], Path]
) -> None:
    stores = opened(tmp_path / "home", create=True)
    stores.landing.add_site("mercy", "hospital", seed=bytes(32))
    folder = real_data("dicom-ibsi")
    report = ingest(stores.landing, folder, "mercy", Settings(tmp_path, threads=1))
    link(stores)
    made = build(stores)

    expected = _read_by_pydicom(folder)
    patients, studies, series, instances = (len({one[place] for one in expected}) for place in range(4))
    assert (patients, studies, series, instances) == (2, 2, 12, 314)
    assert (report.received, report.landed, report.duplicate) == (628, 316, 312)
    assert (made.rows["person"], made.rows["image_occurrence"], made.rows["image_instance"]) == (2, 12, 314)
    assert made.rows["procedure_occurrence"] == studies
    by_modality = _ask(
        stores,
        "SELECT modality_source_value, count(*) FROM image_instance JOIN image_occurrence USING (image_occurrence_id) "
        "GROUP BY 1",
    )
    assert dict(by_modality) == Counter(one[4] for one in expected) == {"CT": 107, "PT": 107, "MR": 94, "RTSTRUCT": 6}
    found = _ask(stores, "SELECT image_study_uid, image_series_uid, sop_instance_uid FROM image_instance")
    assert set(found) == {one[1:4] for one in expected}
    assert check_mart(stores.lake, stores.settings).blocking == ()


def _read_by_pydicom(folder: Path) -> list[tuple[str, str, str, str, str]]:
    import pydicom

    found = []
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    one = pydicom.dcmread(BytesIO(archive.read(name)), stop_before_pixels=True)
                    found.append(
                        (one.PatientID, one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID, one.Modality)
                    )
    return found


def _ask(stores: Stores, sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    snapshot = stores.lake.snapshot("mart")
    assert snapshot
    with duckdb.connect() as connection:
        for name in ("image_occurrence", "image_instance"):
            connection.execute(
                f"CREATE VIEW {name} AS FROM read_parquet({snapshot.files(name)}, hive_partitioning = false)"
            )
        return connection.execute(sql).fetchall()
