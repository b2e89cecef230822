"""Contracts of the mart's own tables beside OMOP: where each row comes from and what became of each resource."""

from __future__ import annotations

from xinglin.contracts.mart_columns import text
from xinglin.contracts.model import Column, Table

__all__ = ["TABLES"]

_SITE = text("site", "Site that sent it", required=True)
_BATCH = Column("batch", "INTEGER", "Sequence of the signed batch", required=True)
_FILE = text("file", "File in the batch", required=True)
_TYPE = text("resource_type", "FHIR resource type", required=True)

_LINEAGE = Table(
    name="lineage",
    stage="mart",
    zone="pseudonymous",
    grain="one row per mart row and resource that it came from",
    key=("table_name", "row_id", "resource_key"),
    bucketed=True,
    columns=(
        text("table_name", "Table of the mart", required=True),
        Column("row_id", "BIGINT", "Key of the row in that table", required=True),
        _SITE,
        _BATCH,
        _FILE,
        Column("row", "BIGINT", "Row of the resource in the file, from 0", required=True),
        _TYPE,
        Column("resource_key", "BIGINT", "Key of site, type and id of the resource", required=True),
    ),
)

_ETL_COUNT = Table(
    name="etl_count",
    stage="mart",
    zone="pseudonymous",
    grain="one row per landed file, outcome and table; batch 0 and no file: rows made from several files together",
    key=("site", "batch", "file", "outcome", "table_name"),
    columns=(
        _SITE,
        _BATCH,
        _FILE,
        _TYPE,
        text(
            "outcome",
            "resources (all of the file), superseded, mapped, or the reason why a resource was left out; "
            "written and contributes count rows of a table; part: and a reason counts parts left out; "
            "reference-without-target and dropped count keys set to NULL and rows left out for want of their target",
            required=True,
        ),
        text("table_name", "Table of the mart for written and contributes; empty otherwise", required=True),
        Column("rows", "BIGINT", "How many", required=True),
    ),
)

_UNMAPPED_CODE = Table(
    name="unmapped_code",
    stage="mart",
    zone="pseudonymous",
    grain="one row per code that no vocabulary knows, by site and resource type",
    key=("site", "resource_type", "system", "code"),
    columns=(
        _SITE,
        _TYPE,
        text("system", "Code system as the site wrote it; empty where it gave none", required=True),
        text("code", "Code as the site wrote it", required=True),
        text("display", "A display text that the site gave it: the first in alphabetical order"),
        Column("rows", "BIGINT", "How often", required=True),
    ),
)

_IMPLAUSIBLE_VALUE = Table(
    name="implausible_value",
    stage="mart",
    zone="pseudonymous",
    grain="one row per value of a resource that cannot be true and was therefore set to unknown; the value is not kept",
    key=("resource_key", "field"),
    columns=(
        _SITE,
        _BATCH,
        _FILE,
        _TYPE,
        Column("row", "BIGINT", "Row of the resource in the file, from 0", required=True),
        Column("resource_key", "BIGINT", "Key of site, type and id of the resource", required=True),
        text("field", "birth, death, or the start or end of an event", required=True),
    ),
)

TABLES = (_LINEAGE, _ETL_COUNT, _UNMAPPED_CODE, _IMPLAUSIBLE_VALUE)
