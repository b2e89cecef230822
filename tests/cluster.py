"""A Spark cluster on this machine: two masters that take over from each other by ZooKeeper, three workers of one core.

Everything comes from the package pyspark. Every process dies with the tests, however they end.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LEAN = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx192m"]
_TIMEOUT = "-Dspark.worker.timeout=20"
"""Seconds; a worker reports four times as often, so masters and workers must be told the same."""
_LOG = """rootLogger.level = info
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %m%n
"""
EXECUTOR = {"spark.executor.memory": "512m", "spark.executor.cores": "1"}
"""What an application has to ask of this cluster."""


class Cluster:
    """The processes, by name: zookeeper, master-0, master-1, worker-0 and so on.

    Args:
        folder: For logs and working folders.
        workers: How many, of one core each.
        masters: One, or two with ZooKeeper between them.
    """

    def __init__(self, folder: Path, workers: int = 3, masters: int = 2) -> None:
        self.folder = folder
        self.workers = workers
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._flags: list[str] = []
        self._ports = free_ports(masters + 1)

    @property
    def master(self) -> str:
        """The URL that an application names."""
        return "spark://" + ",".join(f"127.0.0.1:{port}" for port in self._ports[1:])

    def start(self) -> None:
        """Start everything and wait until a master leads and every worker is known to it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(_LOG)
        self._flags = [*_LEAN, f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", *_module_flags()]
        masters = [f"master-{number}" for number in range(len(self._ports) - 1)]
        recovery = []
        if len(masters) > 1:
            self._zookeeper()
            recovery = [
                "-Dspark.deploy.recoveryMode=ZOOKEEPER",
                f"-Dspark.deploy.zookeeper.url=127.0.0.1:{self._ports[0]}",
            ]
        for name, port in zip(masters, self._ports[1:], strict=True):
            arguments = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
            self.run(name, [_TIMEOUT, *recovery, "org.apache.spark.deploy.master.Master", *arguments])
        self.wait("elected leader", *masters)
        for number in range(self.workers):
            self.start_worker(number)
        for number in range(self.workers):
            self.wait("Successfully registered", f"worker-{number}")

    def start_worker(self, number: int) -> None:
        """Start one worker, or start it anew."""
        name = f"worker-{number}"
        arguments = ["--host", "127.0.0.1", "--cores", "1", "--memory", "700m", "--webui-port", "0"]
        work = ["--work-dir", str(self.folder / name)]
        self.run(name, [_TIMEOUT, "org.apache.spark.deploy.worker.Worker", *arguments, *work, self.master])

    def run(self, name: str, words: list[str]) -> None:
        """Start a Java process that dies with this one."""
        from xinglin.lake.java import java_home

        java = java_home(self.folder) / "bin" / "java"
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [str(java), *self._flags, "-cp", f"{spark_home()}/jars/*", *words],
                env=_environment(SPARK_LOCAL_DIRS=str(self.folder / "local")),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def wait(self, words: str, *names: str, seconds: float = 180) -> str:
        """Wait until one of these processes has said these words; gives its name."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in names:
                if words in self.log(name):
                    return name
                assert self.processes[name].poll() is None, f"{name} ended:\n{self.log(name)[-3000:]}"
            time.sleep(0.05)
        raise AssertionError(f"nobody said {words!r}:\n" + "\n".join(self.log(name)[-1500:] for name in names))

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        """kill -9 a process and all that it started, such as a worker's executors."""
        process = self.processes.pop(name)
        tree = [process.pid, *descendants(process.pid)]
        for pid in tree:
            with _gone():
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End everything."""
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder / "local", ignore_errors=True)

    def executors(self) -> list[int]:
        """Process ids of the executors that run now."""
        below = [pid for process in self.processes.values() for pid in descendants(process.pid)]
        return [pid for pid in below if b"CoarseGrainedExecutorBackend" in _command(pid)]

    def _zookeeper(self) -> None:
        settings = self.folder / "zoo.cfg"
        settings.write_text(
            f"tickTime=1000\ndataDir={self.folder}/zookeeper\nclientPort={self._ports[0]}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
            # So long a master may be silent before the other takes over; Spark itself asks for a minute.
            "maxSessionTimeout=8000\n"
        )
        main = ["-Dzookeeper.admin.enableServer=false", "org.apache.zookeeper.server.ZooKeeperServerMain"]
        self.run("zookeeper", [*main, str(settings)])
        self.wait("binding to port", "zookeeper")


@contextmanager
def running_cluster(folder: Path, workers: int = 3, masters: int = 2) -> Iterator[Cluster]:
    """A cluster that ends with the block."""
    with starting_cluster(folder, workers, masters) as ready:
        yield ready()


@contextmanager
def starting_cluster(folder: Path, workers: int = 3, masters: int = 2) -> Iterator[Callable[[], Cluster]]:
    """A cluster that starts beside other work and ends with the block; calling what this gives waits for it."""
    cluster, ended = Cluster(folder, workers, masters), threading.Event()
    started: Future[None] = Future()

    def run() -> None:
        try:
            cluster.start()
            started.set_result(None)
        except BaseException as error:
            started.set_exception(error)
        # The processes die with the thread that started them.
        ended.wait()

    def ready() -> Cluster:
        started.result()
        return cluster

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield ready
    finally:
        wait([started])
        cluster.stop()
        ended.set()
        thread.join()


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found = []
    with _gone():
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def spark_home() -> Path:
    """The folder of pyspark."""
    import pyspark

    return Path(pyspark.__file__).parent


def _environment(**more: str) -> dict[str, str]:
    """What Spark's own start scripts would say."""
    jar = next((spark_home() / "jars").glob("spark-core_*.jar"))
    scala = jar.name.removeprefix("spark-core_").split("-")[0]
    spark = {"SPARK_HOME": str(spark_home()), "SPARK_SCALA_VERSION": scala, "SPARK_LOCAL_IP": "127.0.0.1"}
    return os.environ | spark | more


def _module_flags() -> list[str]:
    """What Java must be told so that Spark may reach into it, as pyspark's own launcher says."""
    words = ["-cp", f"{spark_home()}/jars/*", "org.apache.spark.launcher.Main", "org.apache.spark.deploy.master.Master"]
    java = shutil.which("java") or f"{os.environ['JAVA_HOME']}/bin/java"
    said = subprocess.run(
        [java, *_LEAN, *words],
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [word for word in said if word.startswith(("--add-", "-XX:+Ignore", "-Djdk", "-Dio.netty"))]


def _command(pid: int) -> bytes:
    with _gone():
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextmanager
def _gone() -> Iterator[None]:
    """A process may end while it is looked at."""
    with suppress(ProcessLookupError, FileNotFoundError):
        yield


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
