"""Scoring pairs with Splink: all of them once, later only those that a new record is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.identity.features import sql_text
from xinglin.identity.training import Model

if TYPE_CHECKING:
    import duckdb

__all__ = ["prepare", "score_all", "score_new"]

_SHARED = 12
_RARE = 12


def prepare(connection: duckdb.DuckDBPyConnection, patients: str) -> int:
    """Make ``comparable`` from a table of features, without the records ``declared``; returns its number of rows."""
    patients = f"(FROM {patients} ANTI JOIN declared USING (patient_key))"
    select = sql_text("comparable", patients=patients, shared=str(_SHARED), rare=str(_RARE))
    return int(connection.execute(f"CREATE OR REPLACE TEMP TABLE comparable AS {select}").fetchall()[0][0])


def score_all(connection: duckdb.DuckDBPyConnection, model: Model, lower: float) -> None:
    """Make ``scored``: every pair of ``comparable`` of probability `lower` or more."""
    linker = _linker(connection, model)
    predicted = linker.inference.predict(threshold_match_probability=lower, warning_mode="never")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE scored AS " + sql_text("scored", predicted=predicted.physical_name)
    ).fetchall()
    predicted.drop_table_from_database_and_remove_from_cache()


def score_new(connection: duckdb.DuckDBPyConnection, model: Model, lower: float) -> None:
    """Make ``scored``: the pairs of ``comparable`` with at least one record whose key is in ``changed``."""
    linker = _linker(connection, model)
    for column in ("given_name", "family_name"):
        linker.table_management.compute_tf_table(column)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE arriving AS FROM comparable SEMI JOIN changed USING (patient_key)"
    ).fetchall()
    database = linker._db_api
    # One call instead of one within and one between: writing Splink's SQL takes longer than running it on few records.
    # So two arriving records meet from both sides and each meets itself; one side is kept.
    between = linker.inference.predict_between(
        database.register("arriving"),
        database.register("comparable"),
        threshold_match_probability=lower,
        warning_mode="never",
    )
    once = (
        f"(FROM {between.physical_name} AS b ANTI JOIN changed"
        " ON changed.patient_key = b.patient_key_r AND b.patient_key_l >= b.patient_key_r)"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE scored AS " + sql_text("scored", predicted=once)).fetchall()


def _linker(connection: duckdb.DuckDBPyConnection, model: Model) -> Any:
    from splink import DuckDBAPI, Linker

    return Linker(DuckDBAPI(connection).register("comparable"), model.settings(), log_level="ERROR")
