"""A process that submits to an embedded ledger and dies where it is told to: ``FOLDER WHERE COUNT``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ledgers import CHAIN, accesses, seed
from xinglin.core.clock import system_clock
from xinglin.ledger import Code, EmbeddedLedger, Machine, Signer, Store, digest_of
from xinglin.ledger.state import pruning


def dying(function: Callable[..., Any], countdown: int, *, after: bool) -> Callable[..., Any]:
    """The function, that kills the process at its n-th call, before or after its work."""
    left = countdown

    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return called


PLACES: dict[str, tuple[Any, str, bool]] = {
    "before execute": (Machine, "execute", False),
    "between execute and commit": (Machine, "execute", True),
    "before the commit is durable": (Store, "_insert", True),
    "while nodes are forgotten": (pruning, "_mark", True),
    "after nodes were forgotten": (pruning, "_sweep", True),
    "after the commit": (Machine, "commit", True),
    "after the receipts": (EmbeddedLedger, "submit", True),
}


def work(folder: Path, where: str, count: int) -> None:
    """Submit groups of four for ever; what is handed in is on disk before, what is acknowledged is printed."""
    pruning._ROWS = 1
    ledger = EmbeddedLedger(folder / "ledger", system_clock, kept=2)
    signer = Signer("hospital", seed("hospital"), CHAIN, folder / "sequences.sqlite", system_clock)
    if where in PLACES:
        owner, name, after = PLACES[where]
        setattr(owner, name, dying(getattr(owner, name), count, after=after))
    for number in range(count * 2 if where in PLACES else count):
        stream = os.urandom(16)
        group = [signer.sign("AccessBatch", accesses(4 * number + one, stream)) for one in range(4)]
        for transaction in group:
            (folder / "handed-in" / digest_of(transaction).hex()).write_bytes(transaction)
        receipts = ledger.submit(group)
        assert all(receipt.code is Code.OK for receipt in receipts), receipts
        print(*(receipt.digest.hex() for receipt in receipts), flush=True)


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
