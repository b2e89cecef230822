"""Remove a person from DICOM objects: an object is one patient's, so it goes as a whole or stays."""

from __future__ import annotations

from xinglin.sources.removal import Content, Cut, Judge, Out, Uncuttable

__all__ = ["redact"]


def redact(content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
    """Refuse to cut: nothing can be taken out of an object.

    Raises:
        Uncuttable: Always.
    """
    raise Uncuttable
