"""Every stage in order, only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.admission.stores import Progress, Stores
from xinglin.flows.stages.sites import is_database, reading_of

if TYPE_CHECKING:
    from xinglin.admission.renewal import Standing
    from xinglin.core.waiver import Waiver
    from xinglin.identity import LinkReport
    from xinglin.lake import Runner
    from xinglin.landing import IngestReport, Pool
    from xinglin.mart import CheckReport, MartReport
    from xinglin.sources import Reading

__all__ = ["RunReport", "build", "check", "ingest", "ingest_all", "link", "run", "waive"]


@dataclass(frozen=True)
class RunReport:
    """What one run did."""

    ingested: list[IngestReport]
    linked: LinkReport
    mart: MartReport
    checked: CheckReport


def ingest(
    stores: Stores,
    path: Path | str,
    site: str,
    progress: Progress | None = None,
    pool: Pool | None = None,
    reading: Reading | None = None,
) -> IngestReport:
    """Land one path, or what is new in one database, at one site, as one signed batch.

    Args:
        stores: The region.
        path: A file or folder, or the URL of a database.
        site: A registered site.
        progress: Told of the bytes read.
        pool: Workers to use.
        reading: Format and mapping; as registered for the site when not given.
    """
    from xinglin.landing import ingest as land

    reading = reading or reading_of(stores.landing, site)
    if isinstance(path, str) and is_database(path):
        from xinglin.flows.stages.pull import ingest_database

        return ingest_database(stores, path, site, reading.mapping or "", progress)
    return land(
        stores.landing,
        Path(path),
        site,
        settings=stores.settings,
        clock=stores.clock,
        progress=_of(progress, f"land {site}"),
        pool=pool,
        reading=reading,
    )


def ingest_all(
    stores: Stores, inputs: Sequence[tuple[str, Path | str]], progress: Progress | None = None
) -> list[IngestReport]:
    """Land what several sites sent, two sites at a time, by the same workers.

    While one site's batch is decided and signed, the workers read the other's files.

    Args:
        stores: The region.
        inputs: Sites, each once, and what they sent.
        progress: Told of every step.
    """
    from concurrent.futures import ThreadPoolExecutor

    from xinglin.landing import worker_pool

    with worker_pool(stores.settings.workers) as pool, ThreadPoolExecutor(2) as sites:
        started = [sites.submit(ingest, stores, path, site, progress, pool) for site, path in inputs]
        return [one.result() for one in started]


def link(
    stores: Stores, *, full: bool = False, progress: Progress | None = None, runner: Runner | None = None
) -> LinkReport:
    """Find out who is the same person."""
    from xinglin.identity import link as link_patients

    report = link_patients(
        stores.lake,
        stores.landing,
        stores.settings,
        stores.clock,
        full=full,
        progress=_of(progress, "link"),
        runner=runner,
    )
    _let_consents_follow(stores)
    return report


def _let_consents_follow(stores: Stores) -> None:
    """What a person denied is denied for whoever the person is now, also where a run before was killed here."""
    from xinglin.access.consent.commitments import FILE
    from xinglin.access.consent.store import ConsentStore
    from xinglin.identity import called_now

    if not (stores.settings.access_folder / FILE).is_file():
        return
    consents = ConsentStore(stores.settings.access_folder)
    try:
        consents.reassign(lambda persons: called_now(stores.lake, persons))
    finally:
        consents.close()


def build(
    stores: Stores, *, full: bool = False, progress: Progress | None = None, runner: Runner | None = None
) -> MartReport:
    """Build the mart from what was landed and linked."""
    from xinglin.mart import build_mart

    return build_mart(
        stores.lake, stores.landing, stores.settings, full=full, progress=_of(progress, "mart"), runner=runner
    )


def check(stores: Stores, progress: Progress | None = None, runner: Runner | None = None) -> CheckReport:
    """Check the mart's quality; whether a failure blocks is in the report."""
    from xinglin.mart import check_mart

    return check_mart(stores.lake, stores.settings, progress=_of(progress, "check"), runner=runner)


def waive(stores: Stores, waiver: Waiver) -> None:
    """Add a waiver to the region's settings; one of the same check is replaced.

    Raises:
        UsageError: There is no such check, or it blocks.
    """
    from dataclasses import replace

    from xinglin.core.errors import UsageError
    from xinglin.mart import rules

    named = {rule.full_name: rule for rule in rules(stores.clock().date())}
    rule = named.get(waiver.check)
    if rule is None:
        raise UsageError("no check has this name", source=waiver.check, remedy="run: xinglin mart check --all")
    if rule.blocking:
        raise UsageError(
            "a check that blocks cannot be waived", source=waiver.check, remedy="run: xinglin mart check --explain"
        )
    kept = tuple(other for other in stores.settings.waivers if other.check != waiver.check)
    replace(stores.settings, waivers=(*kept, waiver)).save()


def run(
    stores: Stores,
    *,
    full: bool = False,
    progress: Progress | None = None,
    runner: Runner | None = None,
    standing: Standing | None = None,
) -> RunReport:
    """Ingest what lies in the sites' inboxes, link, build the mart and check it.

    Args:
        stores: The region.
        full: Link and build everything anew instead of only what is new.
        progress: Told of every step.
        runner: Where tasks happen; this machine's cores when not given.
        standing: Decides anew before each stage; the first decision counts to the end when not given.

    Raises:
        AccessDenied: It is not permitted any more; what was published until then stays.
    """
    progress = standing.progress(progress) if standing else progress
    inboxes = [(site.name, site.inbox) for site in stores.landing.sites() if site.inbox]
    ingested = ingest_all(stores, inboxes, progress)
    stores = standing.anew() if standing else stores
    linked = link(stores, full=full, progress=progress, runner=runner)
    stores = standing.anew() if standing else stores
    mart = build(stores, full=full, progress=progress, runner=runner)
    stores = standing.anew() if standing else stores
    return RunReport(ingested, linked, mart, check(stores, progress, runner))


def _of(progress: Progress | None, stage: str) -> Any:
    """The stage's own view of the progress: done and total."""
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)
