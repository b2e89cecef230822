"""The plan of a region, its institutions, and the report of a generation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from xinglin.core.errors import UsageError

__all__ = ["KINDS", "SLICES", "RegionPlan", "RegionReport", "Site", "institutional"]

KINDS = ("hospital", "health-centre", "clinic", "exam-centre")
SLICES = 12
"""Images of a head study, if the plan has images."""
_INSTITUTIONAL = ("fhir", "hl7v2", "csv", "database")
_NAMES = ("east-hospital", "lake-health-centre", "garden-clinic", "north-exam-centre")


@dataclass(frozen=True)
class Site:
    """One institution.

    Args:
        index: Its index in the region, from 0.
        name: Name of its folder and of the site in the platform.
        kind: hospital, health-centre, clinic or exam-centre.
        format: Name of the writer of its files (`xinglin.synthetic.writers`).
    """

    index: int
    name: str
    kind: str
    format: str = "fhir"


def institutional(institutions: int) -> tuple[str, ...]:
    """Typical formats of the four kinds of institution: FHIR, HL7 v2, CSV in GB18030, a database.

    Example:
        >>> institutional(5)
        ('fhir', 'hl7v2', 'csv', 'database', 'fhir')
    """
    return tuple(_INSTITUTIONAL[index % len(KINDS)] for index in range(institutions))


@dataclass(frozen=True)
class RegionPlan:
    """What to generate; the same plan gives the same bytes with any number of workers.

    Args:
        persons: Number of persons in the region.
        institutions: Number of institutions; the four kinds repeat in order.
        seed: Any integer. The records of person i depend only on the seed, i and the institutions.
        years: Number of recorded years.
        end_date: The last recorded day.
        workers: Number of processes; None uses all available cores.
        patients_only: Generate only Patient records (for linkage), without a simulated life.
        formats: Writer of each institution in order; the others write FHIR.
        part_bytes: Maximum size of one file in bytes.
        images: Number of head studies with DICOM objects beside the records of the hospitals; if above 0, every head
            study states `SLICES` images.
        traps: Number of groups of each kind of people who look alike (`population.traps`), beside the persons.

    Raises:
        UsageError: A number is out of range.

    Example:
        >>> RegionPlan(persons=10, institutions=5).sites[4].name
        'east-hospital-2'
    """

    persons: int
    institutions: int = 4
    seed: int = 1
    years: int = 10
    end_date: date = date(2025, 12, 31)
    workers: int | None = None
    patients_only: bool = False
    formats: tuple[str, ...] = ()
    part_bytes: int = 100_000_000
    images: int = 0
    traps: int = 0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("persons", self.persons, 1_000_000_000),
            ("institutions", self.institutions, 10_000),
            ("years", self.years, 40),
            ("workers", self.workers or 1, 1_024),
        ):
            if not 1 <= value <= most:
                raise UsageError(f"{name} must be between 1 and {most:,}", source=name)
        if not 0 <= self.traps <= 100_000:
            raise UsageError("traps must be between 0 and 100,000", source="traps")
        if self.images < 0:
            raise UsageError("the number of imaging studies cannot be negative", source="images")
        if len(self.formats) > self.institutions:
            raise UsageError("more formats than institutions", source="formats")

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The institutions; the four kinds repeat in order."""
        named = []
        for index in range(self.institutions):
            round_number, kind = divmod(index, len(KINDS))
            name = _NAMES[kind] + (f"-{round_number + 1}" if round_number else "")
            form = self.formats[index] if index < len(self.formats) else "fhir"
            named.append(Site(index, name, KINDS[kind], form))
        return tuple(named)

    @cached_property
    def first_day(self) -> int:
        """The first recorded day as a proleptic Gregorian ordinal."""
        end = self.end_date + timedelta(days=1)
        try:
            return end.replace(year=end.year - self.years).toordinal()
        except ValueError:
            return end.replace(year=end.year - self.years, day=28).toordinal()

    @cached_property
    def last_day(self) -> int:
        """The last recorded day as a proleptic Gregorian ordinal."""
        return self.end_date.toordinal()

    @cached_property
    def persons_per_block(self) -> int:
        """Persons per task; part of the plan, because part files end between blocks."""
        return 4_000 if self.patients_only else 250


@dataclass(frozen=True)
class RegionReport:
    """What was generated.

    Args:
        out: The folder.
        persons: Number of persons.
        patients: Patient records over all institutions.
        resources: Resources by type, of institutions that write FHIR.
        records: Messages or rows by format and kind, of the other institutions.
        images: Number of DICOM objects.
        files: Number of data files.
        size: Their size in bytes.
        seconds: Wall-clock time.
    """

    out: Path
    persons: int
    patients: int
    files: int
    size: int
    seconds: float
    resources: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    images: int = 0

    @property
    def total(self) -> int:
        """Total of resources, messages, rows and objects."""
        return sum(self.resources.values()) + sum(self.records.values()) + self.images
