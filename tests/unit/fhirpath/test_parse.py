from __future__ import annotations

import pytest

from xinglin.fhirpath import Binary, Call, Literal, Member, TypeTest, Unary, parse
from xinglin.fhirpath.errors import PathSyntax


def name(text):
    return Member(None, text)


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        ("a implies b or c", "a implies (b or c)"),
        ("a or b and c", "a or (b and c)"),
        ("a and b in c", "a and (b in c)"),
        ("a in b = c", "a in (b = c)"),
        ("a = b < c", "a = (b < c)"),
        ("a < b | c", "a < (b | c)"),
        ("a | b is c", "a | (b is c)"),
        ("a + b is c", "(a + b) is c"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("-a * b", "(-a) * b"),
        ("a.b[0].c", "((a.b)[0]).c"),
    ],
)
def test_operators_bind_as_fhirpath_says(loose, tight):
    assert parse(loose) == parse(tight)


def test_a_type_may_carry_its_namespace():
    assert parse("a is FHIR.Patient") == TypeTest("is", name("a"), "Patient")


def test_keywords_are_names_where_a_name_stands():
    assert parse("a.contains(b)") == Call(name("a"), "contains", (name("b"),))
    assert parse("a.is") == Member(name("a"), "is")
    assert parse("contains('x')") == Call(None, "contains", (Literal("x", "string"),))


def test_literals_know_their_kind():
    found = ["@2020", "@2020-01T", "@T10:00", "1", "1.50", "true", "'a'"]
    assert [parse(text).kind for text in found] == [
        "date",
        "dateTime",
        "time",
        "integer",
        "decimal",
        "boolean",
        "string",
    ]


def test_comments_and_line_ends_say_nothing():
    assert parse("a // first\n . /* then */ b") == Member(name("a"), "b")


def test_signs_stay_signs():
    assert parse("-1 + +2") == Binary("+", Unary("-", Literal("1", "integer")), Unary("+", Literal("2", "integer")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@@",
        "a.",
        ".a",
        "a b",
        "'a''b'",
        "'open",
        "a[",
        "a(",
        "a(b,",
        "a,b",
        "{",
        "{a}",
        "$what",
        "%",
        "a is",
        "1 +",
        "and",
        "#",
        "/* x",
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(PathSyntax):
        parse(text)
