from __future__ import annotations

import operator
import os
import threading

import pytest

from xinglin.lake import LocalRunner


def test_threads_and_processes_give_the_same_results_in_order():
    items = list(range(20))
    assert LocalRunner(2).map(operator.neg, items) == [-item for item in items]
    assert LocalRunner(2, processes=True).map(operator.neg, items) == [-item for item in items]


def test_processes_are_other_processes():
    assert os.getpid() not in LocalRunner(1, processes=True).map(_process, [0])


def test_the_first_failing_task_ends_the_rest():
    started: list[int] = []
    gate = threading.Event()

    def task(number: int) -> None:
        started.append(number)
        if number == 0:
            raise ValueError("no")
        gate.wait(0.05)

    with pytest.raises(ValueError, match="no"):
        LocalRunner(1).map(task, list(range(100)))
    assert len(started) < 100


def test_progress_hears_every_result():
    heard: list[int] = []
    LocalRunner(2).map(operator.neg, [1, 2, 3], heard.append)
    assert heard == [-1, -2, -3]


def _process(_: int) -> int:
    return os.getpid()
