"""The owner's credential is made and renewed for the owner only; a permit carries what a decision leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xinglin.access.gate import Gate
from xinglin.admission.admit import admit, found_access, owner_credential
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import AccessDenied
from xinglin.core.intent import Intent
from xinglin.core.permit import Permit
from xinglin.core.settings import AccessSettings, Settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN = Intent("work", frozenset({"mart"}), frozenset({"mart"}), "")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    made.save()
    found_access(made, NOW)
    return made


def admitted(settings: Settings, now: datetime, intent: Intent = RUN, credential: Path | None = None) -> Permit:
    gate = Gate.open(settings.access_folder, None, fixed_clock(now))
    try:
        return admit(settings, gate, intent, credential, now)
    finally:
        gate.close()


def test_the_owner_may_run_the_region_and_ask_it(settings: Settings) -> None:
    assert admitted(settings, NOW).allows("mart", write=True)
    asked = admitted(settings, NOW, Intent("ask", frozenset({"mart"}), purpose="", population=True))
    assert asked.allows("mart") and not asked.allows("mart", write=True) and not asked.allows("landing")


def test_the_owners_credential_is_private_and_renewed_by_its_owner(settings: Settings) -> None:
    before = owner_credential(settings).read_text()
    assert owner_credential(settings).stat().st_mode & 0o777 == 0o600
    later = NOW + timedelta(days=400)
    assert admitted(settings, later).allows("mart")
    assert owner_credential(settings).read_text() != before


def test_a_copy_of_an_expired_credential_is_not_renewed(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jws"
    copy.write_text(owner_credential(settings).read_text())
    with pytest.raises(AccessDenied, match="expired"):
        admitted(settings, NOW + timedelta(days=400), credential=copy)


def test_another_owners_home_gets_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.save()
    monkeypatch.setattr("os.getuid", lambda: 65_534)
    found_access(settings, NOW)
    assert not settings.access_folder.exists()
    with pytest.raises(AccessDenied, match="nobody can be known here yet"):
        admitted(settings, NOW)


def test_the_settings_of_access_are_read_and_written(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, access=AccessSettings("opt-in", 30))
    settings.save()
    assert Settings.load(tmp_path).access == AccessSettings("opt-in", 30)
