"""Delete old backups, and the objects that no remaining backup uses."""

from __future__ import annotations

import time
from dataclasses import dataclass

from xinglin.backup.format.repository import backups, manifest_key
from xinglin.backup.format.target import Target, object_key
from xinglin.core.errors import UsageError

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True)
class Pruned:
    """Deleted backups and objects.

    Args:
        backups: Names of the deleted backups.
        objects: Number of deleted objects.
        bytes: Their total size.
        kept: Names of the remaining backups.
    """

    backups: tuple[str, ...]
    objects: int
    bytes: int
    kept: tuple[str, ...]


def prune(target: Target, keep: int, repository: str) -> Pruned:
    """Delete all but the newest backups. Needs no private key.

    An object stays as long as one of its pieces is in use, because anchored roots include it as a whole.

    Args:
        target: The backup target.
        keep: Number of backups to keep.
        repository: The region's repository.

    Raises:
        UsageError: `keep` is less than 1, or the target holds backups of another region.
        Conflict: A backup is in progress.
    """
    if keep < 1:
        raise UsageError("at least one backup must remain", source="--keep", remedy="use --keep 1 or more")
    with target.writing():
        found = backups(target)
        if any(one.repository != repository for one in found):
            raise UsageError(
                "the target holds backups of another region",
                source=target.url,
                remedy="prune them from that region: --home",
            )
        kept, gone = found[-keep:], found[:-keep]
        # Manifests first: a backup is never listed without its objects.
        target.delete([manifest_key(target, one) for one in gone])
        named = {object_key(name) for one in kept for name in one.names}
        expired = target.older("objects", time.time() - target.grace) if target.grace else None
        sizes = target.sizes("objects")
        unnamed = [key for key in sizes if key not in named and (expired is None or key in expired)]
        target.delete(unnamed)
    return Pruned(
        tuple(one.name for one in gone),
        len(unnamed),
        sum(sizes[key] for key in unnamed),
        tuple(one.name for one in kept),
    )
