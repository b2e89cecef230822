"""Tombstones: what was erased from signed batches, signed by the site that had signed them.

A batch stays where it is: its manifest, its signature and the leaf hash of every row. Of an erased row everything else
is gone: text, id, key, patient. So the Merkle root over all leaves still is the signed one, rows keep their places, and
everybody else's proofs hold. A tombstone names the rows, and the hashes that the rewritten files have now; what is
neither as the manifest says nor as a tombstone says is damage.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.landing.manifest import canonical, check_signature, digest, sign

__all__ = [
    "Change",
    "ErasedBatch",
    "ErasedFile",
    "RedactedOriginal",
    "Tombstone",
    "folder_of",
    "merged",
    "originals_now",
    "read_tombstones",
    "seal",
]

_FORMAT, _REDACTING = 1, 2


@dataclass(frozen=True)
class ErasedFile:
    """Rows of one file of a batch.

    Args:
        name: The file.
        role: resource, superseded or quarantine, as in the manifest.
        rows: Rows that were erased, from 0.
        leaves: Leaf hashes of the rows in hex; of resources only.
        before: SHA-256 of the file before.
        sha256: SHA-256 of the file now.
        bytes: Its size now.
    """

    name: str
    role: str
    rows: tuple[int, ...]
    leaves: tuple[str, ...]
    before: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class ErasedBatch:
    """What was erased of one batch.

    Args:
        sequence: The batch.
        manifest: SHA-256 of the manifest as it was first signed, by which the next batch and the ledger name it.
        redacted: SHA-256 of the manifest in its place, where names of received files named the person.
        signature: The first signature, where the manifest was redacted.
        files: Its files that were rewritten.
        sources: Received files, by number, whose records were erased: they count as not received before.
    """

    sequence: int
    manifest: str
    redacted: str | None
    signature: str | None
    files: tuple[ErasedFile, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True)
class RedactedOriginal:
    """A kept original that another one took the place of: the same without what was erased.

    Args:
        before: The old one's name, which holds the SHA-256 of the original as it was received.
        after: The new one's name, which holds its SHA-256.
        bytes: The new one's size as it is kept.
        removed: Pieces that were taken out: members, lines, messages, rows, entries.
    """

    before: str
    after: str
    bytes: int
    removed: int


@dataclass(frozen=True)
class Tombstone:
    """One erasure at one site.

    Args:
        site: The site.
        sequence: Number among the site's tombstones, from 1.
        previous: SHA-256 of the one before.
        reason: Why.
        time: When, ISO 8601.
        batches: What was erased of each batch.
        originals: Kept originals that were removed.
        redacted: Kept originals that were made anew without what was erased.
    """

    site: str
    sequence: int
    previous: str | None
    reason: str
    time: str
    batches: tuple[ErasedBatch, ...]
    originals: tuple[str, ...]
    redacted: tuple[RedactedOriginal, ...] = ()

    @property
    def content(self) -> bytes:
        """The bytes that are signed; a tombstone that redacts no original says nothing about that."""
        said = asdict(self)
        if not self.redacted:
            del said["redacted"]
        return canonical({"format": _REDACTING if self.redacted else _FORMAT, "kind": "tombstone", **said})

    @property
    def digest(self) -> str:
        """SHA-256 of the signed bytes, by which the ledger names the tombstone."""
        return digest(self.content)


@dataclass(frozen=True)
class Change:
    """What all tombstones together say of one batch.

    Args:
        manifest: SHA-256 of its manifest as it was first signed.
        redacted: SHA-256 of the manifest that stands in its place.
        files: By name, what the file is now, with all rows that were ever erased of it.
        sources: Received files whose records were erased.
    """

    manifest: str
    redacted: str | None = None
    files: dict[str, ErasedFile] = field(default_factory=dict)
    sources: frozenset[int] = frozenset()

    def then(self, later: ErasedBatch) -> Change:
        """This, and what a later tombstone says."""
        files = dict(self.files)
        for file in later.files:
            known = files.get(file.name)
            rows = dict(zip(known.rows, known.leaves or ("",) * len(known.rows), strict=True)) if known else {}
            rows |= dict(zip(file.rows, file.leaves or ("",) * len(file.rows), strict=True))
            order = tuple(sorted(rows))
            before = known.before if known else file.before
            leaves = tuple(rows[row] for row in order) if file.role == "resource" else ()
            files[file.name] = ErasedFile(file.name, file.role, order, leaves, before, file.sha256, file.bytes)
        return Change(self.manifest, later.redacted or self.redacted, files, self.sources | set(later.sources))


def folder_of(site_folder: Path) -> Path:
    """Where the tombstones of a site are."""
    return site_folder / "tombstones"


def seal(tombstone: Tombstone, key: bytes) -> bytes:
    """The file of a tombstone: its content and, in a second line, the site's signature."""
    return tombstone.content + b"\n" + sign(key, tombstone.content)


