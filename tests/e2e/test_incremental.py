from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Xinglin, data_files

pytestmark = pytest.mark.e2e


def ndjson(path: Path, resources: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources))
    return path


def patient(number: int, **more: object) -> dict:
    return {"resourceType": "Patient", "id": f"p{number}", "gender": "female", "birthDate": "1950-03-04"} | more


def result(number: int, value: float, person: int = 1) -> dict:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7", "display": "Glucose"}]},
        "subject": {"reference": f"Patient/p{person}"},
        "effectiveDateTime": "2024-05-06T07:08:09+08:00",
        "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }


def ask(xinglin: Xinglin, question: str) -> list[dict]:
    return json.loads(xinglin("sql", question, "--format", "json"))


def test_a_corrected_result_replaces_the_earlier_one(tmp_path):
    xinglin = Xinglin(tmp_path / "home")
    xinglin("ingest", ndjson(tmp_path / "1.ndjson", [patient(1), result(1, 5.5), result(2, 6.5)]), "--site", "lab")
    xinglin("run")
    xinglin("ingest", ndjson(tmp_path / "2.ndjson", [result(1, 7.25) | {"status": "corrected"}]), "--site", "lab")
    xinglin("run")
    rows = ask(xinglin, "SELECT value_as_number AS v FROM measurement ORDER BY 1")
    assert rows == [{"v": 6.5}, {"v": 7.25}]


def test_a_result_marked_as_an_error_takes_its_row_away(tmp_path):
    xinglin = Xinglin(tmp_path / "home")
    xinglin("ingest", ndjson(tmp_path / "1.ndjson", [patient(1), result(1, 5.5)]), "--site", "lab")
    xinglin("run")
    xinglin("ingest", ndjson(tmp_path / "2.ndjson", [result(1, 5.5) | {"status": "entered-in-error"}]), "--site", "lab")
    xinglin("run")
    assert ask(xinglin, "SELECT count(*) AS n FROM measurement") == [{"n": 0}]


def test_results_that_come_before_their_patient_wait_for_him(tmp_path):
    xinglin = Xinglin(tmp_path / "home")
    xinglin("ingest", ndjson(tmp_path / "1.ndjson", [patient(1), result(1, 5.5, person=2)]), "--site", "lab")
    xinglin("run")
    assert ask(xinglin, "SELECT count(*) AS n FROM measurement") == [{"n": 0}]
    xinglin("ingest", ndjson(tmp_path / "2.ndjson", [patient(2, birthDate="1980-01-01")]), "--site", "lab")
    xinglin("run")
    assert ask(xinglin, "SELECT count(*) AS n FROM measurement JOIN person USING (person_id)") == [{"n": 1}]


def test_incremental_runs_and_one_full_build_give_the_same_bytes(tmp_path):
    xinglin = Xinglin(tmp_path / "home")
    for batch in range(3):
        resources = [patient(batch, birthDate=f"19{50 + batch}-01-02")]
        resources += [result(10 * batch + number, number + 0.5, person=batch) for number in range(5)]
        if batch:
            resources.append(result(3, 99.5, person=0))
        xinglin("ingest", ndjson(tmp_path / f"{batch}.ndjson", resources), "--site", "lab")
        xinglin("run")
    before = {name: content for name, content in data_files(xinglin.home).items() if name.startswith("lake/mart")}
    current = _current(xinglin)
    xinglin("mart", "build", "--full")
    after = {name: content for name, content in data_files(xinglin.home).items() if name.startswith("lake/mart")}
    assert _current(xinglin) == current
    assert {name: after[name] for name in current} == {name: before[name] for name in current}


def _current(xinglin: Xinglin) -> list[str]:
    tables = json.loads((xinglin.home / "lake" / "mart" / "_snapshot.json").read_bytes())["tables"]
    return sorted(f"lake/mart/{table}/{file[0]}" for table, files in tables.items() for file in files)


def test_a_merge_and_a_split_move_a_persons_rows(own):
    pairs = own.json("identity", "links", "--json")
    by_person: dict[int, list[dict]] = {}
    for link in pairs:
        by_person.setdefault(link["person_id"], []).append(link)
    alone = [links[0] for links in by_person.values() if len(links) == 1][:2]
    names = [f"{link['site']}/{link['local_id']}" for link in alone]
    rows = _rows_of_persons(own)
    own("identity", "merge", *names, "--who", "registrar", "--why", "same passport seen")
    own("run")
    after = {
        f"{link['site']}/{link['local_id']}": link["person_id"] for link in own.json("identity", "links", "--json")
    }
    assert after[names[0]] == after[names[1]]
    assert _rows_of_persons(own) == rows
    own("identity", "split", *names, "--who", "registrar", "--why", "passport misread")
    own("run")
    after = {
        f"{link['site']}/{link['local_id']}": link["person_id"] for link in own.json("identity", "links", "--json")
    }
    assert after[names[0]] != after[names[1]]
    assert [one["action"] for one in own.json("identity", "history", "--json")["decisions"]] == ["merge", "split"]
    assert _rows_of_persons(own) == rows


def _rows_of_persons(xinglin: Xinglin) -> dict[str, int]:
    tables = xinglin.json("status", "--json")["tables"]
    return {name: tables[name] for name in ("measurement", "condition_occurrence", "drug_exposure", "lineage")}
