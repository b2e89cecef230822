"""Contracts of the mart's inner tables: what single files tell of things that several files may speak of."""

from __future__ import annotations

from dataclasses import replace

from xinglin.contracts.mart import EVENT_DATES, TABLES
from xinglin.contracts.model import Column, Table

__all__ = ["PARTS", "SETTLED"]

_PERSON = Table(
    name="part_person",
    stage="mart",
    zone="pseudonymous",
    grain="one row per current Patient of a known person",
    key=("patient_key",),
    bucketed=True,
    columns=(
        Column("person_id", "BIGINT", "The person", required=True),
        Column("patient_key", "BIGINT", "Key of the Patient", required=True),
        Column("site", "VARCHAR", "Site that sent it", required=True),
        Column("batch", "INTEGER", "Sequence of the signed batch", required=True),
        Column("last_updated", "TIMESTAMP", "Patient.meta.lastUpdated"),
        Column("gender", "VARCHAR", "Patient.gender"),
        Column("birth_date", "VARCHAR", "Patient.birthDate: year, month or day"),
        Column("birth_datetime", "TIMESTAMP", "Time of birth, from the extension patient-birthTime"),
        Column("race", "VARCHAR", "Race as the site wrote it"),
        Column("ethnicity", "VARCHAR", "Ethnicity as the site wrote it"),
        Column("location_id", "BIGINT", "Place of the first address"),
        Column("provider_id", "BIGINT", "First general practitioner"),
        Column("care_site_id", "BIGINT", "Managing organization"),
        Column("death_date", "DATE", "Day of death"),
        Column("death_datetime", "TIMESTAMP", "Moment of death"),
        Column("deceased", "BOOLEAN", "Whether the Patient is said to have died, with or without a day"),
    ),
)

_PLACE = Table(
    name="part_place",
    stage="mart",
    zone="pseudonymous",
    grain="one row per landed file and place it names",
    key=("location_id",),
    columns=(
        Column("location_id", "BIGINT", "Key of the place's own words", required=True),
        Column("city", "VARCHAR", "City"),
        Column("state", "VARCHAR", "State or province"),
        Column("zip", "VARCHAR", "First three characters of the postal code"),
        Column("country", "VARCHAR", "Country"),
    ),
)

_PROVIDER = Table(
    name="part_provider",
    stage="mart",
    zone="pseudonymous",
    grain="one row per Practitioner and per role of one",
    key=("provider_id", "source_key"),
    columns=(
        Column("provider_id", "BIGINT", "Key of the Practitioner", required=True),
        Column("source_key", "BIGINT", "Key of the Practitioner or PractitionerRole", required=True),
        Column("npi", "VARCHAR", "National provider identifier"),
        Column("year_of_birth", "INTEGER", "Year of birth"),
        Column("gender", "VARCHAR", "Practitioner.gender"),
        Column("source_value", "VARCHAR", "Site and key"),
        Column("care_site_id", "BIGINT", "Organization of the role"),
        Column("specialty", "VARCHAR", "Specialty of the role as the site wrote it"),
    ),
)

_UNMAPPED = Table(
    name="part_unmapped",
    stage="mart",
    zone="pseudonymous",
    grain="one row per landed file and code without a standard concept",
    key=("site", "batch", "file", "system", "code"),
    columns=(
        Column("site", "VARCHAR", "Site", required=True),
        Column("batch", "INTEGER", "Sequence of the signed batch", required=True),
        Column("file", "VARCHAR", "File in the batch", required=True),
        Column("resource_type", "VARCHAR", "FHIR resource type", required=True),
        Column("system", "VARCHAR", "Code system; empty where it gave none", required=True),
        Column("code", "VARCHAR", "Code", required=True),
        Column("display", "VARCHAR", "A display text that the site gave it"),
        Column("rows", "BIGINT", "How often", required=True),
    ),
)

_IMAGE = Table(
    name="part_image",
    stage="mart",
    zone="pseudonymous",
    grain="one row per instance, or series without instances, that an accepted ImagingStudy tells of",
    key=("resource_key", "series_uid", "sop_uid"),
    bucketed=True,
    columns=(
        Column("person_id", "BIGINT", "The person", required=True),
        Column("site", "VARCHAR", "Site", required=True),
        Column("batch", "INTEGER", "Sequence of the signed batch", required=True),
        Column("file", "VARCHAR", "File in the batch", required=True),
        Column("row", "BIGINT", "Row of the resource in the file", required=True),
        Column("resource_key", "BIGINT", "Key of the ImagingStudy", required=True),
        Column("is_fragment", "BOOLEAN", "Whether the resource is one object's share of a study", required=True),
        Column("study_uid", "VARCHAR", "Study Instance UID, or the id of the resource", required=True),
        Column("is_unnamed", "BOOLEAN", "Whether the resource gives no Study Instance UID", required=True),
        Column("study_date", "DATE", "Day of the study", required=True),
        Column("study_datetime", "TIMESTAMP", "Moment of the study"),
        Column("procedure_occurrence_id", "BIGINT", "The procedure that a whole study became"),
        Column("visit_occurrence_id", "BIGINT", "Visit of the study"),
        Column("birth_year", "INTEGER", "Year of birth by the age at the study"),
        Column("series_uid", "VARCHAR", "Series Instance UID"),
        Column("series_date", "DATE", "Day of the series"),
        Column("modality", "VARCHAR", "Modality as the site wrote it"),
        Column("modality_concept_id", "INTEGER", "Its concept", required=True),
        Column("anatomic_site", "VARCHAR", "Part of the body as the site wrote it"),
        Column("anatomic_site_concept_id", "INTEGER", "Its concept", required=True),
        Column("sop_uid", "VARCHAR", "SOP Instance UID; NULL for a series without instances"),
        Column("sop_class_uid", "VARCHAR", "SOP Class UID"),
        Column("instance_number", "INTEGER", "Number within the series"),
        Column("object_sha256", "VARCHAR", "Hash of the object"),
    ),
)

_VISIT = Table(
    name="part_visit",
    stage="mart",
    zone="pseudonymous",
    grain="one row per accepted Encounter that is part of another",
    key=("visit_occurrence_id",),
    bucketed=True,
    columns=(
        *TABLES["visit_occurrence"].columns,
        Column("site", "VARCHAR", "Site", required=True),
        Column("batch", "INTEGER", "Sequence of the signed batch", required=True),
        Column("file", "VARCHAR", "File in the batch", required=True),
        Column("row", "BIGINT", "Row of the resource in the file", required=True),
        Column("resource_type", "VARCHAR", "FHIR resource type", required=True),
        Column("part_of", "BIGINT", "Key of the Encounter it is part of", required=True),
    ),
)

SETTLED: tuple[str, ...] = (*(name for name in EVENT_DATES if name != "visit_detail"), "cost", "lineage")
"""Tables of which the map writes files that others may replace, since a reference in them has no target."""

_KEPT = tuple(replace(TABLES[name], name=f"mapped_{name}") for name in SETTLED)
"""The files of the map that were replaced: what their rows were made of when a target comes."""

PARTS: dict[str, Table] = {
    table.name: table for table in (_PERSON, _PLACE, _PROVIDER, _UNMAPPED, _IMAGE, _VISIT, *_KEPT)
}
"""Every inner table, by name."""
