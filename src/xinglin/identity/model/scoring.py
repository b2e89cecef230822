"""Scoring pairs with Splink: all of them once, later only those that a new record is part of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.core.sql import quote
from xinglin.identity.evidence.contradictions import rule_sql
from xinglin.identity.evidence.facts import make_facts
from xinglin.identity.model.backends import Backend
from xinglin.identity.model.training import Model, Prior
from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["Scorer", "prepare"]

_SHARED = 12
_RARE = 12
_MARGIN = 1.0
"""Pairs so many bits below the lower threshold are kept, since the prior moves with the region."""


def prepare(connection: duckdb.DuckDBPyConnection, patients: str, cards: tuple[str, ...] = ()) -> int:
    """Make ``comparable`` from a table of features, without the records ``declared``; returns its number of rows.

    Args:
        connection: Holds the features, ``declared`` and the macros.
        patients: The table of features (contract identity.PATIENT).
        cards: Identifier systems learned as person-wide, the best first; two of them are compared.
    """
    patients = f"(FROM {patients} ANTI JOIN declared USING (patient_key))"
    for table, select in (
        ("described", sql_text("evidence/described", patients=patients)),
        ("frequent", sql_text("evidence/frequent", shared=str(_SHARED))),
    ):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}").fetchall()
    first, second = (_card(system) for system in (*cards, "", "")[:2])
    select = sql_text("model/comparable", rare=str(_RARE), card_1=first, card_2=second)
    rows = int(connection.execute(f"CREATE OR REPLACE TEMP TABLE comparable AS {select}").fetchall()[0][0])
    connection.execute("DROP TABLE described").fetchall()
    return rows


def _card(system: str) -> str:
    """SQL for a record's number of one system."""
    if not system:
        return "NULL::VARCHAR"
    start = quote(f"{system}|")
    return (
        f"list_filter(string_split(identifiers, chr(10)), lambda n: starts_with(n, {start}))[1][length({start}) + 1:]"
    )


@dataclass(frozen=True)
class Scorer:
    """Makes ``scored``: pairs of ``comparable`` with evidence and doubts.

    Args:
        connection: The run's.
        backend: Where Splink compares.
        model: The model in use.
        prior: Of this run.
        lower: Probability from which pairs are kept.
        households: Whether rules that suppose households apply.
    """

    connection: duckdb.DuckDBPyConnection
    backend: Backend
    model: Model
    prior: Prior
    lower: float
    households: bool

    def score_all(self) -> None:
        """Score every pair of ``comparable``."""
        linker = self._linker()
        predicted = linker.inference.predict(threshold_match_weight=self._least, warning_mode="never")
        self._make_scored(self.backend.brought(predicted))
        predicted.drop_table_from_database_and_remove_from_cache()

    def score_new(self) -> None:
        """Score the pairs of ``comparable`` with at least one record whose key is in ``changed``."""
        linker = self._linker()
        for column in ("given_name", "family_name"):
            linker.table_management.compute_tf_table(column)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE arriving AS FROM comparable SEMI JOIN changed USING (patient_key)"
        ).fetchall()
        # One call instead of one within and one between: writing Splink's SQL takes longer than running it on few
        # records. So two arriving records meet from both sides and each meets itself; one side is kept.
        between = linker.inference.predict_between(
            self.backend.registered("arriving"),
            self.backend.registered("comparable"),
            threshold_match_weight=self._least,
            warning_mode="never",
        )
        self._make_scored(
            f"(FROM {self.backend.brought(between)} AS b ANTI JOIN changed"
            " ON changed.patient_key = b.patient_key_r AND b.patient_key_l >= b.patient_key_r)"
        )

    def _linker(self) -> Any:
        return self.backend.linker(self.model.settings(self.prior.probability))

    @property
    def _least(self) -> float:
        return math.log2(self.lower / (1 - self.lower)) - _MARGIN if self.lower < 1 else 20.0

    def _make_scored(self, predicted: str) -> None:
        # Splink's weight holds the prior; what is kept is the evidence alone.
        select = sql_text("model/predicted", predicted=predicted, prior=repr(self.prior.bits))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {select}").fetchall()
        make_facts(self.connection, "found", "fact")
        rules = {effect: rule_sql(effect, households=self.households) for effect in ("doubt", "veto")}
        select = sql_text("model/scored", **rules)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE scored AS {select}").fetchall()
        self.connection.execute("DROP TABLE fact").fetchall()
