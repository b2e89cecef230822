"""One writer per format an institution keeps its files in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from xinglin.core.errors import UsageError
from xinglin.region.plan import Site
from xinglin.region.records import Chart
from xinglin.region.registration import Registration

__all__ = ["Lines", "Writer", "writer"]

Lines = dict[str, list[str]]


class Writer(Protocol):
    """Turns what an institution knows into lines of its own format.

    Lines are gathered per stem: the lines of stem ``Patient`` go to ``Patient.0000<suffix>``, ``Patient.0001<suffix>``
    and so on. The same call gives the same lines in any process.
    """

    suffix: str

    def institution(self, site: Site, seed: int) -> Lines:
        """Lines about the institution itself, written once, before all charts."""
        ...

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add a patient record."""
        ...

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add a patient record and every visit."""
        ...


def formats() -> Iterable[str]:
    """The names of the formats there are."""
    return ("fhir",)


def writer(name: str) -> Writer:
    """The writer of that name.

    Raises:
        UsageError: There is none.
    """
    if name == "fhir":
        from xinglin.region.writers.fhir import FhirWriter

        return FhirWriter()
    raise UsageError(f"no writer is called {name}", source="formats", remedy=f"take one of: {', '.join(formats())}")
