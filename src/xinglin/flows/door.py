"""Keep the SQL door showing the mart that was published last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    from xinglin.contracts.model import Table
    from xinglin.flows.stores import Stores
    from xinglin.lake import Lake, Snapshot
    from xinglin.lake.thrift import SqlDoor

__all__ = ["show_mart"]

_READABLE = ("file:", "hdfs:", "/")


def show_mart(
    stores: Stores,
    door: SqlDoor,
    wait: Callable[[], bool],
    tell: Callable[[int], None] | None = None,
) -> None:
    """Show every table of the mart and the vocabulary, and show them anew after each publication, until told to stop.

    Args:
        stores: The region.
        door: Where they are shown.
        wait: Returns after a while; true means stop.
        tell: Told of each version of the mart that is now shown.

    Raises:
        NotFound: No mart was built yet.
        UsageError: Spark cannot read this lake by itself.
    """
    root = str(stores.lake.root)
    if not root.startswith(_READABLE):
        raise UsageError("the SQL door reads lakes in a folder or on HDFS", source=root)
    shown: tuple[int, int] | None = None
    while True:
        mart = stores.lake.require("mart", "run: xinglin run")
        vocabulary = stores.lake.snapshot("vocabulary")
        now = (mart.version, vocabulary.version if vocabulary else 0)
        if now != shown:
            _show(stores.lake, door, mart, TABLES)
            _show(stores.lake, door, vocabulary, VOCABULARY_TABLES)
            shown = now
            if tell:
                tell(mart.version)
        if wait():
            return


def _show(lake: Lake, door: SqlDoor, snapshot: Snapshot | None, tables: dict[str, Table]) -> None:
    files = {
        name: [f"{lake.root}/{table.stage}/{name}/{file.path}" for file in sorted(snapshot.tables.get(name, []))]
        for name, table in tables.items()
        if snapshot
    }
    door.show(tables, files, lake.permit.without)
