"""Running the rules: one scan per table for all rules about rows, one look-up per concept, one query for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xinglin.contracts.model import Table
from xinglin.mart.checks.codes import count_codes
from xinglin.mart.checks.joins import JOINS, failing_rows, joined
from xinglin.mart.checks.rule import CheckResult, CodeRule, ConceptRule, QueryRule, Rule, ScanRule, SchemaRule, judge
from xinglin.mart.checks.wholes import LINEAGE_SUMS

if TYPE_CHECKING:
    import duckdb

    from xinglin.lake import Snapshot

__all__ = ["Examiner"]

_SHOWN = 20
_SMALL = 100_000


@dataclass
class Examiner:
    """The tables under examination, as views of a connection of its own.

    Args:
        connection: Nothing else may use it.
        columns: Name and type of every column of the tables that were published.
    """

    connection: duckdb.DuckDBPyConnection
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def open(self, snapshot: Snapshot | None, tables: dict[str, Table]) -> None:
        """Show the snapshot's tables; one that was not published shows as empty."""
        from xinglin.lake.engine import parquet_list

        for name, table in tables.items():
            files = snapshot.files(name) if snapshot and name in snapshot.tables else []
            if files:
                # A small table in memory spares every later query the opening of its files.
                kind = "TABLE" if snapshot and snapshot.rows(name) <= _SMALL else "VIEW"
                self.connection.execute(f"CREATE {kind} {name} AS SELECT * FROM read_parquet({parquet_list(files)})")
                described = self.connection.execute(f"DESCRIBE {name}").fetchall()
                self.columns[name] = {row[0]: row[1] for row in described}
                continue
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            self.connection.execute(f"CREATE TABLE {name} ({columns})")
            if snapshot and name in snapshot.tables:
                self.columns[name] = {column.name: column.type for column in table.columns}

    def run(self, every: Sequence[Rule], progress: Callable[[int, int], None]) -> list[CheckResult]:
        """Run the rules in the order that costs least; the results come in the rules' own order."""
        scans: dict[str, list[ScanRule]] = {}
        for rule in every:
            if isinstance(rule, ScanRule):
                scans.setdefault(rule.table, []).append(rule)
        queries = [rule for rule in every if isinstance(rule, QueryRule)]
        total = len(scans) + len(queries) + 3
        self.prepare()
        found = self.schema(rule for rule in every if isinstance(rule, SchemaRule))
        progress(done := 1, total)
        for name, of_table in scans.items():
            found += self.scan(name, of_table)
            progress(done := done + 1, total)
        found += self.codes([rule for rule in every if isinstance(rule, CodeRule)])
        found += self.concepts([rule for rule in every if isinstance(rule, ConceptRule)])
        progress(done := done + 1, total)
        for query in queries:
            found.append(self.query(query))
            progress(done := done + 1, total)
        by_rule = {result.rule: self.with_rows(result) for result in found}
        progress(total, total)
        return [by_rule[rule] for rule in every]

    def prepare(self) -> None:
        """Make the tables that rows are compared with, once."""
        import duckdb

        selects = {name: select for name, (select, _) in JOINS.items()} | {"lineage": LINEAGE_SUMS}
        for name, select in selects.items():
            try:
                self.connection.execute(f"CREATE TEMP TABLE _{name} AS {select}")
            except duckdb.Error:
                # The rules that need it report an error of their own.
                continue

    def schema(self, rules: Iterable[SchemaRule]) -> list[CheckResult]:
        """Whether tables and columns are there, and of the contract's type."""
        results = []
        for rule in rules:
            columns = self.columns.get(rule.table)
            if rule.field and (columns is None or (rule.expected and rule.field not in columns)):
                results.append(CheckResult(rule, "not applicable", detail="the table or column is missing"))
                continue
            present = columns is not None and (not rule.field or rule.field in columns)
            found = columns.get(rule.field, "") if columns else ""
            wrong = not present or bool(rule.expected and found != rule.expected)
            results.append(replace(judge(rule, 1, int(wrong), ""), detail=f"it is {found}" if wrong and found else ""))
        return results

    def scan(self, table: str, rules: Sequence[ScanRule]) -> list[CheckResult]:
        """Count what all rules about single rows of a table find, in one scan of it."""
        import duckdb

        if not rules:
            return []
        conditions = dict.fromkeys(rule.applies for rule in rules)
        positions = {condition: place for place, condition in enumerate(conditions)}
        selected = [f"count_if({condition})" if condition != "true" else "count(*)" for condition in conditions]
        # count_if reads five times faster than count(*) FILTER here.
        selected += [_condition_count(rule) for rule in rules]
        joins = sorted({name for rule in rules for name in rule.joins})
        query = f"SELECT {', '.join(selected)} FROM {table} AS t{joined(joins, prepared=True)}"
        try:
            row = self.connection.execute(query).fetchone() or ()
        except duckdb.Error:
            if len(rules) == 1:
                return [_error(rules[0])]
            # One rule that cannot be run must not hide the others.
            return [result for rule in rules for result in self.scan(table, [rule])]
        # Over no rows at all count_if gives NULL.
        counts = [count or 0 for count in row]
        return [
            judge(
                rule,
                counts[positions[rule.applies]],
                counts[len(positions) + place],
                failing_rows(table, rule.joins, rule.applies, rule.violation),
            )
            for place, rule in enumerate(rules)
        ]

    def concepts(self, rules: Sequence[ConceptRule]) -> list[CheckResult]:
        """Count rows by concept, then look every concept up once."""
        import duckdb

        if not rules:
            return []
        known = self.connection.execute("SELECT count(*) FROM concept").fetchone() or (0,)
        if not known[0]:
            detail = "no vocabulary was loaded"
            return [CheckResult(rule, "not applicable", detail=detail) for rule in rules]
        self.connection.execute(
            "CREATE TEMP TABLE _seen (name VARCHAR, field VARCHAR, concept STRUCT(key INTEGER, value UBIGINT))"
        )
        for table in dict.fromkeys(rule.table for rule in rules):
            fields = dict.fromkeys(rule.field for rule in rules if rule.table == table)
            listed = ", ".join(f"{{field: '{name}', seen: histogram({name})}}" for name in fields)
            try:
                self.connection.execute(
                    f"INSERT INTO _seen SELECT '{table}', f.field, unnest(map_entries(f.seen)) "
                    f"FROM (SELECT unnest([{listed}]) AS f FROM {table})"
                )
            except duckdb.Error:
                # The rules about its columns have said so.
                continue
        return self._look_up(rules)

    def _look_up(self, rules: Sequence[ConceptRule]) -> list[CheckResult]:
        violations = list(dict.fromkeys(rule.violation for rule in rules))
        selected = ", ".join(f"sum(CASE WHEN {text} THEN s.concept.value END)::BIGINT" for text in violations)
        rows = self.connection.execute(
            f"SELECT s.name, s.field, sum(s.concept.value)::BIGINT, {selected} FROM _seen AS s LEFT JOIN "
            "(SELECT * FROM concept WHERE concept_id IN (SELECT seen.concept.key FROM _seen AS seen)) AS c "
            "ON c.concept_id = s.concept.key WHERE s.concept.key <> 0 GROUP BY s.name, s.field"
        ).fetchall()
        counts = {(row[0], row[1]): (row[2], dict(zip(violations, row[3:], strict=True))) for row in rows}
        results = []
        for rule in rules:
            checked, failed = counts.get((rule.table, rule.field), (0, {}))
            results.append(judge(rule, checked, failed.get(rule.violation) or 0, _concept_sql(rule)))
        return results

    def codes(self, rules: Sequence[CodeRule]) -> list[CheckResult]:
        """Count what the rules about single codes find."""
        import duckdb

        if not rules:
            return []
        try:
            return count_codes(self.connection, rules)
        except duckdb.Error:
            return [_error(rule) for rule in rules]

    def query(self, rule: QueryRule) -> CheckResult:
        """Run a rule that has a query of its own."""
        import duckdb

        try:
            if rule.quick:
                rows, fine = self.connection.execute(rule.quick).fetchone() or (0, False)
                if fine:
                    return judge(rule, int(rows), 0, rule.failing)
            checked, failed = self.connection.execute(rule.counts).fetchone() or (0, 0)
        except duckdb.Error:
            return _error(rule)
        return judge(rule, int(checked or 0), int(failed or 0), rule.failing)

    def with_rows(self, result: CheckResult) -> CheckResult:
        """Add the first failing rows' keys to a failed result, smallest first."""
        if result.status != "failed" or not result.sql:
            return result
        rows = self.connection.execute(f"SELECT DISTINCT #1 FROM ({result.sql}) ORDER BY 1 LIMIT {_SHOWN}").fetchall()
        return replace(result, row_ids=tuple(dict.fromkeys(str(row[0]) for row in rows)))


def _condition_count(rule: ScanRule) -> str:
    if rule.applies == "true":
        return f"count_if({rule.violation})"
    return f"count_if({rule.applies} AND ({rule.violation}))"


def _concept_sql(rule: ConceptRule) -> str:
    return (
        f"SELECT t.* FROM {rule.table} AS t LEFT JOIN concept AS c ON c.concept_id = t.{rule.field} "
        f"WHERE t.{rule.field} <> 0 AND ({rule.violation})"
    )


def _error(rule: Rule) -> CheckResult:
    return CheckResult(rule, "error", detail="the query failed; a table or column it needs is not the contract's")
