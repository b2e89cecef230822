"""``make bench``, or ``python -m bench NAME …``: every benchmark, or some, each writing bench/results/NAME.json."""

from __future__ import annotations

import argparse

from bench import (
    access,
    backup,
    consortium,
    dicom,
    encoding,
    growth,
    hl7v2,
    incremental,
    ledger,
    ledger_proof,
    ledger_store,
    linking,
    listen,
    micro_batches,
    region,
    spark,
    views,
    whole_way,
)

BENCHMARKS = {
    "region": region.bench,
    "whole_way": whole_way.bench,
    "growth": growth.bench,
    "incremental": incremental.bench,
    "linking": linking.bench,
    "spark": spark.bench,
    "hl7v2": hl7v2.bench,
    "dicom": dicom.bench,
    "listen": listen.bench,
    "micro_batches": micro_batches.bench,
    "views": views.bench,
    "ledger": ledger.bench,
    "ledger_proof": ledger_proof.bench,
    "ledger_store": ledger_store.bench,
    "access": access.bench,
    "consortium": consortium.bench,
    "backup": backup.bench,
    "pathling": encoding.bench,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--resources", type=int, default=1_000_000, help="size of the generated region")
    parser.add_argument("--times", type=int, default=3, help="pairs of runs")
    chosen = parser.parse_args()
    for name in chosen.names or BENCHMARKS:
        BENCHMARKS[name](chosen.resources, chosen.times)


if __name__ == "__main__":
    main()
