"""Commands for the ledger between institutions: a validator's keys, its peers, its work, and how all nodes stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xinglin.cli.app import Home, Json
from xinglin.cli.governance.ledger import ledger_app
from xinglin.cli.governance.members import show_members, standing
from xinglin.cli.opening import decided
from xinglin.cli.show import print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.ledger.consortium.home import ValidatorHome
    from xinglin.ledger.consortium.status import StatusReport

__all__: list[str] = []

_DAY = 86_400


@ledger_app.command("init-validator")
def init_validator(
    name: Annotated[str, typer.Argument(help="The institution's name on the ledger.")],
    address: Annotated[str, typer.Option(help="HOST:PORT where the other institutions reach this node.")],
    power: Annotated[int, typer.Option(min=1, help="Its voting power at the beginning.")] = 10,
    listen: Annotated[str, typer.Option(help="HOST:PORT to listen on, if not that port of every address.")] = "",
    rpc: Annotated[str, typer.Option(help="HOST:PORT of the node's door for this institution.")] = "127.0.0.1:26657",
    commit_ms: Annotated[int, typer.Option("--commit-ms", help="Milliseconds between one block and the next.")] = 1000,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make this institution's validator; prints its public part, a file for the other institutions."""
    import time
    from dataclasses import replace

    from xinglin.core.settings import default_home
    from xinglin.ledger.consortium.home import NodeOptions, transaction_key
    from xinglin.wiring import init_region

    options = NodeOptions(address, listen, rpc, commit_ms)
    place = init_region((home or default_home()).absolute()).home
    settings = decided("ledger init-validator", place)
    validator = _validator(settings.home)
    key = transaction_key(settings.keys / "ledger.key")
    member = validator.create((name, power), key, options, int(time.time()))
    ledger = replace(settings.ledger, kind="cometbft", rpc=f"http://{rpc}")
    replace(settings, ledger=ledger).save()
    say(member.to_json().rstrip())


