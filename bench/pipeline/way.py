"""The whole way, as one process: land every site, link, build the mart; or one of these on an existing region."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.opened import opened

from xinglin.core.errors import NotFound
from xinglin.flows.demo import gather
from xinglin.flows.stages.run import build, link


def main() -> None:
    home, region = Path(sys.argv[1]), Path(sys.argv[2])
    stores = opened(home, create=True)
    gather(stores, region)
    linked = link(stores)
    mart = build(stores)
    if not mart.rows.get("person"):
        raise NotFound("the mart holds no person", source=str(home))
    print(linked.persons, sum(mart.rows.values()), mart.units_done, mart.buckets_done)


if __name__ == "__main__":
    main()
