"""The mart's contracts are OMOP CDM 5.4 to the letter."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from xinglin.contracts import identity, landing, person_map
from xinglin.contracts.mart import (
    EVENT_DATES,
    EVENT_TABLES,
    IMAGING_TABLES,
    OMOP_TABLES,
    TABLES,
    VOCABULARY_TABLES,
)
from xinglin.contracts.model import Table

ALL = (
    *landing.TABLES,
    *identity.TABLES,
    *person_map.TABLES,
    *TABLES.values(),
    *VOCABULARY_TABLES.values(),
)
TYPES = {"BIGINT", "INTEGER", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "BLOB"}
# Required fields of the clinical tables (https://ohdsi.github.io/CommonDataModel/cdm54.html), keys left out.
REQUIRED = {
    "person": {"gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id"},
    "observation_period": {
        "person_id",
        "observation_period_start_date",
        "observation_period_end_date",
        "period_type_concept_id",
    },
    "visit_detail": {
        "person_id",
        "visit_detail_concept_id",
        "visit_detail_start_date",
        "visit_detail_end_date",
        "visit_detail_type_concept_id",
        "visit_occurrence_id",
    },
    "visit_occurrence": {
        "person_id",
        "visit_concept_id",
        "visit_start_date",
        "visit_end_date",
        "visit_type_concept_id",
    },
    "condition_occurrence": {
        "person_id",
        "condition_concept_id",
        "condition_start_date",
        "condition_type_concept_id",
    },
    "drug_exposure": {
        "person_id",
        "drug_concept_id",
        "drug_exposure_start_date",
        "drug_exposure_end_date",
        "drug_type_concept_id",
    },
    "procedure_occurrence": {"person_id", "procedure_concept_id", "procedure_date", "procedure_type_concept_id"},
    "device_exposure": {"person_id", "device_concept_id", "device_exposure_start_date", "device_type_concept_id"},
    "measurement": {"person_id", "measurement_concept_id", "measurement_date", "measurement_type_concept_id"},
    "observation": {"person_id", "observation_concept_id", "observation_date", "observation_type_concept_id"},
    "death": {"death_date"},
    "note": {
        "person_id",
        "note_date",
        "note_type_concept_id",
        "note_class_concept_id",
        "note_text",
        "encoding_concept_id",
        "language_concept_id",
    },
    "cost": {"cost_event_id", "cost_domain_id", "cost_type_concept_id"},
    "condition_era": {
        "person_id",
        "condition_concept_id",
        "condition_era_start_date",
        "condition_era_end_date",
    },
    "drug_era": {"person_id", "drug_concept_id", "drug_era_start_date", "drug_era_end_date"},
    "location": set(),
    "care_site": set(),
    "provider": set(),
}


@pytest.mark.real
def test_columns_are_those_of_a_published_cdm_5_4_in_the_same_order(real_data: Callable[[str], Path]) -> None:
    seen = set()
    with zipfile.ZipFile(real_data("omop-synthea27") / "Synthea27Nj_5.4.zip") as archive:
        for name, table in {**TABLES, **VOCABULARY_TABLES}.items():
            member = f"{name.upper()}.csv"
            if member in archive.namelist():
                with archive.open(member) as file:
                    header = file.readline().decode("utf-8-sig").strip().split(",")
                assert table.column_names == tuple(header), name
                seen.add(name)

    assert seen == {*OMOP_TABLES, *VOCABULARY_TABLES} - {"concept_lookup"}


def test_the_tables_the_mart_promises_are_there() -> None:
    assert set(OMOP_TABLES) == set(REQUIRED)
    assert IMAGING_TABLES == ("image_occurrence", "image_instance")
    assert set(TABLES) - set(OMOP_TABLES) - set(IMAGING_TABLES) == {
        "lineage",
        "etl_count",
        "unmapped_code",
        "implausible_value",
    }
    assert {table.stage for table in TABLES.values()} == {"mart"}
    assert {table.stage for table in VOCABULARY_TABLES.values()} == {"vocabulary"}
    assert {table.zone for table in (*TABLES.values(), *VOCABULARY_TABLES.values())} == {"pseudonymous"}


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_required_fields_are_those_of_cdm_5_4(name: str) -> None:
    table = TABLES[name]
    required = {column.name for column in table.columns if column.required} - set(table.key)
    assert required == REQUIRED[name]


def test_every_table_of_a_person_lives_in_person_buckets() -> None:
    for table in TABLES.values():
        expected = "person_id" in table.column_names or table.name in {"cost", "lineage"}
        assert table.bucketed is expected, table.name


@pytest.mark.parametrize("table", ALL, ids=lambda table: f"{table.stage}.{table.name}")
def test_a_contract_is_complete(table: Table) -> None:
    names = table.column_names
    assert len(names) == len(set(names))
    assert table.key
    assert table.grain.startswith("one row per")
    for column in table.columns:
        assert column.type in TYPES
        assert column.meaning
        assert not column.meaning.endswith(".")
        assert "|" not in column.meaning
    # In the landing, site, batch, file and row are where a row lies, not columns of it.
    for name in table.key if table.stage != "landing" else ():
        assert table.column(name).required


@pytest.mark.parametrize("table", [*TABLES.values(), *VOCABULARY_TABLES.values()], ids=lambda table: table.name)
def test_references_lead_to_a_key_of_the_same_type(table: Table) -> None:
    known = {**TABLES, **VOCABULARY_TABLES}
    for column in table.columns:
        if column.references:
            target, field = column.references.split(".")
            assert known[target].key == (field,)
            assert known[target].column(field).type == column.type


def test_concept_ids_are_integers_and_keys_are_63_bit() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if column.name.endswith("_concept_id"):
                assert (column.type, column.references) == ("INTEGER", "concept.concept_id")
            elif column.name.endswith("_id") and column.type != "VARCHAR":
                assert column.type == "BIGINT"


def test_event_tables_have_the_dates_that_make_up_an_observation_period() -> None:
    assert tuple(EVENT_DATES) == EVENT_TABLES
    for name, days in EVENT_DATES.items():
        assert all(TABLES[name].column(day).type == "DATE" for day in days)
        assert TABLES[name].column(days[0]).required


def test_a_series_has_the_columns_of_the_imaging_extension() -> None:
    """MI-CDM 5.4 (github.com/OHDSI/ImageWG), in its order, then the source values it leaves out."""
    assert TABLES["image_occurrence"].column_names == (
        "image_occurrence_id",
        "person_id",
        "procedure_occurrence_id",
        "visit_occurrence_id",
        "anatomic_site_concept_id",
        "wadors_uri",
        "local_path",
        "image_occurrence_date",
        "image_study_uid",
        "image_series_uid",
        "modality_concept_id",
        "modality_source_value",
        "anatomic_site_source_value",
    )
