"""Tables as Delta Lake tables, and one pointer per stage that shows all of them at once.

Tasks write Parquet into a scratch folder; `Lake.adopt` gives each file the name that its content decides;
`Lake.publish` commits one Delta transaction per changed table (Delta Transaction Log Protocol, add and remove
actions) and then replaces ``_snapshot.json`` in one step. Readers inside Xinglin follow the pointer only, so they
see the whole of a stage's output or none of it; readers outside (Spark, Trino, DuckDB) see every table as Delta.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinglin.contracts.model import Table
from xinglin.core.errors import ContractViolation, NotFound
from xinglin.core.files import exclusive, file_sha256, full_disk, sync_file, write_atomic
from xinglin.lake.delta import commit_files
from xinglin.lake.files import DataFile, Snapshot

__all__ = ["Lake"]

_POINTER = "_snapshot.json"
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
    """The tables of one region.

    Args:
        root: Folder of the lake; created when first written.
    """

    root: Path

    def snapshot(self, stage: str) -> Snapshot | None:
        """What the stage last published, or None."""
        pointer = self.root / stage / _POINTER
        if not pointer.is_file():
            return None
        content = json.loads(pointer.read_bytes())
        tables = {name: [DataFile.from_json(file) for file in files] for name, files in content["tables"].items()}
        return Snapshot(self.root / stage, content["version"], tables, content["delta"], content["state"])

    def require(self, stage: str, remedy: str) -> Snapshot:
        """Like `snapshot`, but a stage that never ran is an error that says what to run.

        Raises:
            NotFound: The stage has published nothing yet.
        """
        snapshot = self.snapshot(stage)
        if snapshot is None:
            raise NotFound(f"the stage {stage} has not run yet", source=str(self.root), remedy=remedy)
        return snapshot

    @contextmanager
    def scratch(self, stage: str) -> Iterator[Path]:
        """A folder for the files of one run, on the lake's own disk, emptied when the block ends.

        Raises:
            Conflict: Another process is writing this stage.
        """
        stage_folder = self.root / stage
        stage_folder.mkdir(parents=True, exist_ok=True)
        folder = stage_folder / "_scratch"
        with exclusive(stage_folder / "_lock", doing=f"the stage {stage}"):
            # What a killed run left behind has no reader.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                with full_disk(folder):
                    yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, table: Table, file: Path, bucket: int | None = None) -> DataFile:
        """Move a finished Parquet file to the name that its content decides.

        Args:
            table: The contract; columns and types of the file must be its own.
            file: A file in the scratch folder.
            bucket: The person bucket, for a bucketed table.

        Raises:
            ContractViolation: The columns are not the contract's, or the bucket is missing.
        """
        import pyarrow.parquet as parquet

        if (bucket is None) == table.bucketed:
            raise ContractViolation(f"table {table.name} {'needs' if table.bucketed else 'has no'} person bucket")
        metadata = parquet.read_metadata(file)
        _hold_to(table, metadata.schema.to_arrow_schema())
        folder = Path(f"{bucket:04d}") if bucket is not None else Path()
        relative = folder / f"{file_sha256(file)[:40]}.parquet"
        target = self.root / table.stage / table.name / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        size = file.stat().st_size
        if target.exists():
            # The same content was adopted before; it stays as it is, time stamp included.
            file.unlink()
        else:
            sync_file(file)
            os.replace(file, target)
        return DataFile(relative.as_posix(), metadata.num_rows, size, bucket)

    def publish(self, stage: str, tables: Mapping[Table, Sequence[DataFile]], state: dict[str, Any]) -> Snapshot:
        """Show these files, and only these, as the stage's tables.

        Args:
            stage: The stage.
            tables: All files of all tables of the stage, by contract; not only the new ones.
            state: What the stage wants to remember (JSON).

        Returns:
            The new snapshot; the old one when nothing changed.
        """
        before = self.snapshot(stage)
        wanted = {table.name: sorted(set(files)) for table, files in tables.items()}
        if before and before.tables == wanted and before.state == state:
            return before
        root = self.root / stage
        root.mkdir(parents=True, exist_ok=True)
        delta = {}
        for table in tables:
            files = wanted[table.name]
            if before and before.tables.get(table.name) == files:
                delta[table.name] = before.delta[table.name]
            else:
                delta[table.name] = commit_files(root / table.name, table, files)
        snapshot = Snapshot(root, (before.version if before else 0) + 1, wanted, delta, state)
        content = {
            "version": snapshot.version,
            "tables": {name: [file.to_json() for file in files] for name, files in wanted.items()},
            "delta": delta,
            "state": state,
        }
        write_atomic(root / _POINTER, json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
        _sweep(snapshot, before)
        return snapshot


def _hold_to(table: Table, schema: Any) -> None:
    """Refuse a file whose columns or types are not the contract's."""
    found = [(field.name, str(field.type)) for field in schema]
    agreed = [(column.name, _ARROW_TYPES[column.type]) for column in table.columns]
    if found != agreed:
        off = [f"{name} {kind}" for name, kind in found if (name, kind) not in agreed] or [name for name, _ in found]
        raise ContractViolation(f"columns are not the contract's: {', '.join(off)}", source=table.name)


def _sweep(now: Snapshot, before: Snapshot | None) -> None:
    """Delete files that neither this snapshot nor the one before it names, so that a reader may finish."""
    for name, files in now.tables.items():
        earlier = before.tables.get(name, []) if before else []
        keep = {file.path for file in files} | {file.path for file in earlier}
        folder = now.root / name
        for path in folder.rglob("*.parquet"):
            relative = path.relative_to(folder).as_posix()
            if relative not in keep and not relative.startswith("_delta_log"):
                path.unlink(missing_ok=True)
