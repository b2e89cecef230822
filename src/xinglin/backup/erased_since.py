"""Apply erasures that are later than a restored backup, from the lists in the newest readable backup."""

from __future__ import annotations

import re
from pathlib import Path

from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.repository import backups, last
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.opening import OpenBackup, open_backup
from xinglin.core.errors import XinglinError
from xinglin.core.files import write_atomic

__all__ = ["apply_later_erasures"]

_LISTS = re.compile(r"landing/[^/]+/erased|keys/erased\.key").fullmatch
"""Keyed hashes of erased resources per site, and their key. The lists only grow."""


def apply_later_erasures(target: Target, manifest: Manifest, identities: Identities, root: Path) -> bool:
    """Replace the erasure lists of an older backup by those of the newest backup.

    Args:
        target: The backup target.
        manifest: The restored backup.
        identities: Private keys.
        root: Folder of the restored files; missing sites are skipped.

    Returns:
        Whether the newest backup could be read; false if it has other recipients or is damaged.
    """
    newest = last(backups(target), manifest.repository)
    if newest is None or newest.sequence <= manifest.sequence:
        return True
    try:
        opened = open_backup(target, newest, identities, root)
        lists = {
            entry.path: b"".join(_pieces(opened, number, root))
            for number, (entry, _) in enumerate(opened.files)
            if _LISTS(entry.path)
        }
    except XinglinError:
        return False
    for path, content in sorted(lists.items()):
        place = root / path
        if place.parent.is_dir():
            write_atomic(place, content, mode=0o600 if path.startswith("keys/") else 0o644)
    return True


def _pieces(opened: OpenBackup, number: int, work: Path) -> list[bytes]:
    numbers = {name: place for place, name in enumerate(opened.manifest.names)}
    found = []
    for span in opened.files[number][1]:
        place = numbers[span.place.object]
        where = f"{opened.target.url}/{object_key(span.place.object)}"
        found.append(opened.piece(opened.plain(place, work), span, where))
    return found
