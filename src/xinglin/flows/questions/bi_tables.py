"""Keep the SQL door showing the mart that was published last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES

if TYPE_CHECKING:
    from xinglin.admission.stores import Stores
    from xinglin.contracts.model import Table
    from xinglin.lake import Lake, Snapshot
    from xinglin.lake.thrift import SqlDoor

__all__ = ["show_mart"]

_READABLE = ("file:", "hdfs:", "/")
"""Where Spark reads by itself; of a lake elsewhere it reads the copies in the region's folder."""


def show_mart(
    stores: Stores,
    door: SqlDoor,
    wait: Callable[[], bool],
    tell: Callable[[int], None] | None = None,
    decided: Callable[[], Stores] | None = None,
) -> None:
    """Show every table of the mart and the vocabulary, and show them anew after each publication, until told to stop.

    They are shown anew too where the decision comes to leave out other persons.

    Args:
        stores: The region.
        door: Where they are shown.
        wait: Returns after a while; true means stop.
        tell: Told of each version of the mart that is now shown.
        decided: Gives the region as it is decided now; what it was opened with counts to the end when not given.

    Raises:
        NotFound: No mart was built yet.
        AccessDenied: It may not be shown any more.
    """
    shown: tuple[int, int, frozenset[int]] | None = None
    while True:
        stores = decided() if decided else stores
        mart = stores.lake.require("mart", "run: xinglin run")
        vocabulary = stores.lake.snapshot("vocabulary")
        now = (mart.version, vocabulary.version if vocabulary else 0, stores.lake.permit.without)
        if now != shown:
            _show(stores.lake, door, mart, TABLES)
            _show(stores.lake, door, vocabulary, VOCABULARY_TABLES)
            shown = now
            if tell:
                tell(mart.version)
        elif not _read_by_spark(stores.lake):
            # What is asked for stays in the cache, and what was deleted there comes back.
            _addresses(stores.lake, mart, TABLES)
        if wait():
            return


def _show(lake: Lake, door: SqlDoor, snapshot: Snapshot | None, tables: dict[str, Table]) -> None:
    door.show(tables, _addresses(lake, snapshot, tables) if snapshot else {}, lake.permit.without)


def _addresses(lake: Lake, snapshot: Snapshot, tables: dict[str, Table]) -> dict[str, list[str]]:
    """Where Spark finds the files of every table."""
    if not _read_by_spark(lake):
        return {name: snapshot.files(name) for name in tables if name in snapshot.tables}
    return {
        name: [f"{lake.root}/{table.stage}/{name}/{file.path}" for file in sorted(snapshot.tables.get(name, []))]
        for name, table in tables.items()
    }


def _read_by_spark(lake: Lake) -> bool:
    return str(lake.root).startswith(_READABLE)
