"""Files are wholly there or not at all; locks end with their process."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from xinglin.core.errors import Conflict, StorageError
from xinglin.core.files import exclusive, file_sha256, first_private_file, full_disk, private_file, write_atomic


def test_a_written_file_holds_the_new_content_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_atomic(target, b"old")

    write_atomic(target, b"new")

    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_refused_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    target = tmp_path / "a.json"
    write_atomic(target, b"old")

    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError) as caught:
        write_atomic(target, b"new")

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    assert caught.value.retry is (number != errno.EROFS)


def test_other_refusals_of_the_system_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_a_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private_file(tmp_path / "keys" / "mercy.key", b"secret")
    finally:
        os.umask(old)

    assert stat.S_IMODE((tmp_path / "keys" / "mercy.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000_000)

    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"x" * 1_000_000).hexdigest()


HOLDER = """
import sys
from pathlib import Path
from xinglin.core.files import exclusive
with exclusive(Path(sys.argv[1]), doing="holding"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_process_is_told_who_is_busy_and_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "site" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(Conflict, match="lock for landing") as caught, exclusive(lock, doing="landing"):
            pytest.fail("two processes hold the same lock")
        assert caught.value.retry
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()

    with exclusive(lock, doing="landing"):
        pass


def test_the_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), exclusive(tmp_path / "lock", doing="failing"):
        raise ValueError("inside")

    with exclusive(tmp_path / "lock", doing="again"):
        pass


def test_of_two_that_make_a_secret_at_once_both_go_on_with_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "keys" / "some.key"
    first_private_file(key, b"one")
    with monkeypatch.context() as patch:
        # Both looked before either wrote.
        patch.setattr(Path, "is_file", lambda _: False)
        assert first_private_file(key, b"two") == b"one"
    assert [path.name for path in key.parent.iterdir()] == ["some.key"]
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
