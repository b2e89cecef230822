"""Real stores on this machine's loopback: HDFS (a NameNode, three DataNodes) and an S3 server.

HDFS is Apache Hadoop's own, from Maven Central; the S3 server is versitygw (Apache-2.0), built by Go. Both are fetched
once into ``~/.cache/xinglin-tests`` (XINGLIN_TEST_CACHE names another folder); ``python -m tests.stores`` does it
ahead. Every process dies with the tests, however they end.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_HADOOP = "3.4.2"
_GATEWAY = "v1.8.0"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>none</groupId><artifactId>none</artifactId><version>1</version><dependencies>{}</dependencies></project>"""
_DEPENDENCY = (
    "<dependency><groupId>org.apache.hadoop</groupId><artifactId>hadoop-client-{}</artifactId>"
    f"<version>{_HADOOP}</version></dependency>"
)
_LEAN = ["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
_OPEN = ["--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
_PR_SET_PDEATHSIG = 1
_DATA_NODES = 3
_NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"


def cache() -> Path:
    """Where fetched servers are kept."""
    return Path(os.environ.get("XINGLIN_TEST_CACHE") or Path.home() / ".cache" / "xinglin-tests")


def hadoop() -> Path:
    """The folder of Hadoop's jars, fetched when missing."""
    return _once(f"hadoop-{_HADOOP}", _fetch_hadoop)


def gateway() -> Path:
    """The S3 server's program, built when missing."""
    return _once(f"versitygw-{_GATEWAY}", _build_gateway) / "versitygw"


class Hdfs:
    """A NameNode and three DataNodes.

    Args:
        folder: For their files and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._web = free_ports(2)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Of the root of the file system."""
        return f"hdfs://127.0.0.1:{self.port}"

    def begin(self) -> None:
        """Start everything, empty; `wait` waits until it serves."""
        shutil.copytree(_once(f"hadoop-{_HADOOP}-formatted", _format), self.folder)
        _settings(self.folder / "core-site.xml", {"fs.defaultFS": self.url})
        _settings(
            self.folder / "hdfs-site.xml",
            {
                "dfs.namenode.name.dir": f"{self.folder}/name",
                "dfs.namenode.http-address": f"127.0.0.1:{self._web}",
                "dfs.namenode.handler.count": "4",
                "dfs.namenode.heartbeat.recheck-interval": "100",
                "dfs.namenode.safemode.extension": "0",
                "dfs.namenode.stale.datanode.interval": "3000",
                "dfs.namenode.avoid.write.stale.datanode": "true",
                "dfs.namenode.avoid.read.stale.datanode": "true",
                "dfs.heartbeat.interval": "1",
                "dfs.blocksize": "1m",
                "dfs.replication": str(_DATA_NODES),
                "dfs.datanode.address": "127.0.0.1:0",
                "dfs.datanode.http.address": "127.0.0.1:0",
                "dfs.datanode.ipc.address": "127.0.0.1:0",
            },
        )
        self._run("name", [_NAME_NODE])
        for number in range(_DATA_NODES):
            self.start_data_node(number)

    def start_data_node(self, number: int) -> None:
        """Start a DataNode, or start it anew with the blocks it has."""
        data = f"dfs.datanode.data.dir={self.folder}/data-{number}"
        self._run(f"data-{number}", ["org.apache.hadoop.hdfs.server.datanode.DataNode", "-D", data])

    def kill_data_node(self, number: int) -> None:
        """kill -9."""
        process = self._processes.pop(f"data-{number}")
        process.kill()
        process.wait()

    def live(self) -> int:
        """DataNodes that the NameNode believes alive; none before it serves."""
        query = "Hadoop:service=NameNode,name=FSNamesystemState"
        with suppress(OSError, IndexError, ValueError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self._web}/jmx?qry={query}", timeout=5) as answer:
                state = json.loads(answer.read())["beans"][0]
            return int(state["NumLiveDataNodes"]) if state["FSState"] == "Operational" else 0
        return 0

    def wait(self, nodes: int = _DATA_NODES, seconds: float = 90) -> None:
        """Wait until so many DataNodes are believed alive."""
        end = time.monotonic() + seconds
        while self.live() != nodes:
            gone = [name for name, process in self._processes.items() if process.poll() is not None]
            assert not gone, f"{gone[0]} ended:\n{self._log(gone[0])}"
            assert time.monotonic() < end, f"{self.live()} of {nodes} DataNodes are alive:\n{self._log('name')}"
            time.sleep(0.1)

    def stop(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()

    def _run(self, name: str, words: list[str]) -> None:
        self._processes[name] = _start(_java(self.folder, words), self.folder / f"{name}.log")

    def _log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]


class S3Server:
    """An S3 server with one bucket, ``lake``.

    Args:
        folder: For its files and log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [self._port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    def options(self) -> dict[str, str]:
        """How to reach it, as keys/lake.toml says it."""
        return {
            "aws_access_key_id": "key-of-the-tests",
            "aws_secret_access_key": "word-of-the-tests",
            "aws_region": "us-east-1",
            "aws_endpoint_url": f"http://127.0.0.1:{self._port}",
        }

    def secrets(self, path: Path) -> Path:
        """The options as a file that only its owner reads."""
        path.write_text("".join(f'{name} = "{value}"\n' for name, value in self.options().items()))
        path.chmod(0o600)
        return path

    def start(self, after: float = 0.0) -> None:
        """Start it, or start it anew with what it keeps, and wait until it answers.

        Args:
            after: Seconds to let pass first; then nothing is waited for.
        """
        (self.folder / "data" / "lake").mkdir(parents=True, exist_ok=True)
        (self.folder / "sidecar").mkdir(exist_ok=True)
        keys = ["--access", self.options()["aws_access_key_id"], "--secret", self.options()["aws_secret_access_key"]]
        place = ["posix", "--sidecar", str(self.folder / "sidecar"), str(self.folder / "data")]
        command = [str(gateway()), "--quiet", "--port", f"127.0.0.1:{self._port}", *keys, *place]
        if after:
            self._process = _start(["sh", "-c", 'sleep "$0"; exec "$@"', str(after), *command], self.folder / "log")
            return
        self._process = _start(command, self.folder / "log")
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            assert self._process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def hdfs_begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """An HDFS that may still be starting; who asks for it early need not wait for it later."""
    _need(hadoop, "java")
    cluster = Hdfs(tmp_path_factory.mktemp("hdfs") / "cluster")
    try:
        cluster.begin()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def hdfs(hdfs_begun: Hdfs) -> Hdfs:
    """A running HDFS."""
    hdfs_begun.wait()
    return hdfs_begun


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A running S3 server."""
    _need(gateway)
    server = S3Server(tmp_path_factory.mktemp("s3"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _need(fetch: Callable[[], Path], *programs: str) -> None:
    """Skip, saying plainly what was not tested."""
    try:
        fetch()
        for program in programs:
            _program(program)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not tested on a real server, which could not be had here: {error}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made when missing, by one process at a time, whole or not at all."""
    target = cache() / name
    cache().mkdir(parents=True, exist_ok=True)
    with _locked(cache() / f".{name}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=cache()) as folder:
                made = Path(folder, "made")
                made.mkdir()
                make(made)
                made.rename(target)
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_hadoop(folder: Path) -> None:
    pom = folder.parent / "pom.xml"
    pom.write_text(_POM.format("".join(map(_DEPENDENCY.format, ("api", "runtime", "minicluster")))))
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    subprocess.run([_program("mvn"), "-B", "-q", "-f", str(pom), *goal], check=True, timeout=900)


def _format(folder: Path) -> None:
    """An empty file system, as a NameNode keeps it."""
    _settings(folder / "core-site.xml", {"fs.defaultFS": "hdfs://127.0.0.1:1"})
    _settings(folder / "hdfs-site.xml", {"dfs.namenode.name.dir": f"{folder}/name"})
    subprocess.run(_java(folder, [_NAME_NODE, "-format", "-nonInteractive"]), check=True, capture_output=True)


def _java(settings: Path, words: list[str]) -> list[str]:
    path = [str(settings), *sorted(map(str, hadoop().glob("*.jar")))]
    return [_program("java"), *_LEAN, *_OPEN, "-cp", ":".join(path), *words]


def _build_gateway(folder: Path) -> None:
    target = f"github.com/versity/versitygw/cmd/versitygw@{_GATEWAY}"
    environment = os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    subprocess.run([_program("go"), "install", "-ldflags=-s -w", target], env=environment, check=True, timeout=1800)


def _settings(path: Path, values: dict[str, str]) -> None:
    content = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>" for name, value in values.items()
    )
    path.write_text(f"<configuration>{content}</configuration>")


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    print(hadoop(), gateway(), sep="\n")
