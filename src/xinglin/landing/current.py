"""SQL over the current resources of landed files: replaced versions are left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.sql import parquet_list, quote

if TYPE_CHECKING:
    from xinglin.landing.store import Landing

__all__ = ["LandedPart", "landed_parts", "landed_source"]

_NOTHING = "(SELECT NULL::VARCHAR AS site, NULL::VARCHAR AS resource WHERE false)"


@dataclass(frozen=True)
class LandedPart:
    """One landed file of one resource type.

    Args:
        path: The Parquet file.
        site: The site that sent it; it becomes part of the keys.
        superseded: Rows, from 0, that a later version replaced.
    """

    path: str
    site: str = ""
    superseded: tuple[int, ...] = ()


def landed_source(parts: Sequence[LandedPart], without: Collection[int] = ()) -> str:
    """A relation with ``site`` and ``resource`` over landed files, in their order.

    Args:
        parts: The files.
        without: `patient_key` of each record whose resources are left out.

    Example:
        >>> print(landed_source([LandedPart("/a.parquet", "mercy")]))
        (SELECT 'mercy/' AS site, resource FROM read_parquet(['/a.parquet']))
    """
    pieces: list[str] = []
    alike: list[LandedPart] = []
    for part in parts:
        if alike and (part.superseded or alike[-1].superseded or part.site != alike[-1].site):
            pieces.append(_select(alike, without))
            alike = []
        alike.append(part)
    if alike:
        pieces.append(_select(alike, without))
    return f"({' UNION ALL '.join(pieces)})" if pieces else _NOTHING


def _select(parts: list[LandedPart], without: Collection[int]) -> str:
    """Files of one site that need the same treatment."""
    site = quote(f"{parts[0].site}/" if parts[0].site else "")
    paths = parquet_list([part.path for part in parts])
    conditions = []
    if without:
        keys = ", ".join(map(str, sorted(without)))
        conditions.append(f"(patient_key IS NULL OR patient_key NOT IN (SELECT UNNEST([{keys}])))")
    if parts[0].superseded:
        paths += ", file_row_number = true"
        rows = ", ".join(str(row) for row in parts[0].superseded)
        conditions.append(f"file_row_number NOT IN (SELECT UNNEST([{rows}]))")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {site} AS site, resource FROM read_parquet({paths}){where}"


def landed_parts(landing: Landing, resource_type: str) -> list[LandedPart]:
    """The landed files of a resource type, with the rows that later versions replaced.

    Args:
        landing: The region's landing.
        resource_type: FHIR resource type.
    """
    superseded = landing.superseded()
    return [
        LandedPart(str(file.path), file.site, tuple(superseded.get((file.site, file.batch, file.name), ())))
        for file in landing.files(resource_type)
    ]
