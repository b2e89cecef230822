from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from xinglin.fhirpath.errors import (
    ColumnMismatch,
    DuplicateColumn,
    InvalidDefinition,
    PathSyntax,
    UnknownName,
    WrongType,
)
from xinglin.flows.questions.view import landed_source
from xinglin.landing import LandedFile
from xinglin.views import SeveralValues, ViewError, compile_view, fetch

QUANTITY = '{"resourceType":"Observation","id":"a","valueQuantity":{"value":1.50,"unit":"mg"}}'


def columns(*paths):
    return [{"name": f"c{number}", "path": path} for number, path in enumerate(paths)]


def test_a_column_keeps_the_digits_of_a_decimal_where_its_type_can(value):
    path = "value.ofType(Quantity).value"
    assert value(path, QUANTITY) == 1.5
    assert value(path, QUANTITY, type="string") == "1.50"
    assert str(value(path, QUANTITY, tag=[{"name": "ansi/type", "value": "DECIMAL(10, 2)"}])) == "1.50"
    assert value(f"{path}.toString()", QUANTITY) == "1.50"


def test_more_digits_than_a_double_has_survive_in_text_and_in_json(value):
    digits = "12345678901234567.123450"
    resource = QUANTITY.replace("1.50", digits)
    assert value("value.ofType(Quantity).value", resource, type="string") == digits
    assert value("value.ofType(Quantity)", resource) == f'{{"value":{digits},"unit":"mg"}}'
    assert value("$this", resource) == resource


def test_digits_are_not_mistaken_for_a_number_inside_a_string(value):
    resource = QUANTITY.replace('"mg"', json.dumps('"value":1.50,\\"value": 2'))
    assert value("value.ofType(Quantity).unit", resource) == '"value":1.50,\\"value": 2'
    assert value("value.ofType(Quantity).value.lowBoundary()", resource) == 1.495
    assert json.loads(value("$this", resource)) == json.loads(resource)


def test_another_number_of_the_same_name_is_still_read(answer):
    resource = QUANTITY[:-1] + ',"referenceRange":[{"low":{"value":7},"high":{"value":9.25}}]}'
    view = {
        "resource": "Observation",
        "select": [
            {
                "column": columns(
                    "value.ofType(Quantity).value.highBoundary()",
                    "referenceRange.low.value",
                    "referenceRange.high.value > 9.2",
                )
            }
        ],
    }
    assert answer(view, resource) == [{"c0": 1.505, "c1": 7.0, "c2": True}]


def test_a_value_that_does_not_fit_the_tagged_type_is_an_error_without_the_value():
    view = compile_view(
        {
            "resource": "Patient",
            "select": [
                {"column": [{"name": "b", "path": "birthDate", "tag": [{"name": "ansi/type", "value": "DATE"}]}]}
            ],
        }
    )
    connection = duckdb.connect()
    whole, part = (
        f"(SELECT '' AS site, '{json.dumps({'birthDate': text})}' AS resource)" for text in ("1970-02-03", "1970-02")
    )
    assert str(fetch(connection, view.sql(whole))[1][0][0]) == "1970-02-03"
    with pytest.raises(WrongType) as caught:
        fetch(connection, view.sql(part))
    assert "select[0].column[0]" in str(caught.value)
    assert "1970" not in str(caught.value)


def test_several_values_are_an_error_that_names_the_column_and_no_value(answer):
    view = {"resource": "Patient", "select": [{"column": columns("id", "name.family")}]}
    assert answer(view, {"resourceType": "Patient", "id": "a", "name": [{"family": "Li"}]}) == [{"c0": "a", "c1": "Li"}]
    with pytest.raises(SeveralValues) as caught:
        answer(view, {"resourceType": "Patient", "id": "a", "name": [{"family": "Li"}, {"family": "Lee"}]})
    assert "select[0].column[1]: name.family" in str(caught.value)
    assert "Lee" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_rows_of_a_union_stand_together_by_resource_and_branches_do_not_disturb_each_other(answer):
    view = {
        "resource": "Patient",
        "select": [
            {"column": [{"name": "id", "path": "id"}]},
            {
                "unionAll": [
                    {
                        "forEach": "name",
                        "select": [{"forEachOrNull": "given", "column": [{"name": "v", "path": "$this"}]}],
                    },
                    {
                        "unionAll": [
                            {"column": [{"name": "v", "path": "gender"}]},
                            {"forEach": "telecom", "column": [{"name": "v", "path": "value"}]},
                        ]
                    },
                ]
            },
            {"forEachOrNull": "address", "column": [{"name": "city", "path": "city"}]},
        ],
    }
    one = {
        "resourceType": "Patient",
        "id": "a",
        "gender": "male",
        "name": [{"given": ["x", "y"]}, {"family": "z"}],
        "telecom": [{"value": "1"}, {"value": "2"}],
        "address": [{"city": "P"}, {"city": "Q"}],
    }
    rows = [tuple(row.values()) for row in answer(view, one, {"resourceType": "Patient", "id": "b"})]
    expected = [("a", v, c) for v in ("x", "y", None, "male", "1", "2") for c in ("P", "Q")] + [("b", None, None)]
    assert rows == expected


