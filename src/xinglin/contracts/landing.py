"""Contracts of the landing: what a signed batch holds. Zone: identified."""

from __future__ import annotations

from xinglin.contracts.model import Column, Table

__all__ = ["QUARANTINE", "RESOURCE", "SUPERSEDED", "TABLES"]

RESOURCE = Table(
    name="resource",
    stage="landing",
    zone="identified",
    grain="one row per version of a FHIR resource that one batch brought",
    key=("site", "batch", "file", "row"),
    columns=(
        Column("key", "BIGINT", "63-bit key of site, resource type and id (core.ids.omop_key)", required=True),
        Column("patient_key", "BIGINT", "Key of the Patient the resource is about; its own key for a Patient"),
        Column("resource_id", "VARCHAR", "Resource.id", required=True),
        Column(
            "leaf",
            "BLOB",
            "RFC 6962 leaf hash: SHA-256 over one zero byte and the resource text",
            required=True,
            unit="32 bytes",
        ),
        Column("source", "INTEGER", "Index into the manifest's list of received files", required=True),
        Column("position", "BIGINT", "Line number (NDJSON) or entry number (Bundle) in it, from 1", required=True),
        Column(
            "resource",
            "VARCHAR",
            "The resource as FHIR JSON, whitespace outside strings removed, numbers as they were written",
            required=True,
        ),
        Column(
            "updated",
            "BIGINT",
            "meta.lastUpdated, where it decides which version is current; batches of earlier releases lack the column",
            unit="microseconds since 1970 UTC",
        ),
    ),
)

SUPERSEDED = Table(
    name="superseded",
    stage="landing",
    zone="identified",
    grain="one row per earlier version that a resource of this batch replaces",
    key=("batch", "file", "row"),
    columns=(
        Column("batch", "INTEGER", "Sequence of the batch that holds the earlier version", required=True),
        Column("file", "VARCHAR", "File in that batch", required=True),
        Column("row", "BIGINT", "Row in that file, from 0", required=True),
        Column("key", "BIGINT", "Key of the resource", required=True),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    stage="landing",
    zone="identified",
    grain="one row per received record that could not be landed",
    key=("source", "position"),
    columns=(
        Column("source", "INTEGER", "Index into the manifest's list of received files", required=True),
        Column("member", "VARCHAR", "Member of an archive, where the file was one"),
        Column("position", "BIGINT", "Line or entry number from 1; 0 for the file as a whole", required=True),
        Column("reason", "VARCHAR", "Short stable word, such as invalid-json", required=True),
        Column("detail", "VARCHAR", "What was expected and where; never a value", required=True),
        Column("original", "BLOB", "The record as received, at most the first 1,000,000 bytes"),
        Column("original_bytes", "BIGINT", "Its whole length", required=True, unit="bytes"),
    ),
)

TABLES = (RESOURCE, SUPERSEDED, QUARANTINE)
