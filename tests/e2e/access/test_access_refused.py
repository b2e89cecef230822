"""Whoever may not is refused by every command, and every refusal is written down."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

from tests.e2e.conftest import Xinglin
from xinglin.access.audit.log import AuditLog
from xinglin.access.credentials.issue import issue_credential, revoke_credential
from xinglin.cli import run
from xinglin.cli.commands import application
from xinglin.cli.intents import INTENTS, UNDECIDED
from xinglin.cli.opening import leaves
from xinglin.core.settings import Settings
from xinglin.wiring import init_region

pytestmark = pytest.mark.e2e

VIEW = {
    "resourceType": "ViewDefinition",
    "resource": "Condition",
    "status": "active",
    "select": [{"column": [{"name": "id", "path": "id"}]}],
}
ARGUMENTS = {
    "access issue": "eve --role operator",
    "access log": "--person 5",
    "access relate": "--person 5 --institution mercy",
    "access revoke": "VIEW",
    "backup create": "OUT/backups --recipient age1x",
    "backup prune": "OUT/backups --keep 1",
    "consent grant": "--person 5 --purpose HRESCH",
    "consent list": "--person 5",
    "consent withdraw": "00 --person 5",
    "demo": "--out OUT --persons 50",
    "erase": "--person 5 --reason none",
    "extract": "SELECT --project p --out OUT/x.csv",
    "identity history": "",
    "identity links": "",
    "identity merge": "a/1 b/1 --who me --why none",
    "identity review": "",
    "identity split": "a/1 b/1 --who me --why none",
    "identity systems": "",
    "identity why": "a/1 b/1",
    "ingest": "VIEW --site mercy",
    "job run": "VIEW",
    "ledger anchor": "",
    "ledger audit": "",
    "ledger checkpoint": "--out OUT/checkpoint",
    "ledger init-validator": "east --address 127.0.0.1:1",
    "ledger join": "VIEW",
    "ledger propose": "VIEW",
    "ledger prove access": "00-1 --person 5",
    "ledger prove batch": "mercy:1",
    "ledger prove consent": "00 --person 5",
    "ledger prove row": "person:1",
    "ledger revoke-key": "00",
    "ledger rotate-key": "",
    "ledger start": "",
    "ledger status": "",
    "ledger vote": "00000000",
    "link": "",
    "listen": "--mllp mercy=0",
    "mart build": "",
    "mart check": "",
    "mart waive": "check --threshold 0.1 --until 2027-01-31 --why none --by me",
    "quarantine": "--site mercy",
    "record": "--person 5",
    "run": "",
    "site add": "eve",
    "site list": "",
    "site set": "mercy",
    "spark thrift": "",
    "sql": "SELECT",
    "status": "",
    "verify": "",
    "view run": "VIEW --lake",
    "vocabulary load": "VIEW",
}
"""How each command that opens a region is called; OUT is a folder and VIEW a file that is there."""
AFTERWARDS = {"backup restore"}
"""What begins with an empty home: who can open the backup has its content, and the restored log says that it was."""
GUARDED = sorted(words for words, intent in INTENTS.items() if intent is not None and words not in AFTERWARDS)


class Refusing(NamedTuple):
    """A region, a file, and how somebody tries."""

    home: Path
    view: Path
    out: Path

    def attempt(self, words: str, credential: Path) -> int:
        arguments = ARGUMENTS[words].replace("OUT", str(self.out)).replace("VIEW", str(self.view)).split()
        home = [] if words == "demo" else ["--home", str(self.home)]
        return run([*words.split(), *arguments, *home, "--as", str(credential)])

    def refusals(self) -> list[str]:
        """The reasons of all refusals in the log, the latest last."""
        log = AuditLog(self.home / "access" / "audit")
        found = sorted(log.events(), key=lambda event: str(json.loads(event)["recorded"]))
        return [event["outcomeDesc"] for event in map(json.loads, found) if event["outcome"] != "0"]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusing]:
    folder = tmp_path_factory.mktemp("refusing")
    assert run(["site", "add", "mercy", "--home", str(folder / "home")]) == 0
    (folder / "view.json").write_text(json.dumps(VIEW))
    (folder / "out").mkdir()
    shutil.copytree(folder / "home", folder / "out" / "home")
    yield Refusing(folder / "home", folder / "view.json", folder / "out")


@cache
def credential(home: Path, role: str, hours: float = 1.0, person: int | None = None, name: str = "some") -> Path:
    """A credential of a role, as the region's owner issues it."""
    who = (f"{name}-{role}", (role,), "mercy", person)
    return issue_credential(Settings.load(home), who, timedelta(hours=hours), home / f"{name}-{role}-{hours}.jws")


@cache
def forged(home: Path) -> Path:
    """An analyst's credential that says operator instead."""
    path = credential(home, "analyst", name="forged")
    head, payload, signature = path.read_text().strip().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["role"] = "operator"
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    path.write_text(f"{head}.{payload}.{signature}\n")
    return path


@cache
def revoked(home: Path) -> Path:
    path = credential(home, "operator", name="revoked")
    revoke_credential(Settings.load(home), path)
    return path


@cache
def foreign(home: Path) -> Path:
    """An operator's credential of another region."""
    other = home.parent / "other"
    init_region(other)
    return credential(other, "operator")


ATTACKS: dict[str, Callable[[Path], Path]] = {
    "credential-forged": forged,
    "credential-expired": lambda home: credential(home, "operator", hours=-1.0),
    "credential-revoked": revoked,
    "credential-unknown-issuer": foreign,
    "no-credential": lambda home: home / "nothing.jws",
}


