"""Erase a person: from batches, salts, consents, identity and mart, however often it is interrupted.

What is under way stands in ``keys/erasing.json`` (the person's id and keys, no name) until all of it is done; every
step may be done twice.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.core.files import private_file

if TYPE_CHECKING:
    from xinglin.admission.stores import Progress, Stores
    from xinglin.landing import Erased

__all__ = ["ErasureReport", "erase", "erase_again", "under_way"]

_STEPS = 5
_BACK = "erased before; came back with a backup"


@dataclass(frozen=True)
class ErasureReport:
    """What was erased.

    Args:
        person: `person_id`.
        sites: What was erased at each site.
        salts: Salts of pseudonyms that were destroyed.
        consents: Consents that were destroyed with their salts.
        identity: Rows taken out of the tables of identity.
        files: Files of the lake that were deleted.
    """

    person: int
    sites: list[Erased]
    salts: int
    consents: int
    identity: int
    files: int


def under_way(home_keys: Path) -> int | None:
    """The person whose erasure was begun and not finished.

    Args:
        home_keys: The region's folder of keys.
    """
    path = _journal(home_keys)
    return int(json.loads(path.read_bytes())["person"]) if path.is_file() else None


def erase(stores: Stores, person: int, reason: str, progress: Progress | None = None) -> ErasureReport:
    """Erase a person, or finish what was begun.

    Args:
        stores: The region; everything of it may be written.
        person: `person_id`.
        reason: Why; it stands in the signed tombstones and must not name the person.
        progress: Told of the steps.

    Raises:
        NotFound: Nobody has that `person_id`.
        Conflict: The erasure of another person is not finished, or something is being landed.
        UsageError: No reason was given.
    """
    from xinglin.flows.stages.run import build, link
    from xinglin.identity import forget_person
    from xinglin.landing import erase as erase_at
    from xinglin.landing import finish
    from xinglin.release import Salts

    records, reason = _begin(stores, person, reason)
    done = _Steps(progress)
    for site in stores.landing.sites():
        finish(stores.landing.folder(site.name))
    sites = [erase_at(stores.landing, site, keys, reason, stores.clock) for site, keys in sorted(records.items())]
    done.one()
    salts = Salts(stores.settings.keys / "person-salts").destroy([person])
    consents = _forget_consents(stores, person)
    done.one()
    keys = [key for some in records.values() for key in some]
    taken = forget_person(stores.lake, person, keys)
    if stores.lake.snapshot("identity"):
        link(stores)
    done.one()
    if stores.lake.snapshot("mart"):
        build(stores)
    done.one()
    files = sum(stores.lake.purge(stage) for stage in ("identity", "mart"))
    for folder in ("tmp", "jobs"):
        shutil.rmtree(stores.settings.home / folder, ignore_errors=True)
    _journal(stores.settings.keys).unlink(missing_ok=True)
    done.one()
    return ErasureReport(person, sites, salts, consents, taken, files)


def erase_again(stores: Stores, progress: Progress | None = None) -> list[ErasureReport]:
    """Erase whoever was erased before and came back with an old backup.

    Args:
        stores: The region; everything of it may be written.
        progress: Told of the steps.

    Returns:
        A report for each person; none where nobody came back.

    Raises:
        Conflict: The erasure of another person is not finished, or something is being landed.
    """
    from xinglin.flows.stages.run import link

    reports: list[ErasureReport] = []
    while (person := _came_back(stores)) is not None:
        if person < 0:
            link(stores)
            person = _came_back(stores)
        if person is None or person < 0:
            raise NotFound("a record that came back belongs to nobody", source="identity", remedy="run: xinglin run")
        reports.append(erase(stores, person, _BACK, progress))
    return reports


def _came_back(stores: Stores) -> int | None:
    """One of the persons who are here again; -1 for one whom identity does not know, None for nobody."""
    from xinglin.identity import person_of
    from xinglin.landing import landed_again

    begun = under_way(stores.settings.keys)
    if begun is not None:
        return begun
    for site in stores.landing.sites():
        for key in landed_again(stores.landing, site.name):
            found = person_of(stores.lake, key)
            return -1 if found is None else found
    return None


@dataclass
class _Steps:
    progress: Progress | None
    count: int = 0

    def one(self) -> None:
        """One more step is done."""
        self.count += 1
        if self.progress:
            self.progress("erase", self.count, _STEPS)


def _journal(keys: Path) -> Path:
    return keys / "erasing.json"


def _begin(stores: Stores, person: int, reason: str) -> tuple[dict[str, list[int]], str]:
    """The keys of the person's records by site, and the reason; remembered until everything is done."""
    from xinglin.identity import records_of

    path = _journal(stores.settings.keys)
    if path.is_file():
        begun: dict[str, Any] = json.loads(path.read_bytes())
        if begun["person"] != person:
            raise Conflict(
                "the erasure of another person is not finished", source=str(path), remedy="run: xinglin erase --resume"
            )
        return begun["records"], begun["reason"]
    if not reason.strip():
        raise UsageError("an erasure has a reason", remedy='say it: --reason "…", without naming the person')
    records: dict[str, list[int]] = {}
    for record in records_of(stores.lake, person):
        records.setdefault(record.site, []).append(record.patient_key)
    if not records:
        raise NotFound("nobody has this person_id", source="--person", remedy="look it up: xinglin identity links")
    private_file(path, json.dumps({"person": person, "reason": reason, "records": records}).encode())
    return records, reason


def _forget_consents(stores: Stores, person: int) -> int:
    from xinglin.access.consent.store import ConsentStore

    folder = stores.settings.access_folder
    if not folder.is_dir():
        return 0
    consents = ConsentStore(folder)
    try:
        return consents.erase(person)
    finally:
        consents.close()
