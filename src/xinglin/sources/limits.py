"""How much of a hostile or broken input is looked at before it is set aside."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Limits that keep one input from exhausting the machine.

    Args:
        resource_bytes: Largest single resource (64 MB); a longer one is quarantined as ``too-large``.
        document_bytes: Largest Bundle or other whole document (256 MB).
        ratio: Largest compression ratio once ``ratio_bytes`` were unpacked; beyond it lies a zip bomb.
        ratio_bytes: Unpacked bytes from which the ratio is looked at.
        archive_bytes: Largest sum of an archive's unpacked members.
        members: Most members of an archive.
        chunk_bytes: Bytes of NDJSON that one task checks.

    Example:
        >>> Limits(members=20).members
        20
    """

    resource_bytes: int = 64_000_000
    document_bytes: int = 256_000_000
    ratio: int = 200
    ratio_bytes: int = 16_000_000
    archive_bytes: int = 64_000_000_000
    members: int = 100_000
    chunk_bytes: int = 32_000_000