def test_every_command_says_what_it_is_about_to_do() -> None:
    assert {words for words, _ in leaves(get_command(application()))} == set(INTENTS)


def test_what_is_not_decided_about_has_its_reason_here_and_in_the_guide() -> None:
    assert {words for words, intent in INTENTS.items() if intent is None} == set(UNDECIDED)
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "protect" / "access.md").read_text()
    assert [words for words, why in UNDECIDED.items() if f"| `{words}` | {why} |" not in guide] == []


def test_every_command_that_opens_a_region_is_attacked_here() -> None:
    assert set(GUARDED) <= set(ARGUMENTS)


@pytest.mark.parametrize("words", GUARDED)
def test_who_cannot_show_who_they_are_is_refused(
    words: str, refusing: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    where = refusing._replace(home=refusing.out / "home") if words == "demo" else refusing
    for reason, attack in ATTACKS.items():
        before = len(where.refusals())
        assert where.attempt(words, attack(where.home)) == 1, reason
        said = capsys.readouterr()
        assert f"({reason})" in said.err and not said.out, said
        assert where.refusals()[before:] == [reason]


@pytest.mark.parametrize("words", GUARDED)
def test_who_has_no_business_with_it_is_refused(
    words: str, refusing: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    """A patient may read, log and consent for the own record; this one tries another's, and everything else."""
    where = refusing._replace(home=refusing.out / "home") if words == "demo" else refusing
    before = len(where.refusals())
    assert where.attempt(words, credential(where.home, "patient", person=6)) == 1
    intent = INTENTS[words]
    own = intent is not None and intent.action in {"read", "log", "consent"}
    assert where.refusals()[before:] == ["not-own-record" if own else "outside-role"]
    assert "Fix:" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["sql", "record", "identity links", "run", "access log", "consent list"])
def test_an_agent_of_a_site_may_only_bring(words: str, refusing: Refusing) -> None:
    before = len(refusing.refusals())
    assert refusing.attempt(words, credential(refusing.home, "site-agent")) == 1
    assert len(refusing.refusals()) == before + 1


def test_the_credential_may_be_named_by_the_environment(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XINGLIN_ACTOR", str(credential(refusing.home, "analyst")))
    assert run(["run", "--home", str(refusing.home)]) == 1
    assert "operator (HSYSADMIN)" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["source profile {}", "messages {}", "view run VIEW --from {}"])
def test_no_path_leads_around_the_decision_into_a_home(
    words: str, refusing: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = refusing.home / "landing" / "mercy" / "site.json"
    assert inside.is_file()
    before = len(refusing.refusals())
    (refusing.out / "link").unlink(missing_ok=True)
    (refusing.out / "link").symlink_to(inside)
    for path in (inside, refusing.out / "link"):
        arguments = words.replace("VIEW", str(refusing.view)).format(path).split()
        assert run(arguments) == 1
        said = capsys.readouterr()
        assert "access decision" in said.err and not said.out
    assert refusing.refusals()[before:] == ["outside-role", "outside-role"]
    assert run(words.replace("VIEW", str(refusing.view)).format(refusing.view).split()) in {0, 1, 2, 3}
    assert "access decision" not in capsys.readouterr().err


def test_an_agent_of_the_institution_serves_its_own_validator_and_no_other(refusing: Refusing, tmp_path: Path) -> None:
    """A service needs no operator's credential; without a chain that was joined it ends after the decision."""
    home = tmp_path / "home"
    assert run(["ledger", "init-validator", "mercy", "--address", "127.0.0.1:1", "--home", str(home)]) == 0
    agent = credential(home, "site-agent")
    stranger = issue_credential(
        Settings.load(home), ("eve", ("site-agent",), "eve", None), timedelta(hours=1), tmp_path / "eve.jws"
    )
    where = refusing._replace(home=home)
    assert where.attempt("ledger start", agent) != 0
    assert where.refusals() == []
    assert where.attempt("ledger start", stranger) == 1
    assert where.refusals() == ["other-site"]


def test_the_state_of_several_homes_is_read_by_the_decision_of_each(
    refusing: Refusing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        init_region(home)
    who = credential(homes[0], "operator")
    assert run(["ledger", "status", *map(str, homes), "--as", str(who)]) == 1
    assert "credential-unknown-issuer" in capsys.readouterr().err
    assert refusing._replace(home=homes[1]).refusals() == ["credential-unknown-issuer"]


def test_nobody_else_may_remove_what_an_earlier_demo_left(refusing: Refusing) -> None:
    home = refusing.out / "home"
    kept = (home / "access" / "issuers.json").read_bytes()
    refusing.attempt("demo", forged(home))
    assert (home / "access" / "issuers.json").read_bytes() == kept


def test_a_home_from_before_is_opened_by_its_owner(own: Xinglin) -> None:
    for folder in ("access", "ledger"):
        shutil.rmtree(own.home / folder)
    shutil.rmtree(own.home / "keys" / "actors")
    assert "person" in own("status")
    assert (own.home / "keys" / "actors" / "owner.jws").stat().st_mode & 0o777 == 0o600
    assert (own.home / "access").stat().st_mode & 0o777 == 0o700


def test_only_tests_open_everything() -> None:
    """No way around the decision in the package: `OPEN` and `assemble` have their places."""
    package = Path(__file__).parents[3] / "src" / "xinglin"
    code = {path.relative_to(package): path.read_text() for path in package.rglob("*.py")}
    imports = [str(path) for path, text in code.items() for line in text.splitlines()
               if "import" in line and "OPEN" in line.split() and ">>>" not in line]  # fmt: skip
    assert imports == []
    assert [str(path) for path, text in code.items() if "assemble(settings" in text] == ["wiring/region.py"]
