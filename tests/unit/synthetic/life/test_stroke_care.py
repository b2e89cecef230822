"""The way of a stroke as FHIR: admission, imaging, drugs in time, scores, rehabilitation."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from xinglin.synthetic.life.care import make_charts
from xinglin.synthetic.life.course import Course, Stroke, simulate_course
from xinglin.synthetic.life.hazards import HazardModel
from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import Person, make_person
from xinglin.synthetic.records import Chart
from xinglin.synthetic.writers import Lines, writer

PLAN = RegionPlan(persons=4_000, seed=2)


@cache
def stricken() -> list[tuple[Person, Course, list[Chart]]]:
    found = []
    for number in range(PLAN.persons):
        person = make_person(PLAN, number)
        course = simulate_course(person, PLAN, HazardModel())
        if course.strokes:
            found.append((person, course, make_charts(PLAN, person, course)))
    assert len(found) > 80
    return found


def written(charts: list[Chart]) -> dict[str, list[dict[str, Any]]]:
    lines: Lines = {}
    for chart in charts:
        writer("fhir").chart(chart, PLAN.seed, lines)
    return {stem: [orjson.loads(line) for line in found] for stem, found in lines.items()}


def codes(found: list[dict[str, Any]], key: str) -> set[str]:
    return {resource[key]["coding"][0]["code"] for resource in found}


def test_every_stroke_leads_through_the_emergency_room_and_imaging_to_the_ward() -> None:
    for _, course, charts in stricken():
        data = written(charts)
        strokes = [c for c in data["Condition"] if c["code"]["coding"][0]["code"] == "230690007"]
        assert len(strokes) >= len(course.strokes)
        settings = [encounter["class"]["code"] for encounter in data["Encounter"]]
        assert settings.count("EMER") >= len(course.strokes)
        assert settings.count("IMP") >= len(course.strokes)
        assert "303653007" in codes(data["Procedure"], "code")
        assert any(study["modality"][0]["code"] == "CT" for study in data["ImagingStudy"])
        assert "70182-1" in codes(data["Observation"], "code")


def test_alteplase_is_given_only_in_ischaemic_strokes_that_arrive_in_time() -> None:
    given = 0
    for _, course, charts in stricken():
        drugs = codes(written(charts).get("MedicationRequest", []), "medicationCodeableConcept")
        in_time = any(stroke.ischaemic and stroke.hours_to_door < 4.5 for stroke in course.strokes)
        given += "1804799" in drugs
        assert in_time or "1804799" not in drugs
    assert given > 10


def test_survivors_of_ischaemic_stroke_get_a_statin_and_rehabilitation() -> None:
    def alone(stroke: Stroke) -> bool:
        return stroke.ischaemic and not stroke.fatal and stroke.day < PLAN.last_day - 120

    survivors = [
        charts for _, course, charts in stricken()
        if len(course.strokes) == 1 and alone(course.strokes[0]) and course.death is None
    ]  # fmt: skip
    assert len(survivors) > 20
    for charts in survivors:
        data = written(charts)
        assert "259255" in codes(data["MedicationRequest"], "medicationCodeableConcept")
        assert "91251008" in codes(data["Procedure"], "code")
        assert "96761-2" in codes(data["Observation"], "code")


def test_who_dies_in_hospital_is_said_to_have_died() -> None:
    died = 0
    for _, course, charts in stricken():
        data = written(charts)
        for encounter in data["Encounter"]:
            stay = encounter.get("hospitalization", {}).get("dischargeDisposition", {}).get("coding", [{}])[0]
            if stay.get("code") == "exp":
                died += 1
                assert course.cause == "stroke"
                assert any("deceasedDateTime" in patient for patient in data["Patient"])
    assert died > 3
