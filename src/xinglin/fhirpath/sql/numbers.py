"""Functions on numbers, and conversions to numbers, booleans, dates and times."""

from __future__ import annotations

from collections.abc import Callable

from xinglin.fhirpath.elements import is_primitive
from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.value import EMPTY, Value, boolean

__all__ = ["NUMBERS"]


def _number(call: Call, value: Value) -> Value:
    if value.kind not in ("integer", "decimal"):
        raise WrongType(f"'{call.name}()' needs a number, found {value.choice.name if value.choice else value.type}")
    return call.scope.one(value)


def _made(template: str, type_name: str | None) -> Callable[[Call], Value]:
    """A function of one SQL expression of the number {0}; without a type, the result has the number's type."""

    def compile_it(call: Call) -> Value:
        if call.base.empty:
            return EMPTY
        number = _number(call, call.base)
        return Value(f"({template.format(number.number())})", type_name or number.kind)

    return compile_it


def _round(call: Call) -> Value:
    if call.base.empty:
        return EMPTY
    places = call.argument().sql if call.arguments else "0"
    return Value(f"round({_number(call, call.base).number()}, CAST({places} AS INTEGER))", "decimal")


def _power(call: Call) -> Value:
    if call.base.empty:
        return EMPTY
    base, exponent = _number(call, call.base), _number(call, call.collection())
    power = f"pow({base.number()}, {exponent.number()})"
    return Value(f"(CASE WHEN isfinite({power}) THEN {power} END)", "decimal")


def _converted(sql_type: str, type_name: str) -> Callable[[Call], Value]:
    """toInteger, toDecimal, toBoolean: empty if not convertible."""

    def compile_it(call: Call) -> Value:
        if call.base.empty:
            return EMPTY
        if call.base.choice is not None or not is_primitive(call.base.type):
            raise WrongType(f"'{call.name}()' needs a primitive value")
        value = call.one()
        if value.kind == type_name:
            return value
        if value.kind == "decimal" and type_name == "integer":
            return Value(f"CASE WHEN {value.number()} = trunc({value.number()}) "
                         f"THEN CAST({value.number()} AS BIGINT) END", "integer")  # fmt: skip
        return Value(_from(value, sql_type, type_name), type_name)

    return compile_it


def _from(value: Value, sql_type: str, type_name: str) -> str:
    """Convert by FHIRPath's rules: SQL would read '1.5' as an integer and 2 as true."""
    if type_name == "boolean":
        text = f"lower(CAST({value.number()} AS VARCHAR))"
        yes, no = ("'true', 't', 'yes', 'y', '1', '1.0'", "'false', 'f', 'no', 'n', '0', '0.0'")
        return f"(CASE WHEN {text} IN ({yes}) THEN true WHEN {text} IN ({no}) THEN false END)"
    if value.kind == "string":
        pattern = r"[+-]?\d+" if type_name == "integer" else r"[+-]?\d+(\.\d+)?"
        cast = f"TRY_CAST({value.sql} AS {sql_type})"
        return f"(CASE WHEN regexp_full_match({value.sql}, '{pattern}') THEN {cast} END)"
    return f"TRY_CAST({value.sql} AS {sql_type})"


def _convertible(inner: Callable[[Call], Value]) -> Callable[[Call], Value]:
    """convertsToInteger and similar functions."""

    def compile_it(call: Call) -> Value:
        if call.base.empty:
            return EMPTY
        found = inner(call)
        return boolean(f"CASE WHEN {call.base.is_there()} THEN {found.sql} IS NOT NULL END")

    return compile_it


def _moment(pattern: str, type_name: str) -> Callable[[Call], Value]:
    """toDate, toDateTime, toTime: the text itself if it has the format."""

    def compile_it(call: Call) -> Value:
        text = call.text()
        return Value(f"(CASE WHEN regexp_full_match({text}, '{pattern}') THEN {text} END)", type_name)

    return compile_it


def _to_date(call: Call) -> Value:
    text = call.text()
    return Value(f"(CASE WHEN regexp_matches({text}, '^{_DATE}($|T)') THEN left({text}, 10) END)", "date")


_DATE = r"\d{4}(-\d\d(-\d\d)?)?"
_TIME = r"\d\d(:\d\d(:\d\d(\.\d+)?)?)?"
_INTEGER, _DECIMAL, _BOOLEAN = (
    _converted("BIGINT", "integer"), _converted("DOUBLE", "decimal"), _converted("BOOLEAN", "boolean")
)  # fmt: skip
NUMBERS: dict[str, Function] = {
    "abs": Function(_made("abs({0})", None)),
    "ceiling": Function(_made("CAST(ceil({0}) AS BIGINT)", "integer")),
    "floor": Function(_made("CAST(floor({0}) AS BIGINT)", "integer")),
    "truncate": Function(_made("CAST(trunc({0}) AS BIGINT)", "integer")),
    "exp": Function(_made("exp({0})", "decimal")),
    "ln": Function(_made("CASE WHEN {0} > 0 THEN ln({0}) END", "decimal")),
    "sqrt": Function(_made("CASE WHEN {0} >= 0 THEN sqrt({0}) END", "decimal")),
    "round": Function(_round, 0, 1),
    "power": Function(_power, 1, 1),
    "toInteger": Function(_INTEGER),
    "toDecimal": Function(_DECIMAL),
    "toBoolean": Function(_BOOLEAN),
    "convertsToInteger": Function(_convertible(_INTEGER)),
    "convertsToDecimal": Function(_convertible(_DECIMAL)),
    "convertsToBoolean": Function(_convertible(_BOOLEAN)),
    "toDate": Function(_to_date),
    "toDateTime": Function(_moment(rf"{_DATE}(T({_TIME}(Z|[+-]\d\d:\d\d)?)?)?", "dateTime")),
    "toTime": Function(_moment(_TIME, "time")),
}
