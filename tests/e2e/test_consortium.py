"""A consortium by the command line alone, as four institutions and their visitors use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consortium import need_consortium

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


def test_four_validators_on_this_machine_agree_until_they_are_ended(tmp_path: Path) -> None:
    need_consortium()
    folder = tmp_path / "c"
    try:
        assert json.loads(xinglin("ledger", "demo", folder, "--port", "27656", "--json"))["agree"]
        homes = [folder / f"institution-{number}" for number in (1, 2, 3, 4)]
        told = json.loads(xinglin("ledger", "status", *homes, "--json"))
        assert told["agree"] and len(told["app_hashes"]) == 1
        assert [len(node["validators"]) for node in told["nodes"]] == [4] * 4
        assert "the same app_hash" in xinglin("ledger", "status", *homes)
    finally:
        assert "4 validators ended" in xinglin("ledger", "demo", folder, "--stop")
    xinglin("ledger", "status", *homes, code=1)
