"""Pathling, in an environment of its own: ``PYTHON bench/views/pathling_view.py NDJSON_FOLDER OUT_FOLDER``.

Encodes Observations from NDJSON into its Parquet tables, then makes one flat table out of them; prints the seconds of
each step.
"""

from __future__ import annotations

import json
import sys
import time

from pathling import PathlingContext
from pathling.etc import find_jar
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f


def main() -> None:
    folder, out = sys.argv[1], sys.argv[2]
    begin = time.perf_counter()
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", find_jar())
        .config("spark.driver.memory", "6g")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    context = PathlingContext.create(session, enable_terminology=False)
    session.range(2).count()
    started = time.perf_counter()
    context.read.ndjson(folder).write.parquet(f"{out}/encoded")
    encoded = time.perf_counter()
    table = context.read.parquet(f"{out}/encoded").read("Observation")
    _flat(table).write.parquet(f"{out}/flat")
    flat = time.perf_counter()
    print(
        json.dumps(
            {
                "rows": session.read.parquet(f"{out}/flat").count(),
                "resources": table.count(),
                "start": started - begin,
                "encode": encoded - started,
                "view": flat - encoded,
            }
        )
    )


def _flat(table: DataFrame) -> DataFrame:
    """The columns of the view ``flat``, by Spark's own selection, which takes no longer than its FHIRPath would."""
    return table.select(
        "id",
        f.col("subject.reference").alias("patient"),
        "status",
        f.col("code.coding")[0]["code"].alias("code"),
        f.col("effectiveDateTime").alias("effective"),
        f.col("valueQuantity.value").alias("value"),
        f.col("valueQuantity.unit").alias("unit"),
    )


if __name__ == "__main__":
    main()
