"""Backups of a region: create, list, verify, restore, prune."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.opening import decided, opened
from xinglin.cli.show import complain, print_json, print_table, progress_bars, say
from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xinglin.backup import Manifest
    from xinglin.core.settings import Settings
    from xinglin.ledger import Ledger, Signer

__all__: list[str] = []

_PATIENCE = 5.0
"""Seconds to wait for a commit; what it does not see is found and anchored again later."""

backup = command_group("backup", "Encrypted, incremental backups of a region, and putting one back.")

Where = Annotated[str, typer.Argument(help="Folder or URL (s3:, hdfs:) of the backups.")]
Name = Annotated[str, typer.Option("--backup", help="Name or number of a backup, or latest.")]
Secrets = Annotated[
    Path | None, typer.Option(help="TOML file with endpoint and keys of an object store; else the AWS_ variables.")
]


@backup.command("keygen")
def make_key(
    file: Annotated[Path, typer.Argument(help="File to write; keep it away from the region.")], as_json: Json = False
) -> None:
    """Make an identity: its file opens backups, its public key is named as their recipient."""
    from xinglin.core.clock import system_clock
    from xinglin.flows.upkeep.backup import make_identity

    public = make_identity(file, system_clock)
    if as_json:
        print_json({"file": file, "recipient": public})
    else:
        say(public)
        complain(f"keep {file} where the region's machine cannot lose it: without it no backup can be read")


@backup.command("create")
def create_backup(
    target: Annotated[str, typer.Argument(help="Folder or URL (s3:, hdfs:); where the last one went.")] = "",
    recipient: Annotated[
        list[str] | None, typer.Option(help="Public key age1… of who may read it; may be given again. Else as before.")
    ] = None,
    with_mart: Annotated[bool, typer.Option(help="Also the mart, which could be built again.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Store what changed since the last backup, encrypted; ingest and run may go on."""
    from xinglin.flows.upkeep.backup import Wanted, make_backup

    stores = opened("backup create", home)
    with progress_bars(as_json) as bars:
        created = make_backup(stores, Wanted(target, tuple(recipient or ()), with_mart), bars)
    manifest = created.manifest
    anchored = _anchor(stores.settings)
    if as_json:
        rest = {"left_out": list(created.left_out), "elsewhere": created.elsewhere, "anchored": anchored}
        print_json({**_facts(manifest), "read": created.read, **rest})
        return
    say(f"{manifest.name}: {manifest.files:,} files, {manifest.length:,} bytes; {manifest.stored:,} bytes are new")
    say(f"root {manifest.root}, {'anchored' if anchored else 'to be anchored when the ledger answers'}")
    for path in created.left_out:
        complain(f"left out, since it is neither file nor folder: {path}")
    if created.elsewhere:
        complain(f"the tables at {created.elsewhere} are not in this backup")


@backup.command("list")
def show_backups(target: Where, secrets: Secrets = None, as_json: Json = False) -> None:
    """List the finished backups, oldest first."""
    from xinglin.flows.upkeep.backup import list_backups, open_target

    found = list_backups(open_target(target, secrets=secrets))
    if as_json:
        print_json({"backups": [_facts(one) for one in found]})
        return
    rows = [(one.name, one.made, one.files, one.length, one.stored, one.root[:16]) for one in found]
    print_table("Backups", ["name", "made", "files", "bytes", "new", "root"], rows)


@backup.command("verify")
def verify_backup(
    target: Where,
    name: Annotated[str, typer.Option("--backup", help="Name or number of a backup, latest, or all.")] = "all",
    identity: Annotated[
        Path | None, typer.Option(help="Identity file of a recipient: opens every piece; else only stored bytes.")
    ] = None,
    secrets: Secrets = None,
    as_json: Json = False,
) -> None:
    """Check that every byte of the backups is as it was stored; whoever keeps a copy can."""
    from xinglin.backup import read_identities
    from xinglin.flows.upkeep.backup import open_target, verify_backups

    identities = read_identities(identity) if identity else None
    with progress_bars(as_json) as bars:
        checked = verify_backups(open_target(target, secrets=secrets), name, identities, bars)
    if as_json:
        print_json({"verified": checked})
        return
    for one in checked:
        how = "opened and compared" if one.opened else "as they were stored"
        say(f"{one.name}: {one.objects:,} objects, {one.bytes:,} bytes {how}; root {one.root}")


