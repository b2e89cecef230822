from __future__ import annotations

import base64
import json
import stat
import tomllib
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from xinglin.core.errors import BadInput, Conflict, NotFound, UsageError
from xinglin.ledger.consortium.home import NodeOptions, ValidatorHome, transaction_key
from xinglin.ledger.consortium.members import Member, address_of

NOW = 1_700_000_000


def made(folder: Path, number: int) -> tuple[ValidatorHome, Member]:
    home = ValidatorHome(folder / f"institution-{number}")
    key = transaction_key(home.home / "keys" / "ledger.key")
    options = NodeOptions(f"127.0.0.1:{2000 + number}", rpc=f"127.0.0.1:{3000 + number}")
    return home, home.create((home.home.name, 10), key, options, NOW)


def test_keys_are_private_and_the_public_part_is_theirs(tmp_path: Path) -> None:
    home, member = made(tmp_path, 1)
    for name in ("ledger.key", "validator.json", "node.json"):
        assert stat.S_IMODE((home.home / "keys" / name).stat().st_mode) == 0o600
    told = json.loads((home.home / "keys" / "validator.json").read_text())
    private = base64.b64decode(told["priv_key"]["value"])
    public = bytes(SigningKey(private[:32]).verify_key)
    assert (private[32:], public.hex()) == (public, member.validator_key)
    assert told["address"] == address_of(public).hex().upper()
    assert private[:32].hex() not in home.member.read_text()


def test_keys_are_never_made_anew(tmp_path: Path) -> None:
    home, _ = made(tmp_path, 1)
    key = (home.home / "keys" / "ledger.key").read_text()
    with pytest.raises(Conflict):
        made(tmp_path, 1)
    home.member.unlink()
    with pytest.raises(Conflict):
        made(tmp_path, 1)
    assert (home.home / "keys" / "ledger.key").read_text() == key


def test_everybody_founds_the_same_chain_and_knows_only_the_others(tmp_path: Path) -> None:
    homes, members = zip(*(made(tmp_path, number) for number in range(3)), strict=True)
    for number, home in enumerate(homes):
        home.create_genesis([member for other, member in enumerate(members) if other != number])
    assert len({home.genesis.read_bytes() for home in homes}) == 1
    assert len({(home.node / "config" / "genesis.json").read_bytes() for home in homes}) == 1
    config = tomllib.loads((homes[0].node / "config" / "config.toml").read_text())
    assert config["p2p"]["persistent_peers"].split(",") == sorted(member.peer for member in members[1:])
    assert config["p2p"]["pex"] is False
    assert homes[0].rpc() == "http://127.0.0.1:3000"


def test_a_node_that_holds_a_chain_takes_no_other(tmp_path: Path) -> None:
    (home, _), (_, second), (_, third) = (made(tmp_path, number) for number in range(3))
    first = home.create_genesis([second])
    assert home.create_genesis([second]) == first
    with pytest.raises(Conflict):
        home.create_genesis([second, third])


def test_a_home_without_validator_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="init-validator"):
        ValidatorHome(tmp_path).rpc()


@pytest.mark.parametrize("address", ["north.example", "north example:1", 'x"\nladdr:1', ":26656"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises((UsageError, BadInput)):
        NodeOptions(address)


def test_who_comes_later_asks_to_join_and_a_founder_does_not(tmp_path: Path) -> None:
    (home, own), (_, second), (late, _) = (made(tmp_path, number) for number in range(3))
    genesis = home.create_genesis([second])
    keys = [transaction_key(one.home / "keys" / "ledger.key") for one in (home, late)]
    assert home.request_joining(genesis, keys[0]) == own == home.read_member()
    late.join(genesis, [own, second])
    with pytest.raises(Conflict, match="do not match the public part"):
        late.request_joining(genesis, keys[0])
    assert late.read_member().joining is None
    asking = late.request_joining(genesis, keys[1])
    assert asking.joining and asking.joining.chain_id == genesis.chain_id
    assert late.read_member() == asking
    # A key that took over since changes nothing of what was asked.
    assert late.request_joining(genesis, keys[0]) == asking
