"""The ledger of a region: alone or between institutions; who signs, keeps checkpoints and makes proofs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xinglin.core.clock import wall_clock
from xinglin.core.errors import NotFound, StorageError, UsageError
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.access.consent.register import ConsentRegister
    from xinglin.ledger import Ledger, Signer
    from xinglin.ledger.proofs.make import Prover
    from xinglin.ledger.proofs.trust import Trust
    from xinglin.ledger.witnesses.checkpoints import CheckpointStore

__all__ = ["open_checkpoints", "open_consents", "open_ledger", "open_prover", "open_signer", "reachable_ledger"]

_INSTITUTION = "region"
"""The one institution of a ledger that a region keeps alone."""


def open_ledger(settings: Settings) -> Ledger:
    """The ledger that the region writes to; one kept alone begins when it is first opened.

    Args:
        settings: The region's settings.

    Raises:
        NotFound: The ledger between institutions was not joined yet.
        StorageError: It does not answer.
    """
    folder = settings.home / "ledger"
    if settings.ledger.kind == "cometbft":
        from xinglin.ledger.consortium import CometLedger

        return CometLedger(settings.ledger.rpc, folder / "ledger.sqlite")
    from xinglin.ledger import EmbeddedLedger, Founder, Genesis

    if not (folder / "genesis.json").is_file():
        import os

        begun = EmbeddedLedger.resume(folder, wall_clock)
        if begun is None:
            founder = Founder(_INSTITUTION, _ledger_key(settings)[1], None, 1)
            genesis = Genesis(f"region-{os.urandom(8).hex()}", int(wall_clock().timestamp()), (founder,))
            begun = EmbeddedLedger.create(folder, genesis, wall_clock)
        open_checkpoints(settings, begun)
        return begun
    return EmbeddedLedger(folder, wall_clock, settings.ledger.states)


def reachable_ledger(settings: Settings) -> Ledger | None:
    """The ledger, or None where it cannot be opened: care goes on, and what only permits does not count until then.

    Args:
        settings: The region's settings.
    """
    try:
        return open_ledger(settings)
    except (NotFound, StorageError):
        return None


@contextmanager
def open_consents(settings: Settings) -> Iterator[ConsentRegister]:
    """Where consents are put and withdrawn.

    Args:
        settings: The region's settings.
    """
    from xinglin.access.consent.register import ConsentRegister
    from xinglin.access.consent.store import ConsentStore

    ledger = open_ledger(settings)
    store, signer = ConsentStore(settings.access_folder), open_signer(settings, ledger)
    try:
        yield ConsentRegister(store, ledger, signer)
    finally:
        store.close()
        signer.close()


def open_signer(settings: Settings, ledger: Ledger) -> Signer:
    """Who signs the region's transactions.

    Args:
        settings: The region's settings.
        ledger: From `open_ledger`.
    """
    from xinglin.ledger import Signer, last_sequence

    member = settings.home / "ledger" / "member.json"
    name = json.loads(member.read_bytes())["name"] if member.is_file() else _INSTITUTION
    sequences = settings.home / "ledger" / "sequences.sqlite"
    key, public = _ledger_key(settings)
    # After a restore the file of sequences may be older than what the ledger has seen.
    floor = last_sequence(ledger, public) + 1
    return Signer(name, key, ledger.chain_id, sequences, wall_clock, floor=floor)


def open_checkpoints(settings: Settings, ledger: Ledger) -> CheckpointStore:
    """Who signs checkpoints of a ledger that the region keeps alone.

    Args:
        settings: The region's settings.
        ledger: From `open_ledger`.

    Raises:
        UsageError: Several institutions keep the ledger; its blocks are signed by them.
    """
    from xinglin.ledger.witnesses.checkpoints import CheckpointStore

    if settings.ledger.kind != "embedded":
        raise UsageError("a ledger between institutions has signed blocks instead of checkpoints", source="[ledger]")
    return CheckpointStore(settings.home / "ledger", settings.keys / "checkpoint.key", ledger.chain_id)


def open_prover(settings: Settings, ledger: Ledger) -> tuple[Prover, Trust]:
    """Who makes proof files, and what their readers are told.

    Args:
        settings: The region's settings.
        ledger: From `open_ledger`.
    """
    from xinglin.ledger.proofs.make import BlockAnchors, Prover
    from xinglin.ledger.proofs.trust import Trust

    if settings.ledger.kind == "embedded":
        checkpoints = open_checkpoints(settings, ledger)
        return Prover(ledger, checkpoints.anchors(), checkpoints.trust), checkpoints.trust
    from xinglin.ledger.consortium.rpc import NodeClient

    trust = Trust.from_json((settings.home / "ledger" / "genesis.json").read_bytes())
    return Prover(ledger, BlockAnchors(NodeClient(settings.ledger.rpc).call, trust), trust), trust


def _ledger_key(settings: Settings) -> tuple[bytes, bytes]:
    """Seed and public key of the region's transactions; made when there is none."""
    from xinglin.ledger.consortium.home import transaction_key

    settings.keys.mkdir(mode=0o700, exist_ok=True)
    key = transaction_key(settings.keys / "ledger.key")
    return bytes(key), bytes(key.verify_key)
