"""`xinglin listen`, killed at any moment under load, has every acknowledged message in the landing exactly once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import Xinglin
from tests.e2e.listen.listening import Listener, Sender, message, rows

KILLS = int(os.environ.get("XINGLIN_KILLS", "3"))
SENDERS = 8


def send_until_it_breaks(
    port: int, numbers: range, sent: set[str], acknowledged: set[str], lock: threading.Lock
) -> None:
    try:
        sender = Sender(port)
        for number in numbers:
            with lock:
                sent.add(f"c{number}")
            sender.send(message(number, number % 50))
            code, control = sender.answer()
            assert code == "AA"
            with lock:
                acknowledged.add(control)
    except OSError:
        return


@pytest.mark.e2e
def test_every_acknowledged_message_is_landed_exactly_once(tmp_path: Path) -> None:
    xinglin = Xinglin(tmp_path / "home")
    chance = random.Random(9)
    sent: set[str] = set()
    acknowledged: set[str] = set()
    lock = threading.Lock()
    for kill in range(KILLS):
        with Listener(xinglin, "--mllp", "centre=0", "--every", "0.3") as listener:
            port = listener.port("mllp")
            starts = [(kill * SENDERS + number) * 100_000 for number in range(SENDERS)]
            threads = [
                threading.Thread(
                    target=send_until_it_breaks,
                    args=(port, range(start, start + 100_000), sent, acknowledged, lock),
                )
                for start in starts
            ]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.5, 4.0))
            listener.kill()
            for thread in threads:
                thread.join()
    with Listener(xinglin, "--mllp", "centre=0", "--every", "0.3") as listener:
        listener.port("mllp")
        listener.finish()
    landed = Counter(one["id"] for one in rows(xinglin.home, "centre", "MessageHeader"))
    assert len(acknowledged) > 20 * KILLS
    assert acknowledged <= set(landed) <= sent
    assert max(landed.values()) == 1
    assert not list((xinglin.home / "landing" / "centre" / "spool").glob("*-*"))
    xinglin("verify")


@pytest.mark.e2e
def test_a_landing_process_that_is_killed_is_started_again_and_nothing_is_lost(tmp_path: Path) -> None:
    xinglin = Xinglin(tmp_path / "home")
    with Listener(xinglin, "--mllp", "centre=0", "--every", "0.3") as listener:
        sender = Sender(listener.port("mllp"))
        assert sender.ask(message(1)) == "AA"
        listener.wait_for("landedbatch")
        for child in landing_processes(listener.process.pid):
            os.kill(child, signal.SIGKILL)
        assert sender.ask(message(2)) == "AA"
        listener.wait_for("landedbatch", 2)
        assert "was killed" in listener.finish()
    assert sorted(one["id"] for one in rows(xinglin.home, "centre", "MessageHeader")) == ["c1", "c2"]


def landing_processes(parent: int) -> list[int]:
    children = [int(one) for task in Path(f"/proc/{parent}/task").iterdir()
                for one in (task / "children").read_text().split()]  # fmt: skip
    found = [one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
    assert found
    return found
