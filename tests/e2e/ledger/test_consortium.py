"""A consortium by the command line alone, as four institutions and their visitors use it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.consortium import need_consortium
from xinglin.cli import run
from xinglin.ledger.consortium.status import NodeStatus, query_nodes

pytestmark = pytest.mark.e2e


def xinglin(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "xinglin", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_institutions_exchange_files_and_make_the_same_genesis(tmp_path: Path) -> None:
    names = ["north", "south", "west"]
    for number, name in enumerate(names):
        address = f"{name}.example:26656"
        told = xinglin("ledger", "init-validator", name, "--address", address, "--home", tmp_path / name)
        assert json.loads(told)["name"] == name
        (tmp_path / f"{name}.json").write_text(told)
        assert "26657" in (tmp_path / name / "xinglin.toml").read_text(), number
    digests = set()
    for name in names[:2]:
        others = [tmp_path / f"{other}.json" for other in names if other != name]
        digests.add(json.loads(xinglin("ledger", "join", *others, "--home", tmp_path / name, "--json"))["sha256"])
    genesis = tmp_path / "north" / "ledger" / "genesis.json"
    late = xinglin("ledger", "join", genesis, tmp_path / "north.json", "--home", tmp_path / "west", "--json")
    digests.add(json.loads(late)["sha256"])
    assert len(digests) == 1
    xinglin("ledger", "init-validator", "north", "--address", "x:1", "--home", tmp_path / "north", code=1)


def test_a_validator_without_chain_does_not_start(tmp_path: Path) -> None:
    xinglin("ledger", "init-validator", "north", "--address", "127.0.0.1:1", "--home", tmp_path)
    xinglin("ledger", "start", "--home", tmp_path, code=1)


class Four:
    """Four validators on this machine, and room for one more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _port_of_five()
        self.homes = [folder / f"institution-{number}" for number in (1, 2, 3, 4, 5)]

    def demo(self, validators: int, *more: str) -> str:
        return xinglin("ledger", "demo", self.folder, "--port", str(self.port), "--validators", str(validators), *more)

    def wait(self, holds: Callable[[Sequence[NodeStatus]], bool]) -> None:
        """Wait until something holds of all five nodes, each with its own view."""
        urls = [f"http://127.0.0.1:{self.port + 10 * number + 1}" for number in range(5)]
        end = time.monotonic() + 60
        while not holds(nodes := query_nodes(urls).nodes):
            assert time.monotonic() < end, nodes
            time.sleep(0.05)

    def wait_until_level(self) -> None:
        """Wait until every node has what any of them has committed by now."""
        highest = 0

        def level(nodes: Sequence[NodeStatus]) -> bool:
            nonlocal highest
            highest = highest or max(node.height for node in nodes)
            return all(node.height >= highest > 0 and not node.catching_up for node in nodes)

        self.wait(level)

    def wait_for_validators(self, count: int) -> None:
        """Wait until every node counts the votes of so many."""
        self.wait(lambda nodes: all(len(node.validators) == count for node in nodes))


def _port_of_five() -> int:
    """The first of fifty ports that nobody listens on, below those that the system hands out."""
    for first in random.sample(range(27_656, 32_000, 50), 80):
        with ExitStack() as opened, suppress(OSError):
            for number in range(50):
                opened.enter_context(socket.create_server(("127.0.0.1", first + number)))
            return first
    raise AssertionError("no ports are free")


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Four]:
    need_consortium()
    made = Four(tmp_path_factory.mktemp("four"))
    try:
        assert json.loads(made.demo(4, "--json"))["agree"]
        yield made
    finally:
        made.demo(5, "--stop")


def test_four_validators_on_this_machine_agree(four: Four) -> None:
    homes = four.homes[:4]
    told = json.loads(xinglin("ledger", "status", *homes, "--json"))
    assert told["agree"] and len(told["app_hashes"]) == 1
    assert [len(node["validators"]) for node in told["nodes"]] == [4] * 4
    assert "the same app_hash" in xinglin("ledger", "status", *homes)


