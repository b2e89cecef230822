"""Release: de-identified extracts, with a report of the remaining re-identification risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.release.extract import Extract, Request, make_extract
    from xinglin.release.pseudonyms import Salts
    from xinglin.release.report import readable
    from xinglin.release.risk import RiskReport

__all__ = ["Extract", "Request", "RiskReport", "Salts", "make_extract", "readable"]

_HOMES = {"RiskReport": "risk", "Salts": "pseudonyms", "readable": "report"}


def __getattr__(name: str) -> Any:
    """Import a name on first use, which keeps the start of the command line fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'extract')}"), name)
