"""A validator with one fault, for the tests: ``python -m tests.faulty_validator FAULT --home HOME``.

before-commit, after-commit: the application dies once, in the moment of a commit, while HOME/trap is there.
contrary: it refuses every proposal and proposes nothing, as somebody might who uses another's key.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from xinglin.ledger.consortium.application import LedgerApplication
from xinglin.ledger.consortium.home import ValidatorHome
from xinglin.ledger.consortium.interface import Interface
from xinglin.ledger.consortium.process import run_validator, serving
from xinglin.ledger.state.store import Store


class Mortal(LedgerApplication):
    """Dies by SIGKILL before or after it made a block durable; the node has no answer."""

    trap: Path
    before: bool

    def answer(self, kind: str, request: Any) -> Any:
        caught = kind == "commit" and self.trap.exists()
        if caught:
            self.trap.unlink()
            if self.before:
                os.kill(os.getpid(), signal.SIGKILL)
        response = super().answer(kind, request)
        if caught:
            os.kill(os.getpid(), signal.SIGKILL)
        return response


class Contrary(LedgerApplication):
    """Never agrees."""

    def answer(self, kind: str, request: Any) -> Any:
        response = super().answer(kind, request)
        if kind == "process_proposal":
            response.status = 2
        if kind == "prepare_proposal":
            del response.txs[:]
        return response


def main() -> None:
    fault, _, home = sys.argv[1:]

    def make(store: Store, interface: Interface) -> LedgerApplication:
        if fault == "contrary":
            return Contrary(store, interface)
        application = Mortal(store, interface)
        application.trap, application.before = Path(home, "trap"), fault == "before-commit"
        return application

    validator = ValidatorHome(Path(home))
    with serving(validator, make) as server:
        run_validator(validator, server, lambda pid: print("node", pid, flush=True))


if __name__ == "__main__":
    main()
