"""Part files of a region: limited in size while written, then closed by each writer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.writers import Lines, writer

__all__ = ["Data", "Parts", "encode"]

Data = dict[tuple[int, str], tuple[bytes, int]]
"""Bytes and number of lines per (site index, stem)."""


def encode(plan: RegionPlan, lines: list[Lines]) -> Data:
    """The lines of every site, encoded by its writer."""
    writers = [writer(site.format) for site in plan.sites]
    return {
        (place, stem): (writers[place].encode(found), len(found))
        for place, stems in enumerate(lines)
        for stem, found in sorted(stems.items())
        if found
    }


class Parts:
    """Appends to part files; begins a new one before the limit is exceeded.

    Args:
        plan: The region.
        out: Its folder.
    """

    def __init__(self, plan: RegionPlan, out: Path) -> None:
        self.plan, self.out = plan, out
        self.sites = plan.sites
        self.writers = [writer(site.format) for site in self.sites]
        self.current: dict[tuple[int, str], tuple[int, int]] = {}
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, data: Data) -> None:
        """Append the lines of one block."""
        for (place, stem), (content, count) in data.items():
            site, made_by = self.sites[place], self.writers[place]
            part, size = self.current.get((place, stem), (-1, self.plan.part_bytes))
            if size + len(content) > self.plan.part_bytes:
                part, size = part + 1, 0
                content = made_by.head(stem) + content
            self.current[(place, stem)] = (part, size + len(content))
            path = self.out / site.name / f"{stem}.{part:04d}{made_by.suffix}"
            with path.open("ab") as file:
                file.write(content)
            self.counts[(site.format, stem)] += count

    def finish(self) -> None:
        """Call `finish` of every writer."""
        for site, made_by in zip(self.sites, self.writers, strict=True):
            made_by.finish(site, self.out / site.name)

    def measure(self) -> tuple[int, int]:
        """Number and size of all institutions' files."""
        sizes = [
            path.stat().st_size for site in self.sites for path in (self.out / site.name).rglob("*.*") if path.is_file()
        ]
        return len(sizes), sum(sizes)

    def named(self, form: str) -> dict[str, int]:
        """Number of lines by stem, for one format."""
        return {stem: count for (written, stem), count in sorted(self.counts.items()) if written == form}