def read_tombstones(site_folder: Path, public_key: str | None = None) -> list[Tombstone]:
    """The tombstones of a site, oldest first.

    Args:
        site_folder: The site's folder in the landing.
        public_key: Check every signature and the chain by this key.

    Raises:
        VerificationFailed: One is not the site's, or one is missing.
    """
    found: list[Tombstone] = []
    for path in sorted(folder_of(site_folder).glob("[0-9]*.json")):
        try:
            content, signature = path.read_bytes().split(b"\n", 1)
            tombstone = _read(json.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed("the tombstone cannot be read", source=str(path)) from error
        if public_key is not None:
            check_signature(public_key, content, signature, where=str(path))
            previous = found[-1].digest if found else None
            if tombstone.content != content or (tombstone.sequence, tombstone.previous) != (len(found) + 1, previous):
                raise VerificationFailed("the tombstone does not follow the one before it", source=str(path))
        found.append(tombstone)
    return found


def _read(content: dict[str, Any]) -> Tombstone:
    batches = tuple(
        ErasedBatch(
            one["sequence"],
            one["manifest"],
            one["redacted"],
            one["signature"],
            tuple(
                ErasedFile(**{**file, "rows": tuple(file["rows"]), "leaves": tuple(file["leaves"])})
                for file in one["files"]
            ),
            tuple(one["sources"]),
        )
        for one in content["batches"]
    )
    names = ("site", "sequence", "previous", "reason", "time")
    return Tombstone(
        **{name: content[name] for name in names},
        batches=batches,
        originals=tuple(content["originals"]),
        redacted=tuple(RedactedOriginal(**one) for one in content.get("redacted", ())),
    )


def merged(tombstones: Sequence[Tombstone]) -> dict[int, Change]:
    """What tombstones say of each batch, all of them together."""
    changes: dict[int, Change] = {}
    for tombstone in tombstones:
        for batch in tombstone.batches:
            changes[batch.sequence] = changes.get(batch.sequence, Change(batch.manifest)).then(batch)
    return changes


def originals_now(tombstones: Sequence[Tombstone]) -> dict[str, str | None]:
    """What became of the originals that tombstones name: the name of what stands in an original's place, or None.

    Args:
        tombstones: Of one site, oldest first.

    Example:
        >>> first = Tombstone("mercy", 1, None, "r", "t", (), ("b",), (RedactedOriginal("a", "a1", 5, 1),))
        >>> then = Tombstone("mercy", 2, first.digest, "r", "t", (), (), (RedactedOriginal("a1", "a2", 4, 1),))
        >>> originals_now([first]), originals_now([first, then])
        ({'b': None, 'a': 'a1'}, {'b': None, 'a': 'a2', 'a1': 'a2'})
    """
    now: dict[str, str | None] = {}
    for tombstone in tombstones:
        step: dict[str, str | None] = dict.fromkeys(tombstone.originals)
        step |= {one.before: one.after for one in tombstone.redacted}
        now = {name: step.get(found, found) if found is not None else None for name, found in now.items()} | step
    return now
