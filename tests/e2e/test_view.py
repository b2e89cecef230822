from __future__ import annotations

import csv
import io
import json
from collections import Counter

import pytest

pytestmark = pytest.mark.e2e

VIEW = {
    "resourceType": "ViewDefinition",
    "resource": "Patient",
    "status": "active",
    "name": "patients",
    "select": [
        {
            "column": [
                {"name": "key", "path": "getResourceKey()", "type": "string"},
                {"name": "id", "path": "id", "type": "id"},
                {"name": "born", "path": "birthDate", "type": "date"},
                {"name": "given", "path": "name.given", "type": "string", "collection": True},
            ]
        }
    ],
}


@pytest.fixture
def view(tmp_path):
    path = tmp_path / "view.json"
    path.write_text(json.dumps(VIEW))
    return path


def patients_of(region):
    for site in json.loads((region / "region.json").read_bytes())["sites"]:
        for path in sorted((region / site["folder"]).glob("Patient*.ndjson")):
            for line in path.read_text(encoding="utf-8").splitlines():
                yield site["name"], json.loads(line)


def row_of(site, patient):
    given = [one for name in patient.get("name", ()) for one in name.get("given", ())]
    key = f"{site}/Patient/{patient['id']}" if site else f"Patient/{patient['id']}"
    return key, patient["id"], patient.get("birthDate"), json.dumps(given)


def rows_of(text):
    return [
        (row["key"], row["id"], row["born"], json.dumps(row["given"])) for row in map(json.loads, text.splitlines())
    ]


def test_a_view_over_the_lake_gives_every_landed_patient_once(built, region, view):
    latest = {(site, patient["id"]): row_of(site, patient) for site, patient in patients_of(region)}
    assert Counter(rows_of(built("view", "run", view, "--lake", "--format", "ndjson"))) == Counter(latest.values())


def test_a_corrected_record_stands_in_the_view_as_it_was_corrected(own, region, view, tmp_path):
    site, patient = next(patients_of(region))
    (tmp_path / "new.ndjson").write_text(json.dumps(patient | {"birthDate": "1901-02-03"}))
    before = rows_of(own("view", "run", view, "--lake", "--json"))
    own("ingest", tmp_path / "new.ndjson", "--site", site)
    after = rows_of(own("view", "run", view, "--lake", "--json"))
    key = f"{site}/Patient/{patient['id']}"
    assert [row[2] for row in after if row[0] == key] == ["1901-02-03"]
    assert Counter(row for row in after if row[0] != key) == Counter(row for row in before if row[0] != key)


def test_every_format_holds_the_same_rows(built, region, view, tmp_path):
    import pyarrow.parquet as parquet

    folder = next(region.glob("*hospital*"))
    wanted = rows_of(built("view", "run", view, "--from", folder, "--format", "ndjson"))
    assert Counter(wanted) == Counter(
        row_of("", patient)
        for path in sorted(folder.glob("Patient*.ndjson"))
        for patient in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    )
    listed = csv.DictReader(io.StringIO(built("view", "run", view, "--from", folder, "--format", "csv")))
    assert [(row["key"], row["id"], row["born"], json.dumps(json.loads(row["given"]))) for row in listed] == wanted
    out = tmp_path / "rows.parquet"
    told = built.json("view", "run", view, "--from", folder, "--format", "parquet", "--out", out, "--json")
    assert (told["rows"], told["refused"]) == (len(wanted), {})
    table = parquet.read_table(out).to_pylist()
    assert [(row["key"], row["id"], row["born"], json.dumps(row["given"])) for row in table] == wanted
    assert "birth" not in built("view", "run", view, "--from", folder)
    assert wanted[0][1][:8] in built("view", "run", view, "--from", folder)


def test_records_that_cannot_be_read_are_told_and_the_others_still_given(built, view, tmp_path):
    good = '{"resourceType":"Patient","id":"a","birthDate":"1970-01-01"}'
    lines = [
        good,
        '{"resourceType":"Patient","id":',
        "nonsense Smith",
        '{"resourceType":"Basic","id":"b","code":{}}',
        good,
    ]
    (tmp_path / "few.ndjson").write_text("\n".join(lines))
    for form in ("table", "ndjson"):
        said = built("view", "run", view, "--from", tmp_path / "few.ndjson", "--format", form, code=1)
        assert said.count("Patient/a") == 2
        assert "few.ndjson, record 2" in said
        assert "few.ndjson, record 3" in said
        assert "2 records could not be read" in said
        assert "Smith" not in said


def test_a_view_is_checked_and_shown_before_it_runs(built, view):
    told = built.json("view", "check", view, "--json")
    assert [column["sql_type"] for column in told["columns"]] == ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR[]"]
    assert told["warnings"] == []
    assert "born" in built("view", "check", view)
    assert "from_json(resource" in built("view", "sql", view)
    assert built.json("view", "sql", view, "--json")["resource"] == "Patient"


def test_a_mistake_in_a_view_says_where(built, view, tmp_path):
    broken = json.loads(view.read_text())
    broken["select"][0]["column"][1]["path"] = "name.frobnicate()"
    view.write_text(json.dumps(broken))
    for words in (("check", view), ("sql", view), ("run", view, "--lake")):
        assert "select[0].column[1].path: name.frobnicate()" in built("view", *words, code=2)
    view.write_text("{\n nothing")
    assert "line 2" in built("view", "check", view, code=1)
    assert "no such view" in built("view", "check", tmp_path / "absent.json", code=1)


def test_a_run_needs_one_place_to_read_from(built, view, tmp_path):
    assert "one place" in built("view", "run", view, code=2)
    assert "one place" in built("view", "run", view, "--lake", "--from", tmp_path, code=2)
    assert "--out" in built("view", "run", view, "--lake", "--format", "parquet", code=2)


@pytest.mark.real
def test_the_official_suite_runs_from_the_command_line(built, real_data, tmp_path):
    out = tmp_path / "report.json"
    assert "134 of 134 passed" in built("view", "suite", real_data("sql-on-fhir-v2-tests"), "--out", out)
    report = json.loads(out.read_text())
    assert len(report) == 22
    assert all(set(test) == {"name", "result"} for content in report.values() for test in content["tests"])
    assert "no test files" in built("view", "suite", tmp_path / "absent", code=1)
