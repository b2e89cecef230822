"""Institutions, registered when first heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.landing import Landing, Site

__all__ = ["ensure_site"]


def ensure_site(landing: Landing, name: str, kind: str) -> Site:
    """The site of that name, registered now when it is new; an existing one keeps its kind.

    Raises:
        UsageError: The name or the kind cannot be used.
    """
    known = {site.name: site for site in landing.sites()}
    return known.get(name) or landing.add_site(name, kind)
