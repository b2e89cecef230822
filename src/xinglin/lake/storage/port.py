"""What the lake asks of a place that keeps bytes.

Keys are relative paths with ``/`` between their parts. A data file has a name made from its content, so it is written
once and never changes; the few files that do change (the pointers) are replaced whole, and only by somebody who has
seen what is being replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Content", "Objects", "Storage", "Stored"]


@dataclass(frozen=True)
class Content:
    """The bytes of a small file and the mark of this version of it."""

    data: bytes
    token: str


@dataclass(frozen=True)
class Stored:
    """One file in a listing.

    Args:
        key: Its key.
        size: Bytes.
        modified: When it was last written, in seconds since 1970 by the storage's own clock.
    """

    key: str
    size: int
    modified: float


class _Place(Protocol):
    """What every storage does in the same way."""

    def read(self, key: str) -> Content | None:
        """A file that changes, whole; None where there is none."""
        ...

    def replace(self, key: str, data: bytes, token: str | None) -> str:
        """Put `data` in the place of the version marked `token`, in one step.

        Args:
            key: A file that changes.
            data: Its new bytes.
            token: The version that was read; None for a file that was not there.

        Returns:
            The token of what was written.

        Raises:
            Conflict: The file is another version by now; nothing was written.
        """
        ...

    def listing(self, prefix: str) -> Iterator[Stored]:
        """Every file under ``prefix/``, in no order."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove files; one that is not there is no error."""
        ...

    def delta(self, key: str) -> tuple[str, dict[str, str]]:
        """Address and options by which delta-rs opens the table in the folder `key`."""
        ...


class Storage(_Place, Protocol):
    """What `Lake` works with.

    Args:
        url: Where it is, for messages; holds no secret.
        work: Folder on this machine for locks and unfinished files.
        grace: Seconds for which a data file that no pointer names is left alone: somebody may be about to name it.
    """

    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def work(self) -> Path: ...  # noqa: D102
    @property
    def grace(self) -> float: ...  # noqa: D102

    def adopt(self, files: Sequence[tuple[Path, str]]) -> None:
        """Take finished data files to these keys; when this returns they are durable and readable by everybody."""
        ...

    def paths(self, keys: Sequence[str]) -> list[str]:
        """Files on this machine with the content of these data files, in the order of the keys."""
        ...


class Objects(_Place, Protocol):
    """A storage elsewhere; `Remote` makes a `Storage` of it."""

    @property
    def url(self) -> str: ...  # noqa: D102

    def upload(self, file: Path, key: str) -> None:
        """Store a data file; storing the same content again renews its time."""
        ...

    def download(self, key: str, file: Path) -> None:
        """Write a data file to a path on this machine.

        Raises:
            NotFound: There is no such file.
        """
        ...
