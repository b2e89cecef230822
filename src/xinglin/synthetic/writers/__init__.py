"""One writer per format an institution keeps its files in."""

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
    """Turns what an institution knows into lines of its own format.

    Lines are gathered per stem: the lines of stem ``Patient`` go to ``Patient.0000<suffix>``, ``Patient.0001<suffix>``
    and so on. The same call gives the same lines in any process. Where an institution keeps no text files, the lines
    are what `finish` makes its files of.
    """

    suffix: str
    """How the names of its files end."""
    reading: str
    """The platform's name of the format (`xinglin ingest --format`)."""
    database: str | None
    """Name of the database it makes, where it makes one."""

    def institution(self, site: Site, seed: int) -> Lines:
        """Lines about the institution itself, written once, before all charts."""
        ...

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add a patient record."""
        ...

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add a patient record and every visit."""
        ...

    def encode(self, lines: list[str]) -> bytes:
        """Lines as they stand in a file."""
        ...

    def head(self, stem: str) -> bytes:
        """What stands at the beginning of every file of a stem."""
        ...

    def finish(self, site: Site, folder: Path) -> None:
        """Make what is not made line by line, after all charts were written into the folder."""
        ...

    def mapping(self, site: Site) -> str | None:
        """The mapping file that says how its columns become FHIR, where the format needs one."""
        ...


def formats() -> tuple[str, ...]:
    """The names of the formats there are.

    Example:
        >>> formats()
        ('fhir', 'hl7v2', 'csv', 'database')
    """
    return tuple(_WRITERS)


def writer(name: str) -> Writer:
    """The writer of that name.

    Raises:
        UsageError: There is none.

    Example:
        >>> writer("fhir").suffix
        '.ndjson'
    """
    if name not in _WRITERS:
        raise UsageError(f"no writer is called {name}", source="formats", remedy=f"take one of: {', '.join(formats())}")
    module, made = _WRITERS[name]
    return cast(Writer, getattr(import_module(f"{__name__}.{module}"), made)())
