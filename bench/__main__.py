"""``make bench``, or ``python -m bench NAME …``: every benchmark, or some; figures go below bench/results."""

from __future__ import annotations

import argparse
import os

from bench import backup
from bench.ledger import access, consortium, proof, store, transactions
from bench.pipeline import growth, incremental, linkage_safety, linking, region, spark, whole_way
from bench.sources import dicom, hl7v2, listen, micro_batches
from bench.views import encoding, views

BENCHMARKS = {
    "region": region.bench,
    "whole_way": whole_way.bench,
    "growth": growth.bench,
    "incremental": incremental.bench,
    "linking": linking.bench,
    "linkage_safety": linkage_safety.bench,
    "spark": spark.bench,
    "hl7v2": hl7v2.bench,
    "dicom": dicom.bench,
    "listen": listen.bench,
    "micro_batches": micro_batches.bench,
    "views": views.bench,
    "ledger": transactions.bench,
    "ledger_proof": proof.bench,
    "ledger_store": store.bench,
    "access": access.bench,
    "consortium": consortium.bench,
    "backup": backup.bench,
    "pathling": encoding.bench,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--resources", type=int, default=1_000_000, help="size of the input")
    parser.add_argument("--times", type=int, default=3, help="number of pairs of runs")
    parser.add_argument("--offline", action="store_true", help="leave out implementations from a package index")
    chosen = parser.parse_args()
    if chosen.offline:
        os.environ["XINGLIN_BENCH_OFFLINE"] = "1"
    for name in chosen.names or BENCHMARKS:
        BENCHMARKS[name](chosen.resources, chosen.times)


if __name__ == "__main__":
    main()
