"""A credential that ends while a listener runs ends the listener; what it acknowledged before is landed later."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Xinglin
from tests.e2e.listen.listening import Listener, Sender, message, rows
from xinglin.access.credentials.issue import issue_credential, revoke_credential
from xinglin.core.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture
def xinglin(tmp_path: Path) -> Xinglin:
    made = Xinglin(tmp_path / "home")
    made("site", "add", "centre")
    return made


def agent(xinglin: Xinglin, hours: float) -> Path:
    who = ("feed", ("site-agent",), "centre", None)
    return issue_credential(Settings.load(xinglin.home), who, timedelta(hours=hours), xinglin.home.parent / "feed.jws")


def send_until_refused(port: int, sent: int = 0) -> list[str]:
    """The control ids that were acknowledged until the listener takes nothing more."""
    taken: list[str] = []
    with suppress(OSError):
        sender = Sender(port)
        for number in range(sent, sent + 1_000_000):
            if sender.ask(message(number)) != "AA":
                break
            taken.append(f"c{number}")
    return taken


def test_a_revoked_credential_ends_the_listener_at_once_and_loses_nothing(xinglin: Xinglin) -> None:
    """No micro-batch comes due for an hour: the change of the list of issuers is seen all the same."""
    credential = agent(xinglin, 1)
    with Listener(xinglin, "--mllp", "centre=0", "--every", "3600", "--as", credential) as listener:
        port = listener.port("mllp")
        sender = Sender(port)
        assert [sender.ask(message(number)) for number in range(5)] == ["AA"] * 5
        revoke_credential(Settings.load(xinglin.home), credential)
        taken = [f"c{number}" for number in range(5)] + send_until_refused(port, 5)
        assert listener.process.wait(timeout=60) == 1
        said = listener.errors()
    assert (
        "the credential was revoked; listening has ended, 1 segments that were acknowledged wait in the spool" in said
    )
    assert "xinglin access issue" in said and "then start listening again" in said
    assert rows(xinglin.home, "centre", "MessageHeader") == [], "nothing is landed without a decision"
    with Listener(xinglin, "--mllp", "centre=0", "--every", "60") as listener:
        listener.wait_for("landedbatch")
        listener.finish()
    assert sorted(one["id"] for one in rows(xinglin.home, "centre", "MessageHeader")) == sorted(taken)
