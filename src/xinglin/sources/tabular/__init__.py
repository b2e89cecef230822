"""Tables - CSV, Excel, Parquet, databases - read by a mapping file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.sources.tabular.cut import cut, recognises
from xinglin.sources.tabular.load import load_mapping, read_mapping
from xinglin.sources.tabular.mapping import is_mapping
from xinglin.sources.tabular.records import records

if TYPE_CHECKING:
    from xinglin.sources.tabular.database import is_database_url
    from xinglin.sources.tabular.drafting import draft
    from xinglin.sources.tabular.look import look_at_database, look_at_file
    from xinglin.sources.tabular.pulled import Pulled, pull

__all__ = [
    "Pulled",
    "cut",
    "draft",
    "is_database_url",
    "is_mapping",
    "load_mapping",
    "look_at_database",
    "look_at_file",
    "pull",
    "read_mapping",
    "recognises",
    "records",
]

_HOMES = {
    "Pulled": "pulled",
    "draft": "drafting",
    "is_database_url": "database",
    "look_at_database": "look",
    "look_at_file": "look",
    "pull": "pulled",
}


def __getattr__(name: str) -> Any:
    """Load a part of the door when it is used: workers read tables and need no database."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
