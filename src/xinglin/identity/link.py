"""Linking: what is new is compared with everything, what is known is left alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.identity import (
    DECISION,
    DECLARED,
    IDENTIFIER_SYSTEM,
    PAIR,
    PATIENT,
    PERSON_HISTORY,
    PERSON_LINK,
    REVIEW,
)
from xinglin.contracts.model import Table
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.clock import Clock
from xinglin.core.ids import text_key
from xinglin.core.progress import Steps
from xinglin.core.settings import Settings
from xinglin.core.sql import parquet_list
from xinglin.identity.evidence.households import count_households
from xinglin.identity.evidence.systems import learn_systems
from xinglin.identity.features.extract import LandedPatients, load_macros
from xinglin.identity.features.gathering import feature_tasks, gather_features
from xinglin.identity.model.backends import Backend, InDuckDB, OnSpark
from xinglin.identity.model.scoring import Scorer, prepare
from xinglin.identity.model.training import prior_of, train
from xinglin.identity.persons.calibrate import calibrated
from xinglin.identity.persons.declared import declare
from xinglin.identity.persons.founding import make_founding
from xinglin.identity.persons.make import make_persons
from xinglin.identity.plan import RULES, Basis, LinkReport, Patients, Plan, plan_linking
from xinglin.identity.sql import sql_text
from xinglin.identity.used import Used
from xinglin.lake import DataFile, Lake, LocalRunner, Runner, Snapshot
from xinglin.lake.engine import connect, write_parquet
from xinglin.lake.files import table_relation

if TYPE_CHECKING:
    import duckdb

__all__ = ["link"]

_CARDS = "SELECT system FROM identifier_system WHERE verdict = 'person-wide' ORDER BY records DESC, system"
_MOST_FILES = 16
_LEAST_MB = 200


def link(
    lake: Lake,
    landing: Patients,
    settings: Settings,
    clock: Clock,
    *,
    full: bool = False,
    progress: Steps | None = None,
    runner: Runner | None = None,
) -> LinkReport:
    """Find out which records of all sites are one person's.

    Args:
        lake: Where the tables of identity are published.
        landing: The landed Patient resources.
        settings: Thresholds, memory and threads.
        clock: The time; nothing of it enters a table.
        full: Train and compare everything anew. Person ids stay where the records still belong together.
        progress: Told of steps done and steps in all.
        runner: Where features are made and, if it has Spark, pairs compared; this machine's cores when not given.
    """
    started = time.perf_counter()
    landed = list(landing.files("Patient"))
    before = lake.snapshot(PATIENT.stage)
    state = before.state if before and before.state else None
    now = {
        "sources": {_name(file): _digest(file) for file in landed},
        "decisions": [file.path for file in before.tables.get(DECISION.name, [])] if before else [],
        "lower": settings.lower,
        "upper": settings.upper,
        "rules": RULES,
    }
    plan = plan_linking(state, now, full=full)
    if plan.scope == "nothing" and state is not None:
        return LinkReport(
            **state["counts"], new=0, seconds=time.perf_counter() - started, trained=state["model"]["trained"]
        )
    with lake.scratch(PATIENT.stage) as folder:
        run = _Run(lake, settings, folder, before, now, progress, runner or LocalRunner(settings.workers))
        return run.perform(plan, landed, started)


def _name(file: LandedPatients) -> str:
    return f"{file.site}/{file.batch}/{file.name}"


def _digest(file: LandedPatients) -> list[Any]:
    """What of a landed file decides its current rows."""
    rows = ",".join(map(str, file.superseded))
    return [file.sha256, text_key(rows) if rows else 0]


@dataclass(frozen=True)
class _Run:
    """One linking run, between the plan and the publication."""

    lake: Lake
    settings: Settings
    folder: Path
    before: Snapshot | None
    now: dict[str, Any]
    progress: Steps | None
    runner: Runner

    def perform(
        self,
        plan: Plan,
        landed: Sequence[LandedPatients],
        started: float,
    ) -> LinkReport:
        """Carry the plan out and publish."""
        connection = connect(self.settings.memory_mb, self.settings.workers, self.folder / "spill")
        try:
            load_macros(connection)
            self._old(connection, DECISION, "decision")
            plan, new, kept = self._features(connection, plan, landed)
            self._step(1)
            used = self._score(connection, plan)
            self._step(3)
            run = int(self.before.state.get("run", 0)) + 1 if self.before else 1
            batches = make_founding(
                connection, landed, self.before.state.get("batches", {}) if self.before else {}, run
            )
            upper = calibrated(connection, self.settings.upper, used.basis.records, households=used.basis.households)
            make_persons(connection, upper, households=used.basis.households)
            self._step(4)
            files = self._write(connection, run, kept, upper)
            counts = _counts(connection)
        finally:
            connection.close()
        state = {
            **self.now, **used.to_json(), "run": run, "batches": batches, "counts": counts, "linked_from": upper,
        }  # fmt: skip
        self.lake.publish(PATIENT.stage, files, state, after=self.before)
        self._step(5)
        return LinkReport(**counts, new=new, seconds=time.perf_counter() - started, trained=used.model.trained)

    def _step(self, done: int) -> None:
        if self.progress:
            self.progress(done, 5)

    def _old(self, connection: duckdb.DuckDBPyConnection, table: Table, name: str) -> None:
        """A table of the run before as a view; an empty one where there was none."""
        source = self.before.relation(table) if self.before else table_relation(table, [])
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {source}").fetchall()

    def _features(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
        landed: Sequence[LandedPatients],
    ) -> tuple[Plan, int, list[DataFile]]:
        """Make ``changed``, ``patient`` and ``comparable``; more arriving than known turns the plan to everything.

        Returns:
            The plan, the number of records read from the landing, the files of features that stay.
        """
        self._old(connection, PATIENT, "old_patient")
        new = 0
        if plan.scope == "everything":
            new = self._read(connection, landed)
            connection.execute("CREATE TEMP VIEW patient AS FROM changed").fetchall()
        elif plan.scope == "arriving":
            fresh = [file for file in landed if _name(file) in plan.fresh]
            new = self._read(connection, fresh)
            joined = "FROM old_patient ANTI JOIN changed USING (patient_key) UNION ALL FROM changed"
            connection.execute(f"CREATE TEMP VIEW patient AS {joined}").fetchall()
            if 2 * new > _count(connection, "patient"):
                plan = Plan("everything")
        else:
            connection.execute("CREATE TEMP VIEW patient AS FROM old_patient").fetchall()
        declare(connection)
        prepare(connection, "patient", learn_systems(connection))
        plan = self._freed(connection, plan)
        return plan, new, self._set_aside(connection, plan)

    def _read(
        self,
        connection: duckdb.DuckDBPyConnection,
        landed: Sequence[LandedPatients],
    ) -> int:
        """Make ``changed`` from landed files; returns the number of records."""
        memory = max(self.settings.memory_mb // self.settings.workers, _LEAST_MB)
        tasks = feature_tasks(landed, self.folder, memory)
        return gather_features(connection, self.runner, tasks, "changed")

    def _freed(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> Plan:
        """Records that another stood for and no longer does were never compared: they arrive now."""
        if plan.scope == "everything":
            return plan
        self._old(connection, DECLARED, "old_declared")
        freed = (
            "FROM old_patient SEMI JOIN (FROM old_declared SEMI JOIN comparable USING (patient_key)) AS freed"
            " USING (patient_key)"
        )
        if not _count(connection, f"({freed})"):
            return plan
        if plan.scope == "persons":
            _make(connection, "changed", freed)
            return Plan("arriving")
        connection.execute(f"INSERT INTO changed {freed} ANTI JOIN changed USING (patient_key)").fetchall()
        return plan

    def _set_aside(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[DataFile]:
        """Write ``patient`` now and read it from there, so that scoring has the memory.

        Files of the run before are kept where they are still right; too many small ones become one.

        Returns:
            The files kept.
        """
        kept = list(self.before.tables.get(PATIENT.name, [])) if self.before else []
        if plan.scope == "persons":
            return kept
        source = "changed" if plan.scope == "arriving" else "patient"
        overlap = "SELECT count(*) FROM old_patient SEMI JOIN changed USING (patient_key)"
        if plan.scope != "arriving" or len(kept) >= _MOST_FILES or connection.execute(overlap).fetchall()[0][0]:
            kept, source = [], "patient"
        path = self.folder / f"{PATIENT.name}.parquet"
        write_parquet(connection, f"SELECT {', '.join(PATIENT.column_names)} FROM {source} ORDER BY patient_key", path)
        files = [*self.lake.paths(PATIENT, [file.path for file in kept]), str(path)]
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW patient AS FROM read_parquet({parquet_list(files)})"
        ).fetchall()
        _make(connection, "changed", "SELECT patient_key FROM changed")
        return kept

    def _score(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> Used:
        """Make ``pair``; returns what it was scored with."""
        records = _count(connection, "comparable")
        prior = prior_of(connection, records)
        cards = tuple(row[0] for row in connection.execute(_CARDS).fetchall())
        now = Basis(records, prior.bits, count_households(connection).present, cards)
        known = Used.from_json(self.before.state) if self.before else None
        if plan.scope == "arriving" and not (known and known.basis.holds_for(now)):
            plan = Plan("everything")
        if plan.scope == "everything" or known is None:
            used = Used(train(connection, prior, households=now.households), now)
        else:
            used = known
        self._step(2)
        self._old(connection, PAIR, "old_pair")
        if plan.scope != "persons":
            scorer = Scorer(
                connection, self._backend(connection), used.model, prior, self.settings.lower, now.households
            )
        if plan.scope == "everything":
            scorer.score_all()
            source = "FROM scored"
        elif plan.scope == "arriving":
            scorer.score_new()
            source = (
                "SELECT patient_key_l, patient_key_r, weight, objection"
                " FROM old_pair ANTI JOIN changed ON changed.patient_key = old_pair.patient_key_l"
                " ANTI JOIN changed AS other ON other.patient_key = old_pair.patient_key_r"
                " UNION ALL BY NAME FROM scored"
            )
        else:
            source = "FROM old_pair"
        _make(
            connection,
            "pair",
            "SELECT patient_key_l, patient_key_r, weight, objection,"
            f" round(1 / (1 + pow(2, -(weight + ({prior.bits})))), 6) AS probability"
            f" FROM ({source}) AS found SEMI JOIN comparable AS l ON l.patient_key = found.patient_key_l"
            " SEMI JOIN comparable AS r ON r.patient_key = found.patient_key_r",
        )
        return used

    def _backend(self, connection: duckdb.DuckDBPyConnection) -> Backend:
        session = self.runner.session()
        return InDuckDB(connection) if session is None else OnSpark.on(session, connection, self.folder)

    def _write(
        self, connection: duckdb.DuckDBPyConnection, run: int, kept: list[DataFile], upper: float
    ) -> dict[Table, list[DataFile]]:
        """Write every table of the stage; decisions stay as they are."""
        thresholds = {"upper": str(upper), "lower": str(self.settings.lower)}
        _make(connection, "linked", sql_text("persons/person_link", **thresholds))
        _make(connection, "waiting", sql_text("persons/review", **thresholds))
        self._old(connection, PERSON_HISTORY, "old_history")
        self._old(connection, PERSON_LINK, "old_link")
        selects = {
            PAIR: f"SELECT {', '.join(PAIR.column_names)} FROM pair ORDER BY patient_key_l, patient_key_r",
            # One person's records lie together, so that a look at them reads one group of rows.
            PERSON_LINK: "FROM linked ORDER BY person_id, patient_key",
            REVIEW: "FROM waiting ORDER BY patient_key_l, patient_key_r",
            DECLARED: "FROM declared ORDER BY patient_key",
            IDENTIFIER_SYSTEM: "FROM identifier_system ORDER BY system",
            PERSON_MAP: "SELECT patient_key, person_id FROM person ORDER BY patient_key",
            PERSON_HISTORY: sql_text("persons/person_history", run=str(run)),
        }
        files: dict[Table, list[DataFile]] = {
            DECISION: self.before.tables.get(DECISION.name, []) if self.before else []
        }
        for table, select in selects.items():
            path = self.folder / f"{table.name}.parquet"
            rows = write_parquet(connection, select, path)
            files[table] = [self.lake.adopt(table, path)] if rows else []
        features = self.folder / f"{PATIENT.name}.parquet"
        files[PATIENT] = [*kept, self.lake.adopt(PATIENT, features)] if features.exists() else kept
        return files


def _make(connection: duckdb.DuckDBPyConnection, table: str, select: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}").fetchall()


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The figures of the report, from the tables of the run."""
    persons, records, linked = connection.execute(
        "SELECT count(DISTINCT person_id), count(*), count(*) FILTER (records > 1) FROM person"
    ).fetchall()[0]
    return {"records": records, "persons": persons, "linked": linked, "review": _count(connection, "waiting")}
