"""A region's settings survive being written, and refuse what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.core.errors import NotFound, UsageError
from xinglin.core.settings import LakeSettings, LedgerSettings, Settings, default_home


def test_saved_settings_are_loaded_again_as_they_were(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "region", buckets=32, threads=3, memory_mb=500, upper=0.9, lower=0.4)

    settings.save()

    assert Settings.load(tmp_path / "region") == settings


def test_a_folder_without_a_region_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="xinglin init"):
        Settings.load(tmp_path)


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "xinglin.toml").write_text("buckets = 8\nbukkets = 9\n")

    with pytest.raises(UsageError, match="bukkets"):
        Settings.load(tmp_path)


@pytest.mark.parametrize("buckets", [0, -1, 4097])
def test_an_impossible_number_of_buckets_is_refused(buckets: int) -> None:
    with pytest.raises(UsageError, match="buckets"):
        Settings(Path("x"), buckets=buckets)


@pytest.mark.parametrize(("lower", "upper"), [(0.0, 0.9), (0.9, 0.5), (0.5, 1.1), (-0.1, 0.5)])
def test_thresholds_out_of_order_are_refused(lower: float, upper: float) -> None:
    with pytest.raises(UsageError, match="thresholds"):
        Settings(Path("x"), lower=lower, upper=upper)


def test_workers_are_the_threads_asked_for_or_every_core(tmp_path: Path) -> None:
    assert Settings(tmp_path, threads=7).workers == 7
    assert Settings(tmp_path).workers >= 1


def test_home_comes_from_the_environment_or_lies_in_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XINGLIN_HOME", str(tmp_path / "there"))
    assert default_home() == tmp_path / "there"

    monkeypatch.delenv("XINGLIN_HOME")
    monkeypatch.chdir(tmp_path)
    assert default_home() == tmp_path / "xinglin-home"


def test_a_lake_elsewhere_is_kept_in_the_settings_and_its_keys_are_not(tmp_path: Path) -> None:
    settings = Settings(tmp_path, storage=LakeSettings("s3://bucket/lake", cache_mb=50))
    settings.save()

    assert Settings.load(tmp_path) == settings
    with pytest.raises(UsageError, match="must not contain a user or a key") as refused:
        LakeSettings("s3://key:word@bucket/lake")
    assert "key:word" not in str(refused.value)


def test_an_unknown_setting_of_the_lake_is_named(tmp_path: Path) -> None:
    (tmp_path / "xinglin.toml").write_text('[lake]\nsecret = "x"\n')

    with pytest.raises(UsageError, match="secret"):
        Settings.load(tmp_path)


def test_how_many_states_of_the_ledger_stay_provable_is_kept_in_the_settings(tmp_path: Path) -> None:
    settings = Settings(tmp_path, ledger=LedgerSettings(states=500))
    settings.save()

    assert Settings.load(tmp_path) == settings
    for wrong in (1, "many", 2.5):
        with pytest.raises(UsageError, match="too few states"):
            LedgerSettings.from_toml({"states": wrong})
