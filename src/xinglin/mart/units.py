"""Which landed files there are, and the fingerprint of each: everything its outcome depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xinglin.core.files import file_sha256
from xinglin.lake import connect
from xinglin.mart.mapping import Unit
from xinglin.mart.queries import EVENT_TYPES, PART_TYPES, query
from xinglin.mart.session import Context, create_table, open_session, read_parquet_sql

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
}
"""Resource types whose code may stand in another resource of the site, and that resource's type."""
_NAMES_BY_IDENTIFIER = frozenset({"PractitionerRole"})
_NAMED = frozenset({"Location", "Organization", "Practitioner"})
NEVER_ROWS: Mapping[str, str] = {"Medication": "read-through-references"}
"""Resource types that are used but never become rows by themselves, and the reason that is counted."""

Superseded = Mapping[tuple[str, int, str], Sequence[int]]


def list_units(
    files: Sequence[LandedFile], superseded: Superseded, people: Mapping[str, str], context: Context, basis: str
) -> list[Unit]:
    """The units of work, with fingerprints.

    Args:
        files: The landed files.
        superseded: Rows that later batches replaced, by site, batch and file name.
        people: From `people_digests`.
        context: What all tasks share.
        basis: Digest of code, rules and vocabulary.
    """
    mapped = [file for file in files if file.resource_type in EVENT_TYPES or file.resource_type in PART_TYPES]
    looked_up = _LookUps(files, superseded, context)
    units = []
    for file in mapped:
        rows = tuple(sorted(superseded.get((file.site, file.batch, file.name), ())))
        references, digest = looked_up.of(file)
        parts = (basis, file.site, file.batch, file.name, file.sha256, rows, people.get(str(file.path), ""), digest)
        units.append(
            Unit(
                site=file.site,
                batch=file.batch,
                name=file.name,
                path=str(file.path),
                resource_type=file.resource_type,
                sha256=file.sha256,
                rows=file.rows,
                superseded=rows,
                references=references,
                fingerprint=hashlib.sha256(repr(parts).encode()).hexdigest(),
            )
        )
    return units


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
            FROM read_parquet([{", ".join("'" + path.replace("'", "''") + "'" for path in paths)}], filename = true) l
            JOIN (SELECT patient_key, md5_number_lower(patient_key || ':' || person_id)::HUGEINT AS digest
                FROM {known}) p USING (patient_key)
            GROUP BY l.filename"""
        ).fetchall()
    return {str(path): str(digest) for path, digest in rows}


def write_people(files: Sequence[LandedFile], superseded: Superseded, linked: Sequence[str], context: Context) -> None:
    """Write `Context.person_map`: the patients of every person with a year of birth.

    OMOP requires the year of birth; where none is available, the person's data stay out of the CDM (conventions of
    the table person).

    Args:
        files: The landed files.
        superseded: Rows that later batches replaced.
        linked: Files of identity's table person_map.
        context: What all tasks share.
    """
    patients = _current([file for file in files if file.resource_type == "Patient"], superseded)
    studies = _current([file for file in files if file.resource_type == "ImagingStudy"], superseded)
    with open_session(context, {}) as connection:
        connection.execute(f"CREATE TEMP VIEW current_resource AS {patients}")
        connection.execute(f"CREATE TEMP VIEW current_study AS {studies}")
        linked_sql = read_parquet_sql(list(linked), "patient_key BIGINT, person_id BIGINT")
        connection.execute(f"CREATE TEMP VIEW linked_person AS SELECT * FROM {linked_sql}")
        named = _named_by_identifier(connection, files, superseded)
        connection.execute(f"CREATE TEMP VIEW person_map AS FROM linked_person{named}")
        path = context.person_map.replace("'", "''")
        connection.execute(f"COPY ({query('people')}) TO '{path}' (FORMAT parquet)")


def _named_by_identifier(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], superseded: Superseded
) -> str:
    """What adds the patients to a relation that resources name by an identifier instead of by id.

    The key of such a patient is that of ``site/Patient/?identifier=system|value``, as landed.
    """
    asking = [file for file in files if file.conditional_references and file.resource_type != "Patient"]
    sites = {file.site for file in asking}
    patients = [file for file in files if file.resource_type == "Patient" and file.site in sites]
    if not patients:
        return ""
    paths = ", ".join("'" + str(file.path).replace("'", "''") + "'" for file in asking)
    connection.execute(f"CREATE TEMP VIEW patient_of_site AS {_current(patients, superseded)}")
    connection.execute(f"CREATE TEMP VIEW named_patient AS SELECT DISTINCT patient_key FROM read_parquet([{paths}])")
    create_table(connection, "person_by_identifier", query("person_by_identifier"))
    return " UNION ALL FROM person_by_identifier"


class _LookUps:
    """What a site's files look up in its other resources, made when first asked for.

    Args:
        files: All landed files.
        superseded: Rows that later batches replaced.
        context: What all tasks share.
    """

    def __init__(self, files: Sequence[LandedFile], superseded: Superseded, context: Context) -> None:
        self.files = files
        self.superseded = superseded
        self.context = context
        self.made: dict[tuple[str, str], tuple[str | None, str]] = {}

    def of(self, file: LandedFile) -> tuple[tuple[str | None, str | None], str]:
        """Parquet files of the identifiers and of the codes that a file needs, and a digest of both."""
        named = file.conditional_references or file.resource_type in _NAMES_BY_IDENTIFIER
        identifier = self._made(file.site, "identifier") if named else (None, "")
        kind = _POINTS_AT.get(file.resource_type)
        coded = self._made(file.site, kind) if kind else (None, "")
        return (identifier[0], coded[0]), identifier[1] + coded[1]

    def _made(self, site: str, what: str) -> tuple[str | None, str]:
        if (site, what) not in self.made:
            self.made[site, what] = self._make(site, what)
        return self.made[site, what]

    def _make(self, site: str, what: str) -> tuple[str | None, str]:
        kinds = _NAMED if what == "identifier" else {what}
        files = [file for file in self.files if file.site == site and file.resource_type in kinds]
        if not files:
            return None, ""
        path = self.context.scratch / f"{what}-{site}.parquet"
        name = "identifier" if what == "identifier" else "coded"
        with open_session(self.context, {"site": site}) as connection:
            connection.execute(f"CREATE TEMP VIEW current_resource AS {_current(files, self.superseded)}")
            quoted = str(path).replace("'", "''")
            connection.execute(f"COPY ({query(f'reference/{name}')}) TO '{quoted}' (FORMAT parquet)")
        return str(path), file_sha256(path)


def _current(files: Sequence[LandedFile], superseded: Superseded) -> str:
    """A SELECT of key, patient, text and type of the current resources of some files."""
    selects = []
    for file in files:
        gone = superseded.get((file.site, file.batch, file.name), ())
        path = str(file.path).replace("'", "''")
        selects.append(
            f"SELECT key, patient_key, resource, '{file.resource_type}' AS kind, '{file.site}' AS site "
            f"FROM read_parquet('{path}', file_row_number = true)"
            + (f" WHERE file_row_number NOT IN ({', '.join(map(str, gone))})" if gone else "")
        )
    nothing = (
        "SELECT NULL::BIGINT AS key, NULL::BIGINT AS patient_key, NULL::VARCHAR AS resource, NULL::VARCHAR AS kind, "
        "NULL::VARCHAR AS site "
        "WHERE false"
    )
    return " UNION ALL ".join(selects) or nothing
