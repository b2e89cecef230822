"""Description of a generated region: its institutions and their formats, and the hazard model."""

from __future__ import annotations

import json
from pathlib import Path

from xinglin.synthetic.life.hazards import HazardModel, hazards_document
from xinglin.synthetic.plan import RegionPlan, Site
from xinglin.synthetic.records import day_text
from xinglin.synthetic.writers import writer

__all__ = ["describe"]


def describe(plan: RegionPlan, out: Path) -> None:
    """Write ``region.json``, the mapping files and ``truth/hazards.json``.

    Args:
        plan: The region.
        out: Its folder; all other files are written already.
    """
    region = {
        "persons": plan.persons,
        "seed": plan.seed,
        "first_day": day_text(plan.first_day),
        "last_day": day_text(plan.last_day),
        "patients_only": plan.patients_only,
        "sites": [_site(site, out) for site in plan.sites],
    }
    (out / "region.json").write_text(json.dumps(region, indent=2) + "\n")
    if not plan.patients_only:
        (out / "truth" / "hazards.json").write_text(json.dumps(hazards_document(HazardModel()), indent=2) + "\n")
    else:
        (out / "truth" / "outcomes.csv").unlink()


def _site(site: Site, out: Path) -> dict[str, str | None]:
    """Entry of one institution; with images beside records the format is `auto`, recognised file by file."""
    made_by = writer(site.format)
    mapping, named = made_by.mapping(site), None
    if mapping is not None:
        named = f"mappings/{site.name}.yaml"
        (out / "mappings").mkdir(exist_ok=True)
        (out / named).write_text(mapping, encoding="utf-8")
    images = (out / site.name / "dicom").is_dir()
    return {
        "name": site.name,
        "kind": site.kind,
        "folder": site.name,
        "format": "auto" if images else made_by.reading,
        "mapping": named,
        "database": f"{site.name}/{made_by.database}" if made_by.database else None,
        "writer": site.format + ("+dicom" if images else ""),
    }
