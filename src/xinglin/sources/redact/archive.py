"""A zip archive without some members: what stays is copied as it lies, packed bytes and headers included.

Zip file format: APPNOTE.TXT 6.3.10, sections 4.3 (order of the parts), 4.4 (fields), 4.5.3 (Zip64).
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from xinglin.sources.removal import Uncuttable

__all__ = ["Member", "directory", "repacked", "spliced"]

_LOCAL = 30
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_BIG, _MANY = 0xFFFFFFFF, 0xFFFF
_BLOCK = 1_000_000


@dataclass(frozen=True)
class Member:
    """A member as it lies in its archive.

    Args:
        info: What the archive says of it.
        record: Its record in the archive's directory.
        start: Where its local header begins.
        end: Where the next member, or the directory, begins.
    """

    info: zipfile.ZipInfo
    record: bytes
    start: int
    end: int


def directory(path: Path) -> tuple[list[Member], bytes]:
    """The members of an archive in the order of its directory, and its comment.

    Raises:
        Uncuttable: It is no zip archive, or its members do not lie one after the other.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            infos, comment = archive.infolist(), archive.comment
            begin: int = archive.start_dir
            file.seek(begin)
            kept = [_record(file) for _ in infos]
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, UnicodeDecodeError):
        raise Uncuttable from None
    starts = sorted(info.header_offset for info in infos)
    following = dict(zip(starts, [*starts[1:], begin], strict=True))
    members = [
        Member(info, record, info.header_offset, following[info.header_offset])
        for info, record in zip(infos, kept, strict=True)
    ]
    if len(following) != len(infos) or any(one.end < one.start + _LOCAL + one.info.compress_size for one in members):
        raise Uncuttable
    return members, comment


def _record(file: IO[bytes]) -> bytes:
    head = file.read(_CENTRAL.size)
    fields = _CENTRAL.unpack(head)
    if fields[0] != b"PK\x01\x02":
        raise ValueError("not a record of a directory")
    return head + file.read(sum(fields[10:13]))


def spliced(path: Path, members: Iterable[Member | tuple[Path, Member]], comment: bytes, target: Path) -> int:
    """Write an archive out of members that lie in this one, or in others.

    Args:
        path: The archive.
        members: In the order of the new archive; of another one with the path to it.
        comment: The new archive's.
        target: The new archive.

    Returns:
        How many members it has.
    """
    records = []
    with target.open("wb") as out:
        for one in members:
            place, member = (path, one) if isinstance(one, Member) else one
            records.append(_moved(member.record, out.tell()))
            with place.open("rb") as file:
                file.seek(member.start)
                _copy(file, out, member.end - member.start)
        begin = out.tell()
        for record in records:
            out.write(record)
        _finish(out, len(records), begin, comment)
    return len(records)


def _copy(file: IO[bytes], out: IO[bytes], size: int) -> None:
    while size:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise Uncuttable
        out.write(block)
        size -= len(block)


def _moved(record: bytes, offset: int) -> bytes:
    """A record of the directory that says where its member begins now."""
    fields = list(_CENTRAL.unpack_from(record))
    if fields[-1] != _BIG:
        if offset >= _BIG:
            raise Uncuttable
        return _CENTRAL.pack(*fields[:-1], offset) + record[_CENTRAL.size :]
    # The offset stands in the Zip64 field, behind whichever of the two sizes stand there too.
    at = _CENTRAL.size + fields[10]
    stop = at + fields[11]
    while at + 4 <= stop:
        kind, length = struct.unpack_from("<2H", record, at)
        if kind == 1:
            place = at + 4 + 8 * (fields[9] == _BIG) + 8 * (fields[8] == _BIG)
            return record[:place] + struct.pack("<Q", offset) + record[place + 8 :]
        at += 4 + length
    raise Uncuttable


def _finish(out: IO[bytes], count: int, begin: int, comment: bytes) -> None:
    """The end of the directory, with the wider one before it where numbers are large."""
    end = out.tell()
    size = end - begin
    if count >= _MANY or begin >= _BIG or size >= _BIG:
        out.write(_END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, begin))
        out.write(_LOCATOR.pack(b"PK\x06\x07", 0, end, 1))
    few = min(count, _MANY)
    out.write(_END.pack(b"PK\x05\x06", 0, 0, few, few, min(size, _BIG), min(begin, _BIG), len(comment)))
    out.write(comment)


def repacked(member: Member, name: str, target: Path, fill: Callable[[IO[bytes]], object]) -> Member:
    """Make an archive of one member anew, packed as the old one was.

    Args:
        member: The old one.
        name: Its new name.
        target: The archive.
        fill: Writes the content.
    """
    old = member.info
    info = zipfile.ZipInfo(name, old.date_time)
    info.compress_type, info.external_attr, info.create_system = old.compress_type, old.external_attr, old.create_system
    with (
        zipfile.ZipFile(target, "w") as made,
        made.open(info, "w", force_zip64=old.file_size > _BIG // 2) as out,
    ):
        fill(out)
    [found], _ = directory(target)
    return found
