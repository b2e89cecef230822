"""Worker task: read parts, check their resources, write them as Parquet pieces to the batch's temporary folder."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xinglin.core.files import full_disk
from xinglin.core.ids import omop_key
from xinglin.landing.batch.fixed import fixed_of
from xinglin.landing.batch.history import UNKNOWN
from xinglin.landing.batch.originals import Objects
from xinglin.landing.batch.parquet import quarantine_table, resource_table, write_table
from xinglin.landing.batch.rows import Rows, conditional_references
from xinglin.landing.erased_hashes import ErasedHashes
from xinglin.sources import KEPT, Part, Reading, Record, Rejected, Resource, digest_of, records

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FILE_BYTES", "FILE_ROWS", "Offered", "Outcome", "Piece", "Task", "make_pieces"]

FILE_ROWS = 65_536
_MENTIONED = 200_000
_ERASED = Rejected("erased", "expected nothing more of a person whose records were erased")
FILE_BYTES = 40_000_000  # a full chunk of NDJSON becomes a file without merging, so it is written once


@dataclass(frozen=True)
class Task:
    """Parts that one worker reads.

    Args:
        number: Number among the tasks of the batch.
        site: The site.
        folder: Folder to write pieces to.
        parts: What to read.
        reading: Format, mapping and limits.
        originals: Folder of objects stored as received.
        erased_hashes: Erased resources, which must not land again.
    """

    number: int
    site: str
    folder: Path
    parts: tuple[Part, ...]
    reading: Reading
    originals: Path
    erased_hashes: ErasedHashes | None = None


@dataclass(frozen=True)
class Piece:
    """Rows of one resource type from one task.

    Args:
        resource_type: Resource type.
        path: The Parquet file.
        rows: Number of rows.
        text_bytes: Total size of the resources' texts.
        conditional: Number of references by search (``Type?…``) or identifier instead of by id.
    """

    resource_type: str
    path: Path
    rows: int
    text_bytes: int
    conditional: int


class Offered(NamedTuple):
    """A piece with the columns by which its rows are accepted.

    Args:
        piece: The piece.
        keys: Keys of its rows.
        leaves: First 8 bytes of their leaf hashes.
        mentions: Whether each row only mentions a resource that another record states.
        updated: When each was last changed, in microseconds since 1970; `UNKNOWN` where that does not decide.
        deleted: Whether each says that the resource was deleted.
        fixed: Digest of what no version of each may change; 0 where everything may.
    """

    piece: Piece
    keys: np.ndarray[Any, Any]
    leaves: np.ndarray[Any, Any]
    mentions: np.ndarray[Any, Any]
    updated: np.ndarray[Any, Any]
    deleted: np.ndarray[Any, Any]
    fixed: np.ndarray[Any, Any]


@dataclass
class Outcome:
    """The result of a task.

    Args:
        offered: Pieces in the order they were written.
        quarantine: The piece of quarantined records, if any.
        received: Number of records by source.
        quarantined: Quarantined records by source.
        hashes: SHA-256 of archive members read by the task, by source.
        kept: Name of the stored object, by source.
        erased: Sources with records that were erased before.
        unknown: Number of elements that FHIR R4 does not know, by name (``Patient.surname``).
    """

    offered: list[Offered] = field(default_factory=list)
    quarantine: Path | None = None
    received: Counter[int] = field(default_factory=Counter)
    quarantined: Counter[int] = field(default_factory=Counter)
    hashes: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)


def make_pieces(task: Task) -> Outcome:
    """Read, check, hash and write the parts of one task.

    Raises:
        StorageError: The disk is full.
    """
    worker = _Worker(task)
    # Millions of short-lived dicts without cycles: collecting cycles would double the time.
    looking = gc.isenabled()
    gc.disable()
    try:
        with full_disk(task.folder):
            for part in task.parts:
                worker.read(part)
            return worker.finish()
    finally:
        worker.objects.discard()
        if looking:
            gc.enable()


class _Worker:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.outcome = Outcome()
        self.rows: dict[str, Rows] = {}
        self.rejected: list[dict[str, Any]] = []
        self.patients: dict[str | None, int | None] = {None: None}
        self.mentioned: set[tuple[str, str]] = set()
        self.objects = Objects(task.originals)

    def read(self, part: Part) -> None:
        received = 0
        quarantined = 0
        for record in records(part, self.task.reading):
            received += 1
            if self.task.erased_hashes is not None and self.task.erased_hashes.owns(record):
                quarantined += 1
                self.outcome.erased.add(part.source)
                self._quarantine(
                    part, Record(record.position, _ERASED, b"", max(record.size, len(record.raw))), _ERASED
                )
                continue
            if record.keep is not None:
                self.outcome.kept[part.source] = self.objects.keep(record.keep)
            if isinstance(record.found, Rejected):
                quarantined += 1
                self._quarantine(part, record, record.found)
            elif not (record.mention and self._again(record.found)):
                self._add(part.source, record, record.found)
        self.outcome.received[part.source] += received
        self.outcome.quarantined[part.source] += quarantined
        if part.unhashed:
            self.outcome.hashes[part.source] = digest_of(part)

    def _again(self, found: Resource) -> bool:
        """Whether this task has seen the same mention: then it is a duplicate of the known resource."""
        name = (found.resource_type, found.resource_id)
        if name in self.mentioned:
            return True
        if len(self.mentioned) >= _MENTIONED:
            self.mentioned.clear()
        self.mentioned.add(name)
        return False

    def _add(self, source: int, record: Record, found: Resource) -> None:
        resource_type, patient_id, text = found.resource_type, found.patient_id, found.text
        rows = self.rows.get(resource_type)
        if rows is None:
            rows = self.rows[resource_type] = Rows(self.task.site, resource_type)
        patients = self.patients
        if patient_id is not None and patient_id not in patients:
            patients[patient_id] = omop_key(self.task.site, "Patient", patient_id)
        rows.digests.append(md5(rows.prefix + found.resource_id.encode(), usedforsecurity=False).digest())
        rows.patients.append(patients[patient_id])
        rows.ids.append(found.resource_id)
        rows.leaves.append(sha256(b"\x00" + text).digest())
        rows.sources.append(source)
        rows.positions.append(record.position)
        rows.mentions.append(record.mention)
        rows.updated.append(None if record.mention else found.updated)
        rows.deleted.append(found.deleted)
        rows.fixed.append(0 if record.keep is None else fixed_of(text))
        rows.texts.append(text)
        rows.text_bytes += len(text)
        if b"?" in text:
            rows.conditional += conditional_references(text)
        elif patient_id is not None and patient_id[:1] == "?":
            rows.conditional += 1
        if found.unknown:
            self.outcome.unknown.update(f"{resource_type}.{name}" for name in found.unknown)
        if len(rows.texts) >= FILE_ROWS or rows.text_bytes >= FILE_BYTES:
            self._write(self.rows.pop(resource_type))

    def _quarantine(self, part: Part, record: Record, rejected: Rejected) -> None:
        self.rejected.append(
            {
                "source": part.source,
                "member": part.member,
                "position": record.position,
                "reason": rejected.reason,
                "detail": rejected.detail,
                "original": record.raw[:KEPT],
                "original_bytes": max(record.size, len(record.raw)),
            }
        )

    def _write(self, rows: Rows) -> None:
        import numpy as np

        keys = rows.keys()
        table = resource_table(rows, keys)
        number = len(self.outcome.offered)
        path = self.task.folder / f"piece-{self.task.number:06d}-{number:04d}.parquet"
        write_table(table, path)
        leaves = np.frombuffer(b"".join(rows.leaves), dtype="<u8").reshape(-1, 4)[:, 0].copy()
        piece = Piece(rows.resource_type, path, len(rows.texts), rows.text_bytes, rows.conditional)
        updated = np.array([UNKNOWN if one is None else one for one in rows.updated], dtype="<i8")
        mentions, deleted = (np.array(one, dtype=bool) for one in (rows.mentions, rows.deleted))
        fixed = np.array(rows.fixed, dtype="<u8")
        self.outcome.offered.append(Offered(piece, keys, leaves, mentions, updated, deleted, fixed))

    def finish(self) -> Outcome:
        self.objects.publish()
        for resource_type in sorted(self.rows):
            self._write(self.rows.pop(resource_type))
        if self.rejected:
            self.outcome.quarantine = self.task.folder / f"quarantine-{self.task.number:06d}.parquet"
            write_table(quarantine_table(self.rejected), self.outcome.quarantine)
        return self.outcome
