"""Dates by pattern and by calendar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.fhir_times import _INSTANT, is_date, is_datetime, is_instant


@pytest.mark.parametrize("text", ["2024", "2024-02", "2024-02-29", "1900-12-31", "0001-01-01"])
def test_dates_that_are(text: str) -> None:
    assert is_date(text) and is_datetime(text)


@pytest.mark.parametrize(
    "text",
    ["", "24", "2024-13", "2024-00-01", "2023-02-29", "2024-02-30", "2024-2-1", "20240229", "0000-01-01", "2024-W01-1",
     "2024-02-29T", "2024-02-29 ", "２０２４-01-01"],
)  # fmt: skip
def test_dates_that_are_not(text: str) -> None:
    assert not is_date(text) and not is_datetime(text)


@pytest.mark.parametrize(
    "text",
    ["2024-02-29T08:00:00Z", "2024-02-29T08:00:00+08:00", "2024-02-29T08:00:00.123456789-14:00",
     "2016-12-31T23:59:60Z"],
)  # fmt: skip
def test_instants_that_are(text: str) -> None:
    assert is_instant(text) and is_datetime(text)


@pytest.mark.parametrize(
    "text",
    ["2024-02-29T08:00:00", "2024-02-30T08:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T08:00Z",
     "2024-02-29 08:00:00Z", "2024-02-29T08:00:00,5Z", "2024-02-29T08:00:00+0800", "2024-02-29T08:00:00+15:00",
     "2024-02-29T08:00:00.+08:00", "2024-02-29T08:00:00z", "2024-02-29T08:60:00Z", "2024-02-29T08:00:00+08:00:00"],
)  # fmt: skip
def test_instants_that_are_not(text: str) -> None:
    assert not is_instant(text)


@given(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9:]{4,6})", fullmatch=True
    )
)
def test_the_quick_way_accepts_nothing_that_the_pattern_refuses(text: str) -> None:
    assert is_instant(text) == bool(_INSTANT.fullmatch(text) and is_date(text[:10]))
