"""Backup and restore of a region, and what the ledger is told of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import UsageError, VerificationFailed
from xinglin.core.files import private_file
from xinglin.core.progress import Steps

if TYPE_CHECKING:
    from xinglin.admission.stores import Progress, Stores
    from xinglin.backup import Created, Identities, Manifest, Pruned, Restored, Target, Verified
    from xinglin.core.clock import Clock
    from xinglin.ledger import Ledger, Signer

__all__ = [
    "Wanted",
    "attest_restore",
    "list_backups",
    "make_backup",
    "make_identity",
    "open_target",
    "prune_backups",
    "restore_backup",
    "verify_backups",
]

_KEYS_OF_STORE = "backup-store.toml"


@dataclass(frozen=True)
class Wanted:
    """What a backup is asked to be.

    Args:
        target: Path or URL; where the last one went when empty.
        recipients: Public keys; those of the last one when empty.
        with_mart: Also what can be built again.
    """

    target: str = ""
    recipients: tuple[str, ...] = ()
    with_mart: bool = False


def make_identity(path: Path, clock: Clock) -> str:
    """Write a new identity file; who has it can read the backups made for it.

    Args:
        path: The file, which must not exist.
        clock: What time it is.

    Returns:
        The public key, to be named as a recipient.

    Raises:
        UsageError: The file exists.
    """
    from xinglin.backup import new_identity

    if path.exists():
        raise UsageError("this file exists; an identity is never overwritten", source=str(path))
    text, public = new_identity(clock())
    private_file(path, text.encode())
    return public


def make_backup(stores: Stores, wanted: Wanted, progress: Progress | None = None) -> Created:
    """Store what changed since the last backup.

    Args:
        stores: The region.
        wanted: Where to, and for whom.
        progress: Told of files done.

    Raises:
        UsageError: No target or no recipient was ever named.
        Conflict: Another backup is being made there.
        StorageError: The disk is full; trying again goes on from what was stored.
    """
    from xinglin.backup import OwnRepository, Plan, Recipients, create, own_repository, record_backup, save_repository

    settings = stores.settings
    known = own_repository(settings.keys)
    url = wanted.target or known.target
    if not url:
        raise UsageError("no target was named", remedy="name a folder or URL: xinglin backup create TARGET")
    recipients = Recipients.of(wanted.recipients or known.recipients)
    target = open_target(url, settings.home)
    # Before anything is stored: a secret that is lost would make everything be stored again.
    save_repository(settings.keys, OwnRepository(known.secret, target.url, recipients.words))
    done = 0

    def told(files: int) -> None:
        nonlocal done
        done += files
        if progress:
            progress("backup", done, max(done, 1))

    plan = Plan(settings, stores.lake, known.secret, recipients, stores.clock, wanted.with_mart)
    created = create(plan, target, told)
    record_backup(settings.home, created.manifest)
    return created


def open_target(url: str, home: Path | None = None, secrets: Path | None = None) -> Target:
    """A place for backups.

    Args:
        url: Path or URL.
        home: The region's folder, where unfinished files of a place elsewhere go, and whose keys are used.
        secrets: TOML file with endpoint and keys of an object store; else the region's, else the environment's.
    """
    from xinglin.backup import Target

    if secrets is None and home and (home / "keys" / _KEYS_OF_STORE).is_file():
        secrets = home / "keys" / _KEYS_OF_STORE
    work = home / "backup" / "work" if home else None
    return Target.at(url, work, secrets)


def list_backups(target: Target) -> list[Manifest]:
    """All finished backups, oldest first.

    Raises:
        VerificationFailed: A manifest was changed.
    """
    from xinglin.backup import backups

    return backups(target)


def verify_backups(
    target: Target, name: str, identities: Identities | None = None, progress: Progress | None = None
) -> list[Verified]:
    """Check one backup, or all.

    Args:
        target: Where they are.
        name: A name, a number, ``latest`` or ``all``.
        identities: Of one of the recipients; without, nothing is decrypted.
        progress: Told of objects done.

    Raises:
        VerificationFailed: Names the first object that is not what was stored.
    """
    from xinglin.backup import backups, choose, verify

    found = backups(target)
    chosen = found if name == "all" else [choose(found, name, target.url)]
    return [verify(target, one, identities, _workers(), _steps("verify", progress)) for one in chosen]


def restore_backup(
    target: Target, name: str, identities: Identities, home: Path, root: str = "", progress: Progress | None = None
) -> Restored:
    """Put a backup into an empty home.

    Args:
        target: Where it is.
        name: A name, a number or ``latest``.
        identities: Of one of the recipients.
        home: Folder that is empty or not there.
        root: What the root must be, in hex, as the ledger or a person has kept it; any when empty.
        progress: Told of objects done.

    Raises:
        Conflict: The home is not empty.
        VerificationFailed: Names the first object that is not what was stored; nothing was put in place.
    """
    from xinglin.backup import backups, choose, record_backup, restore

    manifest = choose(backups(target), name, target.url)
    if root and manifest.root != root.lower():
        raise VerificationFailed("the backup's root is not the one that was asked for", source=manifest.name)
    restored = restore(target, manifest, identities, home, _workers(), _steps("restore", progress))
    record_backup(home, manifest)
    return restored


def prune_backups(target: Target, keep: int, keys: Path) -> Pruned:
    """Keep the newest backups of a region and remove what only the others need.

    Args:
        target: Where they are.
        keep: How many to keep.
        keys: The region's folder of keys.

    Raises:
        UsageError: None would be kept, or another region made one of them.
    """
    from xinglin.backup import own_repository, prune, repository_of

    return prune(target, keep, repository_of(own_repository(keys).secret))


def attest_restore(ledger: Ledger, signer: Signer, root: str, wait: float | None = None) -> bytes:
    """Tell the ledger that a backup was restored and what the restored ledger's app hash was.

    Args:
        ledger: The restored region's.
        signer: The institution's.
        root: The backup's root, in hex.
        wait: Seconds to wait for the commit.

    Returns:
        The app hash that was attested.

    Raises:
        LedgerUnavailable: It does not answer.
    """
    app_hash = ledger.app_hash()
    ledger.submit([signer.sign("RestoreAttest", {"backup": bytes.fromhex(root), "app_hash": app_hash})], wait)
    return app_hash


def _workers() -> int:
    return len(os.sched_getaffinity(0))


def _steps(name: str, progress: Progress | None) -> Steps:
    def told(done: int, total: int) -> None:
        if progress:
            progress(name, done, total)

    return told
