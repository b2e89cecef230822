"""What the tests of runners let runners do; few modules are loaded with it, since other processes load it often."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from xinglin.core.errors import NotFound, StorageError


def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def fails_with_a_key_error(number: int) -> int:
    if number == 17:
        raise KeyError("seventeen")
    return number


def fails_with_an_error_of_ours(_: int) -> None:
    raise NotFound("it is not there", source="here", remedy="look elsewhere")


def fails_at_once_or_sleeps(item: tuple[str, int]) -> None:
    folder, number = item
    (Path(folder) / str(number)).touch()
    if number == 0:
        raise ValueError("enough")
    time.sleep(0.1)


def kills_its_process_once(item: tuple[str, int]) -> int:
    path, number = item
    if number == 3 and not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def full_at_first(path: str) -> str:
    if not Path(path).exists():
        Path(path).touch()
        raise StorageError("full", retry=True)
    return "written"


def always_full(_: int) -> None:
    raise StorageError("always full", retry=True)
