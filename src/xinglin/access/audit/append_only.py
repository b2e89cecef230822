"""Append-only files: open, write every byte, truncate a partial last line."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["open_file", "truncate_partial_line", "write_all"]


def open_file(path: Path, flags: int = 0) -> int:
    """Open a file with mode 600 and create it if it is missing.

    Args:
        path: The file.
        flags: Additional flags for `os.open`.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all bytes; repeats short writes.

    Args:
        descriptor: File descriptor.
        content: The bytes.
    """
    done = os.write(descriptor, content)
    while done < len(content):
        done += os.write(descriptor, content[done:])


def truncate_partial_line(path: Path) -> None:
    """Truncate a file after its last line end.

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
