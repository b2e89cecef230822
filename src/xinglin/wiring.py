"""The composition root: settings become the adapters that the flows work with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.clock import Clock, system_clock, wall_clock
from xinglin.core.errors import Conflict, NotFound, StorageError, UsageError, VerificationFailed, XinglinError
from xinglin.core.permit import Permit
from xinglin.core.settings import LakeSettings, Settings, default_home
from xinglin.flows import Stores
from xinglin.flows.admission import Treated, admit, found_access

if TYPE_CHECKING:
    from xinglin.access.gate import Gate
    from xinglin.core.intent import Intent
    from xinglin.flows.anchor import AnchorReport
    from xinglin.flows.consent import ConsentDesk
    from xinglin.flows.optin import OptIn
    from xinglin.lake import Lake, Runner
    from xinglin.lake.thrift import SqlDoor
    from xinglin.ledger import Ledger, Signer
    from xinglin.ledger.keeping import Keeper
    from xinglin.ledger.proving import Prover
    from xinglin.ledger.trust import Trust

__all__ = [
    "anchor_region",
    "assemble",
    "decided",
    "init_region",
    "open_consents",
    "open_door",
    "open_gate",
    "open_keeper",
    "open_ledger",
    "open_prover",
    "open_region",
    "open_runner",
    "open_signer",
    "reachable_ledger",
]

_INSTITUTION = "region"
"""The one institution of a ledger that a region keeps alone."""


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


def _opt_in(settings: Settings) -> OptIn | None:
    """Who granted research, in a region where only they are in it."""
    if settings.access.research != "opt-in":
        return None
    from xinglin.flows.optin import OptIn

    return OptIn(_identity(settings), reachable_ledger(settings))


def _identity(settings: Settings) -> Lake:
    """The lake for decisions: who is treated where, and nothing else of it."""
    return _open_lake(settings, Permit(frozenset({"identity"}), frozenset(), "decisions"))


@contextmanager
def open_gate(settings: Settings) -> Iterator[Gate]:
    """What decides about the region, with the audit log and the consents; closed, and its log sealed, with the block.

    Args:
        settings: The region's settings.
    """
    from xinglin.access.gate import Gate

    treated = Treated(_identity(settings), settings.access_folder, wall_clock)
    gate = Gate.open(settings.access_folder, reachable_ledger(settings), wall_clock, treated)
    try:
        yield gate
    finally:
        gate.close()


def assemble(settings: Settings, permit: Permit, clock: Clock = system_clock) -> Stores:
    """Landing and lake of a region, as far as a permit goes.

    Args:
        settings: The region's settings.
        permit: What was decided.
        clock: What time it is.
    """
    from xinglin.landing import Landing

    return Stores(settings, Landing(settings.landing, settings.keys, permit), _open_lake(settings, permit), clock)


def _open_lake(settings: Settings, permit: Permit) -> Lake:
    from xinglin.lake import Lake, Local

    local = Local(settings.lake, settings.keys / "lake.toml", settings.storage.cache_mb)
    return Lake(settings.storage.url or settings.lake, local, permit)


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
        open_keeper(settings, begun)
        return begun
    return EmbeddedLedger(folder, wall_clock)


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
def open_consents(settings: Settings) -> Iterator[ConsentDesk]:
    """Where consents are put and withdrawn.

    Args:
        settings: The region's settings.
    """
    from xinglin.access.consents import ConsentStore
    from xinglin.flows.consent import ConsentDesk

    ledger = open_ledger(settings)
    store, signer = ConsentStore(settings.access_folder), open_signer(settings, ledger)
    try:
        yield ConsentDesk(store, ledger, signer)
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


def open_keeper(settings: Settings, ledger: Ledger) -> Keeper:
    """Who signs checkpoints of a ledger that the region keeps alone.

    Args:
        settings: The region's settings.
        ledger: From `open_ledger`.

    Raises:
        UsageError: Several institutions keep the ledger; its blocks are signed by them.
    """
    from xinglin.ledger.keeping import Keeper

    if settings.ledger.kind != "embedded":
        raise UsageError("a ledger between institutions has signed blocks instead of checkpoints", source="[ledger]")
    return Keeper(settings.home / "ledger", settings.keys / "checkpoint.key", ledger.chain_id)


def open_prover(settings: Settings, ledger: Ledger) -> tuple[Prover, Trust]:
    """Who makes proof files, and what their readers are told.

    Args:
        settings: The region's settings.
        ledger: From `open_ledger`.
    """
    from xinglin.ledger.proving import BlockAnchors, Prover
    from xinglin.ledger.trust import Trust

    if settings.ledger.kind == "embedded":
        keeper = open_keeper(settings, ledger)
        return Prover(ledger, keeper.anchors(), keeper.trust), keeper.trust
    from xinglin.ledger.consortium.rpc import Door

    trust = Trust.from_json((settings.home / "ledger" / "genesis.json").read_bytes())
    return Prover(ledger, BlockAnchors(Door(settings.ledger.rpc).call, trust), trust), trust


def anchor_region(stores: Stores, wait: float | None = 5.0) -> AnchorReport:
    """Anchor what the ledger does not hold yet; whatever goes wrong is told in the report, and anchored later.

    Args:
        stores: The region, as far as its permit goes.
        wait: Seconds to wait for commits.
    """
    from xinglin.access import AuditLog
    from xinglin.flows.anchor import AnchorReport, anchor_all

    settings = stores.settings
    try:
        ledger = open_ledger(settings)
        try:
            signer = open_signer(settings, ledger)
            try:
                report = anchor_all(stores, ledger, signer, AuditLog(settings.access_folder / "audit"), wait)
                return _with_consents(settings, ledger, signer, report)
            finally:
                signer.close()
        finally:
            ledger.close()
    except XinglinError as error:
        lasting = isinstance(error, (Conflict, VerificationFailed)) and not error.retry
        return AnchorReport(reason=error.what, remedy=error.remedy if lasting else "")


def _with_consents(settings: Settings, ledger: Ledger, signer: Signer, report: AnchorReport) -> AnchorReport:
    """Tell the ledger of consents, and withdrawals, that could not reach it before."""
    from xinglin.access.commitments import FILE
    from xinglin.access.consents import ConsentStore

    if not (settings.access_folder / FILE).is_file():
        return report
    store = ConsentStore(settings.access_folder)
    try:
        waiting, reason = store.settle(ledger, signer), "consents wait for a commit"
    except XinglinError as error:
        waiting, reason = 1, error.what
    finally:
        store.close()
    return replace(report, left=report.left + waiting, reason=report.reason or reason) if waiting else report


def _ledger_key(settings: Settings) -> tuple[bytes, bytes]:
    """Seed and public key of the region's transactions; made when there is none."""
    from xinglin.ledger.consortium.home import transaction_key

    path = settings.keys / "ledger.key"
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    public = transaction_key(path)
    return bytes.fromhex(path.read_text().strip()), public


