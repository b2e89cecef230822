"""A waiver names check, share, person, last day and reason, and survives being written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from xinglin.core.errors import UsageError
from xinglin.core.settings import Settings
from xinglin.core.waiver import Waiver

WAIVER = Waiver("plausibleValueLow.cost.total_paid", 0.02, '张 "Li"', date(2027, 1, 31), "refunds\nare negative")


def test_a_waiver_is_loaded_again_as_it_was_saved(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "region", waivers=(WAIVER, replace(WAIVER, check="other")))

    settings.save()

    assert Settings.load(tmp_path / "region") == settings


def test_a_waiver_counts_up_to_its_last_day() -> None:
    assert WAIVER.counts(date(2027, 1, 31))
    assert not WAIVER.counts(date(2027, 2, 1))


@pytest.mark.parametrize(
    "wrong", [{"threshold": 2}, {"threshold": "all"}, {"until": "2027-01-31"}, {"why": " "}, {"by": ""}, {"extra": 1}]
)
def test_a_waiver_that_leaves_something_out_is_refused(wrong: dict[str, Any]) -> None:
    values = {"check": "c", "threshold": 0.1, "by": "me", "until": date(2027, 1, 31), "why": "because"}

    with pytest.raises(UsageError):
        Waiver.from_toml(values | wrong)


def test_a_waiver_without_a_reason_is_refused() -> None:
    with pytest.raises(UsageError, match="why"):
        Waiver.from_toml({"check": "c", "threshold": 0.1, "by": "me", "until": date(2027, 1, 31)})
