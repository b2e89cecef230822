"""Erase a person from one site's batches: found, staged, and then done in one step that cannot be half done.

New files are made beside the old ones in a hidden folder. The tombstone appears under its name last, by one rename:
from then on the erasure holds, and `finish` moves the files into place, however often it is interrupted. A folder
without its tombstone was never decided and vanishes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.landing import QUARANTINE, RESOURCE, SUPERSEDED
from xinglin.core.clock import Clock
from xinglin.core.files import exclusive, file_sha256, full_disk, sync_folder, write_atomic
from xinglin.landing.forgotten import Forgotten, forgotten_key
from xinglin.landing.manifest import canonical, digest, sign
from xinglin.landing.parquet import ROW_GROUP, sync, writer
from xinglin.landing.store import Batch, LandedFile, Landing
from xinglin.landing.tombstone import ErasedBatch, ErasedFile, Tombstone, folder_of, read_tombstones, seal
from xinglin.landing.trace import Trace, trace_of, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Erased", "erase", "finish", "pending"]

_STAGE = ".erasure"
_PLAN = "plan.json"


@dataclass(frozen=True)
class Erased:
    """What one erasure did at one site.

    Args:
        site: The site.
        tombstone: Number of the tombstone; None where there was nothing to erase.
        resources: Rows of resources, all versions.
        quarantined: Quarantined records whose content was erased.
        originals: Kept originals that were removed.
        waiting: Messages and objects that waited in the spool.
        others: Resources about other persons that mention this one; they are untouched.
    """

    site: str
    tombstone: int | None = None
    resources: int = 0
    quarantined: int = 0
    originals: int = 0
    waiting: int = 0
    others: int = 0


@dataclass
class _Found:
    """What is to be erased of one batch."""

    batch: Batch
    rows: dict[str, dict[int, str]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    resources: list[tuple[str, str]] = field(default_factory=list)
    sources: set[int] = field(default_factory=set)
    others: int = 0


def pending(site_folder: Path) -> bool:
    """Whether an erasure was decided and is not finished."""
    plan = site_folder / _STAGE / _PLAN
    return plan.is_file() and (folder_of(site_folder) / json.loads(plan.read_bytes())["tombstone"]).is_file()


def finish(site_folder: Path) -> None:
    """Finish an erasure that was decided; forget one that was not. The caller holds the site's lock."""
    stage = site_folder / _STAGE
    if not stage.is_dir():
        return
    if pending(site_folder):
        plan = json.loads((stage / _PLAN).read_bytes())
        for name, target in sorted(plan["moves"].items()):
            if (stage / name).exists():
                (site_folder / target).parent.mkdir(exist_ok=True)
                (stage / name).replace(site_folder / target)
        for target in plan["removes"]:
            (site_folder / target).unlink(missing_ok=True)
        for folder in sorted({(site_folder / one).parent for one in [*plan["moves"].values(), *plan["removes"]]}):
            if folder.is_dir():
                sync_folder(folder)
        # Runs of keys are derived, and hold the erased ones.
        shutil.rmtree(site_folder / "index", ignore_errors=True)
    shutil.rmtree(stage)
    sync_folder(site_folder)