@contextmanager
def open_runner(settings: Settings, kind: str | None = None, master: str | None = None) -> Iterator[Runner]:
    """Where tasks happen, for one command; a Spark application is started now and ends with the block.

    Args:
        settings: The region's settings.
        kind: ``local`` or ``spark``; as the region's settings say when not given.
        master: Spark's master URL; likewise. Naming one means the runner spark.

    Raises:
        NotFound: Spark or Java is not installed.
        StorageError: The master does not answer.

    Example:
        >>> with open_runner(Settings(home=Path("/tmp"), threads=2)) as runner:
        ...     runner.map(abs, [-1, 2])
        [1, 2]
    """
    from xinglin.lake import LocalRunner

    kind = kind or ("spark" if master else settings.runner.kind)
    if kind == "local":
        if master:
            raise UsageError("only the runner spark has a master", source=master, remedy="leave out --runner local")
        yield LocalRunner(settings.workers)
        return
    from xinglin.lake.application import spark_application
    from xinglin.lake.spark import SparkRunner

    with spark_application(master or settings.runner.master, dict(settings.runner.conf)) as context:
        yield SparkRunner(context)


def open_door(
    settings: Settings, master: str | None = None, host: str = "127.0.0.1", port: int = 10000
) -> AbstractContextManager[SqlDoor]:
    """Spark's Thrift server, showing nothing yet; it ends with the block.

    Args:
        settings: The region's settings.
        master: Spark's master URL; as the region's settings say when not given.
        host: Address to listen on.
        port: Port to listen on.
    """
    from xinglin.lake.thrift import sql_door

    return sql_door(master or settings.runner.master, dict(settings.runner.conf), host, port)
