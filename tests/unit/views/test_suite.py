from __future__ import annotations

import copy
import json

import pytest

from xinglin.fhirpath.errors import InvalidDefinition
from xinglin.views import suite

REASONS = {
    "collection.json: fail when 'collection' is not true": ("SeveralValues", "select[0].column[1]"),
    "constant.json: accessing an undefined constant": ("UnknownName", "wrong_name"),
    "constant.json: incorrect constant definition": ("InvalidDefinition", "constant[0]"),
    "union.json: column mismatch": ("ColumnMismatch", "select[0].unionAll[1]"),
    "union.json: column order mismatch": ("ColumnMismatch", "select[0].unionAll[1]"),
    "validate.json: empty": ("InvalidDefinition", '"resource" is a required property'),
    "validate.json: missing resource": ("InvalidDefinition", '"resource" is a required property'),
    "validate.json: wrong fhirpath": ("PathSyntax", "select[0].forEach"),
    "validate.json: wrong type in forEach": ("InvalidDefinition", "select[0].forEach"),
    "validate.json: where with path resolving to not boolean": ("WrongType", "where[0].path"),
    "view_resource.json: resource not specified": ("InvalidDefinition", '"resource" is a required property'),
}


@pytest.fixture
def folder(real_data):
    return real_data("sql-on-fhir-v2-tests")


def outcomes(report):
    return {f"{file}: {test['name']}": test["result"] for file, content in report.items() for test in content["tests"]}


@pytest.mark.real
def test_the_whole_official_suite_passes_and_each_error_has_its_own_reason(folder):
    results = outcomes(suite.run_suite(folder))
    # Two tests of one file share a title, so names are fewer than tests.
    total = sum(len(json.loads(path.read_text())["tests"]) for path in folder.glob("*.json"))
    assert total == 134
    assert [name for name, result in results.items() if not result["passed"]] == []
    assert {name: result["error"] for name, result in results.items() if "error" in result} == {
        name: kind for name, (kind, _) in REASONS.items()
    }


@pytest.mark.real
@pytest.mark.parametrize("name", REASONS)
def test_an_expected_error_names_its_place(folder, name):
    file, title = name.split(": ", 1)
    content = json.loads((folder / file).read_text())
    [test] = [test for test in content["tests"] if test["title"] == title]
    silent = {key: value for key, value in test.items() if key != "expectError"} | {"expect": []}
    result = _one(folder, file, silent)
    assert not result["passed"]
    assert REASONS[name][1] in result["reason"]


MENDED = {
    "collection.json: fail when 'collection' is not true": lambda view: view["select"][0]["column"][1].update(
        collection=True
    ),
    "constant.json: accessing an undefined constant": lambda view: view["constant"][0].update(name="wrong_name"),
    "constant.json: incorrect constant definition": lambda view: view["constant"][0].update(valueString="official"),
    "union.json: column mismatch": lambda view: view["select"][0]["unionAll"][1]["column"][1].update(name="b"),
    "union.json: column order mismatch": lambda view: view["select"][0]["unionAll"][1]["column"].reverse(),
    "validate.json: missing resource": lambda view: view.update(resource="Patient"),
    "validate.json: wrong fhirpath": lambda view: view["select"][0].update(
        forEach="name", column=[{"name": "a", "path": "family"}]
    ),
    "validate.json: wrong type in forEach": lambda view: view["select"][0].update(
        forEach="name", column=[{"name": "a", "path": "family"}]
    ),
    "validate.json: where with path resolving to not boolean": lambda view: view["where"][0].update(
        path="name.family.exists()"
    ),
    "view_resource.json: resource not specified": lambda view: view.update(resource="Patient"),
}


@pytest.mark.real
@pytest.mark.parametrize("name", MENDED)
def test_the_same_view_without_its_one_mistake_gives_rows(folder, name):
    file, title = name.split(": ", 1)
    [test] = [one for one in json.loads((folder / file).read_text())["tests"] if one["title"] == title]
    mended = copy.deepcopy(test)
    MENDED[name](mended["view"])
    assert "an error was expected" in _one(folder, file, mended)["reason"]


@pytest.mark.real
def test_a_runner_in_which_everything_raises_passes_only_what_expects_an_error(folder, monkeypatch):
    def broken(view):
        raise InvalidDefinition("nothing works")

    monkeypatch.setattr(suite, "compile_view", broken)
    results = outcomes(suite.run_suite(folder))
    assert {name for name, result in results.items() if result["passed"]} == set(REASONS)
    assert {result.get("error") for result in results.values() if result["passed"]} == {"InvalidDefinition"}


@pytest.mark.real
def test_a_defect_of_ours_is_never_the_error_that_was_expected(folder, monkeypatch):
    def broken(view):
        raise KeyError("select")

    monkeypatch.setattr(suite, "compile_view", broken)
    assert not any(result["passed"] for result in outcomes(suite.run_suite(folder)).values())


@pytest.mark.parametrize(
    "expected",
    [
        {"expect": [{"id": "b"}]},
        {"expect": [{"id": "a"}, {"id": "a"}]},
        {"expect": []},
        {"expect": [{"id": True}]},
        {"expectCount": 2},
        {"expectColumns": ["other"], "expect": [{"id": "a"}]},
        {"expectError": True},
    ],
)
def test_a_wrong_expectation_fails(tmp_path, expected):
    view = {"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}]}
    test = {"title": "t", "view": view}
    resources = [{"resourceType": "Patient", "id": "a"}]
    (tmp_path / "x.json").write_text(json.dumps({"resources": resources, "tests": [test | expected]}))
    assert not outcomes(suite.run_suite(tmp_path))["x.json: t"]["passed"]
    (tmp_path / "x.json").write_text(json.dumps({"resources": resources, "tests": [test | {"expect": [{"id": "a"}]}]}))
    assert outcomes(suite.run_suite(tmp_path))["x.json: t"] == {"passed": True}


def _one(folder, file, test):
    content = json.loads((folder / file).read_text())
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as place:
        Path(place, file).write_text(json.dumps(content | {"tests": [test]}))
        [result] = outcomes(suite.run_suite(Path(place))).values()
        return result
