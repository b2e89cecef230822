"""Functions on strings, and conversions to strings."""

from __future__ import annotations

from collections.abc import Callable

from xinglin.fhirpath.elements import is_primitive
from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.value import EMPTY, Value, boolean

__all__ = ["STRINGS"]


def _join(call: Call) -> Value:
    separator = call.text_argument() if call.arguments else "''"
    if call.base.empty:
        return Value("''", "string")
    if call.base.kind != "string":
        raise WrongType("'join()' needs strings")
    return Value(f"coalesce(array_to_string({call.base.listed().sql}, {separator}), '')", "string")


def _made(template: str, type_name: str) -> Callable[[Call], Value]:
    """A function of one SQL expression with the string {0} and the string arguments {1}, {2}."""

    def compile_it(call: Call) -> Value:
        arguments = [call.text_argument(position) for position in range(len(call.arguments))]
        sql = template.format(call.text(), *arguments)
        return boolean(sql) if type_name == "boolean" else Value(f"({sql})", type_name)

    return compile_it


def _substring(call: Call) -> Value:
    text, start = call.text(), call.argument(0).sql
    length = f", greatest({call.argument(1).sql}, 0)" if len(call.arguments) > 1 else ""
    inside = f"{start} >= 0 AND {start} < length({text})"
    return Value(f"(CASE WHEN {inside} THEN substring({text}, {start} + 1{length}) END)", "string")


def _split(call: Call) -> Value:
    return Value(f"string_split({call.text()}, {call.text_argument()})", "string", many=True)


def _to_chars(call: Call) -> Value:
    return Value(f"string_split({call.text()}, '')", "string", many=True)


def _to_string(call: Call) -> Value:
    if call.base.empty:
        return EMPTY
    if call.base.choice is not None or not is_primitive(call.base.type):
        raise WrongType("'toString()' needs a primitive value")
    if call.base.kind == "decimal" and call.base.shape is not None:
        call.base.shape.exact = True
    return Value(f"CAST({call.one().sql} AS VARCHAR)", "string")


_REPLACE = (
    "CASE WHEN {1} = '' THEN {2} || array_to_string(string_split({0}, ''), {2}) || {2} ELSE replace({0}, {1}, {2}) END"
)
"""An empty pattern matches around every character."""
STRINGS: dict[str, Function] = {
    "join": Function(_join, 0, 1),
    "startsWith": Function(_made("starts_with({0}, {1})", "boolean"), 1, 1),
    "endsWith": Function(_made("ends_with({0}, {1})", "boolean"), 1, 1),
    "contains": Function(_made("contains({0}, {1})", "boolean"), 1, 1),
    "matches": Function(_made("regexp_matches({0}, {1}, 's')", "boolean"), 1, 1),
    "matchesFull": Function(_made("regexp_full_match({0}, {1}, 's')", "boolean"), 1, 1),
    "replaceMatches": Function(
        _made("CASE WHEN {1} = '' THEN {0} ELSE regexp_replace({0}, {1}, {2}, 'gs') END", "string"), 2, 2
    ),
    "replace": Function(_made(_REPLACE, "string"), 2, 2),
    "indexOf": Function(_made("strpos({0}, {1}) - 1", "integer"), 1, 1),
    "length": Function(_made("length({0})", "integer")),
    "upper": Function(_made("upper({0})", "string")),
    "lower": Function(_made("lower({0})", "string")),
    "trim": Function(_made("trim({0})", "string")),
    "substring": Function(_substring, 1, 2),
    "split": Function(_split, 1, 1),
    "toChars": Function(_to_chars),
    "toString": Function(_to_string),
}
