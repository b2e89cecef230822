"""Where Splink compares pairs: in this process's DuckDB, or on Spark where the runner has a session of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from xinglin.identity.model.distances import asking_duckdb, register_distances
from xinglin.lake.engine import write_parquet

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

__all__ = ["Backend", "InDuckDB", "OnSpark"]

_WANTED = ("patient_key_l", "patient_key_r", "match_weight")
"""What scoring asks of a pair that was predicted (sql/model/predicted)."""


class Backend(Protocol):
    """What scoring needs of an engine that Splink speaks to."""

    def linker(self, settings: dict[str, Any]) -> Any:
        """Splink's linker of the table ``comparable`` with a model."""
        ...

    def registered(self, table: str) -> Any:
        """A table of the run's connection as Splink takes it."""
        ...

    def brought(self, predicted: Any) -> str:
        """What Splink predicted, as the name of a relation of the run's connection."""
        ...


class InDuckDB:
    """All in the run's own connection.

    Args:
        connection: The run's.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        from splink import DuckDBAPI

        self._api = DuckDBAPI(connection)

    def linker(self, settings: dict[str, Any]) -> Any:
        """See `Backend.linker`."""
        from splink import Linker

        return Linker(self.registered("comparable"), settings, log_level="ERROR", validate_settings=False)

    def registered(self, table: str) -> Any:
        """See `Backend.registered`."""
        return self._api.register(table)

    def brought(self, predicted: Any) -> str:
        """See `Backend.brought`."""
        return str(predicted.physical_name)


@dataclass(frozen=True)
class OnSpark:
    """Splink's Spark backend; records go there as Parquet, likely pairs come back as Arrow.

    Blocking, comparing and weighing are Splink's SQL in Spark. The measures are DuckDB's own, so that a pair
    is of one level here and there; sums of logarithms may differ in their last bits: `sql/model/predicted` rounds.

    Args:
        session: The runner's.
        connection: The run's.
        folder: For the records; every executor sees it under this path.
        api: From `on`.
    """

    session: SparkSession
    connection: duckdb.DuckDBPyConnection
    folder: Path
    api: Any

    @classmethod
    def on(cls, session: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path) -> OnSpark:
        """Prepare a session for linking."""
        from splink.backends.spark import SparkAPI

        partitions = 2 * session.sparkContext.defaultParallelism
        session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        register_distances(session)
        # What is persisted is computed again where its executor is lost, so no folder of checkpoints is needed.
        connect: Callable[..., Any] = SparkAPI
        api = connect(
            spark_session=session,
            break_lineage_method="persist",
            num_partitions_on_repartition=partitions,
            register_udfs_automatically=False,
        )
        return cls(session, connection, folder, api)

    def linker(self, settings: dict[str, Any]) -> Any:
        """See `Backend.linker`."""
        from splink import Linker

        return Linker(
            self.registered("comparable"), _asking_duckdb(settings), log_level="ERROR", validate_settings=False
        )

    def registered(self, table: str) -> Any:
        """See `Backend.registered`."""
        path = self.folder / f"spark-{table}.parquet"
        if not path.exists():
            write_parquet(self.connection, f"FROM {table}", path)
        return self.api.register(self.session.read.parquet(f"file://{path}"))

    def brought(self, predicted: Any) -> str:
        """See `Backend.brought`; what Spark kept for it is let go."""
        pairs = predicted.as_spark_dataframe().select(*_WANTED).toArrow()
        self.connection.register("predicted_arrow", pairs)
        self.connection.execute("CREATE OR REPLACE TEMP TABLE predicted AS FROM predicted_arrow").fetchall()
        self.connection.unregister("predicted_arrow")
        self.session.catalog.clearCache()
        return "predicted"


def _asking_duckdb(settings: dict[str, Any]) -> dict[str, Any]:
    """The same model over the functions that `register_distances` gives."""
    comparisons = [
        {
            **comparison,
            "comparison_levels": [
                {**level, "sql_condition": asking_duckdb(level["sql_condition"])}
                for level in comparison["comparison_levels"]
            ],
        }
        for comparison in settings["comparisons"]
    ]
    return {**settings, "comparisons": comparisons}
