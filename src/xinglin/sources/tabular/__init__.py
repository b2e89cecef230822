"""Tables - CSV, Excel, Parquet, databases - read by a mapping file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.sources.tabular.cut import cut, recognises
from xinglin.sources.tabular.load import load_mapping, read_mapping
from xinglin.sources.tabular.mapping.file import is_mapping
from xinglin.sources.tabular.records import records
from xinglin.sources.tabular.redaction import redact

if TYPE_CHECKING:
    from xinglin.sources.tabular.databases.connect import is_database_url
    from xinglin.sources.tabular.databases.pulled import Pulled, pull
    from xinglin.sources.tabular.profile.drafting import draft
    from xinglin.sources.tabular.profile.look import look_at_database, look_at_file

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
    "redact",
]

_HOMES = {
    "Pulled": "databases.pulled",
    "draft": "profile.drafting",
    "is_database_url": "databases.connect",
    "look_at_database": "profile.look",
    "look_at_file": "profile.look",
    "pull": "databases.pulled",
}


def __getattr__(name: str) -> Any:
    """Load a part of the door when it is used: workers read tables and need no database."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
