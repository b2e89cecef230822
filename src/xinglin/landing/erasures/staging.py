"""Staging of one erasure: new files in a hidden folder, until the tombstone commits them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.landing import QUARANTINE, RESOURCE, SUPERSEDED
from xinglin.core.clock import Clock
from xinglin.core.files import file_sha256, sync_folder, write_atomic
from xinglin.landing.batch.parquet import ROW_GROUP, sync, writer
from xinglin.landing.erased_hashes import ErasedHashes, erased_key
from xinglin.landing.erasures.redaction import Redacted, originals_without
from xinglin.landing.erasures.trace import Trace
from xinglin.landing.manifest import canonical, digest, sign
from xinglin.landing.store import Batch, LandedFile, Landing
from xinglin.landing.tombstone import ErasedBatch, ErasedFile, Tombstone, folder_of, read_tombstones, seal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PLAN", "STAGE", "Found", "Stage"]

STAGE = ".erasure"
PLAN = "plan.json"
_WORK = "work"


@dataclass
class Found:
    """What to erase in one batch.

    Args:
        batch: The batch.
        rows: Leaf hashes by file and row.
        keys: Keys of the resources.
        resources: Their types and ids.
        sources: Received files they came from.
        others: Number of resources about other persons that mention this one.
    """

    batch: Batch
    rows: dict[str, dict[int, str]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    resources: list[tuple[str, str]] = field(default_factory=list)
    sources: set[int] = field(default_factory=set)
    others: int = 0


class Stage:
    """The new files of one erasure.

    Args:
        landing: The region's landing.
        site: The site.
        trace: Recognises the person.
        key: The site's signing key.
    """

    def __init__(self, landing: Landing, site: str, trace: Trace, key: bytes) -> None:
        self.landing = landing
        self.site = site
        self.trace = trace
        self.key = key
        self.folder = landing.folder(site)
        self.stage = self.folder / STAGE
        self.quarantined = 0
        self.originals = Redacted()
        self.moves: dict[str, str] = {}

    def make(self, found: list[Found], reason: str, clock: Clock) -> Tombstone | None:
        """Write every new file, then the tombstone; None if nothing has to change.

        Raises:
            StorageError: The disk is full; nothing was changed.
        """
        self.stage.mkdir()
        try:
            made = self._made(found, reason, clock)
        except Exception:
            # Not committed: the files would only fill the disk.
            shutil.rmtree(self.stage, ignore_errors=True)
            raise
        if made is None:
            shutil.rmtree(self.stage)
            return None
        folder_of(self.folder).mkdir(exist_ok=True)
        write_atomic(folder_of(self.folder) / f"{made.sequence:06d}.json", seal(made, self.key))
        return made

    def _made(self, found: list[Found], reason: str, clock: Clock) -> Tombstone | None:
        keys = {key for one in found for key in one.keys}
        batches = [made for one in found if (made := self._batch(one, keys))]
        sources = {one.sequence: frozenset(one.sources) for one in batches}
        self.originals = originals_without(self.landing, self.site, self.trace, sources, self._staged)
        removed, rewritten = self.originals.removed, self.originals.rewritten
        if not batches and not removed and not rewritten:
            return None
        self._forget([one for batch in found for one in batch.resources])
        before = read_tombstones(self.folder)
        tombstone = Tombstone(
            self.site, len(before) + 1, before[-1].digest if before else None, reason, clock().isoformat(),
            tuple(batches), tuple(removed), tuple(rewritten),
        )  # fmt: skip
        gone = sorted({*removed, *(one.before for one in rewritten)})
        plan = {
            "tombstone": f"{tombstone.sequence:06d}.json",
            "moves": self.moves,
            "removes": [f"originals/{one}" for one in gone],
        }
        write_atomic(self.stage / PLAN, canonical(plan))
        sync_folder(self.stage)
        return tombstone

    def _staged(self, target: str) -> Path:
        """Path to write the file for a target; path of a work file if the target is empty."""
        if not target:
            return self.stage / _WORK
        name = f"{len(self.moves):06d}"
        self.moves[name] = target
        return self.stage / name

    def _batch(self, found: Found, keys: set[int]) -> ErasedBatch | None:
        batch = found.batch
        changed = [self._resources(file, found.rows[file.name]) for file in batch.files() if file.name in found.rows]
        roles = {entry["role"]: entry for entry in batch.manifest["files"] if entry["role"] != "resource"}
        if "superseded" in roles:
            changed += self._superseded(batch, keys)
        if "quarantine" in roles:
            changed += self._quarantined(batch, found.sources)
        redacted = self._redacted(batch)
        if not changed and redacted is None:
            return None
        signature = (batch.path / "manifest.sig").read_text().strip() if redacted else None
        return ErasedBatch(
            batch.sequence, batch.digest, redacted, signature, tuple(changed), tuple(sorted(found.sources))
        )

    def _resources(self, file: LandedFile, rows: dict[int, str]) -> ErasedFile:
        """The file with the rows emptied; positions, leaves and sources stay."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(file.path)
        if "updated" not in table.column_names:  # a batch of an earlier release
            table = table.append_column("updated", pa.nulls(table.num_rows, pa.int64()))
        empty = {"key": 0, "patient_key": None, "resource_id": "", "resource": "", "updated": None}
        for name, value in empty.items():
            table = _put(table, name, rows, value)
        return self._rewritten(file.path, "resource", table, rows)

    def _superseded(self, batch: Batch, keys: set[int]) -> list[ErasedFile]:
        import pyarrow.parquet as pq

        path = batch.path / "superseded.parquet"
        table = pq.read_table(path)
        rows = {row: "" for row, key in enumerate(table["key"].to_pylist()) if key in keys}
        return [self._rewritten(path, "superseded", _put(table, "key", rows, 0), rows)] if rows else []

    def _quarantined(self, batch: Batch, sources: set[int]) -> list[ErasedFile]:
        """Empty quarantined records that mention the person; the rows and their reasons stay."""
        import pyarrow.parquet as pq

        path = batch.path / "quarantine.parquet"
        table = pq.read_table(path)
        records = zip(*(table[name].to_pylist() for name in ("source", "member", "original")), strict=True)
        rows = {
            row: ""
            for row, (_, member, original) in enumerate(records)
            if (original and self.trace.mentioned_in(original)) or (member and self.trace.mentioned_in(member.encode()))
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
        """Write the manifest without file names that name the person, signed again; its SHA-256, or None."""
        manifest = json.loads(batch.manifest_bytes)
        naming = [one for one in manifest["sources"] if self.trace.mentioned_in(one["name"].encode())]
        if not naming:
            return None
        for number, source in enumerate(manifest["sources"]):
            if source in naming:
                source["name"] = f"erased-{number}"
        content = canonical(manifest)
        for name, data in (("manifest.json", content), ("manifest.sig", sign(self.key, content))):
            write_atomic(self._staged(f"{batch.path.name}/{name}"), data)
        return digest(content)

    def _forget(self, resources: list[tuple[str, str]]) -> None:
        path = self.folder / "erased"
        known = self.landing.erased_hashes(self.site) or ErasedHashes(
            self.site, erased_key(self.landing.keys / "erased.key"), frozenset()
        )
        write_atomic(self._staged(path.name), known.plus(resources).content)


def _put(table: pa.Table, name: str, rows: dict[int, str], value: Any) -> pa.Table:
    """The table with one value set in some rows of a column."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.schema.get_field_index(name)
    kind = table.schema.field(column)
    hit = np.zeros(table.num_rows, dtype=bool)
    hit[list(rows)] = True
    values = pc.if_else(pa.array(hit), pa.scalar(value, kind.type), table[name])
    return table.set_column(column, kind.with_nullable(True), values)
