"""Where tasks happen, and the door for BI tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from xinglin.core.errors import UsageError
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.lake import Runner
    from xinglin.lake.thrift import SqlDoor

__all__ = ["open_door", "open_runner"]


@contextmanager
def open_runner(settings: Settings, kind: str | None = None, master: str | None = None) -> Iterator[Runner]:
    """Where tasks happen, for one command; a Spark application is started now and ends with the block.

    Args:
        settings: The region's settings.
        kind: ``local`` or ``spark``; as the region's settings say when not given.
        master: Spark's master URL; likewise. Naming one means the runner spark.

    Raises:
        NotFound: Spark or Java is not installed.
        StorageError: The master does not answer.

    Example:
        >>> from pathlib import Path
        >>> with open_runner(Settings(home=Path("/tmp"), threads=2)) as runner:
        ...     runner.map(abs, [-1, 2])
        [1, 2]
    """
    from xinglin.lake import LocalRunner

    kind = kind or ("spark" if master else settings.runner.kind)
    if kind == "local":
        if master:
            raise UsageError("only the runner spark has a master", source=master, remedy="leave out --runner local")
        yield LocalRunner(settings.workers)
        return
    from xinglin.lake.application import spark_application
    from xinglin.lake.spark import SparkRunner

    with spark_application(master or settings.runner.master, dict(settings.runner.conf)) as context:
        yield SparkRunner(context)


def open_door(
    settings: Settings, master: str | None = None, host: str = "127.0.0.1", port: int = 10000
) -> AbstractContextManager[SqlDoor]:
    """Spark's Thrift server, showing nothing yet; it ends with the block.

    Args:
        settings: The region's settings.
        master: Spark's master URL; as the region's settings say when not given.
        host: Address to listen on.
        port: Port to listen on.
    """
    from xinglin.lake.thrift import sql_door

    return sql_door(master or settings.runner.master, dict(settings.runner.conf), host, port)
