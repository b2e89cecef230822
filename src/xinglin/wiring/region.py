"""Regions are made, decided about, and opened as far as the decision goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.admission import Stores
from xinglin.admission.admit import Treated, admit, found_access
from xinglin.core.clock import Clock, system_clock, wall_clock
from xinglin.core.permit import Permit
from xinglin.core.settings import LakeSettings, Settings, default_home
from xinglin.wiring.ledgers import reachable_ledger

if TYPE_CHECKING:
    from xinglin.access.gate import Gate
    from xinglin.admission.opt_in import OptIn
    from xinglin.core.intent import Intent
    from xinglin.lake import Lake

__all__ = ["assemble", "decided", "init_region", "open_gate", "open_region"]


def init_region(home: Path, buckets: int = 8, lake: str = "") -> Settings:
    """Make an empty region: settings, a private folder for keys, an empty landing and lake.

    Args:
        home: Its folder; an existing region keeps its settings.
        buckets: Number of person buckets.
        lake: URL of the lake; the region's own folder when empty.

    Raises:
        StorageError: The lake elsewhere does not answer.

    Example:
        >>> import tempfile
        >>> init_region(Path(tempfile.mkdtemp()) / "region").buckets
        8
    """
    if (home / "xinglin.toml").is_file():
        return Settings.load(home)
    settings = Settings(home=home, buckets=buckets, storage=LakeSettings(lake))
    if lake:
        # Only whether the lake answers: nothing of it is kept.
        _open_lake(settings, Permit(frozenset({"mart"}), frozenset(), "init")).snapshot("mart")
    settings.save()
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    settings.landing.mkdir(exist_ok=True)
    settings.lake.mkdir(exist_ok=True)
    found_access(settings, wall_clock())
    return settings


def open_region(
    home: Path | None,
    intent: Intent,
    credential: Path | None = None,
    *,
    create: bool = False,
    clock: Clock = system_clock,
) -> Stores:
    """Open the region at `home`, or where XINGLIN_HOME says, or in ``./xinglin-home``, as far as it is decided.

    Args:
        home: The region's folder.
        intent: What is to be done; it is decided and written down before anything is opened.
        credential: File of the credential of whoever asks; the owner's of the home when not given.
        create: Make an empty region when there is none.
        clock: What time it is.

    Raises:
        NotFound: There is no region and `create` is false.
        AccessDenied: Whoever asks may not do this.
    """
    home = (home or default_home()).absolute()
    settings = init_region(home) if create else Settings.load(home)
    found_access(settings, wall_clock())
    with open_gate(settings) as gate:
        permit = admit(settings, gate, intent, credential, wall_clock(), _opt_in(settings))
    if permit.without:
        from xinglin.identity import every_name

        # A mart that was built before persons were joined knows them by their former ids.
        permit = replace(permit, without=every_name(_identity(settings), permit.without))
    return assemble(settings, permit, clock)


def decided(home: Path, intent: Intent, credential: Path | None = None) -> Settings:
    """Have decided what opens no stores and asks no ledger, such as which ledger is to be used.

    Args:
        home: The region's folder.
        intent: What is to be done; no consent counts for it.
        credential: File of the credential of whoever asks; the owner's of the home when not given.

    Raises:
        NotFound: There is no region.
        AccessDenied: Whoever asks may not do this.
    """
    from xinglin.access.gate import Gate

    settings = Settings.load(home)
    found_access(settings, wall_clock())
    gate = Gate.open(settings.access_folder, None, wall_clock)
    try:
        admit(settings, gate, intent, credential, wall_clock())
    finally:
        gate.close()
    return settings


@contextmanager
def open_gate(settings: Settings) -> Iterator[Gate]:
    """What decides about the region, with the audit log and the consents; closed, and its log sealed, with the block.

    Args:
        settings: The region's settings.
    """
    from xinglin.access.gate import Gate

    treated = Treated(_identity(settings), settings.access_folder, wall_clock)
    ledger = reachable_ledger(settings)
    gate = Gate.open(settings.access_folder, ledger, wall_clock, treated)
    try:
        yield gate
    finally:
        gate.close()
        if ledger is not None:
            ledger.close()


def assemble(settings: Settings, permit: Permit, clock: Clock = system_clock) -> Stores:
    """Landing and lake of a region, as far as a permit goes.

    Args:
        settings: The region's settings.
        permit: What was decided.
        clock: What time it is.
    """
    from xinglin.landing import Landing

    return Stores(settings, Landing(settings.landing, settings.keys, permit), _open_lake(settings, permit), clock)


def _opt_in(settings: Settings) -> OptIn | None:
    """Who granted research, in a region where only they are in it."""
    if settings.access.research != "opt-in":
        return None
    from xinglin.admission.opt_in import OptIn

    return OptIn(_identity(settings), reachable_ledger(settings))


def _identity(settings: Settings) -> Lake:
    """The lake for decisions: who is treated where, and nothing else of it."""
    return _open_lake(settings, Permit(frozenset({"identity"}), frozenset(), "decisions"))


def _open_lake(settings: Settings, permit: Permit) -> Lake:
    from xinglin.lake import Lake, Local

    local = Local(settings.lake, settings.keys / "lake.toml", settings.storage.cache_mb)
    return Lake(settings.storage.url or settings.lake, local, permit)
