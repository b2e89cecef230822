"""Erase a person from one site's batches: find, stage, then commit in one atomic step.

New files are written to a hidden folder beside the old ones. The tombstone gets its name last, by one rename: this
commits the erasure. After it `finish` moves the files into place, and can be repeated after an interruption. A folder
without its tombstone was not committed and is deleted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from xinglin.core.clock import Clock
from xinglin.core.files import exclusive, full_disk, sync_folder, write_atomic
from xinglin.landing.erasures.staging import PLAN, STAGE, Found, Stage
from xinglin.landing.erasures.trace import Trace, trace_of
from xinglin.landing.store import Batch, Landing
from xinglin.landing.tombstone import folder_of

__all__ = ["Erased", "erase", "finish", "pending"]


@dataclass(frozen=True)
class Erased:
    """What one erasure did at one site.

    Args:
        site: The site.
        tombstone: Number of the tombstone; None if there was nothing to erase.
        resources: Erased resources, all versions counted.
        quarantined: Quarantined records whose content was erased.
        originals: Originals that were deleted.
        redacted: Originals that were redacted.
        pieces: Members, lines, messages, rows and entries removed from the redacted originals.
        lost: Records about other persons in originals that cannot be cut; they stay landed, only their original is
            deleted.
        unread: Members of archives that cannot be read and were kept.
        waiting: Messages and objects deleted from the spool.
        others: Resources about other persons that mention this one; they are unchanged.
    """

    site: str
    tombstone: int | None = None
    resources: int = 0
    quarantined: int = 0
    originals: int = 0
    redacted: int = 0
    pieces: int = 0
    lost: int = 0
    unread: int = 0
    waiting: int = 0
    others: int = 0


def pending(site_folder: Path) -> bool:
    """Whether an erasure was committed and is not finished."""
    plan = site_folder / STAGE / PLAN
    return plan.is_file() and (folder_of(site_folder) / json.loads(plan.read_bytes())["tombstone"]).is_file()


def finish(site_folder: Path) -> None:
    """Finish a committed erasure, or delete an uncommitted one. The caller holds the site's lock."""
    stage = site_folder / STAGE
    if not stage.is_dir():
        return
    if pending(site_folder):
        plan = json.loads((stage / PLAN).read_bytes())
        for name, target in sorted(plan["moves"].items()):
            if (stage / name).exists():
                (site_folder / target).parent.mkdir(exist_ok=True)
                (stage / name).replace(site_folder / target)
        for target in plan["removes"]:
            (site_folder / target).unlink(missing_ok=True)
        for folder in sorted({(site_folder / one).parent for one in [*plan["moves"].values(), *plan["removes"]]}):
            if folder.is_dir():
                sync_folder(folder)
        # Runs of keys are derived data and contain erased keys.
        shutil.rmtree(site_folder / "index", ignore_errors=True)
    shutil.rmtree(stage)
    sync_folder(site_folder)


def erase(landing: Landing, site: str, keys: Collection[int], reason: str, clock: Clock) -> Erased:
    """Erase a person's records from one site.

    Erased are resources about the person, in all versions; resources about no patient that name the person; and
    quarantined records, originals and spooled messages with one of the person's numbers or both names.

    Args:
        landing: The region's landing.
        site: The site.
        keys: Keys of the person's Patient resources there.
        reason: Reason; written to the tombstone.
        clock: Gives the time in the tombstone.

    Raises:
        Conflict: An ingest of the site is running.
        NotFound: The site's signing key does not exist.
    """
    folder = landing.folder(site)
    key = landing.signing_key(site)
    with exclusive(folder / ".lock", doing=f"landing at {site}"), full_disk(folder):
        finish(folder)
        trace = trace_of(landing.batches(site), keys)
        if not trace.ids:
            return Erased(site)
        waiting = _empty_spool(landing.spool(site), trace)
        found = [_find(batch, trace) for batch in landing.batches(site)]
        stage = Stage(landing, site, trace, key)
        made = stage.make(found, reason, clock)
        if made is None:
            return Erased(site, waiting=waiting)
        finish(folder)
        landing.changed(site)
    return Erased(
        site,
        made.sequence,
        resources=sum(len(rows) for one in found for rows in one.rows.values()),
        quarantined=stage.quarantined,
        originals=len(made.originals),
        redacted=len(made.redacted),
        pieces=sum(one.removed for one in made.redacted),
        lost=stage.originals.lost,
        unread=stage.originals.unread,
        waiting=waiting,
        others=sum(one.others for one in found),
    )


def _find(batch: Batch, trace: Trace) -> Found:
    """The rows of a batch that are about the person, or about no patient but name the person."""
    from xinglin.core.sql import parquet_list
    from xinglin.lake.engine import connect

    found = Found(batch)
    files = {str(file.path): file for file in batch.files()}
    if not files:
        return found
    keys = ", ".join(map(str, sorted(trace.keys)))
    named = [one.decode() for one in (*trace.references, *trace.identifiers)]
    mentions = " OR ".join(
        ["contains(resource, ?)"] * len(trace.references) + ["contains(lower(resource), ?)"] * len(trace.identifiers)
    )
    with connect(memory_mb=500, threads=2) as connection:
        rows = connection.execute(
            "SELECT filename, file_row_number, key, patient_key, resource_id, source, hex(leaf)"
            f" FROM read_parquet({parquet_list(list(files))}, filename = true, file_row_number = true)"
            f" WHERE patient_key IN ({keys}) OR key IN ({keys}) OR {mentions} ORDER BY 1, 2",
            named,
        ).fetchall()
    for path, row, key, patient_key, resource_id, source, leaf in rows:
        if patient_key is not None and patient_key not in trace.keys and key not in trace.keys:
            found.others += 1
            continue
        file = files[path]
        found.rows.setdefault(file.name, {})[row] = leaf.lower()
        found.keys.add(key)
        found.resources.append((file.resource_type, resource_id))
        found.sources.add(source)
    return found


def _empty_spool(spool: Path, trace: Trace) -> int:
    """Delete spooled messages and objects that mention the person."""
    from xinglin.landing.spool import journal, messages

    if not spool.is_dir():
        return 0
    gone = 0
    with exclusive(spool / ".lock", doing="listening"):
        for path in sorted(spool.glob("*.journal")):
            waiting = list(messages(path.read_bytes()))
            kept = [one for one in waiting if not trace.mentioned_in(one)]
            if len(kept) < len(waiting):
                gone += len(waiting) - len(kept)
                write_atomic(path, journal(kept), mode=0o600)
        for path in sorted(spool.glob("dicom-*/*.dcm")):
            if trace.mentioned_in(path.read_bytes()):
                gone += 1
                path.unlink()
    return gone
