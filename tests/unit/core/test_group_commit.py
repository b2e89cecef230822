"""The loop waits for a quick disk itself and lets a thread wait for a slow one."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from xinglin.core.group_commit import PATIENCE, GroupCommit


def test_a_slow_disk_is_waited_for_by_a_thread_until_it_is_quick_again() -> None:
    pauses, places = [3 * PATIENCE, 0.0, 0.0], []

    def flush(_: list[None]) -> None:
        places.append(threading.current_thread().name.partition("_")[0])
        time.sleep(pauses[len(places) - 1])

    async def three() -> None:
        group = GroupCommit(flush)
        for _ in range(2):
            await group.committed(None)
        group._took = 0.0
        await group.committed(None)
        group.close()

    asyncio.run(three())

    assert places == ["MainThread", "group-commit", "MainThread"]


def test_who_comes_during_a_flush_waits_for_the_next() -> None:
    begun, written, flushed = threading.Event(), [], []

    def flush(_: list[None]) -> None:
        seen = list(written)
        begun.set()
        time.sleep(3 * PATIENCE)
        flushed.append(seen)

    async def one(number: int, group: GroupCommit[None]) -> None:
        written.append(number)
        await group.committed(None)
        assert any(number in seen for seen in flushed)

    async def several() -> None:
        group = GroupCommit(flush)
        await one(0, group)
        first = asyncio.create_task(one(1, group))
        begun.clear()
        while not begun.is_set():
            await asyncio.sleep(0)
        await asyncio.gather(first, *(one(number, group) for number in (2, 3)))
        group.close()

    asyncio.run(several())

    assert [sorted(seen) for seen in flushed] == [[0], [0, 1], [0, 1, 2, 3]]


def test_a_disk_that_fails_is_reported_to_all_who_waited() -> None:
    def flush(_: list[None]) -> None:
        raise OSError("no space")

    async def two() -> list[object]:
        group = GroupCommit(flush)
        return await asyncio.gather(group.committed(None), group.committed(None), return_exceptions=True)

    assert [type(one) for one in asyncio.run(two())] == [OSError, OSError]


@pytest.mark.parametrize("tasks", [1, 40])
def test_tasks_that_are_ready_together_share_one_flush(tasks: int) -> None:
    flushed = []

    async def all_of_them() -> None:
        group = GroupCommit(lambda _: flushed.append(1))
        await asyncio.gather(*(group.committed(None) for _ in range(tasks)))

    asyncio.run(all_of_them())

    assert flushed == [1]
