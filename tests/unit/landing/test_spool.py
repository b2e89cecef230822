"""What is spooled is durable, in order, private, and found again after a crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.errors import StorageError
from xinglin.landing import MessageSpool, ObjectSpool, SpoolLimits, messages
from xinglin.landing.spool import journal

ROOMY = SpoolLimits(reserve=0)


@given(st.lists(st.binary(max_size=40) | st.just(b"XLR1" * 5), max_size=6), st.data())
def test_a_torn_journal_gives_every_whole_message_before_the_tear(contents: list[bytes], data: st.DataObject) -> None:
    whole = journal(contents)
    assert list(messages(whole)) == contents
    at = data.draw(st.integers(0, len(whole)))
    found = list(messages(whole[:at]))
    assert found == contents[: len(found)]
    assert len(journal(contents[: len(found) + 1])) > at or found == contents


def test_a_damaged_record_takes_no_other_along() -> None:
    data = bytearray(journal([b"one", b"two", b"three"]))
    data[data.index(b"two")] ^= 1
    assert list(messages(bytes(data))) == [b"one", b"three"]


def test_numbers_go_on_after_a_restart_and_after_landing(tmp_path: Path) -> None:
    spool = MessageSpool(tmp_path / "spool", "mllp", 4, ROOMY)
    spool.append([b"a"])
    spool.rotate()
    spool.append([b"b"])
    again = MessageSpool(tmp_path / "spool", "mllp", 4, ROOMY)
    assert [segment.number for segment in again.closed()] == [5, 6]
    assert again.number == 7
    waiting = again.waiting
    again.landed(again.closed()[0])
    assert 0 < again.waiting < waiting


def test_journals_are_private(tmp_path: Path) -> None:
    spool = MessageSpool(tmp_path / "spool", "mllp", 0, ROOMY)
    spool.append([b"a"])
    (path,) = (tmp_path / "spool").iterdir()
    assert (path.stat().st_mode & 0o777, (tmp_path / "spool").stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_failed_flush_keeps_what_was_kept_and_drops_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = MessageSpool(tmp_path / "spool", "mllp", 0, ROOMY)
    spool.append([b"kept"])
    flush = os.fdatasync
    with monkeypatch.context() as patch:
        calls = iter([OSError(5, "I/O error")])

        def failing(handle: int) -> None:
            for error in calls:
                raise error
            flush(handle)

        patch.setattr(os, "fdatasync", failing)
        with pytest.raises(StorageError, match="not acknowledged"):
            spool.append([b"dropped"])
    spool.append([b"next"])
    spool.rotate()
    assert [list(messages(segment.path.read_bytes())) for segment in spool.closed()] == [[b"kept"], [b"next"]]


def test_space_is_left_for_landing(tmp_path: Path) -> None:
    spool = MessageSpool(tmp_path / "spool", "mllp", 0, SpoolLimits(reserve=10**18))
    with pytest.raises(StorageError):
        spool.append([b"a"])
    spool.rotate()
    assert spool.closed() == []


def test_a_segment_ends_at_its_size(tmp_path: Path) -> None:
    spool = MessageSpool(tmp_path / "spool", "mllp", 0, SpoolLimits(reserve=0, segment=100))
    for _ in range(4):
        spool.append([b"x" * 60])
    assert [segment.count for segment in spool.closed()] == [2, 2]
    assert not spool.has_room(ROOMY.limit)


def test_objects_are_moved_into_numbered_folders(tmp_path: Path) -> None:
    spool = ObjectSpool(tmp_path / "spool", "dicom", 0, ROOMY)
    for number in range(3):
        received = tmp_path / "spool" / f"{number}.dcm"
        received.write_bytes(b"object")
        spool.take(received)
        if number == 1:
            spool.rotate()
    spool.rotate()
    names = [[path.name for path in sorted(segment.path.iterdir())] for segment in spool.closed()]
    assert names == [["dicom-00000001-000001.dcm", "dicom-00000001-000002.dcm"], ["dicom-00000002-000001.dcm"]]
    with pytest.raises(StorageError):
        spool.take(tmp_path / "gone")
