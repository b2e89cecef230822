"""Ids of resources, made from columns: the same value gives the same id in every table."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

from xinglin.sources.tabular.compile.scope import Row, Run, Scope
from xinglin.sources.tabular.mapping.places import Path

__all__ = ["id_of", "identity"]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_APART = "\x1f"


@lru_cache(maxsize=65_536)
def id_of(resource_type: str, text: str) -> str:
    """A text as a FHIR id: itself where it is one, else a UUID-shaped hash of it and the type.

    Example:
        >>> id_of("Patient", "A-17"), id_of("Patient", "甲 17")
        ('A-17', '8ba6ef40-5c9c-360a-a35c-03f1cbb5e7e3')
    """
    if _ID(text):
        return text
    found = hashlib.sha256(f"{resource_type}{_APART}{text}".encode()).hexdigest()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:32]}"


def identity(scope: Scope, resource_type: str, said: Any, path: Path) -> Run:
    """The id of a resource for a row; None where it has none.

    Args:
        scope: The table.
        resource_type: Its type.
        said: A template, in which every column needs a value; or columns that together tell the resource apart, of
            which some may be empty.
        path: Where that stands.
    """
    if isinstance(said, list) and len(said) == 1:
        said = f"{{{said[0]}}}"
    if isinstance(said, str):
        made = scope.template(said, path)
        run = made.run
        if run is None:
            constant = id_of(resource_type, made.constant)
            return lambda row: constant

        def one(row: Row) -> str | None:
            text = run(row)
            return None if text is None else id_of(resource_type, text)

        return one
    columns = [scope.column(name, (*path, number)) for number, name in enumerate(said)]

    def several(row: Row) -> str | None:
        values = [column(row) for column in columns]
        if not any(values):
            return None
        return id_of(resource_type, _APART.join("" if value is None else value for value in values))

    return several
