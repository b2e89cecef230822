from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xinglin.core.counter import Counter

DIES = """
import os, signal, sys
from pathlib import Path
from xinglin.core.counter import Counter
with Counter(Path(sys.argv[1])).changing():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_two_processes_see_one_number(tmp_path: Path) -> None:
    one, other = Counter(tmp_path / "changes"), Counter(tmp_path / "changes")
    with one.changing():
        assert other.seen() == one.seen() == 1
    with other.changing():
        assert one.seen() == 3
    assert one.seen() == other.seen() == 4
    assert (tmp_path / "changes").stat().st_mode & 0o077 == 0


def test_opening_it_again_takes_nothing_back(tmp_path: Path) -> None:
    counter = Counter(tmp_path / "changes")
    with counter.changing():
        pass
    assert Counter(tmp_path / "changes").seen() == counter.seen() == 2


def test_the_end_of_one_change_does_not_hide_the_beginning_of_another(tmp_path: Path) -> None:
    """The first has let go of its lock and not yet said so, when the second begins."""
    first, second, reader = (Counter(tmp_path / "changes") for _ in range(3))
    begun, finish = threading.Event(), threading.Event()

    def follow() -> None:
        with second.changing():
            begun.set()
            finish.wait(10)

    thread = threading.Thread(target=follow)
    with first.changing():
        thread.start()
        assert not begun.wait(0.2)
    assert begun.wait(10) and reader.seen() == 3
    finish.set()
    thread.join()
    assert reader.seen() == 4


def test_a_change_that_failed_or_whose_process_died_leaves_it_odd(tmp_path: Path) -> None:
    counter = Counter(tmp_path / "changes")
    with pytest.raises(OSError, match="full"), counter.changing():
        raise OSError("full")
    assert counter.seen() == 1
    with counter.changing():
        pass
    dead = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "changes")], env=os.environ, check=False)
    assert dead.returncode == -signal.SIGKILL and counter.seen() == 3
    with counter.changing():
        assert counter.seen() == 3
    assert counter.seen() == 4
