from __future__ import annotations

import time

import pytest

from xinglin.core.errors import StorageError
from xinglin.lake.storage.bounded import bounded
from xinglin.lake.storage.persist import persist

GONE = StorageError("gone")


def test_a_call_that_never_ends_is_left_alone() -> None:
    with pytest.raises(TimeoutError):
        bounded(lambda: time.sleep(0.5), seconds=0.01)


def test_what_a_bounded_call_raises_is_raised() -> None:
    with pytest.raises(FileNotFoundError):
        bounded(lambda: open("/none/at/all"), seconds=5)  # noqa: SIM115


def test_a_failure_that_lasts_is_not_asked_again() -> None:
    asked = []

    def ask() -> None:
        asked.append(1)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        persist(ask, (OSError,), (FileNotFoundError,), GONE, waits=(0.0, 0.0))

    assert len(asked) == 1


def test_a_failure_every_time_is_refused_in_the_end() -> None:
    asked = []

    def ask() -> None:
        asked.append(1)
        raise TimeoutError

    with pytest.raises(StorageError, match="gone"):
        persist(ask, (OSError,), (), GONE, waits=(0.0, 0.0))

    assert len(asked) == 3
