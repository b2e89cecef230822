"""Tables as Delta Lake tables, and one pointer file per stage that publishes all of them atomically.

Tasks write Parquet into a scratch folder; `Lake.adopt` gives each file the name that its content decides;
`Lake.publish` replaces ``_snapshot.json`` in one step and then commits one Delta transaction per changed table (Delta
Transaction Log Protocol, add, remove and txn actions). Readers inside Xinglin follow the pointer only, so they see a
stage's output completely or not at all; external readers (Spark, Trino, DuckDB) read every table as Delta.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import EllipsisType
from typing import Any

from xinglin.contracts.model import Table
from xinglin.core.errors import Conflict, ContractViolation, NotFound
from xinglin.core.files import exclusive, file_sha256, full_disk
from xinglin.core.permit import CLOSED, EVERY, Permit
from xinglin.lake.delta import show_in_delta
from xinglin.lake.files import DataFile, Snapshot, table_relation
from xinglin.lake.storage import Local, Storage, Stored, open_storage

__all__ = ["Lake"]

_POINTER = "_snapshot.json"
_DAY = 86_400.0
_ARROW_TYPES = {
    "BIGINT": "int64",
    "INTEGER": "int32",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "DATE": "date32[day]",
    "TIMESTAMP": "timestamp[us]",
    "BOOLEAN": "bool",
    "BLOB": "binary",
}


@dataclass(frozen=True)
class Lake:
    """The tables of one region. It can be pickled: a task on another machine opens the same lake.

    Args:
        root: Folder or URL (``hdfs:``, ``s3:``) of the lake; a folder is created when first written.
        local: What a lake elsewhere needs on this machine.
        permit: The access decision; every method checks it for its stage. It is passed to every task.
    """

    root: Path | str
    local: Local = Local()  # noqa: RUF009 - a frozen value
    permit: Permit = CLOSED

    @property
    def storage(self) -> Storage:
        """Where the bytes of all stages lie.

        Raises:
            AccessDenied: Not every stage may be read.
        """
        self.permit.require(EVERY)
        return self._storage

    @property
    def _storage(self) -> Storage:
        return open_storage(str(self.root), self.local)

    def paths(self, table: Table, files: Iterable[str]) -> list[str]:
        """Absolute paths on this machine of files of a table, published or not.

        Args:
            table: The contract.
            files: `DataFile.path` of each.

        Raises:
            AccessDenied: The table's stage may not be read.
        """
        self.permit.require(table.stage)
        return self._storage.paths([f"{table.stage}/{table.name}/{path}" for path in files])

    def snapshot(self, stage: str) -> Snapshot | None:
        """The last published snapshot of the stage, or None.

        Raises:
            AccessDenied: The stage may not be read.
        """
        self.permit.require(stage)
        pointer = self._storage.read(f"{stage}/{_POINTER}")
        if pointer is None:
            return None
        content = json.loads(pointer.data)
        tables = {name: [DataFile.from_json(file) for file in files] for name, files in content["tables"].items()}
        return Snapshot(stage, content["version"], tables, content["state"], self._storage, pointer.token, self.permit)

    def require(self, stage: str, remedy: str) -> Snapshot:
        """Like `snapshot`, but a stage that never ran is an error with the command to run.

        Raises:
            NotFound: The stage has published nothing yet.
        """
        snapshot = self.snapshot(stage)
        if snapshot is None:
            raise NotFound(f"the stage {stage} has not run yet", source=str(self.root), remedy=remedy)
        return snapshot

    def relation(self, table: Table) -> str:
        """The published rows of a table as an item for FROM; none where its stage has published nothing yet.

        Raises:
            AccessDenied: The stage may not be read.
        """
        snapshot = self.snapshot(table.stage)
        return snapshot.relation(table) if snapshot else table_relation(table, [])

    @contextmanager
    def scratch(self, stage: str) -> Iterator[Path]:
        """A folder on this machine for the files of one run, emptied when the block ends.

        Raises:
            Conflict: Another process of this machine is writing this stage. Writers on several machines find out when
                they publish.
            AccessDenied: The stage may not be written.
        """
        self.permit.require(stage, write=True)
        stage_folder = self._storage.work / stage
        stage_folder.mkdir(parents=True, exist_ok=True)
        folder = stage_folder / "_scratch"
        with exclusive(stage_folder / "_lock", doing=f"the stage {stage}"):
            # Leftovers of a killed run have no reader.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                with full_disk(folder):
                    yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, table: Table, file: Path, bucket: int | None = None) -> DataFile:
        """Move a finished Parquet file into the lake, under the name that its content decides.

        Args:
            table: The contract; columns and types of the file must be its own.
            file: A file in the scratch folder.
            bucket: The person bucket, for a bucketed table.

        Raises:
            ContractViolation: The columns are not the contract's, or the bucket is missing.
            AccessDenied: The table's stage may not be written.
        """
        return self.adopt_all(table, [(file, bucket)])[0]

    def adopt_all(self, table: Table, files: Iterable[tuple[Path, int | None]]) -> list[DataFile]:
        """`adopt` for many files and their buckets, several at once where the lake is elsewhere."""
        self.permit.require(table.stage, write=True)
        adopted = [_described(table, file, bucket) for file, bucket in files]
        keys = [(file, f"{table.stage}/{table.name}/{described.path}") for file, described in adopted]
        self._storage.adopt(keys)
        return [described for _, described in adopted]

    def publish(
        self,
        stage: str,
        tables: Mapping[Table, Sequence[DataFile]],
        state: dict[str, Any],
        after: Snapshot | EllipsisType | None = ...,
    ) -> Snapshot:
        """Publish exactly these files as the stage's tables.

        Args:
            stage: The stage.
            tables: All files of all tables of the stage, by contract; not only the new ones.
            state: State of the stage (JSON).
            after: The snapshot that the work began with, None when there was none; what is shown now when not given.

        Returns:
            The new snapshot; the old one when nothing changed.

        Raises:
            Conflict: The stage shows another snapshot by now; nothing was published.
            AccessDenied: The stage may not be written.
        """
        self.permit.require(stage, write=True)
        before = self.snapshot(stage) if isinstance(after, EllipsisType) else after
        wanted = {table.name: sorted(set(files)) for table, files in tables.items()}
        if before and before.tables == wanted and before.state == state:
            show_in_delta(self._storage, before, tables, before)
            return before
        stored = list(self._storage.listing(stage))
        _all_there(stage, wanted, stored)
        version = before.version + 1 if before else 1
        snapshot = self._replace(Snapshot(stage, version, wanted, state, self._storage, permit=self.permit), before)
        show_in_delta(self._storage, snapshot, tables, before)
        shown = self._storage.read(f"{stage}/{_POINTER}")
        # A later snapshot, published meanwhile, may name files that this one does not.
        if shown and shown.token == snapshot.token:
            self._storage.delete(_unnamed(stored, snapshot, before, self._storage.grace))
        return snapshot

    def purge(self, stage: str) -> int:
        """Delete every file of a stage that its snapshot does not name, at once, copies on this machine included.

        For erasure: readers that are still at work with an earlier snapshot fail.

        Args:
            stage: The stage.

        Returns:
            How many files were deleted.

        Raises:
            AccessDenied: The stage may not be written.
        """
        self.permit.require(stage, write=True)
        snapshot = self.snapshot(stage)
        if snapshot is None:
            return 0
        unnamed = _unnamed(list(self._storage.listing(stage)), snapshot, None, 0.0)
        self._storage.delete(unnamed)
        if self._storage.url != str(self._storage.work):
            shutil.rmtree(self._storage.work / "_cache" / stage, ignore_errors=True)
        return len(unnamed)

    def _replace(self, now: Snapshot, before: Snapshot | None) -> Snapshot:
        content = {"version": now.version, "tables": now.tables, "state": now.state}
        data = json.dumps(content, sort_keys=True, separators=(",", ":"), default=DataFile.to_json).encode()
        try:
            token = self._storage.replace(f"{now.stage}/{_POINTER}", data, before.token if before else None)
        except Conflict as error:
            raise Conflict(
                f"another run has published the stage {now.stage} meanwhile; nothing of this one is shown",
                source=self._storage.url,
                remedy="run it again: it goes on from what is shown now",
                retry=True,
            ) from error
        return replace(now, token=token)


def _described(table: Table, file: Path, bucket: int | None) -> tuple[Path, DataFile]:
    """A finished file and what it will be in the lake."""
    import pyarrow.parquet as parquet

    if (bucket is None) == table.bucketed:
        raise ContractViolation(f"table {table.name} {'needs' if table.bucketed else 'has no'} person bucket")
    metadata = parquet.read_metadata(file)
    _hold_to(table, metadata.schema.to_arrow_schema())
    folder = f"{bucket:04d}/" if bucket is not None else ""
    path = f"{folder}{file_sha256(file)[:40]}.parquet"
    return file, DataFile(path, metadata.num_rows, file.stat().st_size, bucket)


def _hold_to(table: Table, schema: Any) -> None:
    """Refuse a file whose columns or types are not the contract's."""
    found = [(field.name, str(field.type)) for field in schema]
    agreed = [(column.name, _ARROW_TYPES[column.type]) for column in table.columns]
    if found != agreed:
        off = [f"{name} {kind}" for name, kind in found if (name, kind) not in agreed] or [name for name, _ in found]
        raise ContractViolation(f"columns are not the contract's: {', '.join(off)}", source=table.name)


