"""A running `xinglin listen` and small clients of it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.e2e.conftest import Xinglin


def message(number: int | str, patient: int = 1, version: str = "2.5.1") -> bytes:
    """A laboratory result whose control id is the number."""
    return (
        f"MSH|^~\\&|LAB|A|HIS|B|20240101||ORU^R01^ORU_R01|c{number}|P|{version}\r"
        f"PID|1||p{patient}^^^H^MR||Doe^Jane\rOBR|1|o{number}||718-7^Hb^LN|||20240101\r"
        f"OBX|1|NM|718-7^Hb^LN||12.5|g/dL|||||F\r"
    ).encode()


def framed(content: bytes) -> bytes:
    return b"\x0b" + content + b"\x1c\r"


class Listener:
    """`xinglin listen` as a process of its own; ports of 0 are chosen by the machine and told in `ports`."""

    def __init__(self, xinglin: Xinglin, *arguments: str | Path, prefix: tuple[str, ...] = ()) -> None:
        words = [*prefix, *xinglin.command, "listen", *map(str, arguments), "--json"]
        self.process = subprocess.Popen(
            words, env=xinglin.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # killed while it wrote
            with self.changed:
                self.said.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, event: str, count: int = 1, **values: Any) -> list[dict[str, Any]]:
        """The events of that kind and those values, once there are so many."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.said if one["event"] == event and values.items() <= one.items()]

        with self.changed:
            ended = self.changed.wait_for(lambda: len(found()) >= count or self.process.poll() is not None, timeout=60)
            assert ended and len(found()) >= count, f"{event} {values}: {self.said} {self.errors()}"
            return found()

    def errors(self) -> str:
        if self.process.poll() is None or self.process.stderr is None or self.process.stderr.closed:
            return ""
        return self.process.stderr.read()

    def port(self, feed: str) -> int:
        return int(self.wait_for("listening", feed=feed)[0]["address"].rsplit(":", 1)[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def finish(self) -> str:
        """End it in order; what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stderr
        errors = self.process.stderr.read()
        assert self.process.wait(timeout=120) == 0, errors
        self.reader.join()
        return errors

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()


class Sender:
    """A raw MLLP connection."""

    def __init__(self, port: int, wait: float = 30) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=wait)
        self._buffer = b""

    def send(self, *contents: bytes) -> None:
        self.socket.sendall(b"".join(map(framed, contents)))

    def answer(self) -> tuple[str, str]:
        """Code and control id of the next answer."""
        while b"\x1c\r" not in self._buffer:
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("closed")
            self._buffer += data
        first, _, self._buffer = self._buffer.partition(b"\x1c\r")
        fields = first.decode().split("MSA|", 1)[1].split("\r")[0].split("|")
        return fields[0], fields[1]

    def ask(self, content: bytes) -> str:
        self.send(content)
        return self.answer()[0]

    def close(self) -> None:
        self.socket.close()


def rows(home: Path, site: str, kind: str) -> list[dict[str, Any]]:
    """All landed resources of one type, however often one was landed."""
    import pyarrow.parquet as pq

    files: Iterable[Path] = sorted((home / "landing" / site).glob(f"batch-*/{kind}-*.parquet"))
    return [json.loads(text) for path in files for text in pq.read_table(path)["resource"].to_pylist()]
