"""A referral counts for one person at one institution until it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from xinglin.access.referrals import refer, referred

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_referral_counts_until_it_ends_and_for_nobody_else(tmp_path: Path) -> None:
    refer(tmp_path, 5, "mercy", NOW + timedelta(days=90))
    refer(tmp_path, 6, "hope", NOW + timedelta(days=1))
    assert referred(tmp_path, 5, "mercy", NOW)
    assert not referred(tmp_path, 5, "hope", NOW)
    assert not referred(tmp_path, 6, "hope", NOW + timedelta(days=1))
    refer(tmp_path, 5, "mercy", NOW)
    assert not referred(tmp_path, 5, "mercy", NOW)


def test_where_nothing_was_noted_nobody_is_referred(tmp_path: Path) -> None:
    assert not referred(tmp_path, 5, "mercy", NOW)
    refer(tmp_path, 5, "mercy", NOW)
    assert (tmp_path / "referrals.json").stat().st_mode & 0o777 == 0o600
