"""The command that receives live feeds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, app
from xinglin.cli.opening import landing_of, opened
from xinglin.cli.show import complain, counted, print_json, say

if TYPE_CHECKING:
    from xinglin.flows.listen.plan import ListenPlan

__all__: list[str] = []


class Afterwards(StrEnum):
    """What happens to a watched file after landing."""

    move = "move"
    leave = "leave"


@app.command()
def listen(
    mllp: Annotated[list[str] | None, typer.Option(help="HL7 v2 over MLLP: SITE=[HOST:]PORT. Repeatable.")] = None,
    dicom: Annotated[list[str] | None, typer.Option(help="DICOM C-STORE: SITE=[HOST:]PORT. Repeatable.")] = None,
    watch: Annotated[
        list[str] | None, typer.Option(help="Files that appear in a folder: SITE=FOLDER. Repeatable.")
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between batches.")] = 5.0,
    then: Annotated[
        Afterwards, typer.Option(help="Move watched files to done/ or failed/, or leave them.")
    ] = Afterwards.move,
    ae_title: Annotated[str, typer.Option(help="AE title of the DICOM listeners.")] = "XINGLIN",
    check_title: Annotated[bool, typer.Option(help="Reject associations with another called AE title.")] = False,
    caller: Annotated[
        list[str] | None, typer.Option(help="Allowed calling AE title; default: all. Repeatable.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate (PEM).")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="CA that client certificates must be issued by (PEM).")] = None,
    insecure: Annotated[bool, typer.Option(help="Allow other machines to connect without TLS.")] = False,
    spool_mb: Annotated[int, typer.Option("--spool-limit", help="Maximum spool per feed, in MB.")] = 1000,
    reserve_mb: Annotated[int, typer.Option("--reserve", help="Disk space to keep free, in MB.")] = 100,
    patience: Annotated[float, typer.Option(help="Seconds to wait at a full spool before answering AE.")] = 10.0,
    message_mb: Annotated[float, typer.Option("--message-limit", help="Maximum message size, in MB.")] = 16.0,
    connections: Annotated[int, typer.Option(help="Maximum connections or associations per listener.")] = 200,
    idle: Annotated[float, typer.Option(help="Seconds until an idle connection is closed.")] = 300.0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Receive live feeds (HL7 v2, DICOM, watched folders) and land them every few seconds; stop with SIGTERM."""
    from xinglin.admission.renewal import Standing
    from xinglin.core.errors import UsageError
    from xinglin.flows.listen.listener import listen as receive
    from xinglin.flows.listen.plan import ListenPlan, Tls, door
    from xinglin.flows.listen.plan import watch as watched
    from xinglin.sources.dicom.scp import DicomLimits
    from xinglin.sources.hl7v2.network.mllp import MllpLimits

    if (tls_cert is None) != (tls_key is None) or (tls_ca and not tls_cert):
        raise UsageError("TLS needs a certificate and its key", remedy="add --tls-cert and --tls-key")
    plan = ListenPlan(
        mllp=tuple(map(door, mllp or ())),
        dicom=tuple(map(door, dicom or ())),
        watches=tuple(map(watched, watch or ())),
        tls=Tls(tls_cert, tls_key, tls_ca) if tls_cert and tls_key else None,
        insecure=insecure,
        every=every,
        spool_limit=spool_mb * 1_000_000,
        reserve=reserve_mb * 1_000_000,
        patience=patience,
        afterwards=then.value,
        mllp_limits=MllpLimits(int(message_mb * 1_000_000), connections=connections, idle_seconds=idle),
        dicom_limits=DicomLimits(ae_title, check_title, tuple(caller or ()), associations=connections,
                                 idle_seconds=idle),
    )  # fmt: skip
    options: dict[str, Any] = {"sites": frozenset(plan.sites)}
    stores = opened("listen", home, create=True, writes=landing_of(home, plan.sites), **options)
    _warn(plan)
    standing = Standing(stores, lambda: opened("listen", home, writes=landing_of(home, plan.sites), **options))
    receive(stores, plan, _print_json if as_json else _print_event, standing)


def _warn(plan: ListenPlan) -> None:
    if plan.insecure and plan.tls is None:
        complain("warning: connections are not encrypted; others on the network can read and change messages")


def _print_event(event: Any) -> None:
    """Print one line for a listener, batch or problem; batches show counts only."""
    from xinglin.flows.listen.listener import LandedBatch, Listening

    if isinstance(event, Listening):
        say(f"{event.site}: {event.feed} at {event.address}")
    elif isinstance(event, LandedBatch):
        batch = f"batch {event.batch}" if event.batch else "no batch"
        say(
            f"{event.site}: {batch} by {event.feed}, {counted(event.items, 'item')}: {event.received:,} received = "
            f"{event.landed:,} landed + {event.duplicate:,} duplicate + {event.quarantined:,} quarantined "
            f"({event.seconds:.2f} s)"
        )
    else:
        complain(f"{event.site}: {event.feed}: {event.words}")
    _flush()


def _print_json(event: Any) -> None:
    """Print listeners and batches as JSON lines; problems are printed as text on standard error."""
    from xinglin.flows.listen.listener import Trouble

    if isinstance(event, Trouble):
        complain(f"{event.site}: {event.feed}: {event.words}")
    else:
        print_json({"event": type(event).__name__.lower(), **vars(event)})
    _flush()


def _flush() -> None:
    import sys

    sys.stdout.flush()