def test_a_repeat_goes_to_any_depth_inside_a_union_and_beside_another(answer):
    deep = {"linkId": "0"}
    for number in range(1, 200):
        deep = {"linkId": str(number), "item": [deep]}
    view = {
        "resource": "QuestionnaireResponse",
        "select": [
            {
                "unionAll": [
                    {"column": [{"name": "v", "path": "status"}, {"name": "i", "path": "%rowIndex"}]},
                    {
                        "repeat": ["item"],
                        "column": [{"name": "v", "path": "linkId"}, {"name": "i", "path": "%rowIndex"}],
                    },
                ]
            }
        ],
    }
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "item": [deep]}
    rows = answer(view, resource, {"resourceType": "QuestionnaireResponse", "id": "r", "status": "amended"})
    assert [(row["v"], row["i"]) for row in rows] == [
        ("completed", 0),
        *((str(199 - number), number) for number in range(200)),
        ("amended", 0),
    ]


def test_keys_meet_across_views_and_carry_the_site(answer):
    reference = [
        {"reference": text}
        for text in (
            "Organization/o",
            "http://x.org/fhir/Organization/o/_history/2",
            "#o",
            "Organization?identifier=1",
            "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
            "Practitioner/o",
        )
    ]
    view = {
        "resource": "Patient",
        "select": [
            {"forEach": "generalPractitioner", "column": columns("getReferenceKey()", "getReferenceKey(Organization)")}
        ],
    }
    found = answer(view, {"resourceType": "Patient", "id": "a", "generalPractitioner": reference}, site="mercy/")
    key = "mercy/Organization/o"
    assert [tuple(row.values()) for row in found] == [
        (key, key),
        (key, key),
        (None, None),
        (None, None),
        (None, None),
        ("mercy/Practitioner/o", None),
    ]
    own = {"resource": "Organization", "select": [{"column": columns("getResourceKey()")}]}
    assert answer(own, {"resourceType": "Organization", "id": "o"}, site="mercy/") == [{"c0": key}]


def test_landed_files_lose_their_replaced_rows_and_files_apart_give_the_rows_of_all(tmp_path):
    paths = []
    for number, ids in enumerate((["a", "b", "c"], ["d", "e"])):
        path = tmp_path / f"it's {number}.parquet"
        rows = ", ".join(f'(\'{{"resourceType":"Patient","id":"{one}"}}\')' for one in ids)
        duckdb.execute(
            f"COPY (SELECT * FROM (VALUES {rows}) t(resource)) TO '{str(path).replace(chr(39), chr(39) * 2)}'"
        )
        paths.append(str(path))
    view = compile_view({"resource": "Patient", "select": [{"column": columns("getResourceKey()")}]})
    parts = [
        LandedFile("mercy", 1, "a", Path(paths[0]), "Patient", 3, "", 0, superseded=(1,)),
        LandedFile("park", 1, "b", Path(paths[1]), "Patient", 2, "", 0),
    ]
    whole = fetch(duckdb.connect(), view.sql(landed_source(parts)))[1]
    assert whole == [
        (f"{site}/Patient/{one}",) for site, one in (("mercy", "a"), ("mercy", "c"), ("park", "d"), ("park", "e"))
    ]
    assert whole == [row for part in parts for row in fetch(duckdb.connect(), view.sql(landed_source([part])))[1]]
    assert fetch(duckdb.connect(), view.sql(landed_source([])))[1] == []


def test_compiling_twice_gives_the_same_query():
    view = {"resource": "Patient", "select": [{"column": columns("name.where(use='x').given.first()")}]}
    assert compile_view(view).sql() == compile_view(view).sql()


def test_an_element_that_fhir_does_not_have_is_empty_and_warned_about(value):
    view = {"resource": "Patient", "select": [{"column": columns("surname")}]}
    assert compile_view(view).warnings == (
        "select[0].column[0].path: Patient has no element 'surname' in FHIR R4; it is always empty",
    )
    assert value("surname", {"resourceType": "Patient", "id": "a"}) is None


