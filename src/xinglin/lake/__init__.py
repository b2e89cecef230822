"""The lake: tables written by contract, published together per stage, readable as Delta tables.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from xinglin.contracts.person_map import PERSON_MAP
    >>> from xinglin.core.permit import OPEN
    >>> lake = Lake(Path(tempfile.mkdtemp()), permit=OPEN)
    >>> with lake.scratch("identity") as folder:
    ...     connection = connect(memory_mb=200, threads=1)
    ...     _ = write_parquet(connection, "SELECT 1::BIGINT patient_key, 7::BIGINT person_id", folder / "a.parquet")
    ...     file = lake.adopt(PERSON_MAP, folder / "a.parquet")
    >>> snapshot = lake.publish("identity", {PERSON_MAP: [file]}, state={})
    >>> connection.read_parquet(snapshot.files("person_map")).fetchall()
    [(1, 7)]
"""

from xinglin.lake.engine import connect, write_parquet
from xinglin.lake.files import DataFile, Snapshot, table_relation
from xinglin.lake.runner import LocalRunner, Runner
from xinglin.lake.storage import Local
from xinglin.lake.tables import Lake

__all__ = [
    "DataFile",
    "Lake",
    "Local",
    "LocalRunner",
    "Runner",
    "Snapshot",
    "connect",
    "table_relation",
    "write_parquet",
]
