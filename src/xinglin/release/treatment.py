"""Treatment of each mart column in an extract, derived from the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xinglin.contracts.mart import IMAGING_TABLES, OMOP_TABLES, TABLES, VOCABULARY_TABLES
from xinglin.contracts.model import Column, Table

__all__ = ["QUASI", "RELEASED", "WITHHELD_TABLES", "Treatment", "treatment", "withheld_reason"]

WITHHELD_TABLES: Mapping[str, str] = {
    "note": "free text is not released",
    "cost": "its rows have no person_id, so small cells cannot be detected",
    "lineage": "it refers to source records of the sites",
    "etl_count": "it contains file names of the sites",
    "unmapped_code": "it contains original text of the sites",
}
"""Tables that no extract may use, with the reason."""

RELEASED: Mapping[str, Table] = {
    name: table
    for name, table in {**TABLES, **VOCABULARY_TABLES}.items()
    if name not in WITHHELD_TABLES and (name in OMOP_TABLES or name in IMAGING_TABLES or name in VOCABULARY_TABLES)
}
"""Tables that an extract may use."""

QUASI = frozenset(
    {
        "gender_concept_id", "gender_source_value", "gender_source_concept_id", "year_of_birth", "race_concept_id",
        "race_source_value", "race_source_concept_id", "ethnicity_concept_id", "ethnicity_source_value",
        "ethnicity_source_concept_id", "location_id", "state", "county", "zip", "country_concept_id",
        "country_source_value",
    }
)  # fmt: skip
"""Quasi-identifiers: columns that can identify a person in combination."""

_BIRTH = frozenset({"month_of_birth", "day_of_birth", "birth_datetime"})
_FREE = frozenset(
    {
        "value_as_string", "value_source_value", "sig", "stop_reason", "lot_number", "unique_device_id",
        "production_id", "person_source_value", "measurement_time", "address_1", "address_2", "city", "county", "zip",
        "location_source_value", "latitude", "longitude", "care_site_name", "care_site_source_value", "provider_name",
        "npi", "dea", "provider_source_value", "wadors_uri", "local_path", "site", "object_sha256",
    }
)  # fmt: skip
_UIDS = frozenset({"image_study_uid", "image_series_uid", "sop_instance_uid"})
_SHARED = frozenset({"provider_id", "care_site_id", "location_id"})


class Treatment(StrEnum):
    """Treatment of a column."""

    KEEP = "keep"
    """Unchanged: concepts, numbers, units."""
    PERSON = "person"
    """Replaced by the person's pseudonym."""
    ROW = "row"
    """Replaced by a pseudonym that depends on the person's salt."""
    SHARED = "shared"
    """Replaced by a pseudonym that is the same for all persons: places, professionals."""
    UID = "uid"
    """Replaced by a pseudonym in the form of a DICOM UID (PS3.5, B.2)."""
    SHIFT = "shift"
    """Shifted by the person's date shift."""
    YEAR = "year"
    """Year of birth, with ages over 89 grouped."""
    COMMON = "common"
    """Text of a site: released only if enough persons have it."""
    WITHHELD = "withheld"
    """Not released."""


def treatment(table: Table, column: Column) -> Treatment:
    """The treatment of a column.

    Args:
        table: One of `RELEASED`.
        column: A column of the table.

    Example:
        >>> person = TABLES["person"]
        >>> [str(treatment(person, person.column(name))) for name in ("person_id", "year_of_birth", "day_of_birth")]
        ['person', 'year', 'withheld']
    """
    if table.zone != "pseudonymous" or table.name in VOCABULARY_TABLES:
        return Treatment.KEEP if table.name in VOCABULARY_TABLES else Treatment.WITHHELD
    name = column.name
    if (
        name in _BIRTH
        or name in _FREE
        or (table.name == "provider" and not name.endswith(("specialty_concept_id", "_id")))
    ):
        return Treatment.WITHHELD
    if name in _UIDS:
        return Treatment.UID
    by_type = {"DATE": Treatment.SHIFT, "TIMESTAMP": Treatment.SHIFT, "VARCHAR": Treatment.COMMON}
    if name == "year_of_birth":
        return Treatment.YEAR
    if column.type == "BIGINT":
        return Treatment.PERSON if name == "person_id" else Treatment.SHARED if name in _SHARED else Treatment.ROW
    return by_type.get(column.type, Treatment.KEEP)


@dataclass(frozen=True)
class _Reasons:
    birth: str = "only the year of birth is released"
    free: str = "it can contain free text, or identify a person, a place or a device"


def withheld_reason(name: str) -> str | None:
    """Why a column is not released; None if it is released or unknown.

    Example:
        >>> withheld_reason("birth_datetime")
        'only the year of birth is released'
        >>> withheld_reason("person_id") is None
        True
    """
    if name in _BIRTH:
        return _Reasons.birth
    return _Reasons.free if name in _FREE else None