SELECT = [{"column": columns("id")}]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"select": []}, InvalidDefinition, "select"),
        ({"select": [{"column": []}]}, InvalidDefinition, "no column"),
        ({"resource": "Pateint"}, InvalidDefinition, "resource"),
        ({"select": [{"colunm": [], "column": columns("id")}]}, InvalidDefinition, "select[0]"),
        ({"select": [{"forEach": "name", "repeat": ["name"], "column": columns("id")}]}, InvalidDefinition, "not both"),
        ({"select": [{"column": [{"name": "a b", "path": "id"}]}]}, InvalidDefinition, "select[0].column[0].name"),
        ({"select": SELECT * 2}, DuplicateColumn, "c0"),
        ({"select": [{"column": [{"name": "A", "path": "id"}, {"name": "a", "path": "id"}]}]}, DuplicateColumn, "'a'"),
        ({"constant": [{"name": "a", "valueString": "x", "valueCode": "y"}]}, InvalidDefinition, "constant[0]"),
        ({"constant": [{"name": "a", "valueInteger64": "1); DROP"}]}, InvalidDefinition, "constant[0]"),
        ({"constant": [{"name": "a", "valueCoding": {"code": "x"}}]}, InvalidDefinition, "constant[0]"),
        ({"constant": [{"name": "a", "valueCode": "x"}] * 2}, InvalidDefinition, "constant"),
        ({"select": [{"column": columns("name(")}]}, PathSyntax, "select[0].column[0].path: name("),
        ({"select": [{"column": columns("(" * 60 + "id" + ")" * 60)}]}, PathSyntax, "nested"),
        ({"select": [{"column": columns(" or ".join(["active"] * 3000))}]}, PathSyntax, "too long"),
        ({"select": [{"column": columns("name.frobnicate()")}]}, UnknownName, "frobnicate()"),
        ({"select": [{"column": columns("name.first(1, 2)")}]}, UnknownName, "arguments"),
        ({"select": [{"column": columns("deceasedBoolean")}]}, UnknownName, "deceased.ofType(boolean)"),
        ({"select": [{"column": columns("deceased")}]}, WrongType, "deceased.ofType(boolean)"),
        ({"select": [{"forEach": "deceased", "column": columns("$this")}]}, WrongType, "select[0].forEach"),
        ({"select": [{"column": columns("deceased.ofType(Tea)")}]}, UnknownName, "Tea"),
        ({"select": [{"column": columns("maritalStatus = 'M'")}]}, WrongType, "CodeableConcept"),
        ({"select": [{"column": columns("gender + 1")}]}, WrongType, "+"),
        ({"select": [{"column": columns("gender < 1")}]}, WrongType, "order"),
        ({"select": [{"column": columns("4 'mg'")}]}, PathSyntax, "unit"),
        ({"select": [{"column": columns("name.resolve()")}]}, UnknownName, "resolve()"),
        ({"select": [{"column": columns("$index")}]}, UnknownName, "$index"),
        ({"select": [{"column": columns("Encounter.id")}]}, WrongType, "begins at Encounter"),
        ({"select": [{"column": columns("substring(1)")}]}, WrongType, "string"),
        ({"select": [{"column": columns("gender" + ".substring(0)" * 12)}]}, WrongType, "too large"),
        (
            {"select": [{"column": [{"name": "a", "path": "gender", "type": "integer"}]}]},
            WrongType,
            "declared as integer",
        ),
        ({"select": [{"column": [{"name": "a", "path": "name", "type": "string"}]}]}, WrongType, "declared as string"),
        ({"select": [{"column": [{"name": "a", "path": "id", "type": "Tea"}]}]}, UnknownName, "Tea"),
        ({"select": [{"unionAll": [{"column": columns("id")}, {"column": columns("active")}]}]}, ColumnMismatch, "c0"),
        ({"select": [{"repeat": ["name", "address"], "column": columns("id")}]}, WrongType, "one type"),
        ({"where": [{"path": "gender"}]}, WrongType, "where[0].path: gender"),
        (
            {
                "select": [
                    {"column": [{"name": "a", "path": "id", "tag": [{"name": "ansi/type", "value": "INT); DROP"}]}]}
                ]
            },
            UnknownName,
            "ansi/type",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(change, kind, said):
    with pytest.raises(ViewError) as caught:
        compile_view({"resource": "Patient", "select": SELECT} | change)
    assert type(caught.value) is kind
    assert said in str(caught.value)


@pytest.mark.parametrize("view", [None, [], "x", 1, {"resource": 1}, {"resource": "Patient", "select": {}}])
def test_what_is_no_view_at_all_is_refused(view):
    with pytest.raises(InvalidDefinition):
        compile_view(view)
