"""Scoring pairs with Splink: all of them once, later only those that a new record is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.identity.model.backends import Backend
from xinglin.identity.model.training import Model
from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["prepare", "score_all", "score_new"]

_SHARED = 12
_RARE = 12
_ROUNDED = 1e-6


def prepare(connection: duckdb.DuckDBPyConnection, patients: str) -> int:
    """Make ``comparable`` from a table of features, without the records ``declared``; returns its number of rows."""
    patients = f"(FROM {patients} ANTI JOIN declared USING (patient_key))"
    select = sql_text("model/comparable", patients=patients, shared=str(_SHARED), rare=str(_RARE))
    return int(connection.execute(f"CREATE OR REPLACE TEMP TABLE comparable AS {select}").fetchall()[0][0])


def score_all(connection: duckdb.DuckDBPyConnection, backend: Backend, model: Model, lower: float) -> None:
    """Make ``scored``: every pair of ``comparable`` of probability `lower` or more."""
    linker = backend.linker(model.settings())
    predicted = linker.inference.predict(threshold_match_probability=_below(lower), warning_mode="never")
    _make_scored(connection, backend.brought(predicted), lower)
    predicted.drop_table_from_database_and_remove_from_cache()


def score_new(connection: duckdb.DuckDBPyConnection, backend: Backend, model: Model, lower: float) -> None:
    """Make ``scored``: the pairs of ``comparable`` with at least one record whose key is in ``changed``."""
    linker = backend.linker(model.settings())
    for column in ("given_name", "family_name"):
        linker.table_management.compute_tf_table(column)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE arriving AS FROM comparable SEMI JOIN changed USING (patient_key)"
    ).fetchall()
    # One call instead of one within and one between: writing Splink's SQL takes longer than running it on few records.
    # So two arriving records meet from both sides and each meets itself; one side is kept.
    between = linker.inference.predict_between(
        backend.registered("arriving"),
        backend.registered("comparable"),
        threshold_match_probability=_below(lower),
        warning_mode="never",
    )
    once = (
        f"(FROM {backend.brought(between)} AS b ANTI JOIN changed"
        " ON changed.patient_key = b.patient_key_r AND b.patient_key_l >= b.patient_key_r)"
    )
    _make_scored(connection, once, lower)


def _below(lower: float) -> float:
    """Splink keeps a little more: whether a pair is of probability `lower` is decided when it is rounded."""
    return max(lower - _ROUNDED, 0.0)


def _make_scored(connection: duckdb.DuckDBPyConnection, predicted: str, lower: float) -> None:
    select = sql_text("model/scored", predicted=predicted, lower=str(lower))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE scored AS {select}").fetchall()
