"""Programs that end by SIGKILL at one of their own file events, so that a kill test does not depend on time.

    python tests/dying.py LIMIT REPORT -m MODULE ARG… | -c CODE ARG… | FILE ARG…

An event is a file opened for writing, made, renamed, linked or removed by Python. The program counts its events and, at
event number LIMIT, kills its process group; with LIMIT 0 it runs to its end and writes the number to REPORT.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

_EVENTS = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.truncate",
    "shutil.rmtree",
    "sqlite3.connect",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def events(words: Sequence[str | Path], report: Path, environment: Mapping[str, str] | None = None) -> int:
    """Run a program to its end and count its file events.

    Args:
        words: What follows the interpreter: ``-m module``, ``-c code`` or a file, and its arguments.
        report: A file for the number.
        environment: Of the program; this process's when not given.
    """
    subprocess.run(_command(0, report, words), env=environment, check=True, stdout=subprocess.DEVNULL)
    return int(report.read_text())


def killed(words: Sequence[str | Path], at: int, environment: Mapping[str, str] | None = None) -> bool:
    """Run a program that is killed at its event number `at`; whether it came so far."""
    child = subprocess.Popen(
        _command(at, Path(os.devnull), words),
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return child.wait() == -signal.SIGKILL


def moments(total: int, count: int, seed: int) -> Iterator[int]:
    """Event numbers to be killed at: one at random from each of `count` equal stretches, so that all phases are met."""
    chance = Random(seed)
    for number in range(count):
        first, end = total * number // count + 1, total * (number + 1) // count
        yield chance.randint(first, max(first, end))


def _command(limit: int, report: Path, words: Sequence[str | Path]) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), str(limit), str(report), *map(str, words)]


def _count(limit: int) -> list[int]:
    seen = [0]

    def hook(event: str, given: tuple[Any, ...]) -> None:
        writing = event == "open" and isinstance(given[2], int) and given[2] & _WRITING
        if not writing and event not in _EVENTS:
            return
        seen[0] += 1
        if seen[0] == limit:
            os.killpg(0, signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def _run(words: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    kind, *rest = words
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<program>", "exec"), {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv = words
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    seen, report = _count(int(sys.argv[1])), sys.argv[2]
    try:
        _run(sys.argv[3:])
    finally:
        total = seen[0]
        Path(report).write_text(str(total))
