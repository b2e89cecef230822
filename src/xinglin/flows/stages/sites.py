"""Institutions: registered when first heard of, and how what they send is read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from xinglin.landing import Landing, Site
    from xinglin.sources import Reading

__all__ = ["ensure_site", "is_database", "read_mapping", "reading_of", "set_site"]

_DATABASE = re.compile(r"[a-z][a-z0-9+]*://").match
_PASSWORD = re.compile(r"://[^/@:]*:(?!\$\{)[^/@]+@").search


def is_database(inbox: str) -> bool:
    """Whether an inbox names a database instead of a file or folder.

    Example:
        >>> is_database("postgresql://db/his"), is_database("/srv/in")
        (True, False)
    """
    return bool(_DATABASE(inbox))


def ensure_site(landing: Landing, name: str, kind: str) -> Site:
    """The site of that name, registered now when it is new; an existing one keeps its kind.

    Raises:
        UsageError: The name or the kind cannot be used.
    """
    known = {site.name: site for site in landing.sites()}
    return known.get(name) or landing.add_site(name, kind)


def set_site(
    landing: Landing,
    name: str,
    *,
    inbox: str | None = None,
    form: str | None = None,
    mapping: Path | None = None,
) -> Site:
    """Say of a registered site where its records lie, in which format, and by which mapping they are read.

    Args:
        landing: The landing.
        name: The site.
        inbox: Folder, file or database URL; a password in it stands as ``${NAME}`` of an environment variable.
        form: One of `xinglin.sources.FORMATS`.
        mapping: A mapping file; its text is kept.

    Raises:
        NotFound: The site or the mapping file is not there.
        UsageError: The format is unknown, or the URL holds a password.
    """
    from xinglin.sources import FORMATS

    site = landing.site(name)
    if form is not None and form not in FORMATS:
        raise UsageError(f"a format is one of {', '.join(FORMATS)}", source=form)
    if inbox is not None and is_database(inbox) and _PASSWORD(inbox):
        raise UsageError(
            "the database's password must not stand in the registry",
            source=name,
            remedy="write ${NAME} in its place and set that environment variable",
        )
    if inbox is not None:
        site = replace(site, inbox=inbox if is_database(inbox) else str(Path(inbox).absolute()))
    if form is not None:
        site = replace(site, format=form)
    if mapping is not None:
        site = replace(site, mapping=landing.keep_mapping(name, read_mapping(mapping)))
    return landing.write_site(site)


def read_mapping(path: Path) -> str:
    """The text of a mapping file; one of tables is checked, and has its code lists written into it.

    Raises:
        NotFound: It is not there.
        UsageError: It is not UTF-8.
        BadInput: It cannot be used.
    """
    from xinglin.sources import tabular

    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError("a mapping file is YAML in UTF-8", source=str(path)) from None
    except OSError as error:
        raise NotFound(f"the mapping file cannot be read (errno {error.errno})", source=str(path)) from None
    return tabular.read_mapping(path) if tabular.is_mapping(text) else text


def reading_of(landing: Landing, name: str, form: str | None = None, mapping: Path | None = None) -> Reading:
    """How records of a site are read: as said now, else as registered.

    Args:
        landing: The landing.
        name: The site.
        form: Format of this ingest.
        mapping: Mapping file of this ingest.
    """
    from xinglin.sources import Reading

    site = landing.site(name)
    text = read_mapping(mapping) if mapping else landing.mapping(name, site.mapping) if site.mapping else None
    return Reading(format=form or site.format, mapping=text)
