"""lowBoundary() and highBoundary(): the lowest and the highest value within the precision."""

from __future__ import annotations

from collections.abc import Callable

from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.value import EMPTY, Value

__all__ = ["BOUNDARIES"]


def _boundary(high: bool) -> Callable[[Call], Value]:
    def compile_it(call: Call) -> Value:
        if call.base.empty:
            return EMPTY
        if call.base.kind == "decimal" and call.base.shape is not None:
            call.base.shape.exact = True
        value = call.one()
        if value.kind in ("decimal", "integer"):
            return Value(f"({_number(f'CAST({value.sql} AS VARCHAR)', high)})", "decimal")
        makers = {"date": _date, "dateTime": _date_time, "time": _time}
        if value.kind not in makers:
            found = call.base.choice.name if call.base.choice else value.type
            raise WrongType(f"'{call.name}()' needs a decimal, date, dateTime or time , found {found}")
        return Value(f"({makers[value.kind](value.sql, high)})", value.type)

    return compile_it


def _number(text: str, high: bool) -> str:
    """Half a unit of the last digit away, which an exponent shifts."""
    written = rf"length(regexp_extract({text}, '\.(\d*)', 1))"
    exponent = f"coalesce(TRY_CAST(regexp_extract({text}, '[eE]([+-]?[0-9]+)', 1) AS INTEGER), 0)"
    places = f"({written} - {exponent})"
    scale = f"pow(10, {places} + 1)"
    return f"round(TRY_CAST({text} AS DOUBLE) * {scale} {'+' if high else '-'} 5) / {scale}"


def _date(text: str, high: bool) -> str:
    if not high:
        return f"{text} || CASE length({text}) WHEN 4 THEN '-01-01' WHEN 7 THEN '-01' ELSE '' END"
    last = f"strftime(last_day(TRY_CAST({text} || '-01' AS DATE)), '%Y-%m-%d')"
    return f"CASE length({text}) WHEN 4 THEN {text} || '-12-31' WHEN 7 THEN {last} ELSE {text} END"


def _date_time(text: str, high: bool) -> str:
    """Without a zone, the one where the day begins first (+14:00) or ends last (-12:00)."""
    end = "T23:59:59.999-12:00" if high else "T00:00:00.000+14:00"
    milliseconds = ".999" if high else ".000"
    fraction = rf"regexp_replace({text}, '(T\d\d:\d\d:\d\d)(Z|[+-]|$)', '\1{milliseconds}\2')"
    return f"CASE WHEN length({text}) <= 10 THEN ({_date(text, high)}) || '{end}' ELSE {fraction} END"


def _time(text: str, high: bool) -> str:
    whole = ":59:59.999" if high else ":00:00.000"
    return (
        f"CASE length({text}) WHEN 2 THEN {text} || '{whole}' WHEN 5 THEN {text} || '{whole[3:]}' "
        f"WHEN 8 THEN {text} || '{whole[6:]}' ELSE {text} END"
    )


BOUNDARIES: dict[str, Function] = {
    "lowBoundary": Function(_boundary(high=False)),
    "highBoundary": Function(_boundary(high=True)),
}
