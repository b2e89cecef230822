"""Files that are only added to: opened, written to the last byte, cut back to the last whole line."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["drop_torn", "open_file", "write_all"]


def open_file(path: Path, flags: int = 0) -> int:
    """Open a private file, making it where there is none.

    Args:
        path: The file.
        flags: More flags of `os.open`.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of it, in as many steps as the system wants.

    Args:
        descriptor: Of the file.
        content: What to write.
    """
    done = os.write(descriptor, content)
    while done < len(content):
        done += os.write(descriptor, content[done:])


def drop_torn(path: Path) -> None:
    """Cut off what follows the last line end.

    Args:
        path: The file.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        keep, step = size, 4096
        while keep > 0:
            begin = max(0, keep - step)
            file.seek(begin)
            found = file.read(keep - begin).rfind(b"\n")
            if found >= 0:
                keep = begin + found + 1
                break
            keep = begin
        if keep < size:
            file.truncate(keep)
