"""A row-by-row implementation, in an environment of its own: ``PYTHON bench/views/rows.py NDJSON VIEW LIMIT``."""

from __future__ import annotations

import json
import sys
import time

import sqlonfhir


def main() -> None:
    path, view, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(view, encoding="utf-8") as file:
        definition = json.load(file)
    begin = time.perf_counter()
    resources = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            resources.append(json.loads(line))
            if len(resources) == limit:
                break
    rows = sqlonfhir.evaluate(resources, definition)
    print(json.dumps({"resources": len(resources), "rows": len(rows), "seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
