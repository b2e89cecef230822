"""Contracts of identity: who is the same person. Zone: identified."""

from __future__ import annotations

from xinglin.contracts.model import Column, Table

__all__ = [
    "DECISION",
    "DECLARED",
    "IDENTIFIER_SYSTEM",
    "PAIR",
    "PATIENT",
    "PERSON_HISTORY",
    "PERSON_LINK",
    "REVIEW",
    "TABLES",
]

PATIENT = Table(
    name="patient",
    stage="identity",
    zone="identified",
    grain="one row per current Patient resource of a site, with the features that linkage compares",
    key=("patient_key",),
    columns=(
        Column("patient_key", "BIGINT", "Key of site, Patient and id", required=True),
        Column("site", "VARCHAR", "Site that sent it", required=True),
        Column("local_id", "VARCHAR", "Patient.id at that site", required=True),
        Column("given_name", "VARCHAR", "Normalised given name"),
        Column("family_name", "VARCHAR", "Normalised family name"),
        Column("birth_date", "VARCHAR", "Patient.birthDate, ISO 8601 day where known to the day"),
        Column("gender", "VARCHAR", "Patient.gender"),
        Column("national_id", "VARCHAR", "Normalised national identifier"),
        Column("phone", "VARCHAR", "Normalised phone number"),
        Column("email", "VARCHAR", "Normalised e-mail address"),
        Column("address", "VARCHAR", "Normalised street address"),
        Column("postal_code", "VARCHAR", "Postal code"),
        Column("city", "VARCHAR", "Normalised city"),
        Column("numbers", "VARCHAR", "Patient numbers (MR, PI) that the site gave, one a line: system, bar, value"),
        Column("same_as", "BIGINT", "Key of the Patient of the site that replaces it (Patient.link)"),
        Column("replaces", "VARCHAR", "Keys of the Patients of the site that it replaces (Patient.link), one a line"),
        Column("name_suffix", "VARCHAR", "Generation in the name: 1 (Sr), 2 (Jr, II), 3 (III) or 4 (IV)"),
        Column("birth_order", "INTEGER", "Order among the children of one birth (Patient.multipleBirthInteger)"),
        Column("newborn", "BOOLEAN", "True where the given name only says that this is somebody's newborn"),
        Column("identifiers", "VARCHAR", "All identifiers, one a line: system (or type:CODE), bar, normalised value"),
    ),
)

PERSON_LINK = Table(
    name="person_link",
    stage="identity",
    zone="identified",
    grain="one row per current Patient resource",
    key=("patient_key",),
    columns=(
        Column("patient_key", "BIGINT", "Key of site, Patient and id", required=True),
        Column("site", "VARCHAR", "Site", required=True),
        Column("local_id", "VARCHAR", "Patient.id at that site", required=True),
        Column("person_id", "BIGINT", "The person", required=True),
        Column(
            "probability",
            "DOUBLE",
            "Highest match probability with another record of the person; 1 where it stands alone or was decided",
            required=True,
        ),
        Column("method", "VARCHAR", "alone, model, declared (by the site) or decision", required=True),
    ),
)

REVIEW = Table(
    name="review",
    stage="identity",
    zone="identified",
    grain="one row per pair of records that waits for a decision",
    key=("patient_key_l", "patient_key_r"),
    columns=(
        Column("patient_key_l", "BIGINT", "The smaller key", required=True),
        Column("patient_key_r", "BIGINT", "The larger key", required=True),
        Column("probability", "DOUBLE", "Match probability", required=True),
    ),
)

DECISION = Table(
    name="decision",
    stage="identity",
    zone="identified",
    grain="one row per merge or split that a person decided; never changed, replayed on every rebuild",
    key=("sequence",),
    columns=(
        Column("sequence", "BIGINT", "Order of the decisions from 1", required=True),
        Column("action", "VARCHAR", "merge or split", required=True),
        Column("patient_key_l", "BIGINT", "One record", required=True),
        Column("patient_key_r", "BIGINT", "The other record", required=True),
        Column("who", "VARCHAR", "Who decided", required=True),
        Column("at", "TIMESTAMP", "When, UTC", required=True),
        Column("why", "VARCHAR", "Reason given", required=True),
    ),
)

PAIR = Table(
    name="pair",
    stage="identity",
    zone="identified",
    grain="one row per scored pair of records near or above the lower threshold; what persons are made of",
    key=("patient_key_l", "patient_key_r"),
    columns=(
        Column("patient_key_l", "BIGINT", "The smaller key", required=True),
        Column("patient_key_r", "BIGINT", "The larger key", required=True),
        Column("probability", "DOUBLE", "Match probability", required=True),
        Column("weight", "DOUBLE", "Evidence of the comparisons, without the prior", required=True, unit="bits"),
        Column("objection", "VARCHAR", "The doubt that forbids linking the pair unasked (a name of evidence.RULES)"),
    ),
)

DECLARED = Table(
    name="declared",
    stage="identity",
    zone="identified",
    grain="one row per record that its site declares to be one with another record that stands for it",
    key=("patient_key",),
    columns=(
        Column("patient_key", "BIGINT", "The record; it is not compared", required=True),
        Column("representative", "BIGINT", "The record that is compared in its place", required=True),
    ),
)

PERSON_HISTORY = Table(
    name="person_history",
    stage="identity",
    zone="identified",
    grain="one row per person id that ended, because its founding record joined an older person",
    key=("run", "former_person_id"),
    columns=(
        Column("run", "BIGINT", "Number of the linking run that ended it, from 1", required=True),
        Column("former_person_id", "BIGINT", "The id that ended", required=True),
        Column("person_id", "BIGINT", "The person its founding record belongs to now", required=True),
        Column("reason", "VARCHAR", "model or decision", required=True),
    ),
)

IDENTIFIER_SYSTEM = Table(
    name="identifier_system",
    stage="identity",
    zone="identified",
    grain="one row per identifier system that patients carry: whether its numbers are a person's everywhere",
    key=("system",),
    columns=(
        Column("system", "VARCHAR", "Identifier.system, or type:CODE where there is none", required=True),
        Column("sites", "BIGINT", "Institutions that use it", required=True),
        Column("records", "BIGINT", "Records that carry a number of it", required=True),
        Column("values", "BIGINT", "Different numbers", required=True),
        Column("shared", "BIGINT", "Numbers that more than one institution holds", required=True),
        Column("compared", "BIGINT", "Shared numbers whose records both have a name", required=True),
        Column(
            "agreeing", "BIGINT", "Of those, how many agree in name, or in part of it and birth date", required=True
        ),
        Column(
            "verdict",
            "VARCHAR",
            "declared, person-wide (learned), local, unsure, or one-site (only one institution uses it)",
            required=True,
        ),
    ),
)

TABLES = (PATIENT, PERSON_LINK, REVIEW, DECISION, PAIR, DECLARED, PERSON_HISTORY, IDENTIFIER_SYSTEM)
