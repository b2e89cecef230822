"""Evidence from the audit log: inclusion proofs of events, and verification of sealed segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xinglin.access.audit.recorded import micros_of
from xinglin.access.audit.segments import (
    Seal,
    entries_of,
    event_at,
    events_file,
    indexed,
    last_seal,
    leaves_of,
    lines_of,
    seal_of,
    seals_of,
    unsealed,
)
from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.core.merkle import audit_path, leaf_hash, root_from_path, root_of

__all__ = ["EventProof", "findings", "holds", "prove"]


@dataclass(frozen=True, slots=True)
class EventProof:
    """Inclusion proof of an event in a sealed segment; checkable with the segment's root.

    Args:
        event: The AuditEvent's bytes.
        stream: The stream's 16 bytes.
        seal: The segment's seal.
        index: The event's position in the segment, from 0.
        path: The audit path, from the leaf upwards (RFC 6962, 2.1.1).
    """

    event: bytes
    stream: bytes
    seal: Seal
    index: int
    path: tuple[bytes, ...]


def prove(folder: Path, number: int) -> EventProof:
    """Prove that an event is in its sealed segment.

    Args:
        folder: The stream's folder.
        number: The event's number in the stream.

    Raises:
        NotFound: There is no such event, or it is not sealed yet.
        VerificationFailed: The events differ from what was sealed.
    """
    seal = seal_of(folder, number)
    if seal is None:
        raise NotFound("the event is not in a sealed segment", source=folder.name, remedy="wait one second", retry=True)
    place = number - seal.number
    event = event_at(folder, number)
    proof = _proof(folder, seal, place, event, leaves_of(folder, seal))
    # The index is only a copy: if it is wrong, read the events themselves.
    if not holds(proof, bytes.fromhex(seal.root)):
        lines = lines_of(folder, seal)
        event = lines[place] if place < len(lines) else b""
        proof = _proof(folder, seal, place, event, [leaf_hash(line) for line in lines])
        if not holds(proof, bytes.fromhex(seal.root)):
            raise VerificationFailed(
                f"segment {seal.segment} differs from what was sealed", source=folder.name, remedy="restore a backup"
            )
    return proof


def _proof(folder: Path, seal: Seal, place: int, event: bytes, leaves: list[bytes]) -> EventProof:
    """The proof; one that does not verify if the number of leaves differs from the seal."""
    path = tuple(audit_path(leaves, place)) if len(leaves) == seal.count else ()
    return EventProof(event, bytes.fromhex(folder.name), seal, place, path)


def holds(proof: EventProof, root: bytes) -> bool:
    """Whether a proof verifies against a segment's root.

    Args:
        proof: The proof.
        root: The root from the ledger.
    """
    try:
        return root_from_path(proof.index, proof.seal.count, leaf_hash(proof.event), list(proof.path)) == root
    except ValueError:
        return False


def findings(folder: Path) -> Iterator[str]:
    """Defects of a stream: the first one of each segment, by name; empty if the stream is intact.

    Args:
        folder: The stream's folder.
    """
    try:
        seals = seals_of(folder)
    except VerificationFailed as error:
        yield f"stream {folder.name}: {error.what}"
        return
    position = (0, 0, 0)
    for seal in seals:
        # A segment begins where the previous one ends, or at the start of the next file.
        if (seal.file, seal.start, seal.number) not in (position, (position[0] + 1, 0, position[2])):
            yield f"stream {folder.name}: segment {seal.segment} does not follow the previous one"
        position = (seal.file, seal.end, seal.number + seal.count)
        if wrong := _wrong(folder, seal):
            yield f"stream {folder.name}, segment {seal.segment}: {wrong}"
    begin = seals[-1].number + seals[-1].count if seals else 0
    for number, (_, _, line) in enumerate(unsealed(folder, last_seal(folder)), begin):
        if not line.startswith(_opening(folder, number)):
            yield f"stream {folder.name}: event {number} (not sealed yet) is damaged"
            return


def _wrong(folder: Path, seal: Seal) -> str:
    """The first defect of a segment; empty if it is intact."""
    path = events_file(folder, seal.file)
    if not path.exists():
        return f"{path.name} is missing"
    if path.stat().st_size < seal.end:
        return f"{path.name} ends before the segment does"
    lines = lines_of(folder, seal)
    entries = entries_of(folder, seal)
    copies = indexed(folder, seal.number, seal.count)
    if len(entries) == seal.count and root_of([entry.leaf for entry in entries]).hex() == seal.root:
        if (seal.first, seal.last) != (micros_of(lines[0]), micros_of(lines[-1])):
            return "the times of the seal differ from those of the events"
        return "" if entries == copies else "the index differs from the events"
    # The index stores the hash of each event, which identifies the damaged one.
    if root_of([copy.leaf for copy in copies]).hex() == seal.root:
        for place, (entry, copy) in enumerate(zip(entries, copies, strict=False)):
            if entry.leaf != copy.leaf:
                return f"event {seal.number + place} differs from what was sealed"
    return "the events differ from what was sealed"


def _opening(folder: Path, number: int) -> bytes:
    """The first bytes of an event's text."""
    return b'{"resourceType":"AuditEvent","id":"%s-%d",' % (folder.name.encode(), number)
