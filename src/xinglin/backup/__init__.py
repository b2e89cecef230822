"""Backups of a region: encrypted to recipients, incremental, verifiable without a key.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> backups(Target.at(tempfile.mkdtemp()))
    []
"""

from xinglin.backup.create import Created, Plan, create
from xinglin.backup.format.manifest import Manifest, repository_of
from xinglin.backup.format.repository import OwnRepository, backups, choose, own_repository, save_repository
from xinglin.backup.format.sealing import Identities, Recipients, new_identity, read_identities
from xinglin.backup.format.target import Target
from xinglin.backup.history import BackupRecord, pending, record_backup, recorded_backups
from xinglin.backup.prune import Pruned, prune
from xinglin.backup.restore import Restored, restore
from xinglin.backup.verify import Verified, verify

__all__ = [
    "BackupRecord",
    "Created",
    "Identities",
    "Manifest",
    "OwnRepository",
    "Plan",
    "Pruned",
    "Recipients",
    "Restored",
    "Target",
    "Verified",
    "backups",
    "choose",
    "create",
    "new_identity",
    "own_repository",
    "pending",
    "prune",
    "read_identities",
    "record_backup",
    "recorded_backups",
    "repository_of",
    "restore",
    "save_repository",
    "verify",
]
