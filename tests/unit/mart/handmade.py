"""Small marts made by hand, sound until a test breaks them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from xinglin.contracts.mart import EVENT_TABLES, IMAGING_TABLES, TABLES, VOCABULARY_TABLES
from xinglin.contracts.model import Table
from xinglin.core.permit import OPEN
from xinglin.lake import Lake, connect, write_parquet
from xinglin.mart.checks.scan import Examiner

Row = dict[str, Any]
Rows = dict[str, list[Row]]

EHR = 32817
STROKE, ASPIRIN, SCAN, HEIGHT, TEMPERATURE, SMOKING, STENT = (
    381316,
    1112807,
    4061009,
    3036277,
    3020891,
    40766362,
    4237601,
)
_CONCEPTS = {
    8507: "Gender",
    8532: "Gender",
    9201: "Visit",
    EHR: "Type Concept",
    32678: "Metadata",
    STROKE: "Condition",
    ASPIRIN: "Drug",
    SCAN: "Procedure",
    HEIGHT: "Measurement",
    TEMPERATURE: "Measurement",
    SMOKING: "Observation",
    STENT: "Device",
}
_DERIVED = ("observation_period", "condition_era", "drug_era")


def sound() -> Rows:
    """Two persons, one row of everything, nothing wrong with it."""
    stay = {"person_id": 1, "visit_occurrence_id": 11, "provider_id": 3}
    rows: Rows = {
        "person": [
            _person(1, 8507, 1960),
            _person(2, 8532, 1990),
        ],
        "location": [{"location_id": 5, "city": "Wuhan"}],
        "care_site": [{"care_site_id": 4, "care_site_name": "Mercy", "location_id": 5}],
        "provider": [{"provider_id": 3, "care_site_id": 4}],
        "visit_occurrence": [
            _visit(11, 1, date(2020, 3, 1), date(2020, 3, 9)),
            _visit(12, 2, date(2021, 6, 1), date(2021, 6, 2)),
        ],
        "condition_occurrence": [
            {**_event("condition", 21, STROKE, "230690007"), **stay, "condition_start_date": date(2020, 3, 1)}
        ],
        "drug_exposure": [
            {
                **_event("drug", 31, ASPIRIN, "243670", key="drug_exposure_id"),
                **stay,
                "drug_exposure_start_date": date(2020, 3, 2),
                "drug_exposure_end_date": date(2020, 3, 30),
                "days_supply": 28,
            }
        ],
        "procedure_occurrence": [
            {**_event("procedure", 41, SCAN, "169070004"), **stay, "procedure_date": date(2020, 3, 1)}
        ],
        "device_exposure": [
            {
                **_event("device", 71, STENT, "705643001", key="device_exposure_id"),
                **stay,
                "device_exposure_start_date": date(2020, 3, 3),
            }
        ],
        "measurement": [
            _measurement(51, HEIGHT, "8302-2", 171.0, "cm", **stay),
            _measurement(52, TEMPERATURE, "8310-5", 37.2, "Cel", **stay),
        ],
        "observation": [
            {
                **_event("observation", 61, SMOKING, "72166-2", key="observation_id"),
                **stay,
                "observation_date": date(2020, 3, 1),
            }
        ],
        "image_occurrence": [_series(131)],
        "image_instance": [_instance(141, 131)],
        "note": [_note(81, **stay)],
        "cost": [{"cost_id": 91, "cost_event_id": 11, "cost_domain_id": "Visit", "cost_type_concept_id": EHR}],
        "death": [{"person_id": 1, "death_date": date(2024, 1, 1), "death_type_concept_id": EHR}],
        "observation_period": [
            _span("observation_period", 121, 1, date(2020, 3, 1), date(2020, 3, 30)),
            _span("observation_period", 122, 2, date(2021, 6, 1), date(2021, 6, 2)),
        ],
        "condition_era": [
            {
                **_span("condition_era", 101, 1, date(2020, 3, 1), date(2020, 3, 1)),
                "condition_concept_id": STROKE,
                "condition_occurrence_count": 1,
            }
        ],
        "drug_era": [
            {
                **_span("drug_era", 111, 1, date(2020, 3, 2), date(2020, 3, 30)),
                "drug_concept_id": ASPIRIN,
                "drug_exposure_count": 1,
                "gap_days": 0,
            }
        ],
    }
    for row in rows["observation_period"]:
        row["period_type_concept_id"] = EHR
    return rows | account(rows)


def account(rows: Rows) -> Rows:
    """Lineage and counts that fit the rows."""
    lineage = [
        {
            "table_name": name,
            "row_id": row[TABLES[name].key[0]],
            "site": "mercy",
            "batch": 1,
            "file": f"{name}.parquet",
            "row": place,
            "resource_type": name,
            "resource_key": 1000 * (1 + list(TABLES).index(name)) + place,
        }
        for name, of_table in rows.items()
        if name in TABLES and name not in (*_DERIVED, "lineage", "etl_count", "unmapped_code")
        for place, row in enumerate(of_table)
    ]
    counts = [
        {"site": "mercy", "batch": 1, "file": f"{name}.parquet", "resource_type": name, "outcome": outcome}
        | {"table_name": "", "rows": len(of_table)}
        for name, of_table in rows.items()
        if name in (*EVENT_TABLES, *IMAGING_TABLES, "cost")
        for outcome in ("resources", "mapped")
    ]
    counts += [
        {
            "site": "mercy",
            "batch": 1,
            "file": f"{name}.parquet",
            "resource_type": name,
            "outcome": "written",
            "table_name": name,
            "rows": len(rows.get(name, [])),
        }
        for name in (*EVENT_TABLES, *IMAGING_TABLES, "cost")
    ]
    return {"lineage": lineage, "etl_count": counts, "unmapped_code": []}


def vocabulary() -> Rows:
    """The concepts that `sound` uses, all standard and valid."""
    return {
        "concept": [
            {
                "concept_id": concept_id,
                "concept_name": "name",
                "domain_id": domain,
                "vocabulary_id": "SNOMED",
                "concept_class_id": "Undefined",
                "standard_concept": "S",
                "concept_code": str(concept_id),
                "valid_start_date": date(1970, 1, 1),
                "valid_end_date": date(2099, 12, 31),
            }
            for concept_id, domain in _CONCEPTS.items()
        ]
    }


def publish(folder: Path, rows: Rows, concepts: Rows | None = None, *, without: tuple[str, ...] = ()) -> Lake:
    """Publish the rows as a mart, and the concepts as a vocabulary where there are any.

    Args:
        folder: Of the lake.
        rows: By table; a table that is not there is published empty.
        concepts: Rows of the vocabulary's tables.
        without: Tables that are not published at all.
    """
    lake = Lake(folder, permit=OPEN)
    _stage(lake, "mart", {name: table for name, table in TABLES.items() if name not in without}, rows)
    if concepts is not None:
        _stage(lake, "vocabulary", VOCABULARY_TABLES, concepts)
    return lake


def examiner(rows: Rows, concepts: Rows) -> Examiner:
    """The rows under examination at once, without files."""
    made = Examiner(connect(200, 1))
    for name, table in {**TABLES, **VOCABULARY_TABLES}.items():
        _create(made.connection, name, table, {**rows, **concepts}.get(name, []))
        made.columns[name] = {column.name: column.type for column in table.columns}
    return made


def _create(connection: duckdb.DuckDBPyConnection, name: str, table: Table, rows: list[Row]) -> None:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    connection.execute(f"CREATE TABLE {name} ({columns})")
    fill(connection, name, table, rows)


def fill(connection: duckdb.DuckDBPyConnection, name: str, table: Table, rows: list[Row]) -> None:
    """Insert the rows, with NULL where they say nothing."""
    for row in rows:
        unknown = set(row) - set(table.column_names)
        assert not unknown, f"{table.name} has no {unknown}"
        marks = ", ".join("?" for _ in table.columns)
        connection.execute(f"INSERT INTO {name} VALUES ({marks})", [row.get(column) for column in table.column_names])


def _stage(lake: Lake, stage: str, tables: dict[str, Table], rows: Rows) -> None:
    connection = connect(200, 1)
    with lake.scratch(stage) as scratch:
        files = {}
        for name, table in tables.items():
            _create(connection, "made", table, rows.get(name, []))
            files[table] = []
            if rows.get(name):
                write_parquet(connection, "SELECT * FROM made", scratch / "made.parquet")
                files[table] = [lake.adopt(table, scratch / "made.parquet", 0 if table.bucketed else None)]
            connection.execute("DROP TABLE made")
        lake.publish(stage, files, {})


def _person(person_id: int, gender: int, year: int) -> Row:
    return {
        "person_id": person_id,
        "gender_concept_id": gender,
        "year_of_birth": year,
        "month_of_birth": 5,
        "day_of_birth": 4,
        "birth_datetime": datetime(year, 5, 4),
        "race_concept_id": 0,
        "ethnicity_concept_id": 0,
        "location_id": 5,
    }


def _visit(visit: int, person: int, start: date, end: date) -> Row:
    return {
        "visit_occurrence_id": visit,
        "person_id": person,
        "visit_concept_id": 9201,
        "visit_start_date": start,
        "visit_end_date": end,
        "visit_type_concept_id": EHR,
        "visit_source_value": "IMP",
        "care_site_id": 4,
    }


def _event(word: str, key_value: int, concept: int, code: str, key: str = "") -> Row:
    return {
        key or f"{word}_occurrence_id": key_value,
        f"{word}_concept_id": concept,
        f"{word}_type_concept_id": EHR,
        f"{word}_source_value": code,
    }


def _measurement(key: int, concept: int, code: str, value: float, unit: str, **more: Any) -> Row:
    return {
        **_event("measurement", key, concept, code, key="measurement_id"),
        "measurement_date": date(2020, 3, 1),
        "measurement_datetime": datetime(2020, 3, 1, 8, 30),
        "value_as_number": value,
        "unit_source_value": unit,
        **more,
    }


def _note(key: int, **more: Any) -> Row:
    return {
        "note_id": key,
        "note_date": date(2020, 3, 9),
        "note_type_concept_id": EHR,
        "note_class_concept_id": 0,
        "note_text": "mercy/DocumentReference/1",
        "encoding_concept_id": 32678,
        "language_concept_id": 0,
        **more,
    }


def _series(key: int) -> Row:
    return {
        "image_occurrence_id": key,
        "person_id": 1,
        "procedure_occurrence_id": 41,
        "visit_occurrence_id": 11,
        "image_occurrence_date": date(2020, 3, 1),
        "image_study_uid": "1.2",
        "image_series_uid": "1.2.3",
        "modality_concept_id": 0,
        "modality_source_value": "CT",
    }


def _instance(key: int, series: int) -> Row:
    return {
        "image_instance_id": key,
        "image_occurrence_id": series,
        "person_id": 1,
        "site": "mercy",
        "image_study_uid": "1.2",
        "image_series_uid": "1.2.3",
        "sop_instance_uid": "1.2.3.4",
    }


def _span(table: str, key: int, person: int, start: date, end: date) -> Row:
    return {f"{table}_id": key, "person_id": person, f"{table}_start_date": start, f"{table}_end_date": end}
