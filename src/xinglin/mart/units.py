"""Which landed files there are, and the fingerprint of each: everything its outcome depends on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xinglin.core.files import file_sha256
from xinglin.core.sql import parquet_list, quote
from xinglin.lake import connect
from xinglin.landing.current import current_resources
from xinglin.mart.mapping import SMALL, Unit, file_key
from xinglin.mart.queries import EVENT_TYPES, PART_TYPES, query
from xinglin.mart.session import Context, LookUps, create_table, open_session, read_parquet_sql

if TYPE_CHECKING:
    import duckdb

    from xinglin.landing import LandedFile

__all__ = ["NEVER_ROWS", "list_units", "people_digests", "write_people"]

_POINTS_AT: Mapping[str, str] = {
    "MedicationRequest": "Medication",
    "MedicationStatement": "Medication",
    "MedicationAdministration": "Medication",
    "MedicationDispense": "Medication",
    "DeviceUseStatement": "Device",
    "Observation": "Specimen",
}
"""Resource types that another resource of the site says more about (code, subject), and that resource's type."""
_OF_THE_BATCH = frozenset({"Specimen"})
"""Looked up in the same batch only: they arrive together, and no later batch touches what was made of them."""
_NAMES_BY_IDENTIFIER = frozenset({"PractitionerRole"})
_NAMED = frozenset({"Location", "Organization", "Practitioner"})
NEVER_ROWS: Mapping[str, str] = {"Medication": "read-through-references"}
"""Resource types that are used but never become rows by themselves, and the reason that is counted."""

_GROUPS: Mapping[str, str] = dict.fromkeys(
    ("AllergyIntolerance", "DiagnosticReport", "DocumentReference", "ImagingStudy", "Observation"), "findings"
)
"""Event types whose small files are mapped apart from the others', so that two tasks share the work of a batch."""
_UNIT_ROWS = 50_000
"""About as many rows have small files that are mapped together."""


def list_units(files: Sequence[LandedFile], people: Mapping[str, str], context: Context, basis: str) -> list[Unit]:
    """The units of work, with fingerprints.

    A large landed file is a unit of its own. The small files of batches with the same number are mapped together, those
    of related resource types in one unit: a batch of 1 % brings many small files, and planning the queries of a small
    file takes longer than executing them. Which files belong together depends on the files alone, never on the order in
    which they were mapped, so that an increment gives the bytes of a full build.

    Args:
        files: The landed files.
        people: From `people_digests`.
        context: What all tasks share.
        basis: Digest of code, rules and vocabulary.
    """
    looked_up = _LookUps(files, context)
    units = []
    for key, together in _together(files).items():
        look_ups, digest = looked_up.of(together)
        parts = (basis, [_identity(file, people) for file in together], digest)
        fingerprint = hashlib.sha256(repr(parts).encode()).hexdigest()
        units.append(Unit(key, tuple(together), look_ups, fingerprint))
    return units


def _identity(file: LandedFile, people: Mapping[str, str]) -> tuple[Any, ...]:
    """What the outcome of a landed file depends on, apart from what it looks up."""
    return (file.site, file.batch, file.name, file.sha256, file.superseded, people.get(str(file.path), ""))


def _together(files: Sequence[LandedFile]) -> dict[str, list[LandedFile]]:
    """The landed files that can become rows, by the name of their unit."""
    units: dict[str, list[LandedFile]] = {}
    rows: Counter[tuple[int, str]] = Counter()
    for file in sorted(files, key=lambda file: (file.batch, file.resource_type, file.site, file.name)):
        if file.resource_type not in EVENT_TYPES and file.resource_type not in PART_TYPES:
            continue
        if file.rows >= SMALL:
            units[file_key(file)] = [file]
            continue
        group = _group(file)
        rows[file.batch, group] += file.rows
        key = f"{file.batch:06d}/{group}-{rows[file.batch, group] // _UNIT_ROWS}"
        units.setdefault(key, []).append(file)
    return units


def _group(file: LandedFile) -> str:
    """The small files of a batch number that are mapped together.

    Files that look up other resources are mapped again when any of those changed, so they are kept apart.
    """
    if file.conditional_references or file.resource_type in {*_POINTS_AT, *_NAMES_BY_IDENTIFIER}:
        return f"{'people' if file.resource_type in PART_TYPES else 'care'}-looking-up"
    return "people" if file.resource_type in PART_TYPES else _GROUPS.get(file.resource_type, "care")


def people_digests(files: Sequence[LandedFile], context: Context) -> dict[str, str]:
    """Per landed file, a digest of which person each of its patients is.

    Args:
        files: The landed files to look at.
        context: What all tasks share.
    """
    paths = [str(file.path) for file in files if file.resource_type in EVENT_TYPES or file.resource_type == "Patient"]
    if not paths:
        return {}
    known = read_parquet_sql([context.person_map], "")
    with connect(context.memory_mb, 1, context.scratch) as connection:
        rows = connection.execute(
            f"""SELECT l.filename, sum(p.digest)
            FROM read_parquet({parquet_list(paths)}, filename = true) l
            JOIN (SELECT patient_key, md5_number_lower(patient_key || ':' || person_id)::HUGEINT AS digest
                FROM {known}) p USING (patient_key)
            GROUP BY l.filename"""
        ).fetchall()
    return {str(path): str(digest) for path, digest in rows}


