"""The bridge between the zones: which person a patient key belongs to, without a name. Zone: pseudonymous."""

from __future__ import annotations

from xinglin.contracts.model import Column, Table

__all__ = ["PERSON_MAP", "TABLES"]

PERSON_MAP = Table(
    name="person_map",
    stage="identity",
    zone="pseudonymous",
    grain="one row per current Patient resource",
    key=("patient_key",),
    columns=(
        Column("patient_key", "BIGINT", "Key of site, Patient and id", required=True),
        Column("person_id", "BIGINT", "The person: key of the record that founded it", required=True),
    ),
)

TABLES = (PERSON_MAP,)
