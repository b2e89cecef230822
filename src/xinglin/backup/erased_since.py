"""What was erased after a backup was made: the newest backup that can be read knows, an older one does not."""

from __future__ import annotations

import re
from pathlib import Path

from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.repository import backups, last
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.opening import Opened, open_backup
from xinglin.core.errors import XinglinError
from xinglin.core.files import write_atomic

__all__ = ["carry_erasures"]

_LISTS = re.compile(r"landing/[^/]+/erased|keys/erased\.key").fullmatch
"""Keyed hashes of what was erased at each site, and their key. The lists only grow."""


def carry_erasures(target: Target, manifest: Manifest, identities: Identities, root: Path) -> bool:
    """Put the newest backup's lists of what was erased in the place of an older one's.

    Args:
        target: Where the backups are.
        manifest: The one that is restored.
        identities: By which backups are opened.
        root: Where it was written; a site that is not there needs no list.

    Returns:
        Whether the newest backup could be asked; false where it is for others or was damaged.
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


def _pieces(opened: Opened, number: int, work: Path) -> list[bytes]:
    numbers = {name: place for place, name in enumerate(opened.manifest.names)}
    found = []
    for span in opened.files[number][1]:
        place = numbers[span.place.object]
        where = f"{opened.target.url}/{object_key(span.place.object)}"
        found.append(opened.piece(opened.plain(place, work), span, where))
    return found
