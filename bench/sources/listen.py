"""Acknowledged messages a second by MLLP with 50 connections, each message durable, while landing goes on."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import record

CONNECTIONS = 50


def message(number: int) -> bytes:
    """A laboratory report with five results."""
    results = "".join(f"OBX|{n}|NM|{n}718-7^Test^LN||{number % 90 + n}.5|g/dL|1-99||||F\r" for n in range(1, 6))
    return (
        f"MSH|^~\\&|LAB|A|HIS|B|20240101120000||ORU^R01^ORU_R01|c{number}|P|2.5.1\r"
        f"PID|1||p{number % 5_000}^^^H^MR||Doe^Jane||19700101|F\rPV1|1|I|W^1^1||||||||||||||||v{number % 5_000}\r"
        f"OBR|1|o{number}|f{number}|24331-1^Panel^LN|||20240101110000\r{results}"
    ).encode()


async def _connection(port: int, first: int, until: float, seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = first
    while time.monotonic() < until:
        begin = time.perf_counter()
        writer.write(b"\x0b" + message(number) + b"\x1c\r")
        answer = await reader.readuntil(b"\x1c\r")
        assert b"MSA|AA|" in answer, answer
        seconds.append(time.perf_counter() - begin)
        number += 1
    writer.close()


async def _load(port: int, duration: float) -> list[float]:
    seconds: list[float] = []
    until = time.monotonic() + duration
    await asyncio.gather(*(_connection(port, n * 1_000_000, until, seconds) for n in range(CONNECTIONS)))
    return seconds


def clients(port: int, duration: float) -> None:
    """The senders, in a process of their own."""
    seconds = sorted(asyncio.run(_load(port, duration)))
    figures = {"acknowledged": len(seconds), "p50_ms": seconds[len(seconds) // 2] * 1000,
               "p99_ms": seconds[len(seconds) * 99 // 100] * 1000}  # fmt: skip
    print(json.dumps(figures))


def listened(duration: float) -> dict[str, float]:
    """Run the service, load it, end it in order; what was acknowledged and what was landed."""
    home = Path(tempfile.mkdtemp(dir=os.environ.get("XINGLIN_BENCH_DATA")))
    words = [sys.executable, "-m", "xinglin", "listen", "--mllp", "centre=0", "--home", str(home / "home"), "--json"]
    service = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert service.stdout
    port = json.loads(service.stdout.readline())["address"].rsplit(":", 1)[1]
    loaded = subprocess.run(
        [sys.executable, "-m", "bench.sources.listen", "--clients", port, "--seconds", str(duration)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    figures: dict[str, float] = json.loads(loaded.stdout)
    begin = time.perf_counter()
    service.send_signal(signal.SIGTERM)
    batches = [json.loads(line) for line in service.stdout]
    assert service.wait() == 0
    shutil.rmtree(home)
    assert sum(batch["items"] for batch in batches) == figures["acknowledged"]
    return figures | {"drained_s": time.perf_counter() - begin, "batches": len(batches),
                      "quarantined": sum(batch["quarantined"] for batch in batches)}  # fmt: skip


def parsed_by_library(seconds: float = 2.0) -> float:
    """Messages a second that python-hl7 parses, doing nothing else."""
    import hl7

    text = message(7).decode()
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        hl7.parse(text)
        count += 1
    return count / seconds


def flushed(seconds: float = 1.0) -> float:
    """Appends of one message a second, each with fdatasync."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("XINGLIN_BENCH_DATA")) as folder:
        handle = os.open(Path(folder) / "x", os.O_WRONLY | os.O_CREAT)
        content, count, begin = message(7), 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            os.write(handle, content)
            os.fdatasync(handle)
            count += 1
        os.close(handle)
    return count / seconds


def bench(resources: int, times: int) -> None:
    """The size is a time here: a million resources are a minute of load."""
    duration = max(1.0, 60.0 * resources / 1_000_000)
    found = []
    for _ in range(times):
        figures = listened(duration)
        rate = figures["acknowledged"] / duration
        library = parsed_by_library()
        found.append(figures | {"rate": rate, "library": library, "ratio": rate / library, "flushes": flushed()})

    def median(name: str, digits: int = 0) -> float:
        return round(statistics.median(one[name] for one in found), digits)

    record(
        f"sources/listen_{resources}",
        {
            "connections": CONNECTIONS,
            "seconds": duration,
            "acknowledged_per_second": median("rate"),
            "p50_ms": median("p50_ms", 1),
            "p99_ms": median("p99_ms", 1),
            "landed_after_the_end_within_s": median("drained_s", 1),
            "batches": median("batches"),
            "quarantined": median("quarantined"),
            "python_hl7_parses_per_second": median("library"),
            "ratio_to_python_hl7": median("ratio", 2),
            "fdatasync_per_second": median("flushes"),
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    clients(asked.clients, asked.seconds)
