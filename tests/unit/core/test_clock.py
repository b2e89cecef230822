"""Time comes from one place, and can be fixed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xinglin.core.clock import fixed_clock, system_clock


def test_the_clock_is_in_utc_and_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    now = system_clock()

    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert abs((datetime.now(UTC) - now).total_seconds()) < 5


def test_source_date_epoch_fixes_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("TZ", "Asia/Shanghai")

    assert system_clock() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_fixed_clock_does_not_move() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    clock = fixed_clock(moment)

    assert clock() == clock() == moment
