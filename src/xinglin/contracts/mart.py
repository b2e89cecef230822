"""Contracts of the mart: OMOP CDM 5.4, images, its vocabulary, and the tables that say where rows come from.

Column names, order and required fields follow https://ohdsi.github.io/CommonDataModel/cdm54.html; keys are
BIGINT since they are 63-bit hashes. Zone: pseudonymous.

    >>> TABLES["death"].key
    ('person_id',)
    >>> VOCABULARY_TABLES["concept"].column("concept_id").type
    'INTEGER'
"""

from __future__ import annotations

from xinglin.contracts import (
    mart_events,
    mart_findings,
    mart_imaging,
    mart_person,
    mart_provenance,
    mart_vocabulary,
)
from xinglin.contracts.model import Table

__all__ = ["EVENT_DATES", "EVENT_TABLES", "IMAGING_TABLES", "OMOP_TABLES", "TABLES", "VOCABULARY_TABLES"]

TABLES: dict[str, Table] = {
    table.name: table
    for module in (mart_person, mart_events, mart_findings, mart_imaging, mart_provenance)
    for table in module.TABLES
}
"""Every table of the stage ``mart``, by name."""

VOCABULARY_TABLES: dict[str, Table] = {table.name: table for table in mart_vocabulary.TABLES}
"""Every table of the stage ``vocabulary``, by name."""

IMAGING_TABLES: tuple[str, ...] = tuple(table.name for table in mart_imaging.TABLES)
"""The tables of images: OMOP's imaging extension and our own."""

OMOP_TABLES: tuple[str, ...] = tuple(
    name for name in TABLES if name not in {*IMAGING_TABLES, *(table.name for table in mart_provenance.TABLES)}
)
"""The tables of the stage ``mart`` that OMOP defines."""

EVENT_DATES: dict[str, tuple[str, str]] = {
    "visit_occurrence": ("visit_start_date", "visit_end_date"),
    "visit_detail": ("visit_detail_start_date", "visit_detail_end_date"),
    "condition_occurrence": ("condition_start_date", "condition_end_date"),
    "drug_exposure": ("drug_exposure_start_date", "drug_exposure_end_date"),
    "procedure_occurrence": ("procedure_date", "procedure_end_date"),
    "device_exposure": ("device_exposure_start_date", "device_exposure_end_date"),
    "measurement": ("measurement_date", "measurement_date"),
    "observation": ("observation_date", "observation_date"),
    "note": ("note_date", "note_date"),
}
"""Columns of the first and the last day of an event; the last may be NULL."""

EVENT_TABLES: tuple[str, ...] = tuple(EVENT_DATES)
"""Tables whose events make up a person's observation period."""
