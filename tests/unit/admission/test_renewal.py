"""What works for hours is decided about again, and ends where it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from xinglin.access.audit.log import AuditLog
from xinglin.access.consent.register import Terms, compose
from xinglin.access.credentials.issue import issue_credential, revoke_credential
from xinglin.admission.renewal import Standing
from xinglin.admission.stores import Stores
from xinglin.core.errors import AccessDenied, Conflict
from xinglin.core.intent import Intent
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.stages.run import run
from xinglin.wiring import assemble, init_region, open_consents, open_region

WORK = Intent("work", frozenset({"landing", "identity", "mart", "vocabulary"}),
              frozenset({"landing", "sites", "identity", "mart"}), "")  # fmt: skip


@dataclass
class Decided:
    """A region that is decided about by a function of ours, and how often it was."""

    settings: Settings
    seconds: float = 0.0
    without: frozenset[int] = frozenset()
    times: list[Stores] = field(default_factory=list)

    def again(self) -> Stores:
        self.times.append(assemble(self.settings, replace(OPEN, without=self.without)))
        return self.times[-1]

    def standing(self, again: Callable[[], Stores] | None = None) -> Standing:
        return Standing(assemble(self.settings, OPEN), again or self.again, lambda: self.seconds)


@pytest.fixture
def region(tmp_path: Path) -> Decided:
    return Decided(init_region(tmp_path / "home"))


def events(settings: Settings) -> int:
    return sum(1 for _ in AuditLog(settings.access_folder / "audit").events())


def test_it_is_decided_again_every_minute(region: Decided) -> None:
    standing = region.standing()
    standing.current()
    region.seconds = 59.9
    standing.current()
    assert region.times == []
    region.seconds = 60.0
    assert standing.current() is region.times[0]
    assert standing.current() is region.times[0]
    assert len(region.times) == 1


def test_a_consent_that_changes_is_looked_at_at_once(region: Decided) -> None:
    standing = region.standing()
    with open_consents(region.settings) as desk:
        desk.put(compose(5, Terms(permit=False, purposes=("HRESCH",))))
    assert standing.current() is region.times[0]


def test_a_revocation_ends_it_at_the_next_step_and_is_written_down_once(region: Decided, tmp_path: Path) -> None:
    settings = region.settings
    key = issue_credential(settings, ("op", ("operator",), "", None), timedelta(hours=1), tmp_path / "op.jws")
    standing = region.standing(lambda: open_region(settings.home, WORK, key))
    step = standing.progress(None)
    step("mart", 1, 9)
    before = events(settings)
    revoke_credential(settings, key)
    for _ in range(3):
        with pytest.raises(AccessDenied, match="revoked"):
            step("mart", 2, 9)
    with pytest.raises(AccessDenied, match="revoked"):
        standing.anew()
    assert events(settings) == before + 1


def test_each_stage_of_a_run_is_decided_about_and_a_refusal_ends_it_between_two(
    region: Decided, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The credential is revoked while persons are linked: the mart is not begun."""
    settings = region.settings
    key = issue_credential(settings, ("op", ("operator",), "", None), timedelta(hours=1), tmp_path / "op.jws")

    def again() -> Stores:
        return open_region(settings.home, WORK, key)

    stores = again()
    begun: list[str] = []
    monkeypatch.setattr(
        "xinglin.flows.stages.run.link", lambda *_, **__: (begun.append("link"), revoke_credential(settings, key))
    )
    monkeypatch.setattr("xinglin.flows.stages.run.build", lambda *_, **__: begun.append("build"))
    before = events(settings)
    with pytest.raises(AccessDenied, match="revoked"):
        run(stores, standing=Standing(stores, again))
    assert begun == ["link"]
    assert events(settings) == before + 2, "one decision before linking, one refusal after it"


def test_what_somebody_denies_while_it_runs_is_not_given(region: Decided) -> None:
    standing = region.standing()
    region.without = frozenset({7})
    with pytest.raises(Conflict, match="somebody denied"):
        standing.finish()
    region.seconds = 60.0
    with pytest.raises(Conflict, match="run it again"):
        standing.progress(None)("job", 1, 2)


def test_whoever_was_left_out_may_come_back_without_ending_it(region: Decided) -> None:
    first = assemble(region.settings, replace(OPEN, without=frozenset({7})))
    told: list[tuple[str, int, int]] = []
    standing = Standing(first, region.again, lambda: region.seconds)
    region.seconds = 60.0
    standing.progress(lambda *step: told.append(step))("job", 1, 2)
    standing.finish()
    assert told == [("job", 1, 2)] and len(region.times) == 2
