"""SQL for BI tools: Spark's Thrift server (HiveServer2 protocol) with tables of the lake as views."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from xinglin.contracts.model import Table
from xinglin.core.errors import StorageError
from xinglin.lake.application import spark_application
from xinglin.lake.without import ROW_OF, needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SqlDoor", "door_conf", "sql_door"]

_TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "int",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
}


class SqlDoor:
    """A running server; what it shows can change while it runs.

    Args:
        session: The one session that every client shares.
    """

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def show(self, tables: Mapping[str, Table], files: Mapping[str, Sequence[str]], without: Collection[int]) -> None:
        """Let clients see tables as they are in these files, in the place of what they saw before.

        Args:
            tables: The contracts by name; they give the columns and their types.
            files: Parquet files of each that every executor can read.
            without: Persons who are left out.
        """
        frames: dict[str, DataFrame] = {}
        for name, table in tables.items():
            shape = ", ".join(f"`{column.name}` {_TYPES[column.type]}" for column in table.columns)
            some = files.get(name)
            empty = self._session.createDataFrame
            frames[name] = self._session.read.schema(shape).parquet(*some) if some else empty([], shape)
        for name, frame in frames.items():
            rows = _without(frame, name, frames, tables, without) if without else frame
            rows.createOrReplaceTempView(name)


def _without(
    frame: DataFrame, name: str, frames: Mapping[str, DataFrame], tables: Mapping[str, Table], persons: Collection[int]
) -> DataFrame:
    """What `xinglin.lake.without.select_without` gives, by Spark."""
    from pyspark.sql.functions import lit

    if "person_id" in frame.columns:
        return frame.filter(~frame["person_id"].isin(*persons))
    if name not in ROW_OF:
        return frame
    theirs = [
        one.filter(one["person_id"].isin(*persons)).select(lit(of).alias("of"), one[tables[of].key[0]].alias("row"))
        for of, one in ((of, frames[of]) for of in needed([name], tables))
    ]
    rows = reduce(lambda left, right: left.union(right), theirs).alias("theirs")
    of_table, key = ROW_OF[name]
    same = frame[key] == rows["row"]
    return frame.join(rows, same & (frame[of_table] == rows["of"]) if of_table else same, "left_anti")


def door_conf(folder: Path, host: str, port: int) -> dict[str, str]:
    """Spark's settings for a server: one session for all clients, in UTC, in which a file's path is no table's name.

    That keeps a slip of the pen from reading a file; it keeps nobody out who means to, since a client can change it.

    Args:
        folder: For what Derby and Hive write.
        host: Address to listen on.
        port: Port to listen on.

    Example:
        >>> door_conf(Path("/tmp/x"), "127.0.0.1", 10000)["spark.hadoop.hive.server2.thrift.port"]
        '10000'
    """
    return {
        "spark.app.name": "xinglin-sql",
        "spark.driver.extraJavaOptions": "-Dderby.stream.error.file=/dev/null",
        "spark.hadoop.hive.server2.logging.operation.log.location": str(folder / "operations"),
        "spark.hadoop.hive.server2.thrift.bind.host": host,
        "spark.hadoop.hive.server2.thrift.port": str(port),
        "spark.sql.hive.thriftServer.singleSession": "true",
        "spark.sql.runSQLOnFiles": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }


@contextmanager
def sql_door(master: str, more: Mapping[str, str], host: str, port: int) -> Iterator[SqlDoor]:
    """A server that ends with the block.

    Args:
        master: Spark's master URL.
        more: Further settings of Spark.
        host: Address to listen on.
        port: Port to listen on.

    Raises:
        StorageError: The server did not start: the port is taken, or Spark did not start.
    """
    with TemporaryDirectory(prefix="xinglin-sql-") as name:
        conf = door_conf(Path(name), host, port) | dict(more)
        with spark_application(master, conf) as context:
            from py4j.protocol import Py4JError
            from pyspark.sql import SparkSession

            session = SparkSession(context)
            server = getattr(session._jvm, "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2")
            try:
                running = server.startWithContext(session._jsparkSession.sqlContext())
            except Py4JError as error:
                raise StorageError(
                    "the Thrift server did not start", source=f"{host}:{port}", remedy="name another port", retry=True
                ) from error
            try:
                yield SqlDoor(session)
            finally:
                running.stop()
