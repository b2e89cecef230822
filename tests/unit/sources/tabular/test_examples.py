from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from tests.unit.sources.tabular.conftest import Clinic
from tests.unit.sources.tabular.workbooks import xlsx
from xinglin.cli import run
from xinglin.core.errors import BadInput, NotFound
from xinglin.core.permit import OPEN
from xinglin.landing import Landing
from xinglin.sources.tabular import read_mapping

EXAMPLES = Path(str(files("xinglin.sources.tabular") / "examples"))
PATIENT = "http://terminology.hl7.org/CodeSystem/v2-0203"


def mapping(name: str) -> str:
    return read_mapping(EXAMPLES / f"{name}.yaml")


def test_every_example_has_a_test_here():
    here = Path(__file__).read_text()
    for path in EXAMPLES.glob("*.yaml"):
        assert f'mapping("{path.stem}")' in here or path.stem == "glucose-diary"


def test_patients(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "病人编号,姓名,性别,出生日期,身份证号,手机号\n"
        "A1,张三,男,1949年12月31日,11010519491231002X,13800138000\n"
        "甲 2,李四,2,1950/1/3,无,\n"
        "A3,王五,中,1950-01-03,,\n"
    )
    report = clinic.land(put("patients-1.csv", table.encode("gb18030")), mapping("patients"))
    assert (report.landed, report.quarantined) == (2, 1)
    first, second = sorted(clinic.resources(), key=lambda one: one["birthDate"])
    assert first == {
        "resourceType": "Patient",
        "id": "A1",
        "active": True,
        "identifier": [
            {
                "type": {"coding": [{"system": PATIENT, "code": "MR"}]},
                "system": "urn:xinglin:patient-number",
                "value": "A1",
            },
            {
                "type": {"coding": [{"system": PATIENT, "code": "NI"}]},
                "system": "urn:oid:2.16.156.10011.1.3",
                "value": "11010519491231002X",
            },
        ],
        "name": [{"use": "official", "text": "张三"}],
        "telecom": [{"system": "phone", "value": "13800138000"}],
        "gender": "male",
        "birthDate": "1949-12-31",
    }
    # An empty column takes its branch with it; an id that FHIR does not allow becomes a stable hash.
    assert (second["birthDate"], second["gender"], len(second["identifier"])) == ("1950-01-03", "female", 1)
    assert "telecom" not in second and len(second["id"]) == 36
    assert clinic.quarantine() == [(4, "unknown-code", "expected one of the 6 codes known for column 性别")]
    assert clinic.sources()[0]["encoding"] == "gb18030"


def test_visits(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "就诊号,病人编号,就诊类型,科室,到达时间,离开时间\n"
        "V1,A1,门诊,神经内科,2024-05-01 09:30,2024-05-01 10:00\nV2,A1,住院,神经内科,2024-05-02 09:30:15,\n"
        "V3,,急诊,急诊科,2024-05-02 09:30,\nV4,A1,,急诊科,2024-05-02 09:30,\n"
    )
    clinic.land(put("visits.csv", table), mapping("visits"))
    found = clinic.resources("Encounter")
    assert [(one["id"], one["status"], one["class"]["code"]) for one in found] == [
        ("V1", "finished", "AMB"),
        ("V2", "in-progress", "IMP"),
    ]
    assert found[1]["period"] == {"start": "2024-05-02T09:30:15+08:00"}
    assert clinic.quarantine() == [
        (4, "missing-value", "expected a value in column {病人编号}"),
        (5, "missing-value", "expected a value in column 就诊类型"),
    ]


def test_diagnoses(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "就诊号,序号,病人编号,诊断编码,诊断名称,是否疑似,诊断日期\n"
        'V1,1,A1,I63.9,"脑梗死,未特指",否,2024-05-01\nV1,2,A1,,头晕,是,2024-05-01\n'
    )
    clinic.land(put("diagnoses.csv", table), mapping("diagnoses"))
    coded, text = sorted(clinic.resources("Condition"), key=lambda one: "coding" not in one["code"])
    assert coded["code"]["coding"][0] == {
        "system": "http://hl7.org/fhir/sid/icd-10",
        "code": "I63.9",
        "display": "脑梗死,未特指",
    }
    assert coded["verificationStatus"]["coding"][0]["code"] == "confirmed"
    # The display is a column of the same branch, so the system stays with it.
    assert text["code"]["text"] == "头晕" and "code" not in text["code"]["coding"][0]


def test_laboratory_results_one_to_a_row(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "报告号,病人编号,就诊号,项目代码,项目名称,结果,单位,提示,参考范围,采样时间\n"
        "R1,A1,V1,GLU,空腹血糖,5.10,mmol/L,,3.9-6.1,2024-05-01 07:00:00\n"
        "R1,A1,V1,CRP,C反应蛋白,<0.50,mg/L,L,,2024-05-01 07:00:00\n"
        "R1,A1,V1,WBC,白细胞,未做,10^9/L,,,2024-05-01 07:00:00\n"
        "R1,A1,V1,HBA1C,糖化血红蛋白,溶血,%,,,2024-05-01 07:00:00\n"
        "R2,A1,V1,HBA1C,糖化血红蛋白,6.0,%,,,2024-05-01 25:00:00\n"
    )
    report = clinic.land(put("lab-results-05.csv", table), mapping("laboratory-long"))
    assert (report.received, report.landed, report.quarantined) == (4, 2, 2)
    assert any('"value":5.10,"unit":"mmol/L"' in text for text in clinic.texts())
    below = next(one for one in clinic.resources() if one["code"]["text"] == "C反应蛋白")
    assert below["valueQuantity"] == {
        "value": 0.5,
        "comparator": "<",
        "unit": "mg/L",
        "system": "http://unitsofmeasure.org",
        "code": "mg/L",
    }
    assert below["interpretation"][0]["coding"][0]["code"] == "L"
    assert clinic.reasons() == {"not-a-number": 1, "invalid-date": 1}