def write_people(files: Sequence[LandedFile], linked: str, context: Context) -> None:
    """Write `Context.person_map`: the patients of every person with a year of birth.

    OMOP requires the year of birth; where none is available, the person's data stay out of the CDM (conventions of
    the table person).

    Args:
        files: The landed files.
        linked: The table person_map of identity, as an item for FROM.
        context: What all tasks share.
    """
    patients = current_resources([file for file in files if file.resource_type == "Patient"])
    studies = current_resources([file for file in files if file.resource_type == "ImagingStudy"])
    with open_session(context, {}) as connection:
        connection.execute(f"CREATE TEMP VIEW current_resource AS {patients}")
        connection.execute(f"CREATE TEMP VIEW current_study AS {studies}")
        connection.execute(f"CREATE TEMP VIEW linked_person AS FROM {linked}")
        named = _named_by_identifier(connection, files)
        connection.execute(f"CREATE TEMP VIEW person_map AS FROM linked_person{named}")
        connection.execute(f"COPY ({query('people')}) TO {quote(context.person_map)} (FORMAT parquet)")


def _named_by_identifier(connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile]) -> str:
    """What adds the patients to a relation that resources name by an identifier instead of by id.

    The key of such a patient is that of ``site/Patient/?identifier=system|value``, as landed.
    """
    asking = [file for file in files if file.conditional_references and file.resource_type != "Patient"]
    sites = {file.site for file in asking}
    patients = [file for file in files if file.resource_type == "Patient" and file.site in sites]
    if not patients:
        return ""
    paths = parquet_list([str(file.path) for file in asking])
    connection.execute(f"CREATE TEMP VIEW patient_of_site AS {current_resources(patients)}")
    connection.execute(f"CREATE TEMP VIEW named_patient AS SELECT DISTINCT patient_key FROM read_parquet({paths})")
    create_table(connection, "person_by_identifier", query("person_by_identifier"))
    return " UNION ALL FROM person_by_identifier"


class _LookUps:
    """What a site's files look up in its other resources, made when first needed.

    Args:
        files: All landed files.
        context: What all tasks share.
    """

    def __init__(self, files: Sequence[LandedFile], context: Context) -> None:
        self.files = files
        self.context = context
        self.made: dict[tuple[str, str, int], tuple[str | None, str]] = {}

    def of(self, files: Sequence[LandedFile]) -> tuple[LookUps, str]:
        """Parquet files of the identifiers and of the codes that some files need, and a digest of both."""
        named = [file for file in files if file.conditional_references or file.resource_type in _NAMES_BY_IDENTIFIER]
        identifiers, one = self._of({(file.site, "identifier", 0) for file in named})
        pointing = [file for file in files if file.resource_type in _POINTS_AT]
        coded, other = self._of({_pointed_at(file) for file in pointing})
        return LookUps(identifiers, coded), one + other

    def _of(self, wanted: Iterable[tuple[str, str, int]]) -> tuple[tuple[tuple[str, str], ...], str]:
        found, digests = [], ""
        for site, what, batch in sorted(wanted):
            path, digest = self._made(site, what, batch)
            digests += digest
            if path:
                found.append((site, path))
        return tuple(found), digests

    def _made(self, site: str, what: str, batch: int) -> tuple[str | None, str]:
        if (site, what, batch) not in self.made:
            self.made[site, what, batch] = self._make(site, what, batch)
        return self.made[site, what, batch]

    def _make(self, site: str, what: str, batch: int) -> tuple[str | None, str]:
        kinds = _NAMED if what == "identifier" else {what}
        of_site = [file for file in self.files if file.site == site and file.resource_type in kinds]
        files = [file for file in of_site if batch in (0, file.batch)]
        if not files:
            return None, ""
        path = self.context.scratch / f"{what}-{site}-{batch}.parquet"
        name = "identifier" if what == "identifier" else "coded"
        with open_session(self.context, {}) as connection:
            connection.execute(f"CREATE TEMP VIEW current_resource AS {current_resources(files)}")
            connection.execute(f"COPY ({query(f'reference/{name}')}) TO {quote(str(path))} (FORMAT parquet)")
        return str(path), file_sha256(path)


def _pointed_at(file: LandedFile) -> tuple[str, str, int]:
    """Site and type of what a file points at, and the batch it is looked for in; 0 for all of them."""
    kind = _POINTS_AT[file.resource_type]
    return file.site, kind, file.batch if kind in _OF_THE_BATCH else 0
