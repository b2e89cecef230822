"""Removal of a person from a received file: what decides, what is read, what is left; each format does its own part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from xinglin.sources.reading import Reading
from xinglin.sources.record import Record, Rejected
from xinglin.sources.unpack import Stretch

__all__ = ["UNTOUCHED", "Account", "Content", "Cut", "Judge", "Out", "Uncuttable", "about_another", "unbroken"]

_HEAD = 1_000_000


@dataclass(frozen=True)
class Judge:
    """By what a person is recognised.

    Args:
        owns: Whether a record is the person's.
        told: Whether a text that is no record speaks of the person: a name, a remark, what stands around records.
        suspect: Whether a stretch of bytes can hold something of the person, told quickly; what is not suspected is
            copied without being read as records. None where only what is expected is looked into.
    """

    owns: Callable[[Record], bool]
    told: Callable[[bytes], bool]
    suspect: Callable[[bytes], bool] | None


@dataclass(frozen=True)
class Content:
    """Something received, unpacked: a file, or a member of an archive.

    Args:
        name: Its name, as it was when it was landed, since formats look at it.
        blocks: Its bytes from the beginning, each time it is called; raises `Rejected` where they break off.
        reading: How it was read.
        encoding: Of a table's text, where that is known.
        expected: Whether something of the person is known to have come from it. Where nothing is found then, all of it
            goes.
    """

    name: str
    blocks: Callable[[], Iterator[bytes]]
    reading: Reading
    encoding: str | None = None
    expected: bool = False

    def head(self) -> bytes:
        """Its beginning, by which a form is recognised: a megabyte or a little more.

        Raises:
            Rejected: It breaks off there.
        """
        head = b""
        for block in self.blocks():
            head += block
            if len(head) >= _HEAD:
                break
        return head


@dataclass(frozen=True)
class Cut:
    """What became of a content.

    Args:
        removed: Pieces that were taken out: members, lines, messages, rows, entries; 1 for a whole document.
        remains: Whether something is left and was written; nothing was written that counts where it is not.
        lost: Records about other persons that went with a piece that nobody can cut.
        unread: Members that could not be looked into, and were left.
    """

    removed: int = 0
    remains: bool = True
    lost: int = 0
    unread: int = 0


UNTOUCHED = Cut()
"""Nothing of the person was found."""


class Out(Protocol):
    """Where the rest is written."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...


class Uncuttable(Exception):
    """The content cannot be cut exactly; all of it stays or goes."""


def about_another(record: Record) -> bool:
    """Whether a record that is not the person's is about another person, rather than about nobody."""
    return not isinstance(record.found, Rejected) and record.found.patient_id is not None


@dataclass
class Account:
    """Counts while a content is cut piece by piece; `cut` is the sum."""

    removed: int = 0
    lost: int = 0
    remains: bool = False

    @property
    def cut(self) -> Cut:
        """What was done to the content."""
        return Cut(self.removed, self.remains or not self.removed, self.lost)


def unbroken(found: Iterator[Stretch]) -> Iterator[Stretch]:
    """Stretches of a content, all of which can be read.

    Raises:
        Uncuttable: One was rejected; not all of its bytes are there.
    """
    for stretch in found:
        if stretch.rejected:
            raise Uncuttable
        yield stretch