def erase(landing: Landing, site: str, keys: Collection[int], reason: str, clock: Clock) -> Erased:
    """Erase a person's records from one site.

    Resources about the person, in all versions; resources about nobody that name the person; what was set aside, kept
    as original or waits to be landed and holds one of the person's numbers or both names.

    Args:
        landing: Where.
        site: The site.
        keys: Keys of the person's Patient resources there.
        reason: Why; it stands in the tombstone.
        clock: The time in the tombstone.

    Raises:
        Conflict: Something is being landed at the site.
        NotFound: The site's signing key is not there.
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
        stage = _Stage(landing, site, trace, key)
        made = stage.make(found, reason, clock)
        if made is None:
            return Erased(site, waiting=waiting)
        finish(folder)
        landing.changed(site)
    return Erased(
        site, made.sequence, sum(len(rows) for one in found for rows in one.rows.values()), stage.quarantined,
        len(made.originals), waiting, sum(one.others for one in found),
    )  # fmt: skip


def _find(batch: Batch, trace: Trace) -> _Found:
    """The rows of a batch that are about the person, or about nobody and name the person."""
    from xinglin.lake.engine import connect, parquet_list

    found = _Found(batch)
    files = {str(file.path): file for file in batch.files()}
    if not files:
        return found
    keys = ", ".join(map(str, sorted(trace.keys)))
    named = [f'Patient/{one}"' for one in sorted(trace.ids)] + [f'|{one.decode()}"' for one in sorted(trace.numbers)]
    mentions = " OR ".join(["contains(resource, ?)"] * len(named))
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


class _Stage:
    """The new files of one erasure, in the hidden folder."""

    def __init__(self, landing: Landing, site: str, trace: Trace, key: bytes) -> None:
        self.landing = landing
        self.site = site
        self.trace = trace
        self.key = key
        self.folder = landing.folder(site)
        self.stage = self.folder / _STAGE
        self.quarantined = 0
        self.moves: dict[str, str] = {}

    def make(self, found: list[_Found], reason: str, clock: Clock) -> Tombstone | None:
        """Make every new file and let the tombstone appear; None where nothing has to change."""
        self.stage.mkdir()
        keys = {key for one in found for key in one.keys}
        batches = [made for one in found if (made := self._batch(one, keys))]
        originals = tuple(sorted(set(self._originals(batches))))
        if not batches and not originals:
            shutil.rmtree(self.stage)
            return None
        self._forget([one for batch in found for one in batch.resources])
        before = read_tombstones(self.folder)
        tombstone = Tombstone(
            self.site, len(before) + 1, before[-1].digest if before else None, reason, clock().isoformat(),
            tuple(batches), originals,
        )  # fmt: skip
        name = f"{tombstone.sequence:06d}.json"
        plan = {"tombstone": name, "moves": self.moves, "removes": [f"originals/{one}" for one in originals]}
        write_atomic(self.stage / _PLAN, canonical(plan))
        sync_folder(self.stage)
        folder_of(self.folder).mkdir(exist_ok=True)
        write_atomic(folder_of(self.folder) / name, seal(tombstone, self.key))
        return tombstone

    def _staged(self, target: str) -> Path:
        name = f"{len(self.moves):06d}"
        self.moves[name] = target
        return self.stage / name

    def _batch(self, found: _Found, keys: set[int]) -> ErasedBatch | None:
        batch = found.batch
        changed = [self._resources(file, found.rows[file.name]) for file in batch.files() if file.name in found.rows]
        roles = {entry["role"]: entry for entry in batch.manifest["files"] if entry["role"] != "resource"}
        if "superseded" in roles:
            changed += self._superseded(batch, keys)
        if "quarantine" in roles:
            changed += self._set_aside(batch, found.sources)
        redacted = self._redacted(batch)
        if not changed and redacted is None:
            return None
        signature = (batch.path / "manifest.sig").read_text().strip() if redacted else None
        return ErasedBatch(
            batch.sequence, batch.digest, redacted, signature, tuple(changed), tuple(sorted(found.sources))
        )

    def _resources(self, file: LandedFile, rows: dict[int, str]) -> ErasedFile:
        """The file with the rows emptied: their places, leaves and origins stay."""
        import pyarrow.parquet as pq

        table = pq.read_table(file.path)
        empty = {"key": 0, "patient_key": None, "resource_id": "", "resource": ""}
        for name, value in empty.items():
            table = _put(table, name, rows, value)
        return self._rewritten(file.path, "resource", table, rows)

    def _superseded(self, batch: Batch, keys: set[int]) -> list[ErasedFile]:
        import pyarrow.parquet as pq

        path = batch.path / "superseded.parquet"
        table = pq.read_table(path)
        rows = {row: "" for row, key in enumerate(table["key"].to_pylist()) if key in keys}
        return [self._rewritten(path, "superseded", _put(table, "key", rows, 0), rows)] if rows else []

    def _set_aside(self, batch: Batch, sources: set[int]) -> list[ErasedFile]:
        """Quarantined records that tell of the person lose their content; that they were received stays."""
        import pyarrow.parquet as pq

        path = batch.path / "quarantine.parquet"
        table = pq.read_table(path)
        told = zip(*(table[name].to_pylist() for name in ("source", "member", "original")), strict=True)
        rows = {
            row: ""
            for row, (_, member, original) in enumerate(told)
            if (original and self.trace.told_by(original)) or (member and self.trace.told_by(member.encode()))
        }
        if not rows:
            return []
        self.quarantined += len(rows)
        sources |= {table["source"][row].as_py() for row in rows}
        return [
            self._rewritten(path, "quarantine", _put(_put(table, "original", rows, None), "member", rows, None), rows)
        ]

    def _rewritten(self, path: Path, role: str, table: pa.Table, rows: dict[int, str]) -> ErasedFile:
        contract = {"resource": RESOURCE, "superseded": SUPERSEDED, "quarantine": QUARANTINE}[role]
        target = self._staged(f"{path.parent.name}/{path.name}")
        with writer(target, contract) as out:
            out.write_table(table.cast(out.schema), row_group_size=ROW_GROUP)
        sync(target)
        order = sorted(rows)
        leaves = tuple(rows[row] for row in order) if role == "resource" else ()
        return ErasedFile(
            path.name, role, tuple(order), leaves, file_sha256(path), file_sha256(target), target.stat().st_size
        )

    def _redacted(self, batch: Batch) -> str | None:
        """A manifest without names of files that name the person, signed anew; its SHA-256, or None."""
        manifest = json.loads(batch.manifest_bytes)
        told = [one for one in manifest["sources"] if self.trace.told_by(one["name"].encode())]
        if not told:
            return None
        for number, source in enumerate(manifest["sources"]):
            if source in told:
                source["name"] = f"erased-{number}"
        content = canonical(manifest)
        for name, data in (("manifest.json", content), ("manifest.sig", sign(self.key, content))):
            write_atomic(self._staged(f"{batch.path.name}/{name}"), data)
        return digest(content)

    def _originals(self, batches: list[ErasedBatch]) -> Iterator[str]:
        """Kept originals that a record of the person was made from, or that hold one of the person's numbers."""
        sources = {one.sequence: set(one.sources) for one in batches}
        made_from: set[str] = set()
        others: set[str] = set()
        for batch in self.landing.batches(self.site):
            archive: str | None = None
            for number, source in enumerate(batch.manifest["sources"]):
                own = source.get("original")
                archive = own if source["role"] == "archive" else archive if source["role"] == "member" else None
                kept = own or archive
                if kept is not None and (self.folder / "originals" / kept).is_file():
                    (made_from if number in sources.get(batch.sequence, ()) else others).add(kept)
        yield from made_from
        for kept in sorted(others - made_from):
            if any(self.trace.numbered(one.lower()) for one in unpacked(self.folder / "originals" / kept)):
                yield kept

    def _forget(self, resources: list[tuple[str, str]]) -> None:
        path = self.folder / "erased"
        known = self.landing.forgotten(self.site) or Forgotten(
            self.site, forgotten_key(self.landing.keys / "erased.key"), frozenset()
        )
        write_atomic(self._staged(path.name), known.plus(resources).content)


def _put(table: pa.Table, name: str, rows: dict[int, str], value: Any) -> pa.Table:
    """A table with one value in some rows of a column."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.schema.get_field_index(name)
    kind = table.schema.field(column)
    hit = np.zeros(table.num_rows, dtype=bool)
    hit[list(rows)] = True
    values = pc.if_else(pa.array(hit), pa.scalar(value, kind.type), table[name])
    return table.set_column(column, kind.with_nullable(True), values)


def _empty_spool(spool: Path, trace: Trace) -> int:
    """Remove what waits to be landed and tells of the person."""
    from xinglin.landing.spool import journal, messages

    if not spool.is_dir():
        return 0
    gone = 0
    with exclusive(spool / ".lock", doing="listening"):
        for path in sorted(spool.glob("*.journal")):
            waiting = list(messages(path.read_bytes()))
            kept = [one for one in waiting if not trace.told_by(one)]
            if len(kept) < len(waiting):
                gone += len(waiting) - len(kept)
                write_atomic(path, journal(kept), mode=0o600)
        for path in sorted(spool.glob("dicom-*/*.dcm")):
            if trace.told_by(path.read_bytes()):
                gone += 1
                path.unlink()
    return gone
