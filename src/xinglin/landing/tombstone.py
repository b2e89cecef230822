"""Tombstones: signed statements of what was erased from signed batches, by the site that signed the batches.

A batch keeps its manifest, its signature and the leaf hash of every row. Everything else of an erased row is deleted:
text, id, key, patient. Therefore the Merkle root over all leaves is still the signed one, rows keep their positions,
and proofs of all other resources remain valid. A tombstone lists the rows and the new hashes of the rewritten files. A
file that matches neither the manifest nor a tombstone is damaged.
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

_RESTORE = "restore the site's folder from a backup"


@dataclass(frozen=True)
class ErasedFile:
    """Erased rows of one file of a batch.

    Args:
        name: The file.
        role: resource, superseded or quarantine, as in the manifest.
        rows: Erased rows, from 0.
        leaves: Leaf hashes of the rows in hex; for resources only.
        before: SHA-256 of the file before the erasure.
        sha256: SHA-256 of the rewritten file.
        bytes: Size of the rewritten file.
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
    """What was erased in one batch.

    Args:
        sequence: The batch.
        manifest: SHA-256 of the manifest as first signed; the next batch and the ledger refer to it by this.
        redacted: SHA-256 of the manifest that replaced it, if names of received files named the person.
        signature: The first signature, if the manifest was redacted.
        files: The rewritten files.
        sources: Received files, by number, with erased records: they count as not received before.
    """

    sequence: int
    manifest: str
    redacted: str | None
    signature: str | None
    files: tuple[ErasedFile, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True)
class RedactedOriginal:
    """A stored original that was replaced by a redacted one, without the erased records.

    Args:
        before: Name of the old one; it contains the SHA-256 of the original as received.
        after: Name of the new one; it contains its SHA-256.
        bytes: Size of the new one as stored.
        removed: Number of pieces removed: members, lines, messages, rows, entries.
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
        previous: SHA-256 of the previous tombstone.
        reason: Why.
        time: When, ISO 8601.
        batches: What was erased in each batch.
        originals: Originals that were deleted.
        redacted: Originals that were replaced by redacted ones.
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
        """The signed bytes; without redacted originals the key `redacted` is left out."""
        said = asdict(self)
        if not self.redacted:
            del said["redacted"]
        return canonical({"format": _REDACTING if self.redacted else _FORMAT, "kind": "tombstone", **said})

    @property
    def digest(self) -> str:
        """SHA-256 of the signed bytes; the ledger refers to the tombstone by it."""
        return digest(self.content)


@dataclass(frozen=True)
class Change:
    """Changes of one batch by all tombstones together.

    Args:
        manifest: SHA-256 of its manifest as first signed.
        redacted: SHA-256 of the manifest that replaced it.
        files: Current state of each rewritten file by name, with all its erased rows.
        sources: Received files with erased records.
    """

    manifest: str
    redacted: str | None = None
    files: dict[str, ErasedFile] = field(default_factory=dict)
    sources: frozenset[int] = frozenset()

    def then(self, later: ErasedBatch) -> Change:
        """This change and a later tombstone's."""
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
    """The folder of a site's tombstones."""
    return site_folder / "tombstones"


def seal(tombstone: Tombstone, key: bytes) -> bytes:
    """The file of a tombstone: its content and, in a second line, the site's signature."""
    return tombstone.content + b"\n" + sign(key, tombstone.content)


def read_tombstones(site_folder: Path, public_key: str | None = None) -> list[Tombstone]:
    """The tombstones of a site, oldest first.

    Args:
        site_folder: The site's folder in the landing.
        public_key: Verifies every signature and the chain, if given.

    Raises:
        VerificationFailed: A tombstone is not signed by the site, or one is missing.
    """
    found: list[Tombstone] = []
    for path in sorted(folder_of(site_folder).glob("[0-9]*.json")):
        try:
            content, signature = path.read_bytes().split(b"\n", 1)
            tombstone = _read(json.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed("the tombstone cannot be read", source=str(path), remedy=_RESTORE) from error
        if public_key is not None:
            check_signature(public_key, content, signature, where=str(path))
            previous = found[-1].digest if found else None
            if tombstone.content != content or (tombstone.sequence, tombstone.previous) != (len(found) + 1, previous):
                raise VerificationFailed(
                    "the tombstone does not refer to the previous one", source=str(path), remedy=_RESTORE
                )
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
    """Changes of each batch by all tombstones together."""
    changes: dict[int, Change] = {}
    for tombstone in tombstones:
        for batch in tombstone.batches:
            changes[batch.sequence] = changes.get(batch.sequence, Change(batch.manifest)).then(batch)
    return changes


def originals_now(tombstones: Sequence[Tombstone]) -> dict[str, str | None]:
    """Current names of the originals that tombstones list; None for a deleted one.

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
