"""Joining a ledger tells what is agreed to, and refuses what would stop it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from tests.ledgers import seed
from xinglin.cli import run
from xinglin.ledger.consortium.members import Member

KEYS = SigningKey(seed("south")), SigningKey(seed("south validator"))
OTHER = Member(
    "south", *(bytes(key.verify_key).hex() for key in KEYS), 900_000, "06" * 20, "south.example:26656", 1_700_000_300
).signed(*KEYS)


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    where = ["--home", str(tmp_path / "home")]
    assert run(["ledger", "init-validator", "north", "--address", "north.example:26656", *where]) == 0
    capsys.readouterr()
    return where


def test_the_power_that_a_file_claims_is_told(
    home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "south.json").write_text(OTHER.to_json())
    assert run(["ledger", "join", str(tmp_path / "south.json"), *home]) == 0
    assert "voting power: north 10, south 900,000;" in capsys.readouterr().out


def test_a_file_that_would_let_the_chain_begin_in_the_future_is_refused(
    home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "south.json").write_text(replace(OTHER, made=4_000_000_000).signed(*KEYS).to_json())
    assert run(["ledger", "join", str(tmp_path / "south.json"), *home]) == 2
    assert "in the future (south)" in capsys.readouterr().err


def test_settings_of_the_node_cannot_be_written_by_a_peer(
    home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "home" / "ledger" / "node" / "config" / "config.toml"
    before = config.read_text()
    told = json.loads(OTHER.to_json()) | {"address": 'x"\nseeds = "evil@evil:1"\n#:1'}
    (tmp_path / "south.json").write_text(json.dumps(told))
    # It has no statement that could be signed: it is refused before anybody looks for a signature.
    assert run(["ledger", "join", str(tmp_path / "south.json"), *home]) == 1
    assert config.read_text() == before


def test_nobody_votes_on_a_ledger_that_one_keeps_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--home", str(tmp_path / "home")]
    assert run(["init", str(tmp_path / "home")]) == 0
    for words in (["propose", "east", "--power", "2"], ["vote", "0" * 8]):
        assert run(["ledger", *words, *where]) == 2
        assert "docs/how-to/run/consortium.md" in capsys.readouterr().err


def test_who_comes_later_is_told_what_to_send_and_a_founder_is_not(
    home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "south.json").write_text(OTHER.to_json())
    assert run(["ledger", "join", str(tmp_path / "south.json"), *home]) == 0
    assert "to be proposed" not in capsys.readouterr().out
    late = ["--home", str(tmp_path / "late")]
    assert run(["ledger", "init-validator", "late", "--address", "late.example:26656", *late]) == 0
    genesis = str(tmp_path / "home" / "ledger" / "genesis.json")
    assert run(["ledger", "join", genesis, str(tmp_path / "south.json"), *late]) == 0
    member = tmp_path / "late" / "ledger" / "member.json"
    assert f"send {member}" in capsys.readouterr().out
    joining = Member.from_json(member.read_text()).joining
    assert joining and joining.chain_id == json.loads(Path(genesis).read_text())["chain_id"]
