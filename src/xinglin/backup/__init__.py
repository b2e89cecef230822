"""Backups of a region: encrypted to people, incremental, and checked by anybody.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> backups(Target.at(tempfile.mkdtemp()))
    []
"""

from xinglin.backup.create import Created, Plan, create
from xinglin.backup.format.manifest import Manifest, repository_of
from xinglin.backup.format.repository import Own, backups, choose, own, remember
from xinglin.backup.format.sealing import Identities, Recipients, new_identity, read_identities
from xinglin.backup.format.target import Target
from xinglin.backup.history import Made, made, note, pending
from xinglin.backup.prune import Pruned, prune
from xinglin.backup.restore import Restored, restore
from xinglin.backup.verify import Verified, verify

__all__ = [
    "Created",
    "Identities",
    "Made",
    "Manifest",
    "Own",
    "Plan",
    "Pruned",
    "Recipients",
    "Restored",
    "Target",
    "Verified",
    "backups",
    "choose",
    "create",
    "made",
    "new_identity",
    "note",
    "own",
    "pending",
    "prune",
    "read_identities",
    "remember",
    "repository_of",
    "restore",
    "verify",
]
