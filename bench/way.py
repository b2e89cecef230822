"""The whole way, as one process: land every site, link, build the mart; or one of these on an existing region."""

from __future__ import annotations

import sys
from pathlib import Path

from xinglin.core.errors import NotFound
from xinglin.flows.demo import gather
from xinglin.flows.run import build, link
from xinglin.wiring import open_region


def main() -> None:
    home, region = Path(sys.argv[1]), Path(sys.argv[2])
    stores = open_region(home, create=True)
    gather(stores, region)
    linked = link(stores)
    mart = build(stores)
    if not mart.rows.get("person"):
        raise NotFound("the mart holds no person", source=str(home))
    print(linked.persons, sum(mart.rows.values()), mart.units_done, mart.buckets_done)


if __name__ == "__main__":
    main()
