"""Linking a million patient records beside the bare Splink calls on the same prepared features."""

from __future__ import annotations

import shutil

from bench import material
from bench.measure import median_seconds, paired, python, record


def bench(resources: int, times: int) -> None:
    region = material.patients(resources)
    home = material.folder() / "home-linking"
    shutil.rmtree(home, ignore_errors=True)
    python("bench.pipeline.link_way", "land", home, region)

    def ours():
        shutil.rmtree(home / "lake" / "identity", ignore_errors=True)
        return python("bench.pipeline.link_way", "link", home, region)

    linked, bare, ratio = paired(ours, lambda: python("bench.pipeline.link_way", "bare", home, region), times)
    precision, recall, records, persons = _quality(python("bench.pipeline.link_way", "quality", home, region).output)
    shutil.rmtree(home)
    record(
        f"pipeline/linking_{resources}",
        {
            "records": records,
            "persons": persons,
            "seconds": round(median_seconds(linked), 1),
            "bare_splink_seconds": round(median_seconds(bare), 1),
            "ratio_to_bare_splink": round(ratio, 2),
            "precision": precision,
            "recall": recall,
            "peak_mb": round(max(run.peak_mb for run in linked)),
            "bare_peak_mb": round(max(run.peak_mb for run in bare)),
        },
    )


def _quality(output: str) -> tuple[float, float, int, int]:
    precision, recall, records, persons = output.split()[-4:]
    return float(precision), float(recall), int(records), int(persons)
