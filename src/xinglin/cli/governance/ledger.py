"""Commands about the ledger: what it holds, and who watches it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.show import complain, print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xinglin.core.settings import Settings
    from xinglin.flows.anchor.everything import AnchorReport
    from xinglin.ledger import Ledger, Signer
    from xinglin.ledger.proofs.note import Verifier
    from xinglin.ledger.witnesses.witness import Witness

__all__ = ["ledger_app", "opened_ledger", "signing", "tell_anchors", "witness_keys"]

ledger_app = command_group("ledger", "The ledger: anchors, proofs, checkpoints and their witnesses.")

WitnessKeys = Annotated[
    list[str] | None, typer.Option("--witness", help="Key of a witness, NAME+ID+KEY, or the file that holds it.")
]


@ledger_app.callback()
def _group() -> None:
    """The ledger: anchors, proofs, checkpoints and their witnesses."""


@contextmanager
def opened_ledger(home: Path | None) -> Iterator[tuple[Any, Ledger]]:
    """A region's settings and its ledger, closed with the block."""
    from xinglin.core.settings import Settings, default_home
    from xinglin.wiring import open_ledger

    settings = Settings.load((home or default_home()).absolute())
    ledger = open_ledger(settings)
    try:
        yield settings, ledger
    finally:
        ledger.close()


def witness_keys(named: list[str] | None) -> list[Verifier]:
    """The keys of witnesses that a command was given, each in words or in a file.

    Raises:
        VerificationFailed: One is no key.
    """
    from xinglin.ledger.proofs.note import Verifier

    texts = (Path(one).read_text().strip() if Path(one).is_file() else one for one in named or ())
    return [Verifier.parse(text) for text in texts]


def tell_anchors(report: AnchorReport) -> None:
    """One line on what was anchored, or why it was not; nothing where there was nothing to do."""
    done = (
        (report.batches, "batch", "batches"),
        (report.builds, "build", "builds"),
        (report.segments, "segment of the audit log", "segments of the audit log"),
        (report.erasures, "erasure", "erasures"),
        (report.backups, "backup", "backups"),
    )
    words = ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in done if count)
    if words:
        say(f"anchored {words}")
    if report.remedy:
        say(f"NOT anchored: {report.reason}. {report.remedy}")
    elif report.reason:
        say(f"not anchored yet: {report.reason}; the next command does it, or: xinglin ledger anchor")


@ledger_app.command("anchor")
def anchor(home: Home = None, as_json: Json = False) -> None:
    """Anchor what the ledger does not hold yet: batches, mart builds, backups, segments of the audit log."""
    from xinglin.cli.opening import opened
    from xinglin.flows.anchor.everything import AnchorReport
    from xinglin.wiring import anchor_region

    report = anchor_region(opened("ledger anchor", home), wait=None)
    if as_json:
        print_json(report)
    else:
        tell_anchors(report)
        if report == AnchorReport():
            say("everything is anchored")
    if report.reason:
        raise typer.Exit(1)


@ledger_app.command("audit")
def audit(home: Home = None, as_json: Json = False) -> None:
    """Execute every transaction again, compare everything that is kept, and name the first bad item."""
    from xinglin.cli.opening import decided
    from xinglin.ledger import check_store

    header = check_store(decided("ledger audit", home).home / "ledger" / "ledger.sqlite")
    if as_json:
        known = {"height": header.height, "transactions": header.size, "app_hash": header.app_hash.hex()}
        print_json(known | {"log_root": header.log_root.hex(), "state_root": header.state_root.hex()})
    else:
        say(f"block {header.height}, {header.size:,} transactions executed again: app_hash {header.app_hash.hex()}")
        say("all that is kept is what they give; that nothing was rolled back only a witness can tell")


