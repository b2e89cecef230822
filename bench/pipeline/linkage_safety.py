"""The safety case of linking: false merges per million records by kind, on a generated region full of traps.

The region is linked twice: as its institutions deliver it, and without national numbers. A false merge is a true person
too many inside a found person; a false split is a found person too many of a true one. Limits are exact for a Poisson
count (Garwood 1936). FEBRL 1 to 3 follow where XINGLIN_REAL_DATA names them.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from bench import material
from bench.measure import record

_LEVEL = 0.025
_RECORDS_PER_TRAP = 1_000


def bench(resources: int, times: int) -> None:
    """Measure a region of `resources` patient records; `times` is not used, since nothing is timed against another."""
    figures: dict[str, Any] = {}
    for numbers in (True, False):
        region = _region(resources, numbers=numbers)
        figures["with_numbers" if numbers else "without_numbers"] = _linked(region)
    if folder := os.environ.get("XINGLIN_REAL_DATA"):
        figures["febrl"] = _febrl(Path(folder) / "linkage-febrl")
    record(f"linkage_safety_{resources}", figures)


def poisson_limits(events: int) -> tuple[float, float]:
    """The exact 95 % limits of a Poisson count."""
    low = 0.0 if not events else _solve(lambda mean: 1 - _cumulated(events - 1, mean) - _LEVEL, events + 10)
    return low, _solve(lambda mean: _LEVEL - _cumulated(events, mean), 3 * events + 20)


def _cumulated(events: int, mean: float) -> float:
    term = total = math.exp(-mean)
    for at in range(1, events + 1):
        term *= mean / at
        total += term
    return total


def _solve(rising: Any, high: float) -> float:
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _region(records: int, *, numbers: bool) -> Path:
    from xinglin.synthetic import RegionPlan, generate

    path = material.folder() / f"traps-{records}{'' if numbers else '-bare'}"
    if (path / "region.json").exists():
        return path
    shutil.rmtree(path, ignore_errors=True)
    traps = max(records // _RECORDS_PER_TRAP, 10)
    persons = round((records - 20 * traps) / 1.45)
    generate(RegionPlan(persons=max(persons, 100), seed=3, patients_only=True, traps=traps), path)
    if not numbers:
        for file in path.glob("*/Patient*.ndjson"):
            file.write_text("".join(_without_number(line) for line in file.open(encoding="utf-8")), encoding="utf-8")
    return path


def _without_number(line: str) -> str:
    patient = json.loads(line)
    patient["identifier"] = [
        one for one in patient["identifier"] if one["type"]["coding"][0]["code"] not in ("NI", "PPN")
    ]
    return json.dumps(patient, ensure_ascii=False) + "\n"


def _linked(region: Path) -> dict[str, Any]:
    from tests.opened import opened

    from xinglin.flows.demo import gather
    from xinglin.flows.stages.run import link

    home = Path(tempfile.mkdtemp(prefix="safety-", dir=material.folder()))
    try:
        stores = opened(home / "home", create=True)
        gather(stores, region)
        begin = time.perf_counter()
        report = link(stores)
        seconds = time.perf_counter() - begin
        return _judged(stores.lake, region) | {
            "review_pairs": report.review,
            "review_share_of_records": round(report.review / report.records, 5),
            "seconds": round(seconds, 1),
            "model": report.trained,
        }
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _judged(lake: Any, region: Path) -> dict[str, Any]:
    from xinglin.identity import person_links

    columns, rows = person_links(lake)
    site, local, person = (columns.index(name) for name in ("site", "local_id", "person_id"))
    with (region / "truth" / "persons.csv").open(newline="") as file:
        true = {(row["site"], row["local_id"]): int(row["person"]) for row in csv.DictReader(file)}
    with (region / "truth" / "traps.csv").open(newline="") as file:
        kind = {int(row["person"]): row["kind"] for row in csv.DictReader(file)}
    both = [(true[row[site], row[local]], row[person]) for row in rows]
    inside, spread = defaultdict(set), defaultdict(set)
    for truth, found in both:
        inside[found].add(truth)
        spread[truth].add(found)
    merges: Counter[str] = Counter()
    for people in inside.values():
        if len(people) > 1:
            merges[next((kind[one] for one in sorted(people) if one in kind), "others")] += len(people) - 1
    splits = Counter(kind.get(truth, "others") for truth, found in spread.items() for _ in range(len(found) - 1))
    records = Counter(kind.get(truth, "others") for truth, _ in both)
    found_pairs, true_pairs, right = (
        sum(size * (size - 1) // 2 for size in Counter(groups).values())
        for groups in ([f for _, f in both], [t for t, _ in both], both)
    )
    total, low_high = sum(merges.values()), poisson_limits(sum(merges.values()))
    return {
        "records": len(both),
        "persons_true": len(spread),
        "persons_found": len(inside),
        "false_merges": total,
        "false_merges_per_million": round(1e6 * total / len(both), 1),
        "limits_95_per_million": [round(1e6 * limit / len(both), 1) for limit in low_high],
        "false_splits": sum(splits.values()),
        "precision": round(right / found_pairs, 6),
        "recall": round(right / true_pairs, 4),
        "kinds": {
            name: {"records": records[name], "false_merges": merges[name], "false_splits": splits[name]}
            for name in sorted(records)
        },
    }


def _febrl(folder: Path) -> dict[str, Any]:
    from tests.unit.identity.handmade import Region, febrl, quality

    found: dict[str, Any] = {}
    for number in (1, 2, 3):
        patients, truth = febrl(folder, number)
        for numbers in (True, False):
            for files in (1, 2):
                home = Path(tempfile.mkdtemp(prefix="febrl-", dir=material.folder()))
                region, told = Region(home), {}
                given: dict[str, list[dict[str, Any]]] = defaultdict(list)
                for one in patients:
                    site = "a" if files == 1 or one["id"].endswith("-org") else "b"
                    kept = one if numbers else {name: value for name, value in one.items() if name != "identifier"}
                    given[site].append(kept)
                    told[f"{site}/{one['id']}"] = truth[f"febrl/{one['id']}"]
                for site, delivered in given.items():
                    region.land(site, delivered)
                report = region.link()
                measured = quality(region, told)
                name = f"febrl{number} {'with' if numbers else 'without'} soc_sec_id, {files} file{'s'[: files - 1]}"
                found[name] = {
                    "f1": round(measured.f1, 4),
                    "precision": round(measured.precision, 4),
                    "recall": round(measured.recall, 4),
                    "review_pairs": report.review,
                }
                shutil.rmtree(home, ignore_errors=True)
    return found
