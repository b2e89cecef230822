"""The SQL of this stage, one file a query."""

from __future__ import annotations

from importlib.resources import files
from string import Template

__all__ = ["sql_text"]


def sql_text(name: str, **values: str) -> str:
    """The SQL of one file of this package, with its ``$placeholders`` filled.

    Args:
        name: Folder and file, without the ending.
        values: What each placeholder stands for.

    Example:
        >>> sql_text("persons/person_history", run="'1'").splitlines()[0]
        '-- grain: one row per person id that ended, with those of earlier runs'
    """
    return Template((files(__package__) / f"{name}.sql").read_text("utf-8")).substitute(values)
