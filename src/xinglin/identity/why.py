"""Why two records are or are not one person's: weight by weight, rule by rule, in words and without their values."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.contracts.identity import DECISION, DECLARED, PAIR, PATIENT
from xinglin.contracts.model import Table
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.errors import NotFound
from xinglin.identity.decisions import record_key
from xinglin.identity.evidence.contradictions import RULES
from xinglin.identity.evidence.facts import make_facts
from xinglin.identity.features.extract import load_macros
from xinglin.identity.model.levels import COMPARISONS
from xinglin.identity.model.sampling import both_sides, level_number
from xinglin.identity.model.scoring import prepare
from xinglin.identity.model.training import prior_of
from xinglin.identity.used import Used
from xinglin.lake.engine import connect

if TYPE_CHECKING:
    import duckdb

    from xinglin.lake.files import Snapshot
    from xinglin.lake.tables import Lake

__all__ = ["Explanation", "Weight", "explain"]

_REMEDY = "run: xinglin link"


@dataclass(frozen=True)
class Weight:
    """One line of the sum.

    Args:
        of: The comparison, or ``prior``.
        finding: The level that the two records fall into, in words.
        bits: Its weight; positive speaks for one person. 1 bit doubles the odds.
        note: What has to be known beside.
    """

    of: str
    finding: str
    bits: float
    note: str = ""


@dataclass(frozen=True)
class Explanation:
    """Why two records are or are not one person's.

    Args:
        together: Whether they are one person's now.
        verdict: Why, in one sentence.
        weights: The sum, the prior first.
        total: Its result in bits.
        probability: The same as a probability.
        needed: Probability from which the last run linked.
        contradictions: Rules that hold: name, effect (veto or doubt) and words.
        path: Records by which they are joined where they are not joined directly, ``SITE/ID`` each.
    """

    together: bool
    verdict: str
    weights: tuple[Weight, ...]
    total: float
    probability: float
    needed: float
    contradictions: tuple[tuple[str, str, str], ...]
    path: tuple[str, ...]


def explain(lake: Lake, first: str, second: str) -> Explanation:
    """Weigh two records again, as the last linking did.

    Args:
        lake: The lake.
        first: One record, ``SITE/LOCAL_ID``.
        second: The other.

    Raises:
        NotFound: Nothing was linked yet, or one of the records is not known.
        UsageError: A record is not named ``SITE/LOCAL_ID``.
    """
    left, right = sorted((record_key(first), record_key(second)))
    snapshot = lake.require(PERSON_MAP.stage, _REMEDY)
    used = Used.from_json(snapshot.state)
    if used is None:
        raise NotFound("the last linking is of an older version", source="identity", remedy=_REMEDY)
    with connect(memory_mb=1_000, threads=2) as connection:
        for table in (PATIENT, DECLARED, DECISION, PAIR, PERSON_MAP):
            _view(connection, snapshot, table)
        persons = dict(
            connection.execute(
                f"SELECT patient_key, person_id FROM person_map WHERE patient_key IN ({left}, {right})"
            ).fetchall()
        )
        for name, key in ((first, record_key(first)), (second, record_key(second))):
            if key not in persons:
                raise NotFound(
                    "there is no such record", source=name.partition("/")[0], remedy="xinglin identity links lists all"
                )
        return _weigh(connection, snapshot, used, (left, right), together=len(set(persons.values())) == 1)


def _weigh(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, used: Used, keys: tuple[int, int], *, together: bool
) -> Explanation:
    needed = float((snapshot.state or {}).get("linked_from", 1.0))
    lower = float((snapshot.state or {}).get("lower", 0.5))
    load_macros(connection)
    records = _prepared(connection, used)
    standing = dict(connection.execute("SELECT patient_key, representative FROM declared").fetchall())
    low, high = sorted(standing.get(key, key) for key in keys)
    if low == high:
        verdict = "the institution itself declares them one person's, by one record number or by a link between them"
        return Explanation(together, verdict, (), 0.0, 1.0, needed, (), ())
    prior = prior_of(connection, records)
    weights = (
        Weight("prior", f"{prior.matches:,} likely pairs among {records:,} records", prior.bits),
        *_weights(connection, used, low, high),
    )
    total = round(sum(weight.bits for weight in weights), 3)
    probability = round(1 / (1 + 2.0**-total), 6)
    rules = _contradictions(connection, low, high, households=used.basis.households)
    path = () if not together else _path(connection, low, high, needed)
    verdict = _verdict(connection, (low, high), together, probability, (needed, lower), rules, path)
    return Explanation(together, verdict, weights, total, probability, needed, rules, path)


def _prepared(connection: duckdb.DuckDBPyConnection, used: Used) -> int:
    prepare(connection, "patient", used.basis.cards)
    return int(connection.execute("SELECT count(*) FROM comparable").fetchall()[0][0])


def _view(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: Table) -> None:
    connection.execute(f"CREATE TEMP VIEW {table.name} AS FROM {snapshot.relation(table)}").fetchall()


def _weights(connection: duckdb.DuckDBPyConnection, used: Used, left: int, right: int) -> list[Weight]:
    """The weight of every comparison of two rows of ``comparable``."""
    levels = connection.execute(
        f"SELECT {', '.join(map(level_number, COMPARISONS))} FROM (SELECT {both_sides(connection)}"
        f" FROM comparable AS l, comparable AS r WHERE l.patient_key = {left} AND r.patient_key = {right})"
    ).fetchall()[0]
    found = []
    for at, comparison, taught in zip(levels, COMPARISONS, used.model.comparisons, strict=True):
        scored = [level for level in taught["comparison_levels"] if not level.get("is_null_level")]
        if at < 0:
            found.append(Weight(comparison.name, "missing, or counted elsewhere", 0.0))
            continue
        level = scored[at]
        bits = math.log2(level["m_probability"] / level["u_probability"])
        note = ""
        if column := level.get("tf_adjustment_column"):
            common = _frequency(connection, column, left)
            bits += math.log2(scored[0]["u_probability"] / max(common, level.get("tf_minimum_u_value", 0.0)))
            note = f"one record in {round(1 / common):,} has it" if common else ""
        if comparison.levels[at].shared:
            note = "a household shares it, so it counts once and at most makes the odds even"
        found.append(Weight(comparison.name, comparison.levels[at].label, round(bits, 3), note))
    return found


def _frequency(connection: duckdb.DuckDBPyConnection, column: str, key: int) -> float:
    share = connection.execute(
        f"SELECT count(*) FILTER ({column} = (SELECT {column} FROM comparable WHERE patient_key = {key}))"
        f" / count({column}) FROM comparable"
    ).fetchall()[0][0]
    return float(share or 0.0)


def _contradictions(
    connection: duckdb.DuckDBPyConnection, left: int, right: int, *, households: bool
) -> tuple[tuple[str, str, str], ...]:
    make_facts(connection, f"(SELECT {left}::BIGINT AS patient_key_l, {right}::BIGINT AS patient_key_r)", "fact_of_two")
    rules = [rule for rule in RULES if households or not rule.soft]
    holds = connection.execute(f"SELECT {', '.join(rule.condition for rule in rules)} FROM fact_of_two").fetchall()[0]
    return tuple((rule.name, rule.effect, rule.words) for rule, held in zip(rules, holds, strict=True) if held)


def _path(connection: duckdb.DuckDBPyConnection, left: int, right: int, needed: float) -> tuple[str, ...]:
    """The records between two of one person, by links; nothing where they are linked directly."""
    rows: list[tuple[int, int]] = connection.execute(
        "SELECT patient_key_l, patient_key_r FROM pair"
        " SEMI JOIN (SELECT patient_key FROM person_map WHERE person_id ="
        f" (SELECT person_id FROM person_map WHERE patient_key = {left})) AS one ON one.patient_key = patient_key_l"
        f" WHERE probability >= {needed} AND objection IS NULL ORDER BY ALL"
    ).fetchall()
    beside: dict[int, list[int]] = {}
    for one, other in rows:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    came: dict[int, int] = {left: left}
    waiting = deque([left])
    while waiting and right not in came:
        here = waiting.popleft()
        for there in beside.get(here, []):
            if there not in came:
                came[there] = here
                waiting.append(there)
    if right not in came:
        return ()
    between = []
    here = came[right]
    while here != left:
        between.append(here)
        here = came[here]
    named: dict[Any, str] = dict(
        connection.execute("SELECT patient_key, concat(site, '/', local_id) FROM patient").fetchall()
    )
    return tuple(named[key] for key in reversed(between))


def _verdict(
    connection: duckdb.DuckDBPyConnection,
    keys: tuple[int, int],
    together: bool,
    probability: float,
    thresholds: tuple[float, float],
    rules: tuple[tuple[str, str, str], ...],
    path: tuple[str, ...],
) -> str:
    needed, lower = thresholds
    decided = connection.execute(
        "SELECT action FROM decision WHERE least(patient_key_l, patient_key_r) = ?"
        " AND greatest(patient_key_l, patient_key_r) = ? ORDER BY sequence DESC LIMIT 1",
        list(keys),
    ).fetchall()
    if decided:
        return f"a person decided: {decided[0][0]}; see xinglin identity history"
    veto = next((words for _, effect, words in rules if effect == "veto"), None)
    doubt = next((words for _, effect, words in rules if effect == "doubt"), None)
    if together:
        return "one person: joined through other records" if path else "one person: the evidence suffices"
    if veto:
        return f"two persons: {veto}"
    if doubt and probability >= lower:
        return f"not linked unasked: {doubt}; it waits in xinglin identity review"
    if probability >= needed:
        return "two persons: another record of one of them contradicts; it waits in xinglin identity review"
    if probability >= lower:
        return "not linked unasked: likely, but not sure enough; it waits in xinglin identity review"
    return "two persons: the evidence does not suffice"