def _all_there(stage: str, wanted: Mapping[str, Sequence[DataFile]], stored: Iterable[Stored]) -> None:
    """Refuse to show a file that the storage does not hold as it was adopted."""
    sizes = {one.key: one.size for one in stored}
    for name, files in wanted.items():
        gone = sum(sizes.get(f"{stage}/{name}/{file.path}") != file.size for file in files)
        if gone:
            raise Conflict(
                f"{gone} files of {name} are not in the lake as they were written",
                source=stage,
                remedy="run it again with --full",
                retry=True,
            )


def _unnamed(stored: Iterable[Stored], now: Snapshot, before: Snapshot | None, grace: float) -> list[str]:
    """Files that neither this snapshot nor the one before it names, so that a reader may finish; and broken writes."""
    tables = [*now.tables.items(), *(before.tables.items() if before else ())]
    named = {f"{now.stage}/{name}/{file.path}" for name, files in tables for file in files}
    moment = time.time()
    unnamed = []
    for one in stored:
        _, folder, *rest = one.key.split("/")
        broken = one.key.rpartition("/")[2].startswith(".") and one.modified < moment - _DAY
        data = folder in now.tables and one.key.endswith(".parquet") and rest[0] != "_delta_log"
        if broken or (data and one.key not in named and (not grace or one.modified < moment - grace)):
            unnamed.append(one.key)
    return unnamed
