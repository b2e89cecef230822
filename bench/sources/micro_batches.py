"""What one micro-batch costs after many earlier ones of the same site."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench.measure import record
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest

TYPES = ("Patient", "Encounter", "Observation", "DiagnosticReport", "MessageHeader", "Practitioner")


def resources(batch: int, rows: int) -> bytes:
    """Rows of six types as a feed brings them: half of the patients came before."""
    lines = []
    for row in range(rows):
        number = batch * rows + row
        for kind in TYPES:
            one = {"resourceType": kind, "id": f"{kind[:3]}{number}"}
            if kind == "Patient":
                one["id"] = f"p{number // 2 if row % 2 else number}"
            lines.append(json.dumps(one).encode() + b"\n")
    return b"".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=100)
    arguments = parser.parse_args()
    measure(arguments.batches, arguments.rows)


def bench(resources: int, times: int) -> None:
    """A thousandth as many batches as resources: what one more batch costs when many are there."""
    measure(max(10, resources // 1_000), 100)


def measure(batches: int, rows: int) -> None:
    """Land so many small batches, one after the other, and record what each costs."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        landing = Landing(home / "landing", permit=OPEN)
        landing.add_site("feed", "hospital")
        for number in range(batches):
            path = home / f"{number}.ndjson"
            path.write_bytes(resources(number, rows))
            begin = time.perf_counter()
            ingest(landing, path, "feed", Settings(home, threads=1))
            seconds.append(time.perf_counter() - begin)
            path.unlink()
    at = [n for n in (10, 100, 300, 1_000, 3_000, 10_000) if n <= batches]
    figures = {f"ms_at_{n}_batches": round(1000 * statistics.median(seconds[max(0, n - 10) : n]), 1) for n in at}
    record("sources/micro_batches", {"resources_per_batch": rows * len(TYPES), **figures})


if __name__ == "__main__":
    main()
