from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.unit.sources.tabular.conftest import Clinic
from tests.unit.sources.tabular.workbooks import xlsx
from xinglin.cli import run
from xinglin.core.errors import NotFound
from xinglin.sources.tabular.profile.draft_mapping import profile

PATIENTS = (
    "病人编号,姓名,性别,出生日期,身份证号,手机号,诊断编码,诊断名称,诊断日期,bmi\n"
    "A1,张三,男,1949/12/31,11010519491231002X,13800138000,I63.9,脑梗死,2024/05/01,23.5\n"
    "A2,李四,女,1950/01/03,11010519491231002X,13800138001,E11.9,2型糖尿病,2024/05/02,NA\n"
)


def test_columns_are_understood_in_chinese(tmp_path: Path):
    path = tmp_path / "病人.csv"
    path.write_bytes(PATIENTS.encode("gb18030"))
    table = profile(str(path), "Asia/Shanghai").tables[0]
    assert (table.encoding, table.delimiter, table.rows, table.has_header) == ("gb18030", ",", 2, True)
    assert [one.meaning for one in table.columns] == [
        "patient-id", "name", "sex", "birth-date", "resident-id", "phone", "icd-10", "diagnosis-name", "date", "",
    ]  # fmt: skip
    assert table.columns[-1].null_words == {"NA": 1}


def test_the_draft_lands_what_was_looked_at(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "病人.csv"
    path.write_bytes(PATIENTS.encode("gb18030"))
    report = clinic.land(tmp_path / "inbox", profile(str(path), "Asia/Shanghai").mapping)
    assert (report.landed, report.quarantined) == (4, 0)
    first = clinic.resources("Patient")[0]
    assert (first["gender"], first["birthDate"], first["name"][0]["text"]) == ("male", "1949-12-31", "张三")
    assert clinic.resources("Condition")[0]["recordedDate"] == "2024-05-01"


def test_the_report_shows_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "病人.csv"
    path.write_bytes(PATIENTS.encode("gb18030"))
    out = tmp_path / "mapping.yaml"
    for words in ([], ["--examples"], ["--json"], ["--json", "--examples"], ["--out", str(out)]):
        assert run(["source", "profile", str(path), *words]) == 0
        said = capsys.readouterr().out
        for value in ("张三", "1949", "138001", "11010519", "脑梗死", "I63", "A1"):
            assert value not in said + (out.read_text() if out.exists() else "")
        if "--json" in words:
            assert json.loads(said)["tables"][0]["columns"][0].get("shapes", ["A9"]) == ["A9"]


def test_a_file_without_a_header_gets_names(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "log"
    path.write_text("04-21-1991\t9:09\t58\t100\n04-21-1991\t9:09\t33\t009\n")
    found = profile(str(path), "+08:00")
    assert not found.tables[0].has_header
    assert found.tables[0].columns[0].date_formats == ("%m-%d-%Y",)
    assert clinic.land(tmp_path / "inbox", found.mapping).landed == 4


@pytest.mark.parametrize(
    ("name", "columns", "types"),
    [
        ("visits", "就诊号,病人编号,入院时间,出院时间\nV1,A1,2024-05-01 09:00,2024-05-03 10:00", {"Encounter"}),
        (
            "labs",
            "病人编号,项目代码,项目名称,结果,单位,检验时间\nA1,GLU,血糖,5.1,mmol/L,2024-05-01 09:00",
            {"Observation"},
        ),
        ("drugs", "病人编号,药品代码,药品名称,开立日期\nA1,X1,阿司匹林,2024-05-01", {"MedicationRequest"}),
        ("procedures", "病人编号,手术编码,手术名称,手术日期\nA1,39.74,取栓,2024-05-01", {"Procedure"}),
        ("nothing", "foo,bar\nx,y", {"Basic"}),
        ("wide", "patient_id,glucose,chol\nA1,5.1,4.2\nA2,5.2,4.4", {"Observation"}),
    ],
)
def test_a_draft_of_each_kind_of_table_lands(clinic: Clinic, tmp_path: Path, name: str, columns: str, types: set[str]):
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / f"{name}.csv"
    path.write_text(columns + "\n")
    report = clinic.land(tmp_path / "inbox", profile(str(path), "Asia/Shanghai").mapping)
    assert report.landed and not report.quarantined
    assert {one["resourceType"] for one in clinic.resources()} == types


def test_workbooks_and_databases_are_looked_at_table_by_table(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "two.xlsx"
    path.write_bytes(xlsx({"甲": [["patient_id", "sex"], ["A1", "F"]], "乙": [["patient_id", "bmi"], ["A1", 23.5]]}))
    found = profile(str(path), "Asia/Shanghai")
    assert [table.name for table in found.tables] == ["甲", "乙"]
    assert clinic.land(tmp_path / "inbox", found.mapping).landed == 2
    with sqlite3.connect(tmp_path / "his.db") as database:
        database.execute("CREATE TABLE person (patient_id TEXT, sex TEXT)")
        database.execute("INSERT INTO person VALUES ('A1', 'F')")
    seen = profile(f"sqlite:///{tmp_path / 'his.db'}", "Asia/Shanghai")
    assert (seen.tables[0].name, seen.tables[0].rows) == ("person", 1)
    assert "table: person" in seen.mapping


def test_nothing_to_look_at_is_said(tmp_path: Path):
    with pytest.raises(NotFound):
        profile(str(tmp_path / "nothing.csv"), "Asia/Shanghai")
