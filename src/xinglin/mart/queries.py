"""The mart's SQL, schemas and code maps as the package carries them, and the digest that names their version."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

__all__ = ["EVENT_TYPES", "IMAGE_TYPES", "PART_TYPES", "code_digest", "code_map", "query", "schema"]

_HERE = Path(__file__).parent

EVENT_TYPES: frozenset[str] = frozenset(path.stem for path in (_HERE / "sql" / "event").glob("*.sql"))
"""Resource types that become events; one query each in ``sql/event``."""

PART_TYPES: dict[str, tuple[tuple[str, str], ...]] = {
    "Patient": (("part/Patient_person", "part_person"), ("part/Patient_place", "part_place")),
    "Organization": (("part/Organization_care_site", "care_site"), ("part/Organization_place", "part_place")),
    "Location": (("part/Location_place", "part_place"),),
    "Practitioner": (("part/Practitioner_provider", "part_provider"),),
    "PractitionerRole": (("part/PractitionerRole_provider", "part_provider"),),
}
"""Resource types that describe persons and places: (query, table) of each."""


IMAGE_TYPES: dict[str, str] = {"ImagingStudy": "part/ImagingStudy_image"}
"""Resource types that tell of images beside the event they are: the query of each."""


@cache
def query(name: str) -> str:
    """The text of one query of the package.

    Example:
        >>> query("reduce/person").splitlines()[0]
        '-- grain: one row per person'
    """
    return (_HERE / "sql" / f"{name}.sql").read_text()


@cache
def schema(resource_type: str) -> str:
    """What is read of a resource, in the notation of DuckDB's from_json.

    Example:
        >>> schema("Medication")
        '{"code":"JSON"}'
    """
    content = json.loads((_HERE / "schemas" / f"{resource_type}.json").read_text())
    return json.dumps(content, separators=(",", ":"))


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
    paths = sorted(path for folder in folders for path in (_HERE / folder).rglob("*") if path.suffix != ".pyc")
    for path in [*paths, _HERE / "expressions.py", _HERE / "mapping.py", _HERE / "session.py", _HERE / "parts.py"]:
        if path.is_file():
            digest.update(f"{path.relative_to(_HERE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