def test_a_fifth_institution_is_voted_in_and_out_by_commands_alone(
    four: Four, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its voting power comes and goes with more than two thirds, not before; it has replayed what was before it."""
    *old, new = four.homes

    def here(home: Path, *words: str | Path, code: int = 0) -> str:
        """A command in this process: twenty of them start no Python each."""
        capsys.readouterr()
        assert run([*map(str, ("ledger", *words)), "--home", str(home)]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else said.out

    def level(home: Path, *words: str | Path, code: int = 0) -> str:
        """The same when this institution's node has heard of whatever the others did."""
        four.wait_until_level()
        return here(home, *words, code=code)

    def east_in(home: Path) -> bool:
        told = json.loads(level(home, "status", "--json"))
        return ("east", 10) in [(one["name"], one["power"]) for one in told["institutions"]]

    # The newcomer makes its keys, and signs for this chain when it has its genesis.
    door = ("--address", f"127.0.0.1:{four.port + 40}", "--rpc", f"127.0.0.1:{four.port + 41}")
    (tmp_path / "early.json").write_text(here(new, "init-validator", "east", *door))
    assert "did not sign that they join" in here(old[0], "propose", tmp_path / "early.json", code=1)
    parts = [home / "ledger" / "member.json" for home in four.homes]
    assert str(parts[4]) in here(new, "join", old[0] / "ledger" / "genesis.json", *parts[:4])

    # The others let its node in; without a node nobody proposes.
    assert "4 validators ended" in four.demo(4, "--stop")
    xinglin("ledger", "status", *old, code=1)
    assert "xinglin ledger start" in here(old[0], "propose", parts[4], code=1)
    for home in four.homes:
        if home != new:
            here(home, "join", home / "ledger" / "genesis.json", *parts)
        config = home / "ledger" / "node" / "config" / "config.toml"
        config.write_text(config.read_text().replace('timeout_commit = "1000ms"', 'timeout_commit = "200ms"'))
    assert json.loads(four.demo(5, "--json"))["agree"]

    proposal = json.loads(level(old[0], "propose", parts[4], "--json"))
    assert (proposal["outcome"], proposal["missing"]) == ("open", 17)
    assert f"ledger vote {proposal['id'][:12]}" in level(old[1], "propose", parts[4], code=1)
    assert "already cast this vote" in level(old[0], "vote", proposal["id"], code=1)
    assert "no voting power" in level(new, "vote", proposal["id"], code=1)
    assert "open proposals: " + proposal["id"][:12] in level(old[1], "vote", "0" * 12, code=1)
    level(old[3], "vote", proposal["id"][:8], "--against")
    waiting = json.loads(level(old[1], "vote", proposal["id"], "--json"))
    assert (waiting["outcome"], waiting["missing"], waiting["silent"]) == ("open", 7, ["institution-3"])
    shown = level(old[1], "status")
    assert proposal["id"][:12] in shown and "east joins with power 10" in shown
    assert not east_in(old[1])
    assert "accepted" in level(old[2], "vote", proposal["id"])
    assert "it is accepted" in level(old[3], "vote", proposal["id"], code=1)
    four.wait_for_validators(5)
    assert east_in(new) and "34 of 50 must agree; 1 may be unavailable" in level(new, "status")
    assert json.loads(xinglin("ledger", "status", *four.homes, "--json"))["agree"]

    stronger = json.loads(level(new, "propose", "institution-4", "--power", "20", "--json"))
    assert "rejected" not in level(old[0], "vote", stronger["id"], "--against")
    assert "rejected" in level(old[1], "vote", stronger["id"], "--against")
    leaving = json.loads(level(old[0], "propose", "east", "--remove", "--json"))
    for home in old[1:3]:
        assert json.loads(level(home, "vote", leaving["id"], "--json"))["outcome"] == "open"
    assert "east leaves; accepted" in level(old[3], "vote", leaving["id"])
    four.wait_for_validators(4)
    assert not east_in(old[0])
    assert "no voting power" in level(new, "propose", "institution-1", "--remove", code=1)
