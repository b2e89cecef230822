"""Several validators on one machine, as background processes: for trying out a consortium, not for production."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xinglin.core.errors import StorageError
from xinglin.ledger.consortium.home import NodeOptions, ValidatorHome, transaction_key
from xinglin.ledger.consortium.status import StatusReport, query_nodes

__all__ = ["create", "running", "start", "stop"]

_PATIENCE = 60.0


def create(homes: Sequence[ValidatorHome], now: int, port: int) -> None:
    """Create validators of one chain; existing ones stay unchanged.

    Args:
        homes: Homes of the validators.
        now: Unix seconds.
        port: First port; each validator has a range of ten.
    """
    if all(home.genesis.is_file() for home in homes):
        return
    for number, home in enumerate(homes):
        if not home.member.is_file():
            address, rpc = (f"127.0.0.1:{port + 10 * number + offset}" for offset in (0, 1))
            options = NodeOptions(address, address, rpc)
            key = transaction_key(home.home / "keys" / "ledger.key")
            home.create((home.home.name, 10), key, options, now)
    members = [home.read_member() for home in homes]
    for home in homes:
        home.create_genesis(members)


def start(homes: Sequence[ValidatorHome]) -> StatusReport:
    """Start the validators that do not run and wait until all have the first block.

    Raises:
        StorageError: There was no common block in time.
    """
    for home in homes:
        if running(home):
            continue
        with (home.ledger / "validator.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "xinglin", "ledger", "start", "--home", str(home.home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _pid_file(home).write_text(f"{process.pid}\n")
    urls = [home.rpc() for home in homes]
    end = time.monotonic() + _PATIENCE
    report = query_nodes(urls)
    while not (report.agree and report.height):
        if time.monotonic() > end:
            where = str(homes[0].ledger / "validator.log")
            raise StorageError("the validators made no common block", source=where, remedy="read this log file")
        time.sleep(0.2)
        report = query_nodes(urls)
    return report


def stop(homes: Sequence[ValidatorHome]) -> int:
    """Stop the running validators; returns their number."""
    found = [pid for home in homes if (pid := running(home))]
    for pid in found:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _PATIENCE
    for home in homes:
        while running(home) and time.monotonic() < end:
            time.sleep(0.05)
        _pid_file(home).unlink(missing_ok=True)
    return len(found)


def running(home: ValidatorHome) -> int:
    """Process id of a running validator that was started here; 0 if there is none."""
    with suppress(OSError, ValueError):
        pid = int(_pid_file(home).read_text())
        # The id may belong to another program by now.
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if os.fsencode(home.home) in words:
            return pid
    return 0


def _pid_file(home: ValidatorHome) -> Path:
    return home.ledger / "validator.pid"
