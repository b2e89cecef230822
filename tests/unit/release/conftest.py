"""A mart of a hundred persons, known to the last row."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.unit.mart.handmade import publish
from xinglin.core.settings import Settings
from xinglin.lake import Lake
from xinglin.release import Extract, Request, make_extract
from xinglin.release.views import Rules

Row = dict[str, Any]
YEAR = 2026
RARE = "Written by hand about Mrs Miller"


def _mart() -> dict[str, list[Row]]:
    made = random.Random(7)
    people, visits, conditions, deaths = [], [], [], []
    for number in range(100):
        person = 10_000 + 37 * number
        year = made.choice([1920, 1951, 1952, 1960, 1961, 1990])
        people.append(
            {"person_id": person, "gender_concept_id": made.choice([8507, 8532]), "year_of_birth": year,
             "month_of_birth": 5, "day_of_birth": 4, "birth_datetime": datetime(year, 5, 4), "race_concept_id": 0,
             "ethnicity_concept_id": 0, "person_source_value": f"number-{number}", "gender_source_value": "f"}
        )  # fmt: skip
        for visit in range(made.randint(1, 4)):
            key = person * 1_000 + visit
            start = date(2020, 1, 1) + timedelta(days=made.randint(0, 900))
            visits.append(
                {"visit_occurrence_id": key, "person_id": person, "visit_concept_id": 9201, "visit_start_date": start,
                 "visit_start_datetime": datetime(start.year, start.month, start.day, 8, 30),
                 "visit_end_date": start + timedelta(days=visit), "visit_type_concept_id": 1, "provider_id": 3}
            )  # fmt: skip
            conditions.append(
                {"condition_occurrence_id": key + 500, "person_id": person, "visit_occurrence_id": key,
                 "condition_concept_id": made.choice([11, 12, 13]), "condition_start_date": start, "provider_id": 3,
                 "condition_type_concept_id": 1, "condition_source_value": RARE if number == 5 else "I63"}
            )  # fmt: skip
        if number < 3:
            deaths.append({"person_id": person, "death_date": date(2024, 1, 1)})
    return {"person": people, "visit_occurrence": visits, "condition_occurrence": conditions, "death": deaths}


@pytest.fixture(scope="session")
def rows() -> dict[str, list[Row]]:
    return _mart()


@pytest.fixture(scope="session")
def mart(tmp_path_factory: pytest.TempPathFactory, rows: dict[str, list[Row]]) -> tuple[Lake, Settings]:
    home = tmp_path_factory.mktemp("release") / "home"
    home.mkdir()
    return publish(home / "lake", rows), Settings(home=home, threads=1)


Ask = Callable[..., Extract]


@pytest.fixture
def ask(mart: tuple[Lake, Settings]) -> Ask:
    def asked(question: str, project: str = "stroke", rules: Rules | None = None, **more: Any) -> Extract:
        return make_extract(*mart, Request(question, project, rules or Rules(5, YEAR), **more))

    return asked
