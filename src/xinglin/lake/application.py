"""One Spark application for a command: configured with Java, Python and Xinglin, started once, stopped at the end."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import Conflict, NotFound, StorageError, UsageError
from xinglin.lake.java import java_home

if TYPE_CHECKING:
    from pyspark import SparkContext

__all__ = ["ARCHIVE", "ATTEMPTS", "await_executors", "is_local", "spark_application", "spark_conf"]

ATTEMPTS = 4
"""How often Spark tries a task whose executor was lost."""
ARCHIVE = "xinglin-code"
"""Folder of an executor in which Xinglin's code lies."""
_MASTER = re.compile(r"local\[.+\]|local|spark://.+|yarn|k8s://.+")
_PATIENCE = 120.0
_LEAN = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
_LOG = """rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %m%n
"""


def is_local(master: str) -> bool:
    """Whether a master URL means this process itself.

    Example:
        >>> is_local("local[2]"), is_local("spark://head:7077")
        (True, False)
    """
    return master.startswith("local")


def spark_conf(master: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Spark's settings for a master; what the region says comes last.

    Args:
        master: ``local[N]``, ``spark://host:port,host:port``, ``yarn`` or ``k8s://…``.
        more: Settings of the region.

    Raises:
        UsageError: No such master.

    Example:
        >>> spark_conf("local[2]")["spark.master"]
        'local[2,4]'
        >>> spark_conf("spark://10.0.0.1:7077", {"spark.executor.memory": "2g"})["spark.executor.memory"]
        '2g'
    """
    if not _MASTER.fullmatch(master):
        raise UsageError(
            "this is no Spark master", source=master, remedy="name local[N], spark://HOST:PORT, yarn or k8s://…"
        )
    conf = {
        "spark.app.name": "xinglin",
        # Without a number of attempts a lost worker of a local master ends the job.
        "spark.master": re.sub(r"^local(\[([^,\]]+)\])?$", lambda m: f"local[{m[2] or 1},{ATTEMPTS}]", master),
        "spark.task.maxFailures": str(ATTEMPTS),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.speculation": str(not is_local(master)).lower(),
        "spark.speculation.minTaskRuntime": "30s",
        "spark.executor.extraJavaOptions": _LEAN,
    }
    hosts = {host.rsplit(":", 1)[0] for host in master.removeprefix("spark://").split(",")}
    if is_local(master) or hosts <= {"127.0.0.1", "localhost"}:
        conf |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return conf | dict(more or {})


@contextmanager
def spark_application(master: str, more: Mapping[str, str] | None = None) -> Iterator[SparkContext]:
    """A Spark application that ends with the block.

    Args:
        master: See `spark_conf`.
        more: Further settings of Spark.

    Raises:
        NotFound: pyspark or Java is not installed.
        StorageError: The master does not answer.
        Conflict: This process has a Spark application already.
    """
    SparkConf, SparkContext = _pyspark()  # noqa: N806
    conf = spark_conf(master, more)
    _knock(master)
    if SparkContext._active_spark_context is not None:
        raise Conflict("this process has a Spark application already", remedy="close it first")
    with TemporaryDirectory(prefix="xinglin-spark-") as name, _environment(JAVA_HOME=str(java_home(Path(name)))):
        folder = Path(name)
        log = folder / "log4j2.properties"
        log.write_text(_LOG)
        driver = f"{_LEAN} -Dlog4j2.configurationFile={log} {conf.get('spark.driver.extraJavaOptions', '')}"
        # Spark SQL makes this folder when it starts, in the working directory unless configured.
        warehouse = {"spark.sql.warehouse.dir": str(folder / "warehouse")}
        settings = SparkConf().setAll([*(warehouse | conf).items(), ("spark.driver.extraJavaOptions", driver.strip())])
        archive = None if is_local(master) else _archive(folder)
        context = _started(SparkContext, settings, master, archive)
        try:
            yield context
        finally:
            context.stop()


def await_executors(context: SparkContext) -> None:
    """Wait until there is an executor to work.

    Raises:
        StorageError: There is none after two minutes.
    """
    master = str(context.master)
    if is_local(master):
        return
    tracker = context._jsc.sc().statusTracker()
    end = time.monotonic() + _PATIENCE
    # The driver counts as one.
    while len(tracker.getExecutorInfos()) < 2:
        if time.monotonic() > end:
            raise StorageError(
                f"no executor came within {_PATIENCE:.0f} s",
                source=master,
                remedy="look whether the cluster has free cores and the memory asked for (spark.executor.memory)",
                retry=True,
            )
        time.sleep(0.05)


def _pyspark() -> tuple[Any, Any]:
    try:
        from pyspark import SparkConf, SparkContext
    except ImportError:
        raise NotFound(
            "the runner spark needs pyspark", source="this Python", remedy='pip install "xinglin[spark]"'
        ) from None
    return SparkConf, SparkContext


def _knock(master: str) -> None:
    """Find out quickly, and say plainly, that no master of a standalone cluster answers."""
    if not master.startswith("spark://"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host or address, int(port) if port.isdigit() else 7077), timeout=5):
                return
        except OSError:
            continue
    raise StorageError("no Spark master answers", source=master, remedy="start it, or name another", retry=True)


def _started(kind: Any, settings: Any, master: str, archive: Path | None) -> Any:
    """A context whose executors have this Python and this code."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        context = kind(conf=settings)
        context.pythonExec = os.environ.get("PYSPARK_PYTHON") or sys.executable
        if archive:
            context.addArchive(f"{archive}#{ARCHIVE}")
        return context
    except (Py4JError, PySparkException) as error:
        if kind._active_spark_context:
            kind._active_spark_context.stop()
        said = next((line for line in str(error).splitlines()[1:] if line.strip()), type(error).__name__)
        raise StorageError(
            "Spark did not start", source=master, remedy=f"Spark says: {said.strip()[:300]}", retry=True
        ) from error


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Environment variables for the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _archive(folder: Path) -> Path:
    """Xinglin's own code as a zip, so that every executor runs the same."""
    from zipfile import ZIP_DEFLATED, ZipFile

    import xinglin

    root = Path(xinglin.__file__).parent
    path = folder / f"{ARCHIVE}.zip"
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, Path("xinglin") / file.relative_to(root))
    return path
