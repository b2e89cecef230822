"""Commands that make and check proof files."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, Purpose, command_group
from xinglin.cli.governance.ledger import WitnessKeys, ledger_app, opened_ledger, witness_keys
from xinglin.cli.opening import opened
from xinglin.cli.show import complain, plain, print_json, print_table

if TYPE_CHECKING:
    from xinglin.flows.evidence.check import Proven

__all__ = ["print_proven"]

prove = command_group("prove", "Make a proof file for somebody who has nothing but the genesis.", ledger_app)

_READ = frozenset({"landing", "identity", "mart", "vocabulary"})
Out = Annotated[Path | None, typer.Option(help="The proof file; standard output when not given.")]


def _give(content: bytes, out: Path | None, as_json: bool) -> None:
    import base64

    from xinglin.core.errors import UsageError
    from xinglin.core.files import write_atomic

    if out is not None:
        write_atomic(out, content, mode=0o600)
    if as_json:
        proof = {"file": out} if out else {"proof": base64.b64encode(content).decode()}
        print_json(proof | {"bytes": len(content)})
        return
    if out is not None:
        complain(f"{out}: {len(content):,} bytes")
        return
    if sys.stdout.isatty():
        raise UsageError("a proof file is not for a terminal", remedy="send it to a file: … > proof.cbor")
    sys.stdout.buffer.write(content)


@prove.command("batch")
def prove_batch(
    batch: Annotated[str, typer.Argument(help="SITE/NUMBER of a landed batch.")],
    out: Out = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Prove that a batch was landed as its site signed it; the file shows the manifest, with the names of its files."""
    from xinglin.core.errors import UsageError
    from xinglin.flows.evidence.prove import batch_file
    from xinglin.wiring import open_prover

    stores = opened("ledger prove batch", home)
    site, _, number = batch.rpartition("/")
    if not site or not number.isdigit():
        raise UsageError("a batch is named SITE/NUMBER", source=batch, remedy="for example mercy/1")
    with opened_ledger(home) as (settings, ledger):
        prover, _ = open_prover(settings, ledger)
        _give(batch_file(prover, stores.landing, ledger, site, int(number)), out, as_json)


@prove.command("row")
def prove_row(
    row: Annotated[str, typer.Argument(help="TABLE:ID of a mart row.")],
    content: Annotated[
        bool, typer.Option("--content", help="Show the resource itself, to whoever may read the person's record.")
    ] = False,
    person: Annotated[int | None, typer.Option(help="With --content: person_id of whom the row is about.")] = None,
    purpose: Purpose = None,
    manifest: Annotated[
        bool, typer.Option("--manifest", help="Show the manifest that the site signed, with the names of its files.")
    ] = False,
    out: Out = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Prove that the resource behind a mart row was landed; the file shows hashes, nothing of the resource."""
    from xinglin.core.errors import UsageError
    from xinglin.flows.evidence.prove import row_file
    from xinglin.wiring import open_prover

    if content == (person is None):
        raise UsageError("a resource is shown as somebody's record", remedy="add --content and --person ID, or neither")
    reading: dict[str, Any] = {"action": "read", "person": person, "purpose": purpose, "reads": _READ}
    stores = opened("ledger prove row", home, **(reading if content else {}))
    with opened_ledger(home) as (settings, ledger):
        prover, _ = open_prover(settings, ledger)
        _give(row_file(prover, stores, ledger, row, person=person, manifest=manifest), out, as_json)


@prove.command("access")
def prove_access(
    event: Annotated[str, typer.Argument(help="Id of an AuditEvent, as `xinglin access log` shows it.")],
    person: Annotated[
        int | None, typer.Option(help="person_id of whom it is about; an auditor may leave it out.")
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Show the hash of the event, not the event.")] = False,
    out: Out = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Prove that an access, or a refusal, was written down when it happened."""
    from xinglin.access import AuditLog
    from xinglin.admission.accesses import about
    from xinglin.flows.evidence.prove import access_file
    from xinglin.wiring import open_gate, open_prover

    stores = opened("ledger prove access", home, person=person)
    if person is not None:
        with open_gate(stores.settings) as gate:
            about(gate, stores.lake, event, person)
    with opened_ledger(home) as (settings, ledger):
        audit = AuditLog(settings.access_folder / "audit")
        prover, _ = open_prover(settings, ledger)
        _give(access_file(prover, audit, ledger, event, content=not hidden), out, as_json)


@prove.command("consent")
def prove_consent(
    handle: Annotated[str, typer.Argument(help="Handle of a consent, 32 hex digits.")],
    person: Annotated[int, typer.Option(help="person_id of the person whose consent it is.")],
    content: Annotated[bool, typer.Option("--content", help="Show the consent itself, with its salt.")] = False,
    out: Out = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Prove what the ledger holds of a consent now: current, withdrawn, or nothing."""
    from xinglin.core.errors import UsageError
    from xinglin.flows.evidence.prove import consent_file
    from xinglin.wiring import open_consents, open_prover

    region = opened("ledger prove consent", home, person=person).settings
    if len(handle) != 32 or set(handle) - set("0123456789abcdef"):
        raise UsageError("a consent's handle has 32 hex digits", source=handle[:40])
    with open_consents(region) as desk:
        kept = desk.one(handle, person)
    with opened_ledger(home) as (settings, ledger):
        prover, _ = open_prover(settings, ledger)
        _give(consent_file(prover, handle, kept if content else None), out, as_json)


@ledger_app.command("verify-proof")
def verify_proof(
    files: Annotated[list[Path], typer.Argument(help="Proof files.", exists=True, dir_okay=False)],
    trust: Annotated[
        Path, typer.Option(help="The chain's genesis, from somebody you believe.", exists=True, dir_okay=False)
    ],
    witness: WitnessKeys = None,
    quorum: Annotated[int, typer.Option(help="Known witnesses that must have cosigned.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Check proof files; needs nothing but them and the genesis: no region, no database, no network."""
    from xinglin.flows.evidence.check import verify_proof as check
    from xinglin.ledger.proofs.check import Checker
    from xinglin.ledger.proofs.trust import Trust

    checker = Checker(Trust.from_json(trust.read_bytes()).requiring(witness_keys(witness), quorum))
    proven = {file: check(file.read_bytes(), checker) for file in files}
    if as_json:
        print_json([{"file": file, **_steps(one)} for file, one in proven.items()])
        return
    for file, one in proven.items():
        print_proven(f"{file} proves, by {one.by}", one)


def _steps(one: Proven) -> dict[str, Any]:
    moment = datetime.fromtimestamp(one.time, UTC).isoformat()
    facts = {name: plain(value) if value is not None else None for name, value in one.facts.items()}
    return {"kind": one.kind, **facts, "height": one.height, "time": moment, "by": one.by, "holds": True}


def print_proven(title: str, one: Proven) -> None:
    """Print what a proof proves, as a table.

    Args:
        title: Above it.
        one: What is proved.
    """
    print_table(title, ["what", "value"], [(name, plain(value)) for name, value in _steps(one).items()])
