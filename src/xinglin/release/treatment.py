"""What becomes of each column of the mart when it leaves the region: decided from the contract alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xinglin.contracts.mart import IMAGING_TABLES, OMOP_TABLES, TABLES, VOCABULARY_TABLES
from xinglin.contracts.model import Column, Table

__all__ = ["QUASI", "RELEASED", "WITHHELD_TABLES", "Treatment", "treatment", "withheld_reason"]

WITHHELD_TABLES: Mapping[str, str] = {
    "note": "free text does not leave the region",
    "cost": "its rows name no person, so their small cells cannot be seen",
    "lineage": "it points into what the sites sent",
    "etl_count": "it names the sites' files",
    "unmapped_code": "it holds what sites wrote, as they wrote it",
}
"""Tables that no extract may name, and why."""

RELEASED: Mapping[str, Table] = {
    name: table
    for name, table in {**TABLES, **VOCABULARY_TABLES}.items()
    if name not in WITHHELD_TABLES and (name in OMOP_TABLES or name in IMAGING_TABLES or name in VOCABULARY_TABLES)
}
"""Tables that an extract may name."""

QUASI = frozenset(
    {
        "gender_concept_id", "gender_source_value", "gender_source_concept_id", "year_of_birth", "race_concept_id",
        "race_source_value", "race_source_concept_id", "ethnicity_concept_id", "ethnicity_source_value",
        "ethnicity_source_concept_id", "location_id", "state", "county", "zip", "country_concept_id",
        "country_source_value",
    }
)  # fmt: skip
"""Columns by which somebody who knows a person could find the person again (quasi-identifiers)."""

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
    """What is done to a column."""

    KEEP = "keep"
    """It says nothing of one person by itself: concepts, numbers, units."""
    PERSON = "person"
    """The person's pseudonym."""
    ROW = "row"
    """A pseudonym that depends on the person's salt as well."""
    SHARED = "shared"
    """A pseudonym of something that many persons share: a place, a professional."""
    UID = "uid"
    """A pseudonym in the form of a DICOM UID (PS3.5, B.2)."""
    SHIFT = "shift"
    """Moved by the person's number of days."""
    YEAR = "year"
    """The year of birth, ages over 89 grouped."""
    COMMON = "common"
    """A word of the site's: only where enough persons have it."""
    WITHHELD = "withheld"
    """It does not leave."""


def treatment(table: Table, column: Column) -> Treatment:
    """What becomes of a column.

    Args:
        table: Its table, one of `RELEASED`.
        column: The column.

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
    birth: str = "of a birth only the year leaves the region"
    free: str = "it can hold free text, or name a person, a place or a device"


def withheld_reason(name: str) -> str | None:
    """Why a column does not leave; None where it may, or where no table has it.

    Example:
        >>> withheld_reason("birth_datetime")
        'of a birth only the year leaves the region'
        >>> withheld_reason("person_id") is None
        True
    """
    if name in _BIRTH:
        return _Reasons.birth
    return _Reasons.free if name in _FREE else None
