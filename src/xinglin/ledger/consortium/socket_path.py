"""Where a node and its application meet: a Unix socket in a folder of their owner's own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from xinglin.core.errors import UsageError

__all__ = ["LONGEST_PATH", "private_folder", "socket_path"]

LONGEST_PATH = 100
"""Bytes of a path that every system takes for a socket."""


def socket_path(inside: Path) -> Path:
    """The socket's path: inside the home, unless that is too deep for a socket.

    Args:
        inside: Where it would lie in the home.

    Example:
        >>> socket_path(Path("/srv/home/ledger/abci.sock"))
        PosixPath('/srv/home/ledger/abci.sock')
        >>> len(str(socket_path(Path("/deep" * 40))))  < LONGEST_PATH
        True
    """
    whole = os.fsencode(inside.absolute())
    if len(whole) <= LONGEST_PATH:
        return inside
    # The same for whoever asks, so not a temporary folder that the environment names.
    return Path("/tmp") / f"xinglin-{os.getuid()}" / f"{hashlib.sha256(whole).hexdigest()[:24]}.sock"


def private_folder(folder: Path) -> None:
    """Have the socket's folder, and refuse one in which somebody else could answer in the application's place.

    Args:
        folder: Made with mode 700 when it is not there.

    Raises:
        UsageError: It belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UsageError(
            "the folder of the socket belongs to somebody else",
            source=str(folder),
            remedy="name another place: [ledger] socket in xinglin.toml",
        )
