"""Which members of a zip archive may be read. Nothing is ever written to disk under a member's name."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected

__all__ = ["Member", "members"]


@dataclass(frozen=True)
class Member:
    """One member and, where it must not be read, why."""

    name: str
    packed: int
    size: int
    rejected: Rejected | None = None


def members(path: Path, limits: Limits) -> Iterator[Member]:
    """The members in order of the archive, without folders and macOS' resource forks.

    Raises:
        Rejected: The whole archive cannot be read or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except OSError as error:
        raise Rejected("unreadable", f"expected a readable file (errno {error.errno})") from None
    except Exception as error:  # a damaged directory fails in many ways: BadZipFile, struct.error, UnicodeDecodeError
        raise Rejected("damaged-zip", f"expected a zip archive ({type(error).__name__})") from None
    if len(infos) > limits.members:
        raise Rejected("zip-bomb", f"expected at most {limits.members} members")
    total = sum(info.file_size for info in infos)
    if total > limits.archive_bytes:
        raise Rejected("zip-bomb", f"expected at most {limits.archive_bytes} bytes unpacked")
    if total > limits.ratio_bytes and total > limits.ratio * path.stat().st_size:
        raise Rejected("zip-bomb", f"expected at most {limits.ratio} bytes unpacked from each packed byte")
    seen: set[str] = set()
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if "__MACOSX" in parts or parts[-1:] == (".DS_Store",):
            continue
        rejected = _unsafe(info, parts, limits)
        if info.filename in seen:
            rejected = Rejected("duplicate-member", "expected each name once in an archive")
        seen.add(info.filename)
        yield Member(info.filename, info.compress_size, info.file_size, rejected)


def _unsafe(info: zipfile.ZipInfo, parts: tuple[str, ...], limits: Limits) -> Rejected | None:
    if ".." in parts or parts[:1] == ("/",) or (parts and parts[0][1:2] == ":"):
        return Rejected("unsafe-path", "expected a member's name inside the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        return Rejected("unsafe-path", "expected a file, found a symbolic link")
    if info.flag_bits & 1:
        return Rejected("encrypted", "expected a member that is not encrypted")
    if info.filename.lower().endswith((".zip", ".tar", ".tgz", ".7z", ".rar")):
        return Rejected("nested-archive", "expected a file, found an archive within the archive")
    if info.file_size > limits.ratio_bytes and info.file_size > limits.ratio * max(info.compress_size, 1):
        return Rejected("zip-bomb", f"expected at most {limits.ratio} bytes unpacked from each packed byte")
    return None
