"""Contracts of imaging: OMOP's medical imaging extension (MI-CDM), one row a series, and a table of single instances.

Columns of image_occurrence are those of https://github.com/OHDSI/ImageWG, followed by the source values it leaves out.
"""

from __future__ import annotations

from xinglin.contracts.mart_columns import PERSON, VISIT, concept, day, identifier, link, text, whole
from xinglin.contracts.model import Table

__all__ = ["TABLES"]

_STUDY = text("image_study_uid", "Study Instance UID; the id of the ImagingStudy where it names none", required=True)
_SERIES = text("image_series_uid", "Series Instance UID", required=True)

_IMAGE_OCCURRENCE = Table(
    name="image_occurrence",
    stage="mart",
    zone="pseudonymous",
    grain="one row per series of images of a person at a site",
    key=("image_occurrence_id",),
    bucketed=True,
    columns=(
        identifier("image_occurrence_id", "series"),
        PERSON,
        link(
            "procedure_occurrence_id",
            "procedure_occurrence.procedure_occurrence_id",
            "The procedure that made the images; empty where the study's code belongs to another domain",
        ),
        VISIT,
        concept("anatomic_site_concept_id", "Part of the body; 0 where unknown"),
        text("wadors_uri", "Where a DICOMweb server has the series; empty: objects are found by their hash"),
        text("local_path", "Where the series lies; empty: objects are found by their hash"),
        day("image_occurrence_date", "Day of the series or, failing that, of the study", required=True),
        _STUDY,
        _SERIES,
        concept("modality_concept_id", "Modality; 0 where unknown", required=True),
        text("modality_source_value", "Modality as the site wrote it"),
        text("anatomic_site_source_value", "Part of the body as the site wrote it"),
    ),
)

_IMAGE_INSTANCE = Table(
    name="image_instance",
    stage="mart",
    zone="pseudonymous",
    grain="one row per SOP instance of a person at a site",
    key=("image_instance_id",),
    bucketed=True,
    columns=(
        identifier("image_instance_id", "instance"),
        link("image_occurrence_id", "image_occurrence.image_occurrence_id", "Its series", required=True),
        PERSON,
        text("site", "Site that sent it", required=True),
        _STUDY,
        _SERIES,
        text("sop_instance_uid", "SOP Instance UID", required=True),
        text("sop_class_uid", "SOP Class UID: what kind of object it is"),
        whole("instance_number", "Number within the series"),
        text("object_sha256", "SHA-256 under which the site's originals keep the object; empty where it was not sent"),
    ),
)

TABLES = (_IMAGE_OCCURRENCE, _IMAGE_INSTANCE)