@ledger_app.command("checkpoint")
def checkpoint(
    out: Annotated[Path | None, typer.Option(help="File for the witness; printed when not given.")] = None,
    since: Annotated[
        int | None, typer.Option(help="Entries that the witness saw; those of the last cosigned checkpoint if none.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option(help="A checkpoint that came back from a witness, to be kept for proofs.")
    ] = None,
    ask: Annotated[str | None, typer.Option(help="URL of a witness that cosigns at once; the answer is kept.")] = None,
    witness: WitnessKeys = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Sign what the ledger is now, for a witness to cosign; or keep what a witness cosigned."""
    from xinglin.cli.opening import decided
    from xinglin.core.files import write_atomic
    from xinglin.ledger.proofs.note import Note
    from xinglin.ledger.witnesses.http import ask_witness
    from xinglin.wiring import open_checkpoints

    with opened_ledger(decided("ledger checkpoint", home).home) as (settings, ledger):
        checkpoints = open_checkpoints(settings, ledger)
        if take or ask:
            asked = None if ask is None else ask_witness(ask, lambda seen: checkpoints.request(ledger, seen))
            names = checkpoints.take(asked or Note.parse(take.read_bytes() if take else b""), witness_keys(witness))
            if as_json:
                print_json({"cosigned_by": names})
            else:
                say(f"kept, cosigned by {', '.join(names)}")
            return
        request = checkpoints.request(ledger, since)
        if out is not None:
            write_atomic(out, str(request).encode())
        if as_json:
            print_json({"request": str(request), "seen": request.old, "key": checkpoints.key.text()})
        elif out is None:
            say(str(request).rstrip("\n"))
        else:
            say(f"{out}: for a witness that has seen {request.old:,} entries; its key is {checkpoints.key.text()}")


@ledger_app.command("rotate-key")
def rotate_key(home: Home = None, as_json: Json = False) -> None:
    """Let a new key sign this institution's transactions; the old one stays valid until it is revoked."""
    from xinglin.ledger.institution.rotation import rotate_key as rotate

    with signing("ledger rotate-key", home) as (settings, ledger, signer):
        done = rotate(ledger, signer, settings.keys / "ledger.key")
    if as_json:
        print_json(done)
    else:
        say(f"key {done.after} signs from now on; make a backup: without it nobody signs for the institution")
        say(f"restart services (listen, ledger start), then: xinglin ledger revoke-key {done.before}")


@ledger_app.command("revoke-key")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key, as rotate-key and status name it.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key of this institution invalid, for ever and at once; what it signed before stays."""
    from xinglin.ledger.institution.rotation import keys_of
    from xinglin.ledger.institution.rotation import revoke_key as revoke

    with signing("ledger revoke-key", home) as (_, ledger, signer):
        revoke(ledger, signer, key_id)
        valid = keys_of(ledger.state, signer.institution)
    if as_json:
        print_json({"revoked": key_id, "valid": valid})
    else:
        say(f"key {key_id} is revoked; valid: {', '.join(valid)}")


@contextmanager
def signing(command: str, home: Path | None) -> Iterator[tuple[Settings, Ledger, Signer]]:
    """A region's settings, its ledger, and who signs for it, once that is decided."""
    from contextlib import closing

    from xinglin.cli.opening import decided
    from xinglin.wiring import open_ledger, open_signer

    settings = decided(command, home)
    with closing(open_ledger(settings)) as ledger, closing(open_signer(settings, ledger)) as signer:
        yield settings, ledger, signer


@ledger_app.command("witness")
def witness(
    file: Annotated[
        Path, typer.Argument(help="What `xinglin ledger checkpoint` wrote for a witness.", exists=True, dir_okay=False)
    ],
    state: Annotated[Path, typer.Option(help="The witness's own folder: its key, and what it cosigned.")],
    out: Annotated[Path | None, typer.Option(help="The cosigned checkpoint; printed when not given.")] = None,
    trust: Annotated[Path | None, typer.Option(help="Genesis of a ledger that is to be watched from now on.")] = None,
    name: Annotated[str, typer.Option(help="Name that a new witness signs under.")] = "witness",
    as_json: Json = False,
) -> None:
    """Cosign a checkpoint that continues what was cosigned before; refuse a rolled back or forked one."""
    from xinglin.core.files import write_atomic
    from xinglin.ledger.witnesses.witness import Request

    own = _witness(state, name, trust)
    note = own.add(Request.parse(file.read_text()))
    if out is not None:
        write_atomic(out, str(note).encode())
    if as_json:
        print_json({"note": str(note), "key": own.key.text()})
    elif out is None:
        say(str(note).rstrip("\n"))
    else:
        say(f"{out}: cosigned under {own.key.text()}")


@ledger_app.command("watch")
def watch(
    state: Annotated[Path, typer.Option(help="The witness's own folder: its key, and what it cosigned.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT to listen on.")] = "127.0.0.1:8780",
    trust: Annotated[Path | None, typer.Option(help="Genesis of a ledger that is to be watched from now on.")] = None,
    name: Annotated[str, typer.Option(help="Name that a new witness signs under.")] = "witness",
    as_json: Json = False,
) -> None:
    """Be a witness over HTTP (C2SP tlog-witness, add-checkpoint), until SIGINT."""
    from xinglin.core.errors import UsageError
    from xinglin.ledger.witnesses.http import witness_server

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError("an address is HOST:PORT", source=listen)
    own = _witness(state, name, trust)
    server = witness_server(own, host, int(port))
    port_now = server.server_address[1]
    if as_json:
        print_json({"listening": f"{host}:{port_now}", "key": own.key.text()})
    else:
        complain(f"listening on {host}:{port_now} as {own.key.text()}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _witness(state: Path, name: str, trust: Path | None) -> Witness:
    """The witness of a folder, told whom to watch where a genesis is given."""
    from xinglin.core.clock import wall_clock
    from xinglin.core.errors import UsageError
    from xinglin.ledger.proofs.trust import Trust
    from xinglin.ledger.witnesses.witness import Witness

    own = Witness(state, wall_clock, name)
    if trust is not None:
        key = Trust.from_json(trust.read_bytes()).checkpoint
        if key is None:
            raise UsageError("this genesis names no checkpoint key", source=str(trust))
        own.trust(key)
    return own
