"""The linkage model names columns that there are; linking itself does not ask Splink again at every start."""

from __future__ import annotations

import logging

import pytest

from xinglin.contracts.identity import DECISION, PATIENT
from xinglin.contracts.model import Table
from xinglin.identity.features.extract import load_macros
from xinglin.identity.model.levels import model_settings, prior_model
from xinglin.identity.model.scoring import prepare
from xinglin.identity.persons.declared import declare
from xinglin.lake.engine import connect


def columns(table: Table) -> str:
    return ", ".join(f"NULL::{column.type} AS {column.name}" for column in table.columns)


def warnings_about(comparisons: list[dict[str, object]], caplog: pytest.LogCaptureFixture) -> list[str]:
    from splink import DuckDBAPI, Linker

    connection = connect(memory_mb=200, threads=1)
    load_macros(connection)
    connection.execute(f"CREATE TEMP TABLE patient AS SELECT {columns(PATIENT)} WHERE false")
    connection.execute(f"CREATE TEMP TABLE decision AS SELECT {columns(DECISION)} WHERE false")
    declare(connection)
    prepare(connection, "patient")
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="splink"):
        Linker(DuckDBAPI(connection).register("comparable"), model_settings(comparisons, 0.001), log_level="WARNING")
    return [record.getMessage() for record in caplog.records if "SETTINGS VALIDATION" in record.getMessage()]


def test_splink_finds_nothing_wrong_with_the_model(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings_about(prior_model(), caplog) == []


def test_splink_would_say_where_a_level_names_a_column_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    comparisons = prior_model()
    level = next(one for one in comparisons[0]["comparison_levels"] if "_l" in one["sql_condition"])
    level["sql_condition"] = "no_such_column_l = no_such_column_r"
    assert len(warnings_about(comparisons, caplog)) == 1
