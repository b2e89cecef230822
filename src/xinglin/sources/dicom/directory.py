"""A DICOMDIR tells about the objects beside it; it is no record."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from xinglin.sources.dicom.header import quiet

__all__ = ["references"]

_RECORDS, _FILE_ID = 0x00041220, 0x00041500


def references(data: bytes, folder: Path | None) -> dict[str, int]:
    """How many objects a DICOMDIR names, and how many of them are not there.

    Args:
        data: The DICOMDIR.
        folder: Where it lies; None within an archive, where nothing is looked for.

    Returns:
        ``{"referenced": n, "missing": m}``; nothing where it cannot be read.

    Example:
        >>> references(b"", None)
        {}
    """
    from pydicom import dcmread

    if not data:
        return {}
    try:
        with quiet():
            listed = dcmread(BytesIO(data), force=True, specific_tags=[_RECORDS])[_RECORDS].value
            named = {name for item in listed if (name := _name(item.get(_FILE_ID)))}
    except Exception:  # the objects themselves are read whatever the list of them looks like
        return {}
    found = {"referenced": len(named)}
    if folder is not None:
        found["missing"] = sum(not (folder / Path(*name)).is_file() for name in named)
    return found


def _name(element: object) -> tuple[str, ...]:
    """Components of a Referenced File ID; one that leads out of the folder names nothing."""
    value = getattr(element, "value", None)
    parts = (value,) if isinstance(value, str) else tuple(map(str, value or ()))
    return () if any(part in ("", "..") or "/" in part or "\x00" in part for part in parts) else parts
