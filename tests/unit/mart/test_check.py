"""The checks find what is wrong, name it, and find nothing in a sound mart."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from tests.unit.mart.handmade import HEIGHT, STROKE, Rows, account, examiner, fill, publish, sound, vocabulary
from xinglin.admission.stores import Stores
from xinglin.contracts.mart import TABLES
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import NotFound, QualityFailed
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.questions.sql import open_mart
from xinglin.lake import Lake
from xinglin.mart.check import check_mart, rules
from xinglin.mart.checks.report import CheckReport
from xinglin.mart.checks.rule import CheckResult
from xinglin.mart.checks.scan import Examiner

EVERY = rules(date(2026, 1, 1))
NOW = fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))


def checked(folder: Path, rows: Rows, concepts: Rows | None = None, **options: Any) -> CheckReport:
    lake = publish(folder / "lake", rows, concepts, **options)
    return check_mart(lake, Settings(home=folder, threads=1), clock=NOW)


def result(report: CheckReport, name: str) -> CheckResult:
    return next(result for result in report.results if result.name == name)


def set_field(table: str, field: str, value: object, row: int = 0) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[table][row][field] = value

    return change


def add(table: str, row: int = 0, **changes: object) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[table].append({**rows[table][row], **changes})

    return change


def remove(table: str, row: int = 0) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        del rows[table][row]

    return change


def test_a_sound_mart_passes_every_check(tmp_path: Path) -> None:
    report = checked(tmp_path, sound(), vocabulary())

    assert [result.name for result in report.failed] == []
    assert report.blocking == ()
    assert report.summary()["passed"] > 400
    report.require()


# What is broken, the check that must name it, whether it blocks, and the key of the failing row.
BROKEN = [
    (set_field("person", "year_of_birth", None), "isRequired.person.year_of_birth", True, "1"),
    (set_field("measurement", "measurement_date", None), "isRequired.measurement.measurement_date", True, "51"),
    (add("person"), "isPrimaryKey.person.person_id", True, "1"),
    (add("death"), "isPrimaryKey.death.person_id", True, "1"),
    (set_field("condition_occurrence", "person_id", 9), "isForeignKey.condition_occurrence.person_id", True, "21"),
    (set_field("note", "visit_occurrence_id", 99), "isForeignKey.note.visit_occurrence_id", True, "81"),
    (set_field("note", "provider_id", 99), "isForeignKey.note.provider_id", True, "81"),
    (set_field("note", "visit_occurrence_id", 12), "isVisitOfSamePerson.note.visit_occurrence_id", False, "81"),
    (add("image_instance"), "isPrimaryKey.image_instance.image_instance_id", True, "141"),
    (set_field("image_instance", "sop_instance_uid", None), "isRequired.image_instance.sop_instance_uid", True, "141"),
    (set_field("image_instance", "image_occurrence_id", 9),
     "isForeignKey.image_instance.image_occurrence_id", True, "141"),
    (set_field("image_occurrence", "person_id", 9), "isForeignKey.image_occurrence.person_id", True, "131"),
    (set_field("image_occurrence", "procedure_occurrence_id", 9),
     "isForeignKey.image_occurrence.procedure_occurrence_id", True, "131"),
    (remove("image_occurrence"), "isReconciled.image_occurrence", True, "image_occurrence"),
    (set_field("care_site", "location_id", 99), "isForeignKey.care_site.location_id", True, "4"),
    (set_field("visit_occurrence", "preceding_visit_occurrence_id", 99),
     "isForeignKey.visit_occurrence.preceding_visit_occurrence_id", True, "11"),
    (set_field("visit_occurrence", "preceding_visit_occurrence_id", 12),
     "isForeignKey.visit_occurrence.preceding_visit_occurrence_id", False, ""),
    (set_field("note", "note_id", -81), "isKeyInRange.note.note_id", True, "-81"),
    (set_field("note", "note_title", " "), "isNotBlank.note.note_title", False, "81"),
    (set_field("person", "gender_concept_id", 8521), "isGenderValue.person.gender_concept_id", True, "1"),
    (set_field("person", "gender_concept_id", 0),
     "isGenderValue.person.gender_concept_id", False, ""),
    (set_field("person", "birth_datetime", datetime(1961, 5, 4)),
     "isBirthConsistent.person.birth_datetime", False, "1"),
    (set_field("person", "month_of_birth", 13), "plausibleValueHigh.person.month_of_birth", False, "1"),
    (set_field("person", "year_of_birth", 1700), "plausibleValueLow.person.year_of_birth", False, "1"),
    (set_field("condition_occurrence", "condition_concept_id", 777),
     "isForeignKey.condition_occurrence.condition_concept_id", False, "21"),
    (set_field("condition_occurrence", "condition_concept_id", HEIGHT),
     "fkDomain.condition_occurrence.condition_concept_id", False, "21"),
    (set_field("condition_occurrence", "condition_concept_id", 0),
     "standardConceptRecordCompleteness.condition_occurrence.condition_concept_id", False, "21"),
    (set_field("condition_occurrence", "condition_concept_id", 0),
     "sourceValueCompleteness.condition_occurrence.condition_source_value", False, "230690007"),
    (set_field("condition_occurrence", "condition_end_date", date(2020, 2, 1)),
     "plausibleStartBeforeEnd.condition_occurrence.condition_start_date", False, "21"),
    (set_field("drug_era", "drug_era_start_date", date(2020, 4, 1)),
     "plausibleStartBeforeEnd.drug_era.drug_era_start_date", True, "111"),
    (set_field("measurement", "measurement_date", date(1959, 1, 1)),
     "plausibleAfterBirth.measurement.measurement_date", False, "51"),
    (set_field("measurement", "measurement_date", date(1870, 1, 1)),
     "plausibleYearLow.measurement.measurement_date", False, "51"),
    (set_field("measurement", "measurement_date", date(2024, 3, 2)),
     "plausibleBeforeDeath.measurement.measurement_date", False, "51"),
    (set_field("measurement", "measurement_date", date(2026, 1, 2)),
     "plausibleNotInFuture.measurement.measurement_date", False, "51"),
    (set_field("measurement", "measurement_date", date(2020, 3, 17)),
     "withinVisitDates.measurement.measurement_date", False, "51"),
    (set_field("measurement", "measurement_date", date(2020, 4, 1)),
     "isWithinObservationPeriod.measurement.measurement_date", True, "51"),
    (set_field("measurement", "measurement_datetime", datetime(2020, 3, 3)),
     "isSameDay.measurement.measurement_datetime", False, "51"),
    (set_field("measurement", "measurement_datetime", datetime(2020, 3, 2)),
     "isSameDay.measurement.measurement_datetime", False, ""),
    (set_field("measurement", "value_as_number", 1.71),
     "plausibleValueRange.measurement.value_as_number/8302-2/cm", False, "51"),
    (set_field("measurement", "unit_source_value", "kg"),
     "plausibleUnit.measurement.unit_source_value/8302-2", False, "51"),
    (set_field("measurement", "unit_source_value", None),
     "plausibleUnit.measurement.unit_source_value/8302-2", False, "51"),
    (set_field("measurement", "value_as_number", float("nan"), row=1),
     "isFinite.measurement.value_as_number", False, "52"),
    (set_field("drug_exposure", "days_supply", -1), "plausibleValueLow.drug_exposure.days_supply", False, "31"),
    (set_field("drug_exposure", "days_supply", 400), "plausibleValueHigh.drug_exposure.days_supply", False, "31"),
    (set_field("cost", "total_paid", -5.0), "plausibleValueLow.cost.total_paid", False, "91"),
    (set_field("drug_era", "drug_exposure_count", 0), "plausibleValueLow.drug_era.drug_exposure_count", True, "111"),
    (set_field("condition_occurrence", "condition_source_value", "126906006"),
     "plausibleGender.condition_occurrence.condition_source_value/126906006", False, ""),
    (set_field("condition_occurrence", "condition_source_value", "72892002"),
     "plausibleGender.condition_occurrence.condition_source_value/72892002", False, "21"),
    (add("observation_period", observation_period_id=123), "isApart.observation_period", True, "123"),
    (add("condition_era", condition_era_id=102, condition_era_start_date=date(2020, 3, 20),
         condition_era_end_date=date(2020, 3, 21)), "isApart.condition_era", True, "102"),
    (set_field("condition_era", "condition_concept_id", HEIGHT), "isCoveredByEra.condition_era", True, "21"),
    (remove("drug_era"), "isCoveredByEra.drug_era", True, "31"),
    (remove("observation_period", 1), "measurePersonCompleteness.observation_period", False, "2"),
    (set_field("etl_count", "rows", 7, row=-12), "isReconciled.visit_occurrence", True, "visit_occurrence"),
    (set_field("etl_count", "rows", 7), "isEveryResourceAccounted.etl_count", True, "visit_occurrence.parquet"),
    (remove("lineage", -1), "hasLineage.death", False, "1"),
    (add("lineage", row_id=99, resource_key=5), "lineageLeadsToRow.person", False, "99"),
    (set_field("lineage", "site", "other", row=4),
     "isKeyOfOneResource.lineage.resource_key", False, ""),
    (add("lineage", table_name="death", row_id=1, site="other"),
     "isKeyOfOneResource.lineage.resource_key", True, "1000"),
]  # fmt: skip


@pytest.fixture(scope="module")
def made_once() -> Examiner:
    return examiner(sound(), vocabulary())


@pytest.fixture
def sound_mart(made_once: Examiner) -> Iterator[Examiner]:
    """A sound mart that is sound again after the test."""
    made_once.connection.begin()
    yield made_once
    made_once.connection.rollback()


@pytest.mark.parametrize(("change", "name", "blocks", "row_id"), BROKEN, ids=[case[1] for case in BROKEN])
def test_a_check_finds_what_was_broken_and_only_that(
    sound_mart: Examiner, change: Callable[[Rows], None], name: str, blocks: bool, row_id: str
) -> None:
    rows = sound()
    change(rows)
    rule = next(rule for rule in EVERY if ".".join(filter(None, (rule.name, rule.table, rule.field))) == name)

    for table, of_table in rows.items():
        if of_table != sound()[table]:
            sound_mart.connection.execute(f"DELETE FROM {table}")
            fill(sound_mart.connection, table, TABLES[table], of_table)
    (found,) = map(sound_mart.with_rows, sound_mart.run([rule]))

    if not row_id:
        assert (found.status, found.rows_failed, found.row_ids) == ("passed", 0, ())
        return
    assert found.name == name
    assert found.status == "failed"
    assert found.blocks is blocks
    assert row_id in found.row_ids
    assert 0 < found.rows_failed <= found.rows_checked


def test_lineage_that_is_missing_for_an_event_blocks(tmp_path: Path) -> None:
    rows = sound()
    rows["lineage"] = [line for line in rows["lineage"] if line["table_name"] != "measurement"]

    report = checked(tmp_path, rows, vocabulary())

    assert result(report, "hasLineage.measurement").row_ids == ("51", "52")
    assert report.blocking == ("hasLineage.measurement",)


def test_a_non_standard_or_outdated_concept_is_reported(tmp_path: Path) -> None:
    concepts = vocabulary()
    for concept in concepts["concept"]:
        if concept["concept_id"] == STROKE:
            concept["invalid_reason"] = "U"
        if concept["concept_id"] == HEIGHT:
            concept["standard_concept"] = None

    report = checked(tmp_path, sound(), concepts)

    assert {found.name for found in report.failed} == {
        "isStandardValidConcept.condition_occurrence.condition_concept_id",
        "isStandardValidConcept.condition_era.condition_concept_id",
        "isStandardValidConcept.measurement.measurement_concept_id",
    }


def test_without_a_vocabulary_the_rules_about_it_do_not_apply(tmp_path: Path) -> None:
    report = checked(tmp_path, sound())

    found = result(report, "fkDomain.condition_occurrence.condition_concept_id")
    assert (found.status, found.detail) == ("not applicable", "no vocabulary was loaded")
    assert report.failed == ()


def test_a_table_that_was_not_published_blocks(tmp_path: Path) -> None:
    report = checked(tmp_path, sound(), vocabulary(), without=("note",))

    assert "cdmTable.note" in report.blocking
    assert result(report, "isRequired.note.note_date").status == "not applicable"


def test_a_failing_share_below_the_threshold_passes_and_is_still_counted(tmp_path: Path) -> None:
    rows = sound()
    many = [
        {**rows["measurement"][0], "measurement_id": 1000 + n, "value_as_number": 160.0 + n / 10} for n in range(199)
    ]
    many[0]["value_as_number"] = 999.0
    rows["measurement"] = many
    rows |= account(rows)

    found = result(checked(tmp_path, rows), "plausibleValueRange.measurement.value_as_number/8302-2/cm")

    assert (found.status, found.rows_failed, found.rows_checked) == ("passed", 1, 199)
    assert found.share == pytest.approx(1 / 199)


def thoroughly_broken() -> Rows:
    """Many faults at once, in several tables, on several rows."""
    rows = sound()
    for change in (
        add("note"),
        set_field("condition_occurrence", "person_id", 9),
        set_field("measurement", "value_as_number", 1.71),
        set_field("measurement", "unit_source_value", "furlong", row=1),
        set_field("drug_exposure", "days_supply", -1),
        set_field("visit_occurrence", "visit_end_date", date(1950, 1, 1)),
        set_field("device_exposure", "device_concept_id", 777),
        set_field("procedure_occurrence", "procedure_concept_id", 0),
        set_field("observation", "observation_date", date(2030, 1, 1)),
        add("observation_period", observation_period_id=123),
        remove("lineage", 5),
        add("lineage", row_id=99),
        remove("drug_era"),
    ):
        change(rows)
    return rows


def opened(lake: Lake, folder: Path) -> duckdb.DuckDBPyConnection:
    """What `xinglin sql` works on."""
    return open_mart(Stores(Settings(home=folder, threads=1), cast(Any, None), lake, NOW))


def test_the_sql_of_a_failed_check_gives_just_the_rows_that_failed(tmp_path: Path) -> None:
    report = checked(tmp_path, thoroughly_broken(), vocabulary())
    connection = opened(Lake(tmp_path / "lake", permit=OPEN), tmp_path)

    failing = [found for found in report.results if found.rows_failed and found.rule.threshold < 1]

    assert len(failing) > 20
    for found in failing:
        rows = 1 if found.rule.name == "isReconciled" else found.rows_failed
        assert connection.execute(f"SELECT count(*) FROM ({found.sql})").fetchall() == [(rows,)], found.name


def test_every_kind_of_check_has_sql_that_runs_on_an_empty_mart(tmp_path: Path) -> None:
    report = checked(tmp_path, {}, vocabulary())
    connection = opened(Lake(tmp_path / "lake", permit=OPEN), tmp_path)

    assert report.summary()["error"] == 0
    assert report.blocking == ()
    kinds = {(found.rule.name, found.rule.level): found for found in report.results if found.sql}
    assert len(kinds) > 25
    for found in kinds.values():
        assert connection.execute(f"SELECT count(*) FROM ({found.sql})").fetchall() == [(0,)], found.name


def test_checking_twice_gives_the_same_report(tmp_path: Path) -> None:
    first = checked(tmp_path / "one", thoroughly_broken(), vocabulary())
    second = checked(tmp_path / "two", thoroughly_broken(), vocabulary())

    assert first.results == second.results


def test_every_rule_has_its_own_name_and_a_meaning() -> None:
    every = rules(date(2026, 1, 1))
    names = [(rule.name, rule.table, rule.field) for rule in every]

    assert len(names) == len(set(names))
    assert all(rule.meaning for rule in every)
    assert {rule.table for rule in every} == set(TABLES)
    assert {rule.category for rule in every} == {"conformance", "completeness", "plausibility"}
    assert {rule.level for rule in every} == {"table", "field", "concept"}


def test_a_blocking_failure_is_raised_with_the_names_of_the_checks(tmp_path: Path) -> None:
    report = checked(tmp_path, thoroughly_broken(), vocabulary())

    with pytest.raises(QualityFailed, match=r"isForeignKey\.condition_occurrence\.person_id"):
        report.require()


def test_the_report_is_written_as_table_json_and_csv_without_a_value_of_a_person(tmp_path: Path) -> None:
    rows = sound()
    rows["measurement"][0]["value_as_number"] = 424242.25
    report = checked(tmp_path, rows, vocabulary())

    columns, lines = report.table()
    assert [line[1] for line in lines] == ["plausibleValueRange.measurement.value_as_number/8302-2/cm"]
    assert len(lines[0]) == len(columns)
    assert len(report.table(everything=True)[1]) == len(report.results)
    read = json.loads(json.dumps(report.to_json()))
    assert read["summary"]["failed"] == 1
    failing = list(csv.DictReader(report.failing_csv().splitlines()))
    assert [(line["table"], line["row_id"]) for line in failing] == [("measurement", "51")]
    assert "424242" not in json.dumps(read) + report.failing_csv()
    assert sum(failed for _, _, _, failed in report.by_category()) == 1


def test_progress_ends_at_its_total(tmp_path: Path) -> None:
    lake = publish(tmp_path / "lake", sound())
    steps: list[tuple[int, int]] = []

    check_mart(lake, Settings(home=tmp_path), clock=NOW, progress=lambda done, total: steps.append((done, total)))

    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_without_a_mart_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="xinglin mart build"):
        check_mart(Lake(tmp_path / "lake", permit=OPEN), Settings(home=tmp_path), clock=NOW)