@backup.command("restore")
def restore_region(
    target: Where,
    identity: Annotated[Path, typer.Option(help="Identity file of one of the recipients.")],
    name: Name = "latest",
    root: Annotated[str, typer.Option(help="Root that the backup must have, as the ledger has it.")] = "",
    secrets: Secrets = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put a backup into an empty home, checked as a whole before anything is in place."""
    from xinglin.backup import read_identities
    from xinglin.core.settings import default_home
    from xinglin.flows.upkeep.backup import open_target, restore_backup
    from xinglin.flows.upkeep.erase import erase_again

    place = (home or default_home()).absolute()
    with progress_bars(as_json) as bars:
        restored = restore_backup(
            open_target(target, secrets=secrets), name, read_identities(identity), place, root, bars
        )
    # Who could decrypt it has it already; that it was restored, and by whom, is in its audit log from now on.
    stores = opened("backup restore", place)
    app_hash = _attest(stores.settings, restored.manifest.root)
    with progress_bars(as_json) as bars:
        again = len(erase_again(stores, bars))
    elsewhere = restored.head["lake"]
    if as_json:
        told = {"home": place, "elsewhere": elsewhere, "app_hash": app_hash, "erased_again": again}
        print_json({**_facts(restored.manifest), **told, "erasures_known": restored.erasures_known})
        return
    say(f"{restored.manifest.name} is in {place}: {restored.files:,} files, {restored.bytes:,} bytes")
    if app_hash:
        say(f"the ledger's app hash is {app_hash}; the restore is attested there")
    else:
        complain("the ledger does not answer: the restore is not attested")
    if elsewhere:
        complain(f"the tables at {elsewhere} were not in this backup")
    if again:
        say(f"{again} persons who were erased after this backup was made were erased again")
    if not restored.erasures_known:
        complain("newer backups cannot be read: whoever was erased after this one was made is here again")
    say(f"Next: xinglin verify --home {place}; xinglin run --home {place} builds what was not in it")


@backup.command("prune")
def prune_backups(
    target: Where,
    keep: Annotated[int, typer.Option(help="How many to keep: the newest.", min=1)],
    secrets: Secrets = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Delete old backups and the objects that no remaining backup uses; operators only."""
    from xinglin.flows.upkeep.backup import open_target
    from xinglin.flows.upkeep.backup import prune_backups as prune

    settings = decided("backup prune", home)
    pruned = prune(open_target(target, settings.home, secrets), keep, settings.keys)
    if as_json:
        print_json(pruned)
    else:
        say(f"{len(pruned.backups)} backups and {pruned.objects:,} objects of {pruned.bytes:,} bytes are removed")
        say(f"{len(pruned.kept)} backups are left")


def _anchor(settings: Settings) -> bool:
    """Tell the ledger of this backup and of earlier ones that it does not know; whether it knows all now."""
    from xinglin.flows.anchor.backups import anchor_backups

    try:
        with _ledger(settings) as (ledger, signer):
            return anchor_backups(settings.home, ledger, signer, _PATIENCE)
    except (LedgerUnavailable, NotFound, StorageError):
        return False


def _attest(settings: Settings, root: str) -> str | None:
    """Tell the restored ledger that it was restored; its app hash before that, in hex."""
    from xinglin.flows.upkeep.backup import attest_restore

    try:
        with _ledger(settings) as (ledger, signer):
            return attest_restore(ledger, signer, root, _PATIENCE).hex()
    except (LedgerUnavailable, NotFound, StorageError):
        return None


@contextmanager
def _ledger(settings: Settings) -> Iterator[tuple[Ledger, Signer]]:
    from xinglin.wiring import open_ledger, open_signer

    with closing(open_ledger(settings)) as ledger, closing(open_signer(settings, ledger)) as signer:
        yield ledger, signer


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "made": manifest.made,
        "files": manifest.files,
        "bytes": manifest.length,
        "new": manifest.stored,
        "objects": len(manifest.objects),
        "root": manifest.root,
        "previous": manifest.previous,
    }
