"""Originals without what is one person's: the rest byte for byte as it was."""

from xinglin.sources.redact.judge import Cut, Judge
from xinglin.sources.redact.original import Original, redact

__all__ = ["Cut", "Judge", "Original", "redact"]
