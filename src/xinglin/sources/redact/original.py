"""A kept original without what is one person's."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from xinglin.sources.discover import codec_of
from xinglin.sources.reading import Reading
from xinglin.sources.record import Rejected
from xinglin.sources.redact.archive import Member, directory, repacked, spliced
from xinglin.sources.redact.content import cut_content, suspected
from xinglin.sources.redact.packing import codec_in, file_blocks, member_blocks, packed
from xinglin.sources.removal import UNTOUCHED, Content, Cut, Judge, Uncuttable

__all__ = ["Original", "redact"]

_NESTED = (".zip", ".tar", ".tgz", ".7z", ".rar")
_BLOCK = 1_000_000


@dataclass(frozen=True)
class Original:
    """An original as it is kept.

    Args:
        path: Where it is.
        name: Its name when it was received.
        reading: How it was read.
        encoding: Of a table's text, where that is known.
        expected: Whether something of the person is known to have come from it.
        members: Members of the archive from which something of the person is known to have come.
    """

    path: Path
    name: str
    reading: Reading
    encoding: str | None = None
    expected: bool = False
    members: frozenset[str] = frozenset()


def redact(original: Original, judge: Judge, target: Path) -> Cut:
    """Write an original without what is the person's, block by block.

    Args:
        original: The original; it is only read.
        judge: Who decides.
        target: Written only where something was removed and something remains.

    Returns:
        What became of it.
    """
    # What was landed is no bomb.
    limits = replace(original.reading.limits, ratio=1 << 40)
    original = replace(original, reading=replace(original.reading, limits=limits))
    codec = codec_in(original.path)
    if codec == "zip":
        try:
            return _redact_archive(original, judge, target)
        except Uncuttable:
            target.unlink(missing_ok=True)
            return Cut(1, remains=False) if original.expected or original.members else UNTOUCHED
    blocks = file_blocks(original.path, codec, limits)
    content = Content(original.name, blocks, original.reading, original.encoding, original.expected)
    if not _worth(content, judge):
        return UNTOUCHED
    with target.open("wb") as file, packed(file, codec) as out:
        cut = cut_content(content, judge, out)
    if not cut.removed or not cut.remains:
        target.unlink()
    return cut


def _worth(content: Content, judge: Judge) -> bool:
    """Whether the content has to be gone through; what cannot be read to its end is looked at as far as it goes."""
    try:
        return content.expected or suspected(content, judge)
    except Rejected:
        return False


def _redact_archive(original: Original, judge: Judge, target: Path) -> Cut:
    members, comment = directory(original.path)
    with _folder(target.with_name(f"{target.name}.parts")) as folder, zipfile.ZipFile(original.path) as archive:
        work = _Archive(original, archive, judge)
        rest = [
            kept for number, one in enumerate(members) if (kept := work.kept(one, folder / str(number))) is not None
        ]
        told = bool(comment) and judge.told(comment)
        if not work.changed and not told:
            return Cut(unread=work.unread)
        remains = any(not (one if isinstance(one, Member) else one[1]).info.is_dir() for one in rest)
        if remains:
            spliced(original.path, rest, b"" if told else comment, target)
    return Cut(max(work.removed, 1), remains, work.lost, work.unread)


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class _Archive:
    """One archive that is gone through."""

    def __init__(self, original: Original, archive: zipfile.ZipFile, judge: Judge) -> None:
        self.original = original
        self.archive = archive
        self.judge = judge
        self.changed = False
        self.removed = 0
        self.lost = 0
        self.unread = 0

    def kept(self, member: Member, place: Path) -> Member | tuple[Path, Member] | None:
        """A member as it lies, one made anew at a place, or None for one that goes."""
        info = member.info
        named = self.judge.told(info.filename.encode("utf-8", "surrogateescape"))
        if info.is_dir():
            self.changed |= named
            return None if named else member
        content = self._content(member)
        if not self._worth(content, named):
            return self._renamed(member, place) if named else member
        cut, made = self._made(member, content, named, place)
        self.lost += cut.lost
        if not cut.removed:
            return self._renamed(member, place) if named else member
        self.changed = True
        self.removed += cut.removed if cut.remains else 1
        return (place, made) if cut.remains else None

    def _content(self, member: Member) -> Content:
        name, reading = member.info.filename, self.original.reading
        blocks = member_blocks(self.archive, member.info, codec_of(name), reading.limits)
        return Content(f"{self.original.name}/{name}", blocks, reading, expected=name in self.original.members)

    def _worth(self, content: Content, named: bool) -> bool:
        if content.expected:
            return True
        if content.name.lower().endswith(_NESTED):
            self.unread += 1
            return False
        try:
            return suspected(content, self.judge) or (named and self.judge.suspect is not None)
        except Rejected:
            self.unread += 1
            return False

    def _made(self, member: Member, content: Content, named: bool, place: Path) -> tuple[Cut, Member]:
        found = UNTOUCHED

        def fill(out: IO[bytes]) -> None:
            nonlocal found
            with packed(out, codec_of(member.info.filename)) as inner:
                found = cut_content(content, self.judge, inner)

        made = repacked(member, self._name(member) if named else member.info.filename, place, fill)
        return found, made

    def _renamed(self, member: Member, place: Path) -> tuple[Path, Member] | None:
        """A member whose name alone tells of the person, under another; one that cannot be read goes."""
        self.changed = True
        self.removed += 1
        raw = member_blocks(self.archive, member.info, "plain", self.original.reading.limits)
        try:
            return place, repacked(member, self._name(member), place, partial(_fill, raw()))
        except Rejected:
            return None

    def _name(self, member: Member) -> str:
        ending = PurePosixPath(member.info.filename).suffix
        return f"erased-{member.start}" + ("" if self.judge.told(ending.encode()) else ending)


def _fill(blocks: Iterator[bytes], out: IO[bytes]) -> None:
    for block in blocks:
        out.write(block)
