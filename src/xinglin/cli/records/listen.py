"""The command that takes in live feeds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, app
from xinglin.cli.opening import landing_of, opened
from xinglin.cli.show import complain, print_json, say

if TYPE_CHECKING:
    from xinglin.flows.listen.plan import ListenPlan

__all__: list[str] = []


class Afterwards(StrEnum):
    """What becomes of a watched file that was landed."""

    move = "move"
    leave = "leave"


@app.command()
def listen(
    mllp: Annotated[list[str] | None, typer.Option(help="HL7 v2 messages: SITE=[HOST:]PORT. Repeatable.")] = None,
    dicom: Annotated[list[str] | None, typer.Option(help="DICOM C-STORE: SITE=[HOST:]PORT. Repeatable.")] = None,
    watch: Annotated[list[str] | None, typer.Option(help="Files put into a folder: SITE=FOLDER. Repeatable.")] = None,
    every: Annotated[float, typer.Option(help="Seconds between micro-batches.")] = 5.0,
    then: Annotated[Afterwards, typer.Option(help="Watched files go to done/ and failed/, or stay.")] = Afterwards.move,
    ae_title: Annotated[str, typer.Option(help="AE title of the DICOM listeners.")] = "XINGLIN",
    check_title: Annotated[bool, typer.Option(help="Refuse peers that call another AE title.")] = False,
    caller: Annotated[list[str] | None, typer.Option(help="AE title that may call; all if none. Repeatable.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="Authority that clients' certificates must come from.")] = None,
    insecure: Annotated[bool, typer.Option(help="Let other machines connect without TLS.")] = False,
    spool_mb: Annotated[int, typer.Option("--spool-limit", help="MB that may wait to be landed, a feed.")] = 1000,
    reserve_mb: Annotated[int, typer.Option("--reserve", help="MB of disk that must stay free.")] = 100,
    patience: Annotated[float, typer.Option(help="Seconds a full spool lets a sender wait before AE.")] = 10.0,
    message_mb: Annotated[float, typer.Option("--message-limit", help="MB of the longest message.")] = 16.0,
    connections: Annotated[int, typer.Option(help="Connections or associations at once, a listener.")] = 200,
    idle: Annotated[float, typer.Option(help="Seconds after which a silent connection is closed.")] = 300.0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take in live feeds: acknowledge what is durable, land it every few seconds; SIGTERM ends it in order."""
    from xinglin.admission.renewal import Standing
    from xinglin.core.errors import UsageError
    from xinglin.flows.listen.listener import listen as take_in
    from xinglin.flows.listen.plan import ListenPlan, Tls, door
    from xinglin.flows.listen.plan import watch as watched
    from xinglin.sources.dicom.scp import DicomLimits
    from xinglin.sources.hl7v2.network.mllp import MllpLimits

    if (tls_cert is None) != (tls_key is None) or (tls_ca and not tls_cert):
        raise UsageError("TLS needs a certificate and its key", remedy="give --tls-cert and --tls-key")
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
    said: dict[str, Any] = {"sites": frozenset(plan.sites)}
    stores = opened("listen", home, create=True, writes=landing_of(home, plan.sites), **said)
    _warn(plan)
    standing = Standing(stores, lambda: opened("listen", home, writes=landing_of(home, plan.sites), **said))
    take_in(stores, plan, _print_json if as_json else _tell, standing)


def _warn(plan: ListenPlan) -> None:
    if plan.insecure and plan.tls is None:
        complain("connections are in the clear: anybody on the way can read and change them")


def _tell(said: Any) -> None:
    """One line for each door, batch and problem; counts only."""
    from xinglin.flows.listen.listener import LandedBatch, Listening

    if isinstance(said, Listening):
        say(f"{said.site}: {said.feed} at {said.address}")
    elif isinstance(said, LandedBatch):
        batch = f"batch {said.batch}" if said.batch else "no batch"
        say(
            f"{said.site}: {batch} by {said.feed}, {said.items:,} taken in: {said.received:,} received = "
            f"{said.landed:,} landed + {said.duplicate:,} duplicate + {said.quarantined:,} quarantined "
            f"({said.seconds:.2f} s)"
        )
    else:
        complain(f"{said.site}: {said.feed}: {said.words}")
    _flush()


def _print_json(said: Any) -> None:
    """Doors and batches as JSON lines; problems go to standard error as ever."""
    from xinglin.flows.listen.listener import Trouble

    if isinstance(said, Trouble):
        complain(f"{said.site}: {said.feed}: {said.words}")
    else:
        print_json({"event": type(said).__name__.lower(), **vars(said)})
    _flush()


def _flush() -> None:
    import sys

    sys.stdout.flush()
