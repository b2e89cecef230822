"""Workbooks and Parquet files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.sources.tabular.conftest import Clinic
from tests.unit.sources.tabular.workbooks import Formula, ods, xlsx

MAPPING = """
time_zone: Asia/Shanghai
date_formats: ["%d.%m.%Y"]
tables:
  results:
    file: "results*"
    resources:
      - type: Observation
        id: "{id}"
        elements:
          status: final
          code: {text: x}
          effectiveDateTime: {$date: day}
          valueQuantity: {$quantity: value}
"""
Put = Callable[..., Path]


def test_formulas_give_their_values_and_their_errors_none(clinic: Clinic, put: Put):
    rows = [
        ["id", "day", "value"],
        [1, dt.date(2024, 2, 29), Formula("A2*2=>2.5")],
        [2, dt.date(2024, 2, 29), Formula("1/0=>#DIV/0!")],
        [3.0, "29.02.2024", 5],
        [4, "30.02.2024", 5],
        [None, None, None],
        [5, Formula("A1&amp;B=>29.02.2024"), 1],
    ]
    clinic.land(put("results.xlsx", xlsx({"A": rows})), MAPPING)
    found = {one["id"]: one for one in clinic.resources()}
    assert {key: one["valueQuantity"]["value"] for key, one in found.items() if "valueQuantity" in one} == {
        "1": 2.5,
        "3": 5,
        "5": 1,
    }
    assert {one["effectiveDateTime"] for one in found.values()} == {"2024-02-29"}
    assert (5, "invalid-date", "expected a date like %d.%m.%Y in column day") in clinic.quarantine()
    # What reads the workbook gives an error's cell as an empty one.
    assert "valueQuantity" not in found["2"]


def test_an_opendocument_sheet_is_read(clinic: Clinic, put: Put):
    clinic.land(put("results.ods", ods([["id", "day", "value"], ["1", "29.02.2024", "1.50"]])), MAPPING)
    assert '"value":1.50' in clinic.texts()[0]


def test_what_is_no_workbook_is_set_aside(clinic: Clinic, put: Put):
    put("results-1.xlsx", b"PK\x03\x04 not a workbook")
    put("results-2.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 not a workbook")
    put("results-3.parquet", b"PAR1 not Parquet PAR1")
    put("results-4.xlsx", xlsx({"A": [["other"], [1]]}))
    report = clinic.land(put("results-5.xlsx", xlsx({"A": []})), MAPPING)
    assert (report.received, report.quarantined) == (5, 5)
    assert clinic.reasons() == {"damaged-workbook": 2, "damaged-parquet": 1, "missing-column": 2}


def test_parquet_is_read_by_row_groups_with_the_digits_of_decimals(clinic: Clinic, put: Put, tmp_path: Path):
    table = pa.table(
        {
            "id": pa.array(range(1, 6)),
            "day": pa.array([dt.datetime(2024, 5, 1, 8, tzinfo=dt.UTC)] * 4 + [None]),
            "value": pa.array([Decimal("1.50")] * 5),
        }
    )
    path = put("results.parquet", b"") / "results.parquet"
    pq.write_table(table, path, row_group_size=2)
    assert clinic.land(path.parent, MAPPING).landed == 5
    assert all('"value":1.50' in text for text in clinic.texts())
    assert clinic.resources()[0]["effectiveDateTime"] == "2024-05-01T08:00:00+00:00"
    positions = [
        row
        for file in clinic.landing.files()
        for row in pq.read_table(file.path, columns=["position"])["position"].to_pylist()
    ]
    assert sorted(positions) == [1, 2, 3, 4, 5]
