"""The mart's SQL, schemas and code maps as the package carries them, and the digest that names their version."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path, PurePosixPath

from xinglin.mart.meaning import GUARD_SCHEMA

__all__ = ["EVENT_TYPES", "IMAGE_TYPES", "PART_TYPES", "code_digest", "code_map", "query", "schema"]

_HERE = Path(__file__).parent

_GROUPED = ("sql/event", "schemas")
"""Folders with one file per resource type, grouped by domain; no name and no digest depends on the group."""


def _per_type(folder: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted((_HERE / folder).rglob("*")) if path.suffix in {".sql", ".json"}}


_EVENTS = _per_type("sql/event")
_SCHEMAS = _per_type("schemas")

EVENT_TYPES: frozenset[str] = frozenset(_EVENTS)
"""Resource types that become events; one query each in a folder of ``sql/event``."""

PART_TYPES: dict[str, tuple[tuple[str, str], ...]] = {
    "Patient": (
        ("part/Patient_person", "part_person"),
        ("part/Patient_place", "part_place"),
        ("part/Patient_implausible", "implausible_value"),
    ),
    "Organization": (("part/Organization_care_site", "care_site"), ("part/Organization_place", "part_place")),
    "Location": (("part/Location_place", "part_place"),),
    "Practitioner": (("part/Practitioner_provider", "part_provider"),),
    "PractitionerRole": (("part/PractitionerRole_provider", "part_provider"),),
}
"""Resource types that describe persons and places: (query, table) of each."""


IMAGE_TYPES: dict[str, str] = {"ImagingStudy": "part/ImagingStudy_image"}
"""Resource types that describe images in addition to being an event: the query of each."""


@cache
def query(name: str) -> str:
    """The text of one query of the package.

    Args:
        name: Path below ``sql`` without suffix; the query of a resource type is named ``event/<type>``, whatever its
            group.

    Example:
        >>> query("reduce/person").splitlines()[0]
        '-- grain: one row per person'
    """
    folder, _, stem = name.rpartition("/")
    path = _EVENTS[stem] if folder == "event" else _HERE / "sql" / f"{name}.sql"
    return path.read_text()


@cache
def schema(resource_type: str) -> str:
    """What is read of a resource, in the notation of DuckDB's from_json: its type's elements and those of every type.

    Example:
        >>> schema("Device").endswith('"type":"JSON"}')
        True
    """
    content = json.loads(_SCHEMAS[resource_type].read_text())
    return json.dumps({**GUARD_SCHEMA, **content}, separators=(",", ":"))


def code_map(name: str) -> Path:
    """The CSV file of one administrative code map.

    Example:
        >>> code_map("gender").name
        'gender.csv'
    """
    return _HERE / "vocabulary" / f"{name}.csv"


@cache
def code_digest() -> str:
    """One digest over everything that decides the bytes of the mart's files, the query engine included."""
    import duckdb

    digest = hashlib.sha256(duckdb.__version__.encode())
    folders = ("sql", "schemas", "vocabulary")
    paths = [path for folder in folders for path in (_HERE / folder).rglob("*") if path.suffix != ".pyc"]
    modules = [
        _HERE / name
        for name in ("expressions.py", "mapping.py", "meaning.py", "parts.py", "references.py", "session.py")
    ]
    for path in [*sorted(paths, key=_ungrouped), *modules]:
        if path.is_file():
            digest.update(f"{_ungrouped(path)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _ungrouped(path: Path) -> PurePosixPath:
    """The path below this package without the group, so that regrouping the files rebuilds nothing."""
    relative = PurePosixPath(path.relative_to(_HERE).as_posix())
    folder = next((PurePosixPath(one) for one in _GROUPED if relative.is_relative_to(one)), None)
    return folder / relative.name if folder else relative
