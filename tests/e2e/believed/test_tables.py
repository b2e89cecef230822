"""Tables: what a file's bytes and a workbook's cells can no longer say is not believed."""

from __future__ import annotations

import pytest

from tests.unit.sources.tabular.workbooks import xlsx

from .conftest import Delivered

pytestmark = pytest.mark.e2e
MAPPING = """
tables:
  p:
    file: "*"
    resources:
      - type: Patient
        id: "{id}"
        elements:
          name: [{text: "{name}"}]
          gender: {$code: sex, map: {M: male, F: female}}
          birthDate: {$date: dob}
"""
HEADER = ["id", "name", "sex", "dob"]
FAMILIES, GIVENS = "张王李赵刘陈杨黄周吴", "伟芳娜敏静强磊军洋勇"


def names(delivered: Delivered) -> list[str]:
    return sorted(one["name"][0]["text"] for one in delivered.current("Patient"))


@pytest.mark.parametrize("main", ["utf-8", "gb18030"])
@pytest.mark.parametrize("turn", [False, True])
def test_a_table_put_together_from_two_exports_is_read_line_by_line(
    delivered: Delivered, main: str, turn: bool
) -> None:
    people = [FAMILIES[at % 10] + GIVENS[at // 10] + GIVENS[at * 7 % 10] for at in range(40)]
    rows = [f"{at},{name},F,19{50 + at}-01-02" for at, name in enumerate(people)]
    other = "gb18030" if main == "utf-8" else "utf-8"
    encoded = [row.encode(other if at % 4 == 3 else main) for at, row in enumerate(rows)]
    data = b"\n".join([",".join(HEADER).encode(), *(reversed(encoded) if turn else encoded), b""])
    delivered.land({"p.csv": data}, mapping=MAPPING)
    assert names(delivered) == sorted(people)
    assert delivered.reasons() == {}


def test_a_number_that_a_workbook_rounded_identifies_nobody(delivered: Delivered) -> None:
    rows = [[float(510101195003150000 + at), f"Name {at}", "F", "1950-03-15"] for at in range(3)]
    good = [["510101195003150123", "Exact", "F", "1950-03-15"], [4711, "Short", "F", "1950-03-15"]]
    report = delivered.land({"p.xlsx": xlsx({"p": [HEADER, *rows, *good]})}, mapping=MAPPING)
    assert (report.landed, report.quarantined) == (2, 3)
    assert delivered.reasons() == {"inexact-number": 3}
    assert sorted(one["id"] for one in delivered.current("Patient")) == ["4711", "510101195003150123"]


def test_a_number_that_a_spreadsheet_showed_by_its_power_identifies_nobody(delivered: Delivered) -> None:
    lines = [
        ",".join(HEADER),
        "5.10101E+17,Arlen,F,1950-03-15",
        "5.10101E+17,Corvin,F,1951-03-15",
        "E+7,Fay,F,1952-01-01",
    ]
    delivered.land({"p.csv": "\n".join(lines)}, mapping=MAPPING)
    assert delivered.reasons() == {"inexact-number": 2}
