"""No verdict is seen before its event is on the disk, whoever asks, however many at once."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from xinglin.core.errors import StorageError
from xinglin.core.intent import Intent

from .conftest import STAGES, Region, begin


class Disk:
    """What a loss of power would leave: each file as it was when it was last flushed."""

    def __init__(self) -> None:
        self.kept: dict[Path, bytes] = {}
        self.flushes = 0
        self.failure: OSError | None = None

    def fdatasync(self, descriptor: int) -> None:
        if self.failure:
            raise self.failure
        self.flushes += 1
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self.kept[path] = path.read_bytes()

    def holds(self, event: str) -> bool:
        return any(f'"id":"{event}"'.encode() in content for content in self.kept.values())


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr("xinglin.access.audit.stream.os.fdatasync", made.fdatasync)
    return made


def read(person: int) -> Intent:
    return Intent("read", STAGES, purpose="TREAT", person=person)


def test_a_permit_and_a_refusal_are_on_the_disk_when_they_are_given(region: Region, disk: Disk) -> None:
    for role in ("clinician", "analyst"):
        verdict = region.gate.decide(region.credential(role), read(5))
        assert verdict.decision.permit is (role == "clinician")
        assert disk.holds(verdict.event)
    assert disk.holds(region.gate.authorise(region.credential("clinician"), read(6)).decision)


def test_many_at_once_are_on_the_disk_by_one_flush(region: Region, disk: Disk) -> None:
    credential = region.credential("clinician")
    verdicts = region.gate.decide_all((credential, read(person)) for person in range(50))
    assert disk.flushes == 1
    assert all(disk.holds(verdict.event) for verdict in verdicts)


def test_tasks_of_a_server_share_flushes_and_none_is_answered_before_its_own(region: Region, disk: Disk) -> None:
    credential = region.credential("clinician")

    async def ask(person: int) -> bool:
        return disk.holds((await region.gate.decide_async(credential, read(person))).event)

    async def rounds() -> list[bool]:
        return [held for _ in range(5) for held in await asyncio.gather(*map(ask, range(40)))]

    assert all(asyncio.run(rounds()))
    assert 5 <= disk.flushes <= 20
    assert all(asyncio.run(rounds())), "another loop of the same gate"


def test_a_task_that_is_cancelled_takes_no_other_with_it(region: Region, disk: Disk) -> None:
    credential = region.credential("clinician")

    async def ask(person: int) -> bool:
        return disk.holds((await region.gate.decide_async(credential, read(person))).event)

    async def cancelling() -> list[bool]:
        tasks = [asyncio.create_task(ask(person)) for person in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        return [held for held in await asyncio.gather(*tasks, return_exceptions=True) if held is True]

    assert len(asyncio.run(cancelling())) == 9


def test_threads_are_answered_after_their_own_event_is_on_the_disk(region: Region, disk: Disk) -> None:
    credential, held = region.credential("clinician"), []

    def ask(first: int) -> None:
        for person in range(first, first + 25):
            held.append(disk.holds(region.gate.decide(credential, read(person)).event))

    threads = [threading.Thread(target=ask, args=(first,)) for first in (0, 25, 50, 75)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held == [True] * 100


def test_a_segment_that_is_sealed_meanwhile_needs_no_second_flush(region: Region, disk: Disk) -> None:
    verdict = region.gate.decide(region.credential("clinician"), read(5))
    region.gate.log.seal()
    before = disk.flushes
    region.gate.log.flush(verdict.event)
    assert disk.flushes == before


@pytest.mark.parametrize(("number", "lasting"), [(errno.ENOSPC, False), (errno.EIO, True)])
def test_what_cannot_be_made_durable_is_not_decided(region: Region, disk: Disk, number: int, lasting: bool) -> None:
    """After a full disk it goes on; after the disk lost something this process trusts it no more."""
    credential = region.credential("clinician")
    disk.failure = OSError(number, os.strerror(number))

    async def ask() -> None:
        await asyncio.gather(*(region.gate.decide_async(credential, read(person)) for person in range(3)))

    with pytest.raises(StorageError):
        asyncio.run(ask())
    with pytest.raises(StorageError):
        region.gate.decide(credential, read(5))
    with pytest.raises(StorageError):
        region.gate.decide_all([(credential, read(5))])
    disk.failure = None
    if lasting:
        with pytest.raises(StorageError, match="failed to store a part of the audit log"):
            region.gate.decide(credential, read(5))
    else:
        assert disk.holds(region.gate.decide(credential, read(5)).event)


def test_what_a_loss_of_power_leaves_is_a_log_that_goes_on(region: Region, disk: Disk) -> None:
    """Power fails right after a permit was given: of the log there is what was flushed, and every permit is in it."""
    events = [region.gate.decide(region.credential("clinician"), read(person)).event for person in range(3)]
    region.gate._decide(region.credential("clinician"), read(9), False)
    for path, content in disk.kept.items():
        path.write_bytes(content)
    assert region.gate.log._stream is not None
    fcntl.flock(region.gate.log._stream._lock, fcntl.LOCK_UN)
    after = begin(region.home)
    after.gate.decide(after.credential("clinician"), read(4))
    assert [event for event in events if after.gate.log.event(event)] == events
    assert after.gate.log.findings() == []
    after.gate.close()
