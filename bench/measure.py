"""Run a command as a whole process and measure wall time and the peak memory of its process tree."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def results() -> Path:
    """The folder that figures are written to: XINGLIN_BENCH_RESULTS, or bench/results."""
    return Path(os.environ.get("XINGLIN_BENCH_RESULTS") or Path(__file__).parent / "results")


def offline() -> bool:
    """Whether to leave out implementations that would be installed from a package index first (``--offline``)."""
    return bool(os.environ.get("XINGLIN_BENCH_OFFLINE"))


@dataclass(frozen=True)
class Run:
    """Wall time in seconds, peak of the tree's proportional set size in MB, and what the command printed."""

    seconds: float
    peak_mb: float
    output: str


def run(command: Sequence[str | Path], **environment: str) -> Run:
    """Run a command to its end; an exit code other than 0 is an error."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, _tree_kb(process.pid))
        time.sleep(0.25)
    seconds = time.perf_counter() - begin
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}:\n{output}")
    return Run(seconds, peak / 1000, output)


def python(module: str, *arguments: str | Path, **environment: str) -> Run:
    """Run ``python -m module``."""
    return run([sys.executable, "-m", module, *arguments], **environment)


def paired(one: Callable[[], Run], other: Callable[[], Run], times: int) -> tuple[list[Run], list[Run], float]:
    """Run two ways in turn; the ratio is the median of the pairs' ratios, because the machine's speed varies."""
    pairs = [(one(), other()) for _ in range(times)]
    ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
    return [a for a, _ in pairs], [b for _, b in pairs], ratio


def median_seconds(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def record(name: str, figures: dict[str, Any]) -> None:
    """Write one benchmark's figures to a file below `results` and print them.

    Args:
        name: Path of the file below `results`, without suffix.
        figures: What was measured.
    """
    machine = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
    }
    text = json.dumps({"benchmark": name.rpartition("/")[2], **figures, "on": machine}, indent=2)
    path = results() / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    print(text, flush=True)


def _tree_kb(pid: int) -> int:
    total = 0
    for one in [pid, *_children(pid)]:
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except (OSError, ProcessLookupError):
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total


def _children(pid: int) -> list[int]:
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_children(int(child))]
    except OSError:
        pass
    return found
