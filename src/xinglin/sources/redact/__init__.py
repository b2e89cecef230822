"""Originals without what is one person's: the rest byte for byte as it was."""

from xinglin.sources.redact.original import Original, redact
from xinglin.sources.removal import Cut, Judge

__all__ = ["Cut", "Judge", "Original", "redact"]
