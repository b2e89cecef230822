"""Build the mart: map changed units, reduce the person buckets they touch, publish everything atomically."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.files import file_sha256
from xinglin.core.progress import Steps
from xinglin.core.sql import quote
from xinglin.lake import DataFile, Lake, LocalRunner, Runner, Snapshot
from xinglin.mart.mapping import MapTask, Unit, UnitOutput, file_key, map_unit, table_named
from xinglin.mart.parts import PARTS
from xinglin.mart.queries import code_digest, query
from xinglin.mart.reduction import (
    BUCKET_INPUTS,
    REGION_INPUTS,
    Reduced,
    Reduction,
    reduce_files,
    reduce_tasks,
    reduction_fingerprint,
    write_counts,
)
from xinglin.mart.references import Targets, write_targets
from xinglin.mart.rules import Rules
from xinglin.mart.session import Context, close_sessions, open_session, read_parquet_sql
from xinglin.mart.units import NEVER_ROWS, list_units, people_digests, write_people

if TYPE_CHECKING:
    from xinglin.core.settings import Settings
    from xinglin.landing import LandedFile, Landing

__all__ = ["MartReport", "build_mart"]

Files = dict[str, list[DataFile]]
_NOT_EXCLUSIONS = frozenset(
    {"resources", "mapped", "written", "contributes", "unresolved-reference", "reference-without-target", "dropped"}
)


@dataclass(frozen=True)
class MartReport:
    """Result of one build.

    Args:
        units_total: Landed files that can become rows.
        units_done: Those mapped this time.
        buckets_done: Person buckets reduced this time.
        rows: Rows of every table of the mart as it now is.
        excluded: Resources without a row, by reason.
        unmapped: Codes without a standard concept.
        seconds: Duration.
    """

    units_total: int
    units_done: int
    buckets_done: int
    rows: dict[str, int]
    excluded: dict[str, int]
    unmapped: int
    seconds: float


def build_mart(
    lake: Lake,
    landing: Landing,
    settings: Settings,
    *,
    full: bool = False,
    progress: Steps | None = None,
    rules: Rules | None = None,
    runner: Runner | None = None,
) -> MartReport:
    """Update the mart to the landed batches and the published persons.

    Args:
        lake: Where the tables lie; the stage identity must have run.
        landing: The signed batches.
        settings: The region's settings.
        full: Rebuild everything; the bytes are the same as without.
        progress: Called with the number of finished tasks and of all tasks.
        rules: Interpretations that a region may configure.
        runner: Executes the tasks; this machine's cores when not given.

    Raises:
        NotFound: The stage identity has not run.
    """
    begun = time.perf_counter()
    before = lake.snapshot("mart")
    state: dict[str, Any] = {} if full or before is None else before.state
    runner = runner or LocalRunner(settings.workers)
    with lake.scratch("mart") as scratch:
        context = _context(lake, settings, rules or Rules(), scratch)
        try:
            done = _bring_up(before, landing, context, runner, state, progress)
        finally:
            close_sessions()
    return replace(done, seconds=time.perf_counter() - begun)


def _bring_up(
    before: Snapshot | None,
    landing: Landing,
    context: Context,
    runner: Runner,
    state: Mapping[str, Any],
    progress: Steps | None,
) -> MartReport:
    """Map the units and reduce the buckets whose fingerprints are not those of `state`, then publish."""
    lake = context.lake
    basis = _basis(context)
    files = landing.files()
    linked = lake.require("identity", "run: xinglin link").relation(PERSON_MAP)
    write_people(files, linked, context)
    known_people = file_sha256(Path(context.person_map))
    people = _people(files, context, state, known_people)
    units = list_units(files, people, context, basis)
    known: dict[str, Any] = state.get("units", {})
    dirty = [unit for unit in units if known.get(unit.key, {}).get("fingerprint") != unit.fingerprint]
    steps = _Steps(len(dirty) + context.buckets + 1, progress)
    outputs = runner.map(map_unit, [MapTask(unit, context) for unit in _largest_first(dirty)], steps.done)
    entries = _unit_entries(units, known, outputs, people)
    mapped = _collect(entries)
    targets = write_targets(context, mapped, before)
    known_reduced = _reopened(state, targets, mapped)
    reduced, done = _reduce(runner, context, mapped, known_reduced, basis, steps, targets.path, before)
    steps.finish()
    tables = _merge(_without_replaced(mapped, reduced), *(_from_json(entry["files"]) for entry in reduced.values()))
    counts = [*_counts(files, entries), *_made_together(reduced)]
    tables["etl_count"] = write_counts(context, counts)
    snapshot = lake.publish(
        "mart",
        {table_named(name): tables.get(name, []) for name in (*TABLES, *PARTS)},
        {"units": entries, "reduced": reduced, "people": known_people, "targets": targets.digest},
        after=before,
    )
    return MartReport(
        units_total=sum(len(unit.files) for unit in units),
        units_done=sum(len(unit.files) for unit in dirty),
        buckets_done=sum(name != "region" for name in done),
        rows={name: snapshot.rows(name) for name in TABLES},
        excluded=_excluded(counts),
        unmapped=snapshot.rows("unmapped_code"),
        seconds=0.0,
    )


@dataclass
class _Steps:
    """Counts finished tasks for the progress display."""

    total: int
    progress: Steps | None
    count: int = 0

    def done(self, _: object = None) -> None:
        self.count += 1
        if self.progress:
            self.progress(self.count, self.total)

    def reduced(self, some: Sequence[object]) -> None:
        for one in some:
            self.done(one)

    def finish(self) -> None:
        """Buckets that were clean count as done."""
        if self.progress and self.count < self.total:
            self.progress(self.total, self.total)


def _context(lake: Lake, settings: Settings, rules: Rules, scratch: Path) -> Context:
    vocabulary = lake.snapshot("vocabulary")
    return Context(
        lake=lake,
        scratch=scratch,
        buckets=settings.buckets,
        memory_mb=settings.memory_mb,
        person_map=str(scratch / "person_map.parquet"),
        lookup=tuple(vocabulary.files("concept_lookup")) if vocabulary else (),
        variables=tuple(sorted(asdict(rules).items())),
    )


def _basis(context: Context) -> str:
    """Digest of what every task depends on: code, rules, buckets, vocabulary (file names are contents)."""
    parts = (code_digest(), context.variables, context.buckets, [Path(p).name for p in context.lookup])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _people(
    files: Sequence[LandedFile], context: Context, state: Mapping[str, Any], known_people: str
) -> dict[str, str]:
    """Person digests; those of an unchanged person map are taken from the last build."""
    known = {key: entry for unit in state.get("units", {}).values() for key, entry in unit.get("landed", {}).items()}
    same = state.get("people") == known_people
    old, new = {}, []
    for file in files:
        entry = known.get(file_key(file))
        if same and entry and entry["sha256"] == file.sha256:
            old[str(file.path)] = entry["people"]
        else:
            new.append(file)
    return old | people_digests(new, context)


def _largest_first(units: Sequence[Unit]) -> list[Unit]:
    """So that no long task begins last."""
    return sorted(units, key=lambda unit: (-sum(file.path.stat().st_size for file in unit.files), unit.key))


def _unit_entries(
    units: Sequence[Unit], known: Mapping[str, Any], outputs: Sequence[UnitOutput], people: Mapping[str, str]
) -> dict[str, Any]:
    fresh = {output.key: output for output in outputs}
    entries = {}
    for unit in units:
        output = fresh.get(unit.key)
        if output is None:
            entries[unit.key] = known[unit.key]
            continue
        entries[unit.key] = {
            "fingerprint": unit.fingerprint,
            "files": _to_json(output.files),
            "landed": {
                file_key(file): {
                    "sha256": file.sha256,
                    "people": people.get(str(file.path), ""),
                    "outcomes": [list(row) for row in output.outcomes[file_key(file)]],
                }
                for file in unit.files
            },
        }
    return entries


def _to_json(files: Mapping[str, Sequence[DataFile]]) -> dict[str, list[list[Any]]]:
    return {name: [file.to_json() for file in some] for name, some in sorted(files.items())}


def _from_json(files: Mapping[str, Sequence[list[Any]]]) -> Files:
    return {name: [DataFile.from_json(file) for file in some] for name, some in files.items()}


def _collect(entries: Mapping[str, Any]) -> Files:
    return _merge(*(_from_json(entry["files"]) for entry in entries.values()))


def _merge(*parts: Files) -> Files:
    merged: dict[str, set[DataFile]] = {}
    for part in parts:
        for name, files in part.items():
            merged.setdefault(name, set()).update(files)
    return {name: sorted(files) for name, files in merged.items()}


def _reduce(
    runner: Runner,
    context: Context,
    mapped: Files,
    known: Mapping[str, Any],
    basis: str,
    steps: _Steps,
    target: str,
    before: Snapshot | None,
) -> tuple[dict[str, Any], list[str]]:
    """Reduce the buckets whose files changed, and the region; give all entries and the names of those done."""
    wanted: dict[str, Reduction] = {}
    for name, bucket in [*((f"{b:04d}", b) for b in range(context.buckets)), ("region", None)]:
        inputs = {
            table: [file for file in mapped.get(table, []) if bucket is None or file.bucket == bucket]
            for table in (REGION_INPUTS if bucket is None else BUCKET_INPUTS)
        }
        # Lineage of providers and places lies in every bucket and decides nothing.
        decisive = {table: files for table, files in inputs.items() if table != "lineage"}
        wanted[name] = Reduction(name, bucket, _located(inputs, before), reduction_fingerprint(basis, decisive))
    dirty = [name for name, one in wanted.items() if known.get(name, {}).get("fingerprint") != one.fingerprint]
    ingredient = _ingredients(context) if dirty else ()
    tasks = reduce_tasks([wanted[name] for name in dirty], ingredient, target, context)
    results: list[list[Reduced]] = runner.map(reduce_files, tasks, steps.reduced)
    fresh = {
        result.name: {
            "fingerprint": result.fingerprint,
            "files": _to_json(_merge(result.files, result.settled.files)),
            "written": [list(row) for row in result.written],
            "replaced": result.settled.replaced,
            "references": [list(row) for row in result.settled.counts],
            "strays": result.settled.strays,
        }
        for some in results
        for result in some
    }
    return {name: fresh.get(name) or known[name] for name in wanted}, dirty


def _located(inputs: Mapping[str, Sequence[DataFile]], before: Snapshot | None) -> dict[str, list[DataFile]]:
    """The input files, those that the last build replaced under the table that keeps them."""
    found: dict[str, list[DataFile]] = {}
    for table, files in inputs.items():
        kept = {file.path for file in before.tables.get(f"mapped_{table}", ())} if before else set()
        found[table] = [file for file in files if file.path not in kept]
        found[f"mapped_{table}"] = [file for file in files if file.path in kept]
    return found


def _reopened(state: Mapping[str, Any], targets: Targets, mapped: Files) -> dict[str, Any]:
    """The reductions of the last build, without those whose references, or replaced files, may be others now."""
    known: dict[str, Any] = state.get("reduced", {})
    same = state.get("targets") == targets.digest
    lineage = {file.path for file in mapped.get("lineage", ())}
    return {
        name: entry
        for name, entry in known.items()
        if lineage.issuperset(entry.get("replaced", {}).get("lineage", ()))
        and (same or not (targets.is_smaller or entry.get("strays")))
    }


def _without_replaced(mapped: Files, reduced: Mapping[str, Any]) -> Files:
    """The files of the map without those whose references were settled in new ones."""
    gone: dict[str, set[str]] = {}
    for entry in reduced.values():
        for table, paths in entry["replaced"].items():
            gone.setdefault(table, set()).update(paths)
    return {table: [file for file in files if file.path not in gone.get(table, ())] for table, files in mapped.items()}


def _ingredients(context: Context) -> tuple[str, ...]:
    """Drugs and their ingredients by the loaded vocabulary; nothing where it has no concept_ancestor."""
    vocabulary: Snapshot | None = context.lake.snapshot("vocabulary")
    if vocabulary is None or not vocabulary.rows("concept_ancestor"):
        return ()
    path = context.scratch / "ingredient.parquet"
    with open_session(context, {}) as connection:
        for name in ("concept", "concept_ancestor"):
            connection.execute(f"CREATE TEMP VIEW {name} AS FROM {read_parquet_sql(vocabulary.files(name), '')}")
        connection.execute(f"COPY ({query('reduce/ingredient')}) TO {quote(str(path))} (FORMAT parquet)")
    return (str(path),)


def _counts(files: Sequence[LandedFile], entries: Mapping[str, Any]) -> list[tuple[str, int, str, str, str, str, int]]:
    """The rows of etl_count: what became of the resources of every landed file, mapped types or not."""
    rows = []
    mapped = {key: entry for unit in entries.values() for key, entry in unit["landed"].items()}
    for file in files:
        entry = mapped.get(file_key(file))
        gone = len(file.superseded)
        outcomes: list[Any] = (
            entry["outcomes"]
            if entry
            else [
                ("resources", "", file.rows),
                ("superseded", "", gone),
                (NEVER_ROWS.get(file.resource_type, "type-not-mapped"), "", file.rows - gone),
            ]
        )
        rows += [
            (file.site, file.batch, file.name, file.resource_type, outcome, table, count)
            for outcome, table, count in _erased_apart(outcomes, file.erased)
            if count or outcome in {"resources", "mapped"}
        ]
    return rows


def _erased_apart(outcomes: Sequence[Any], erased: int) -> list[Any]:
    """Outcomes of a file in which erased resources do not count as replaced ones."""
    if not erased:
        return list(outcomes)
    told = [(one, table, count - erased if one == "superseded" else count) for one, table, count in outcomes]
    return [*told, ("erased", "", erased)]


def _made_together(reduced: Mapping[str, Any]) -> list[tuple[str, int, str, str, str, str, int]]:
    """The rows of etl_count about rows that several files made together: batch 0, no file."""
    sums: dict[tuple[str, str], int] = {}
    for entry in reduced.values():
        for site, table, count in entry["written"]:
            sums[site, table] = sums.get((site, table), 0) + count
    lost: dict[tuple[str, str, str], int] = {}
    for entry in reduced.values():
        for site, outcome, table, count in entry["references"]:
            lost[site, outcome, table] = lost.get((site, outcome, table), 0) + count
    kinds = {"visit_occurrence": "Encounter", "visit_detail": "Encounter"}
    written = [
        (site, 0, "", kinds.get(table, "ImagingStudy"), "written", table, count)
        for (site, table), count in sorted(sums.items())
    ]
    return written + [
        (site, 0, "", "", outcome, table, count) for (site, outcome, table), count in sorted(lost.items())
    ]


def _excluded(counts: Sequence[tuple[str, int, str, str, str, str, int]]) -> dict[str, int]:
    excluded: dict[str, int] = {}
    for *_, outcome, _, count in counts:
        if outcome not in _NOT_EXCLUSIONS and not outcome.startswith("part: "):
            excluded[outcome] = excluded.get(outcome, 0) + count
    return dict(sorted(excluded.items()))