def test_laboratory_results_one_to_a_column_in_excel(clinic: Clinic, put: Callable[..., Path]):
    rows = [
        ["体检号", "体检日期", "空腹血糖", "总胆固醇", "甘油三酯", "白细胞"],
        ["T1", date(2024, 5, 1), 5.1, 4.25, None, 6],
        ["T2", date(2024, 5, 2), None, None, None, None],
    ]
    report = clinic.land(put("lab-panel.xlsx", xlsx({"说明": [["x"]], "体检2024": rows})), mapping("laboratory-wide"))
    assert (report.landed, report.quarantined) == (3, 0)
    found = {one["id"]: one for one in clinic.resources()}
    assert sorted(found) == ["T1-14647-2", "T1-14771-0", "T1-6690-2"]
    assert found["T1-6690-2"]["valueQuantity"]["value"] == 6
    assert found["T1-6690-2"]["effectiveDateTime"] == "2024-05-01"


def test_drugs(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "处方号,病人编号,就诊号,药品代码,药品名称,用法,频次,单次剂量,剂量单位,数量,状态,开立时间\n"
        "C1,A1,V1,YP0001,二甲双胍片,口服,每日两次,0.50,g,28,已发药,2024-05-01 09:40:00\n"
        "C2,A1,V1,YP0001,二甲双胍片,,,,,,已开立,2024-05-01\n"
        "C3,A1,V1,YP9999,自制药,口服,,1,袋,3,已发药,2024-05-01\n"
    )
    clinic.land(put("prescriptions.csv", table), mapping("drugs"))
    found = clinic.resources("MedicationRequest")
    assert found[0]["medicationCodeableConcept"] == {
        "coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02", "display": "Metformin"}],
        "text": "二甲双胍片",
    }
    assert found[0]["dosageInstruction"] == [
        {"text": "口服，每日两次", "doseAndRate": [{"doseQuantity": {"value": 0.5, "unit": "g"}}]}
    ]
    assert found[0]["dispenseRequest"] == {"quantity": {"value": 28}}
    assert "dosageInstruction" not in found[1]
    assert clinic.quarantine() == [(4, "unknown-code", "expected one of the 3 codes known for column 药品代码")]


def test_the_command_line_reads_the_code_list_beside_the_mapping(put: Callable[..., Path], tmp_path: Path):
    header = "处方号,病人编号,就诊号,药品代码,药品名称,用法,频次,单次剂量,剂量单位,数量,状态,开立时间"
    inbox = put("prescriptions.csv", f"{header}\nC1,A1,V1,YP0001,x,口服,每日,0.50,g,28,已发药,2024-05-01\n")
    words = ["--site", "clinic", "--mapping", str(EXAMPLES / "drugs.yaml"), "--home", str(tmp_path / "home")]
    assert run(["ingest", str(inbox), *words]) == 0
    assert [site.name for site in Landing(tmp_path / "home" / "landing", permit=OPEN).sites()] == ["clinic"]
    assert Landing(tmp_path / "home" / "landing", permit=OPEN).counts()["clinic"].landed == 1


def test_procedures(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "手术流水号\t病人编号\t就诊号\t手术编码\t手术名称\t手术日期\t开始时间\t结束时间\t术者\n"
        "S1\tA1\tV1\t39.74\t脑血管取栓\t2024-05-01\t09:10\t11:00\t赵医生、钱医生\n"
        "S2\tA1\tV1\t88.41\t脑血管造影\t2024-05-02\t\t\t\n"
    )
    clinic.land(put("procedures.tsv", table), mapping("procedures"))
    first, second = clinic.resources("Procedure")
    assert first["performedPeriod"] == {"start": "2024-05-01T09:10:00+08:00", "end": "2024-05-01T11:00:00+08:00"}
    assert [one["actor"]["display"] for one in first["performer"]] == ["赵医生", "钱医生"]
    assert second["performedPeriod"]["start"] == "2024-05-02" and "performer" not in second


def test_vital_signs(clinic: Clinic, put: Callable[..., Path]):
    table = (
        "病人编号,测量时间,体温,脉搏,呼吸,收缩压,舒张压\nA1,2024-05-01 08:00,36.50,72,拒测,128,\n"
        "A1,2024-05-01 14:00,,,,,\n"
    )
    report = clinic.land(put("vitals.csv", table), mapping("vital-signs"))
    assert report.landed == 3
    pressure = next(one for one in clinic.resources() if "component" in one)
    assert pressure["component"][0]["valueQuantity"]["value"] == 128
    assert len(pressure["component"]) == 1


def test_a_code_list_that_is_not_there_or_contradicts_itself_is_said(tmp_path: Path):
    text = (EXAMPLES / "drugs.yaml").read_text()
    (tmp_path / "drugs.yaml").write_text(text)
    with pytest.raises(NotFound, match=r"drug-codes\.csv"):
        read_mapping(tmp_path / "drugs.yaml")
    (tmp_path / "drug-codes.csv").write_text("本院代码,ATC,英文名\nX,A,a\nX,B,b\n")
    with pytest.raises(BadInput, match=r"stands for two things \(line 5, maps\.drug\)"):
        read_mapping(tmp_path / "drugs.yaml")
    (tmp_path / "drug-codes.csv").write_text("代码,ATC\nX,A\n")
    with pytest.raises(BadInput, match="the file has no column 本院代码"):
        read_mapping(tmp_path / "drugs.yaml")
