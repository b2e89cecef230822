"""Anchor backups on the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.ledger.keys import backup_key

if TYPE_CHECKING:
    from xinglin.ledger import Ledger, Signer

__all__ = ["anchor_backups", "anchored_root", "pending_backups"]


def anchor_backups(home: Path, ledger: Ledger, signer: Signer, wait: float | None = None) -> bool:
    """Tell the ledger of the backups that it does not know yet.

    Args:
        home: The region's folder.
        ledger: Where to.
        signer: The institution's.
        wait: Seconds to wait for each commit.

    Returns:
        Whether the ledger has the newest of each repository now.

    Raises:
        LedgerUnavailable: It does not answer; nothing is lost, the next call finds the same again.
    """
    from xinglin.backup import pending, recorded_backups

    listed = recorded_backups(home)
    for repository in sorted({one.repository for one in listed}):
        own = [one for one in listed if one.repository == repository]
        current = anchored_root(ledger, repository)
        for one in pending(own, current):
            previous = bytes.fromhex(current) if current else None
            body = {"name": repository, "root": bytes.fromhex(one.root), "previous": previous}
            [receipt] = ledger.submit([signer.sign("BackupAnchor", body)], wait)
            if receipt.height is None:
                return False
            current = one.root
    return True


def pending_backups(home: Path, ledger: Ledger) -> int:
    """How many backups the ledger does not know yet.

    Args:
        home: The region's folder.
        ledger: Where they are to be anchored.
    """
    from xinglin.backup import pending, recorded_backups

    listed = recorded_backups(home)
    names = sorted({one.repository for one in listed})
    owned = ([one for one in listed if one.repository == name] for name in names)
    return sum(len(pending(own, anchored_root(ledger, own[0].repository))) for own in owned)


def anchored_root(ledger: Ledger, repository: str) -> str | None:
    """The root of the newest backup that the ledger knows of a repository, in hex."""
    from xinglin.ledger.transactions import cbor

    value = ledger.state(backup_key(repository))
    return cbor.decode(value)["root"].hex() if value else None
