"""Letting go of old backups, and of the objects that no kept one names."""

from __future__ import annotations

import time
from dataclasses import dataclass

from xinglin.backup.format.repository import backups, manifest_key
from xinglin.backup.format.target import Target, object_key
from xinglin.core.errors import UsageError

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Args:
        backups: Names of the backups.
        objects: Objects.
        bytes: Their bytes.
        kept: Names of the backups that are left.
    """

    backups: tuple[str, ...]
    objects: int
    bytes: int
    kept: tuple[str, ...]


def prune(target: Target, keep: int, repository: str) -> Pruned:
    """Keep the newest backups and remove what only the others need. No identity is needed.

    An object is kept whole as long as one of its pieces is needed: it is named in roots that were anchored.

    Args:
        target: Where they are.
        keep: How many to keep.
        repository: Whose they are: of the region that made them.

    Raises:
        UsageError: None would be kept, or another region made one of them.
        Conflict: A backup is being made there.
    """
    if keep < 1:
        raise UsageError("at least one backup is kept", source="--keep")
    with target.writing():
        found = backups(target)
        if any(one.repository != repository for one in found):
            raise UsageError(
                "these are another region's backups",
                source=target.url,
                remedy="prune them from the region that made them: --home",
            )
        kept, gone = found[-keep:], found[:-keep]
        # Manifests first: a backup is never listed without its objects.
        target.delete([manifest_key(target, one) for one in gone])
        named = {object_key(name) for one in kept for name in one.names}
        settled = target.older("objects", time.time() - target.grace) if target.grace else None
        sizes = target.sizes("objects")
        unnamed = [key for key in sizes if key not in named and (settled is None or key in settled)]
        target.delete(unnamed)
    return Pruned(
        tuple(one.name for one in gone),
        len(unnamed),
        sum(sizes[key] for key in unnamed),
        tuple(one.name for one in kept),
    )
