"""Where a view's resources come from: landed files, without the versions that were replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinglin.lake.engine import parquet_list
from xinglin.views.expressions import quote

__all__ = ["LandedPart", "landed_source"]

_NOTHING = "(SELECT NULL::VARCHAR AS site, NULL::VARCHAR AS resource WHERE false)"


@dataclass(frozen=True)
class LandedPart:
    """One landed file of the view's resource type.

    Args:
        path: The Parquet file.
        site: The institution it came from; it becomes part of the keys.
        superseded: Rows, from 0, that a later version replaced.
    """

    path: str
    site: str = ""
    superseded: tuple[int, ...] = ()


def landed_source(parts: Sequence[LandedPart]) -> str:
    """A relation with ``site`` and ``resource`` over landed files, in their order.

    Example:
        >>> print(landed_source([LandedPart("/a.parquet", "mercy")]))
        (SELECT 'mercy/' AS site, resource FROM read_parquet(['/a.parquet']))
    """
    pieces: list[str] = []
    alike: list[LandedPart] = []
    for part in parts:
        if alike and (part.superseded or alike[-1].superseded or part.site != alike[-1].site):
            pieces.append(_select(alike))
            alike = []
        alike.append(part)
    if alike:
        pieces.append(_select(alike))
    return f"({' UNION ALL '.join(pieces)})" if pieces else _NOTHING


def _select(parts: list[LandedPart]) -> str:
    """Files of one site that need the same treatment."""
    site = quote(f"{parts[0].site}/" if parts[0].site else "")
    paths = parquet_list([part.path for part in parts])
    if not parts[0].superseded:
        return f"SELECT {site} AS site, resource FROM read_parquet({paths})"
    rows = ", ".join(str(row) for row in parts[0].superseded)
    return (
        f"SELECT {site} AS site, resource FROM read_parquet({paths}, file_row_number = true) "
        f"WHERE file_row_number NOT IN (SELECT UNNEST([{rows}]))"
    )
