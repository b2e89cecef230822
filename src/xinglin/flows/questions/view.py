"""Views run over landed resources or over files, into a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import BadInput, NotFound
from xinglin.core.sql import quote
from xinglin.landing.current import current_resources
from xinglin.sources import Reading, Record, Rejected, Splitter, discover, records
from xinglin.views import CompiledView, compile_view, view_errors

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from xinglin.landing import LandedFile


__all__ = ["FORMATS", "FileRecords", "Refusal", "landed_source", "read_view", "write_view"]

FORMATS = {
    "ndjson": "FORMAT json",
    "csv": "FORMAT csv, HEADER",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
"""What a view's rows can be written as, and how DuckDB calls it."""
_BATCH = 10_000
_LISTED = 20


def read_view(path: Path) -> CompiledView:
    """Read and compile a ViewDefinition.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no JSON.
        ViewError: It is no view that can be run.
    """
    if not path.is_file():
        raise NotFound("there is no such view", source=str(path))
    try:
        view = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput("the view is no JSON", source=f"{path}{place}") from None
    return compile_view(view)


def landed_source(files: Sequence[LandedFile], without: Collection[int] = ()) -> str:
    """The relation that `CompiledView.sql` reads, over the current resources of landed files, in their order.

    Args:
        files: Files of the view's resource type.
        without: `patient_key` of each record whose resources are left out.

    Example:
        >>> landed_source([])[:57]
        "(SELECT site || '/' AS site, resource FROM (SELECT NULL::"
    """
    columns = ["site", "resource", *(["patient_key"] if without else [])]
    keys = ", ".join(map(str, sorted(without)))
    kept = f" WHERE patient_key IS NULL OR patient_key NOT IN (SELECT unnest([{keys}]))" if without else ""
    return f"(SELECT site || '/' AS site, resource FROM {current_resources(files, columns)}{kept})"


def write_view(connection: duckdb.DuckDBPyConnection, sql: str, form: str, out: Path) -> int:
    """Write a view's rows into a file.

    Args:
        connection: On which the query's source is known.
        sql: From `CompiledView.sql`.
        form: One of `FORMATS`. A CSV cell that is a list holds it as JSON.
        out: The file.

    Returns:
        Number of rows.

    Raises:
        SeveralValues: A column that is no collection met several values.
        StorageError: The file cannot be written.
    """
    with view_errors():
        if form == "csv":
            sql = _lists_as_json(connection, sql)
        place = quote(str(out))
        row = connection.execute(f"COPY ({sql}) TO {place} ({FORMATS[form]})").fetchone()
    return int(row[0]) if row else 0


def _lists_as_json(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    lists = [f'to_json("{name}") AS "{name}"' for name, kind, *_ in described if kind.endswith("[]")]
    return f"SELECT * REPLACE ({', '.join(lists)}) FROM ({sql})" if lists else sql


@dataclass(frozen=True)
class Refusal:
    """A record that could not be read: where it stood and why, never what it said."""

    file: str
    position: int
    reason: str
    detail: str


@dataclass
class FileRecords:
    """The resources of one type in a file or folder of FHIR, checked as they are when landed.

    Args:
        path: NDJSON, JSON, Bundles, plain or packed; or a folder of them.
        resource_type: What the view reads.
        read: Records of the type.
        others: Records of other types.
        refused: How many could not be read, by reason.
        listed: The first of them.
    """

    path: Path
    resource_type: str
    read: int = 0
    others: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    listed: list[Refusal] = field(default_factory=list)

    def batches(self) -> pa.RecordBatchReader:
        """The resources, in the form `CompiledView.sql` reads; the counts are complete when all were taken.

        Raises:
            NotFound: There is nothing at the path.
        """
        import pyarrow as pa

        schema = pa.schema([("site", pa.string()), ("resource", pa.string())])
        found = discover(self.path, Reading("fhir"))

        def made() -> Iterator[pa.RecordBatch]:
            waiting: list[bytes] = []
            for text in self._texts(found):
                waiting.append(text)
                if len(waiting) == _BATCH:
                    yield _batch(waiting, schema)
                    waiting = []
            yield _batch(waiting, schema)

        return pa.RecordBatchReader.from_batches(schema, made())

    def _texts(self, found: list[Any]) -> Iterator[bytes]:
        reading = Reading("fhir")
        splitter = Splitter(reading)
        for file in found:
            for part in splitter.parts(file):
                for record in records(part, reading):
                    text = self._counted(file.name, record)
                    if text is not None:
                        yield text

    def _counted(self, file: str, record: Record) -> bytes | None:
        found = record.found
        if isinstance(found, Rejected):
            self.refused[found.reason] += 1
            if len(self.listed) < _LISTED:
                self.listed.append(Refusal(file, record.position, found.reason, found.detail))
            return None
        if found.resource_type != self.resource_type:
            self.others += 1
            return None
        self.read += 1
        return found.text


def _batch(texts: list[bytes], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    sites = pa.nulls(len(texts), pa.string()).fill_null("")
    return pa.RecordBatch.from_arrays([sites, pa.array(texts, pa.binary()).cast(pa.string())], schema=schema)
