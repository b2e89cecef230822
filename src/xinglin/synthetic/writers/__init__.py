"""Writers: one for each format of an institution's files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from xinglin.core.errors import UsageError
from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import Chart

__all__ = ["Lines", "Writer", "formats", "writer"]

Lines = dict[str, list[str]]

_WRITERS = {
    "fhir": ("fhir", "FhirWriter"),
    "hl7v2": ("hl7v2", "Hl7v2Writer"),
    "csv": ("chinese_csv", "CsvWriter"),
    "database": ("database", "DatabaseWriter"),
}


class Writer(Protocol):
    """Turns charts into lines of one format.

    Lines are collected by stem: the lines of stem ``Patient`` go to ``Patient.0000<suffix>``, ``Patient.0001<suffix>``
    and so on. The same call gives the same lines in any process. For a format without text files, `finish` makes the
    files from the lines.
    """

    suffix: str
    """Suffix of its files."""
    reading: str
    """Name of the format for `xinglin ingest --format`."""
    database: str | None
    """Name of the database, if it makes one."""

    def institution(self, site: Site, seed: int) -> Lines:
        """Add the lines about the institution itself, once, before all charts."""
        ...

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add a patient record."""
        ...

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add a patient record and all visits."""
        ...

    def encode(self, lines: list[str]) -> bytes:
        """Encode lines for a file."""
        ...

    def head(self, stem: str) -> bytes:
        """The header of every file of a stem."""
        ...

    def finish(self, site: Site, folder: Path) -> None:
        """Make files that are not written line by line, after all charts."""
        ...

    def mapping(self, site: Site) -> str | None:
        """The mapping file from columns to FHIR, if the format needs one."""
        ...


def formats() -> tuple[str, ...]:
    """Names of all formats.

    Example:
        >>> formats()
        ('fhir', 'hl7v2', 'csv', 'database')
    """
    return tuple(_WRITERS)


def writer(name: str) -> Writer:
    """The writer of a format.

    Raises:
        UsageError: The format is unknown.

    Example:
        >>> writer("fhir").suffix
        '.ndjson'
    """
    if name not in _WRITERS:
        raise UsageError(f"unknown format {name}", source="formats", remedy=f"use one of {', '.join(formats())}")
    module, made = _WRITERS[name]
    return cast(Writer, getattr(import_module(f"{__name__}.{module}"), made)())
