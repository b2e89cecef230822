"""The path of the Unix socket between node and application, in a folder that only its owner can write."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from xinglin.core.errors import UsageError

__all__ = ["LONGEST_PATH", "private_folder", "socket_path"]

LONGEST_PATH = 100
"""Maximum length in bytes of a socket path that every system accepts."""


def socket_path(inside: Path) -> Path:
    """The socket's path: in the home, or in a private folder if that path is too long.

    Args:
        inside: Path in the home.

    Example:
        >>> socket_path(Path("/srv/home/ledger/abci.sock"))
        PosixPath('/srv/home/ledger/abci.sock')
        >>> len(str(socket_path(Path("/deep" * 40))))  < LONGEST_PATH
        True
    """
    whole = os.fsencode(inside.absolute())
    if len(whole) <= LONGEST_PATH:
        return inside
    # Must be the same for every process, so it does not depend on TMPDIR.
    return Path("/tmp") / f"xinglin-{os.getuid()}" / f"{hashlib.sha256(whole).hexdigest()[:24]}.sock"


def private_folder(folder: Path) -> None:
    """Create the socket's folder; refuse one in which another user could open the socket.

    Args:
        folder: Created with mode 700 if missing.

    Raises:
        UsageError: The folder belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UsageError(
            "the folder of the socket belongs to another user",
            source=str(folder),
            remedy="set another path: [ledger] socket in xinglin.toml",
        )
