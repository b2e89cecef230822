"""Mapping files for tables: package data, with the institution's name filled in."""

from __future__ import annotations

from importlib.resources import files

from xinglin.synthetic.plan import Site

__all__ = ["mapping_text"]

_SITE = "%SITE%"


def mapping_text(name: str, site: Site) -> str:
    """A mapping for one institution.

    Args:
        name: Name of the file in ``data``, without suffix.
        site: The institution; its name becomes part of the system of its patient numbers.
    """
    text = (files("xinglin.synthetic.writers") / "data" / f"{name}.mapping.yaml").read_text("utf-8")
    return text.replace(_SITE, site.name)
