"""Run a validator: the application in this process, the CometBFT node as a child process.

The node ends with this process, and this process with the node. A service manager (systemd, a container) restarts it;
the node then replays the blocks that the application has not committed.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xinglin.core.errors import NotFound, StorageError
from xinglin.core.files import exclusive
from xinglin.ledger.consortium.application import LedgerApplication
from xinglin.ledger.consortium.home import ValidatorHome
from xinglin.ledger.consortium.interface import Interface, interface
from xinglin.ledger.consortium.server import Application, Server
from xinglin.ledger.consortium.toolchain import node_program
from xinglin.ledger.state.pruning import KEPT
from xinglin.ledger.state.store import Store

__all__ = ["run_validator", "serving"]

_PR_SET_PDEATHSIG = 1
_PATIENCE = 10.0
_NEW_OBJECTS = 20_000


@contextmanager
def serving(
    home: ValidatorHome,
    make: Callable[[Store, Interface], Application] = LedgerApplication,
    kept: int = KEPT,
) -> Iterator[Server]:
    """Open the store and create the ABCI server; closes the store afterwards.

    Args:
        home: The validator's files.
        make: Creates the application.
        kept: Number of latest blocks whose state can be proved.

    Raises:
        Conflict: Another process serves this validator.
    """
    with exclusive(home.ledger / "application.lock", doing="this validator"):
        store = Store(home.state, kept)
        try:
            messages = interface()
            yield Server(make(store, messages), messages, home.socket_path)
        finally:
            store.close()


def run_validator(home: ValidatorHome, server: Server, started: Callable[[int], None]) -> None:
    """Serve the application and run the node until SIGINT or SIGTERM.

    Args:
        home: The validator's files.
        server: Server of its application.
        started: Called with the process id of the node.

    Raises:
        NotFound: CometBFT is not installed, or the validator has not joined a chain.
        StorageError: The node ended unexpectedly.
        Exception: The error that the application raised.
    """
    if not home.genesis.is_file():
        raise NotFound("this validator has not joined a chain", source=str(home.home), remedy="run xinglin ledger join")
    # Waiting transactions live for seconds; frequent garbage collection over them took 5 % of the time.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 50, 50)
    asyncio.run(_run([str(node_program()), "start", "--home", str(home.node)], home.node, server, started))
    if server.failure:
        raise server.failure


async def _run(command: list[str], folder: Path, server: Server, started: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    running: list[subprocess.Popen[bytes]] = []
    watching: list[asyncio.Task[None]] = []
    asked: list[int] = []

    def leave(number: int) -> None:
        asked.append(number)
        server.end()

    def ready() -> None:
        running.append(subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent))
        watching.append(asyncio.create_task(_watch(running[0], server, asked)))
        started(running[0].pid)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leave, number)
    serving = asyncio.create_task(server.serve(ready, lambda: _stop(running)))
    await serving
    for task in watching:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(node: subprocess.Popen[bytes], server: Server, asked: list[int]) -> None:
    """Stop the server when the node ends."""
    while node.poll() is None:
        await asyncio.sleep(0.1)
    failure = StorageError(
        "the node ended unexpectedly", source=f"exit code {node.returncode}", remedy="read the output of the node"
    )
    server.end(None if asked else failure)


async def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    """Stop the node while the application still answers it."""
    for node in running:
        node.terminate()
        for _ in range(int(_PATIENCE / 0.05)):
            if node.poll() is not None:
                break
            await asyncio.sleep(0.05)
        node.kill()
        node.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