@ledger_app.command("join")
def join(
    files: Annotated[
        list[Path], typer.Argument(help="Public parts of the other institutions; a chain's genesis, if it runs.")
    ],
    chain_id: Annotated[str, typer.Option(help="Name of a new chain; derived from the members if none.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make the genesis from everybody's public parts, the same bytes for all, and connect to these peers."""
    import hashlib
    import time

    from xinglin.core.errors import UsageError
    from xinglin.ledger.consortium.home import transaction_key
    from xinglin.ledger.consortium.members import FORMAT, Member
    from xinglin.ledger.state.genesis import Genesis

    settings = decided("ledger join", home)
    validator = _validator(settings.home)
    texts = {path: path.read_text() for path in files}
    others = [Member.from_json(text, str(path)) for path, text in texts.items() if FORMAT in text]
    running = [text for text in texts.values() if FORMAT not in text]
    late = [one.name for one in others if one.made > time.time() + _DAY]
    if late:
        raise UsageError(
            "a chain would begin when these keys were made, which is in the future", source=", ".join(late)
        )
    if len(running) > 1 or (running and chain_id):
        raise UsageError("one chain has one genesis and one name", remedy="give at most one genesis, or a name")
    if running:
        genesis = Genesis.from_json(running[0])
        validator.join(genesis, others)
    else:
        genesis = validator.create_genesis(others, chain_id)
    digest = hashlib.sha256(validator.genesis.read_bytes()).hexdigest()
    own = validator.request_joining(genesis, transaction_key(settings.keys / "ledger.key"))
    if as_json:
        print_json({"chain_id": genesis.chain_id, "genesis": validator.genesis, "sha256": digest})
    else:
        say(f"{genesis.chain_id}: {len(genesis.institutions)} institutions, {len(others)} files of peers")
        # Whoever writes a file says the power in it; the others agree by joining.
        shares = [f"{one.name} {one.power:,}" for one in genesis.institutions]
        say(f"voting power: {', '.join(shares)}; more than two thirds decide, look whether that is what was agreed")
        say(f"genesis {validator.genesis}, SHA-256 {digest}: compare it with the other institutions")
        if own.joining:
            say(f"to be proposed: send {validator.member} to an institution that votes; it says now that its keys join")


@ledger_app.command("start")
def start(home: Home = None, as_json: Json = False) -> None:
    """Run this institution's validator, node and application, until SIGINT or SIGTERM."""
    from xinglin.core.settings import default_home
    from xinglin.ledger.consortium.process import run_validator, serving

    validator = _validator((home or default_home()).absolute())
    # A service runs for years: an agent of the institution's own is enough for it.
    names = {validator.read_member().name} if validator.member.is_file() else set()
    settings = decided("ledger start", home, sites=frozenset(names))
    with serving(validator, kept=settings.ledger.states) as server:
        run_validator(validator, server, lambda pid: _told(pid, as_json))


@ledger_app.command("demo")
def demo(
    folder: Annotated[Path, typer.Argument(help="For the homes of the institutions.")],
    validators: Annotated[int, typer.Option(min=1, max=20, help="How many institutions.")] = 4,
    port: Annotated[int, typer.Option(help="First of their ports; ten are left for each.")] = 26_656,
    stop: Annotated[bool, typer.Option("--stop", help="End them instead.")] = False,
    as_json: Json = False,
) -> None:
    """A consortium on this machine, to try it out: validators that run in the background until --stop."""
    import time
    from dataclasses import asdict, replace

    from xinglin.core.settings import LedgerSettings
    from xinglin.ledger.consortium import local
    from xinglin.wiring import init_region

    homes = [_validator(folder.absolute() / f"institution-{number + 1}") for number in range(validators)]
    if stop:
        say(f"{local.stop(homes)} validators ended")
        return
    regions = [init_region(home.home) for home in homes]
    local.create(homes, int(time.time()), port)
    for region, home in zip(regions, homes, strict=True):
        replace(region, ledger=LedgerSettings("cometbft", home.rpc())).save()
    report = local.start(homes)
    if as_json:
        print_json({**asdict(report), "agree": report.agree})
    else:
        _show(report)


@ledger_app.command("status")
def status(
    where: Annotated[list[str] | None, typer.Argument(help="Homes of regions, or http://HOST:PORT of nodes.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """How the ledger stands; of several homes or nodes, exit code 1 when they do not agree."""
    from xinglin.core.settings import default_home

    own = (home or default_home()).absolute()
    # What a node says at its door it says to everybody who reaches that; a home is read by decision.
    regions = [decided("ledger status", Path(one)) for one in where or [str(own)] if "://" not in one]
    if len(where or [own]) == len(regions) == 1 and regions[0].ledger.kind == "embedded":
        show_store(regions[0].home, as_json)
    else:
        show_nodes(where or [str(own)], as_json)


def show_store(home: Path, as_json: bool) -> None:
    """Print how a region's own ledger stands.

    Args:
        home: The region.
        as_json: One JSON object instead of a line.
    """
    from xinglin.ledger.institution.rotation import keys_of
    from xinglin.ledger.state.reading import LedgerReader

    ledger = LedgerReader(_validator(home).state)
    header, chain_id = ledger.header(), ledger.chain_id
    keys = {one.name: keys_of(ledger.state, one.name) for one in ledger.genesis().institutions}
    ledger.close()
    if as_json:
        known = {"chain_id": chain_id, "height": header.height, "transactions": header.size, "keys": keys}
        print_json({**known, "app_hash": header.app_hash.hex(), "time": header.time})
    else:
        say(f"{chain_id}: block {header.height}, {header.size:,} transactions, app_hash {header.app_hash.hex()}")
        for name, valid in keys.items():
            say(f"{name} signs with {', '.join(valid)}")


def show_nodes(where: list[str], as_json: bool) -> None:
    """Print how nodes stand, and leave with 1 when they do not agree.

    Args:
        where: Homes of regions, or ``http://HOST:PORT`` of nodes.
        as_json: One JSON object instead of a table.
    """
    from dataclasses import asdict

    from xinglin.ledger.consortium.status import query_nodes

    urls = [one if "://" in one else _validator(Path(one)).rpc() for one in where]
    report = query_nodes(urls)
    # A home's own store says more than a node does: who is on the ledger by name, and what they vote on.
    told = standing(_validator(Path(where[0])).state) if len(where) == 1 and "://" not in where[0] else {}
    if as_json:
        print_json({**asdict(report), "agree": report.agree, **told})
    else:
        _show(report)
        show_members(told)
    if not report.agree:
        raise typer.Exit(1)


def _show(report: StatusReport) -> None:
    rows = [
        (
            node.name or node.url,
            node.chain_id,
            node.trouble or ("catching up" if node.catching_up else "in step"),
            node.height,
            node.app_hash[:16],
            sum(power > 0 for _, power in node.validators),
            ", ".join(node.peers),
        )
        for node in report.nodes
    ]
    print_table("nodes", ["node", "chain", "state", "height", "app_hash", "validators", "peers"], rows)
    if report.height:
        said = ", ".join(report.app_hashes)
        word = "the same" if len(report.app_hashes) == 1 else "NOT the same"
        say(f"at height {report.height}: {word} app_hash: {said}")


def _validator(home: Path) -> ValidatorHome:
    from xinglin.core.settings import Settings
    from xinglin.ledger.consortium.home import ValidatorHome

    socket = Settings.load(home).ledger.socket if (home / "xinglin.toml").is_file() else ""
    return ValidatorHome(home.absolute(), Path(socket) if socket else None)


def _told(pid: int, as_json: bool) -> None:
    import sys

    if as_json:
        print_json({"node": pid})
    else:
        say(f"the node runs as process {pid}")
    sys.stdout.flush()
