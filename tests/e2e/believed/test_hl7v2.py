"""HL7 v2: nothing of a message is lost in silence, and nobody gets another's results."""

from __future__ import annotations

import base64

import pytest

from .conftest import Delivered

pytestmark = pytest.mark.e2e
PID = "PID|1||{number}^^^A^MR||{name}||{born}|M"


def message(*segments: str, kind: str = "ORU^R01", number: str = "1", day: str = "20240301", end: str = "\r") -> str:
    header = f"MSH|^~\\&|LAB|A|HIS|B|{day}080000||{kind}|{number}|P|2.5.1"
    return end.join([header, *segments, ""])


def pid(number: str = "4711", name: str = "Arlen^Bo", born: str = "19500211") -> str:
    return PID.format(number=number, name=name, born=born)


def obr(day: str = "20240301", order: str = "1", time: str = "0700") -> str:
    return f"OBR|1|P{order}|F{order}|PAN^Panel^L|||{day}{time}|||||||||||||||{day}|||F"


def obx(kind: str, value: str, number: int = 1, code: str = "718-7^x^LN") -> str:
    return f"OBX|{number}|{kind}|{code}||{value}|mg/L|||||F"


def measured(delivered: Delivered) -> list[tuple[int, float]]:
    return delivered.ask(
        "SELECT year_of_birth, value_as_number FROM measurement JOIN person USING (person_id) ORDER BY ALL"
    )


def test_a_text_without_a_code_is_a_value(delivered: Delivered) -> None:
    segments = [
        pid(), "PV1|1|O|||||||||||||||||V1|||||||||||||||||||||||||20240301",
        "AL1|1|DA|^PENICILLIN", "AL1|2|DA|LAT^LATEX^L", "AL1|3|DA|^^^^^^^^seafood as told",
        "DG1|1||^Old fracture||20240301|F", "DG1|2||E11.9^Diabetes^I10||20240301|F", "PR1|1||^Suture||20240301",
    ]  # fmt: skip
    delivered.land({"a.hl7": message(*segments, kind="ADT^A04")})
    assert sorted(one["code"]["text"] for one in delivered.current("AllergyIntolerance")) == [
        "LATEX", "PENICILLIN", "seafood as told",
    ]  # fmt: skip
    assert sorted(one["code"]["text"] for one in delivered.current("Condition")) == ["Diabetes", "Old fracture"]
    assert [one["code"]["text"] for one in delivered.current("Procedure")] == ["Suture"]
    assert delivered.reasons() == {}


def test_a_report_without_a_source_application_is_a_report(delivered: Delivered) -> None:
    data = base64.b64encode(b"%PDF-1.4 report").decode()
    values = [f"^application^pdf^Base64^{data}", "^text^plain^A^seen", f"RIS^application^pdf^Base64^{data}"]
    reports = [obx("ED", value, at, f"R{at}^Report^L") for at, value in enumerate(values)]
    delivered.land({"a.hl7": message(pid(), obr(), *reports)})
    found = [one["content"][0]["attachment"]["contentType"] for one in delivered.current("DocumentReference")]
    assert sorted(found) == ["application/pdf", "application/pdf", "text/plain"]


def test_each_repetition_of_a_value_is_a_value(delivered: Delivered) -> None:
    segments = [
        pid(), obr(), obx("CE", "112283007^Escherichia coli^SCT~3092008^Staphylococcus aureus^SCT", 1, "600-7^x^LN"),
        obx("NM", "5.1~5.2~~5.3", 2), obx("TX", "one~two", 3, "N^Note^L"),
    ]  # fmt: skip
    delivered.land({"a.hl7": message(*segments)})
    found = delivered.current("Observation")
    assert sorted(one["valueQuantity"]["value"] for one in found if "valueQuantity" in one) == [5.1, 5.2, 5.3]
    assert len([one for one in found if "valueCodeableConcept" in one]) == 2
    assert [one["valueString"] for one in found if "valueString" in one] == ["one\ntwo"]


@pytest.mark.parametrize(
    ("written", "value", "comparator"),
    [("<0.5", 0.5, "<"), (">1200", 1200, ">"), ("<= 3", 3, "<="), ("≥7", 7, ">="), ("=>7", 7, ">="), ("4", 4, None)],
)
def test_a_limit_in_a_number_field_is_a_comparator(
    delivered: Delivered, written: str, value: float, comparator: str | None
) -> None:
    delivered.land({"a.hl7": message(pid(), obr(), obx("NM", written))})
    [found] = delivered.current("Observation")
    assert found["valueQuantity"]["value"] == value
    assert found["valueQuantity"].get("comparator") == comparator
    assert delivered.reasons() == {}
    delivered.run()
    [(said,)] = delivered.ask("SELECT value_source_value FROM measurement")
    assert said == f"{comparator or ''}{value:g}"


TEXT = ["No fracture.", "Malignancy cannot be", "excluded: WBC|5|high; see CT."]


@pytest.mark.parametrize(("end", "inside"), [("\r", "\n"), ("\r", "\r\n"), ("\r\n", "\n"), ("\n", "\n")])
def test_a_line_end_inside_a_report_does_not_cut_it(delivered: Delivered, end: str, inside: str) -> None:
    lines = [TEXT[0], TEXT[1], "excluded; see CT."]
    report = obx("FT", inside.join(lines), 1, "XR^Report^L")
    delivered.land({"a.hl7": message(pid(), obr(), report, obx("NM", "7", 2), end=end)})
    assert [one["valueString"] for one in delivered.current("Observation") if "valueString" in one] == [
        "\n".join(lines)
    ]
    assert len(delivered.current("Observation")) == 2
    assert delivered.reasons() == {}


def test_where_segments_end_with_a_carriage_return_a_line_that_looks_like_one_is_text(delivered: Delivered) -> None:
    delivered.land({"a.hl7": message(pid(), obr(), obx("FT", "Seen:\nWBC of 5\nend", 1, "XR^Report^L"))})
    assert delivered.current("Observation")[0]["valueString"] == "Seen:\nWBC of 5\nend"


def test_files_with_any_ending_are_read_by_what_they_hold(delivered: Delivered) -> None:
    files: dict[str, bytes | str] = {
        f"m{at}.{ending}": message(pid(), obr(order=str(at)), obx("NM", str(at)), number=str(at))
        for at, ending in enumerate(("txt", "log", "hl7", "asc", "md"))
    }
    delivered.land({**files, "README.md": "Results of March.", "LICENSE.txt": "MIT"})
    assert len(delivered.current("Observation")) == 5
    assert delivered.reasons() == {}


def test_a_trailer_that_counts_otherwise_is_set_aside_with_both_counts(delivered: Delivered) -> None:
    inside = [message(pid(), obr(order=str(at)), obx("NM", "1"), number=str(at)) for at in range(2)]
    batch = "FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r" + "".join(inside) + "BTS|3\rFTS|1\r"
    assert delivered.land({"a.hl7": batch}).quarantined == 1
    assert delivered.reasons() == {"batch-count": 1}
    assert delivered.land({"b.hl7": batch.replace("BTS|3", "BTS|2")}).quarantined == 0


def test_a_second_result_of_one_order_stands_beside_the_first(delivered: Delivered) -> None:
    first, second = (
        message(pid(), obr(time=time), obx("NM", value), number=time)
        for time, value in (("0800", "4.9"), ("1000", "9.8"))
    )
    corrected = message(pid(), obr(time="0800"), obx("NM", "5.0").replace("|F", "|C"), number="c", day="20240302")
    delivered.land({"a.hl7": first + second})
    delivered.run()
    assert measured(delivered) == [(1950, 4.9), (1950, 9.8)]
    delivered.land({"b.hl7": corrected})
    delivered.run()
    assert measured(delivered) == [(1950, 5.0), (1950, 9.8)]


@pytest.mark.parametrize("number", ["UNKNOWN", "00000000", "999999", "N/A", "123456789"])
def test_a_placeholder_for_a_number_is_nobodys_number(delivered: Delivered, number: str) -> None:
    people = [("Arlen^Bo", "19500211"), ("Corvin^Di", "19880930"), ("Elmar^Fay", "19710309"), ("Gant^Hal", "20010417")]
    visit = "PV1|1|E|||||||||||||||||V{at}|||||||||||||||||||||||||2024030{at}"
    text = ""
    for at, (name, born) in enumerate(people, 1):
        who, day = pid(number, name, born), f"2024030{at}"
        text += message(who, visit.format(at=at), kind="ADT^A04", number=f"a{at}", day=day)
        text += message(who, obr(day, str(at)), obx("NM", str(at)), number=f"r{at}", day=day)
    delivered.land({"a.hl7": text})
    delivered.run()
    assert measured(delivered) == [(1950, 1.0), (1971, 3.0), (1988, 2.0), (2001, 4.0)]


def test_unidentified_patients_stay_apart_by_their_visits(delivered: Delivered) -> None:
    visit = "PV1|1|E|||||||||||||||||V{at}|||||||||||||||||||||||||20240301"
    text = "".join(
        message(pid("UNKNOWN", "Unknown^Male", ""), visit.format(at=at), kind="ADT^A04", number=f"a{at}{again}")
        for at in range(3)
        for again in range(2)
    )
    delivered.land({"a.hl7": text})
    assert len(delivered.current("Patient")) == 3


def test_results_of_nobody_are_set_aside_with_control_id_and_sender(delivered: Delivered) -> None:
    report = delivered.land({"a.hl7": message("PID|1||||Arlen^Bo", obr(), obx("NM", "1"), number="c77")})
    assert (report.landed, report.quarantined) == (0, 1)
    assert delivered.reasons() == {"no-patient": 1}


@pytest.mark.parametrize(
    ("written", "born"), [("00000000", None), ("19530010", "1953"), ("UNKNOWN", None), ("195305", "1953-05")]
)
def test_a_birth_date_that_cannot_be_read_costs_the_birth_date(
    delivered: Delivered, written: str, born: str | None
) -> None:
    visit = "PV1|1|I|||||||||||||||||V1|||||||||||||||||||||||||20240301"
    delivered.land({"a.hl7": message(pid(born=written), visit, kind="ADT^A01")})
    [patient] = delivered.current("Patient")
    assert (patient.get("birthDate"), patient["gender"], patient["name"][0]["family"]) == (born, "male", "Arlen")
    assert delivered.current("Encounter")[0]["subject"]["reference"] == f"Patient/{patient['id']}"
    if born is None:
        url, kept = patient["_birthDate"]["extension"]
        assert (url["valueCode"], kept["valueString"]) == ("error", written)
        assert delivered.reasons() == {"invalid-date": 1}


def test_a_moment_inside_a_list_that_cannot_be_read_costs_nothing_else(delivered: Delivered) -> None:
    who = pid().replace("4711^^^A^MR", "4711^^^A^MR^^soon~88^^^B^MR")
    delivered.land({"a.hl7": message(who, kind="ADT^A04")})
    [patient] = delivered.current("Patient")
    assert [one["value"] for one in patient["identifier"]] == ["4711", "88"]
    assert patient["extension"][0]["extension"] == [
        {"url": "place", "valueString": "PID-3"}, {"url": "text", "valueString": "soon"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("张^伟", "gb18030"),
        ("李^娜", "gb18030"),
        ("Müller^Jörg", "latin-1"),
        ("张^伟", "utf-8"),
        ("Núñez^Íñigo", "latin-1"),
    ],
)
def test_a_message_that_declares_no_characters_is_not_garbled(delivered: Delivered, name: str, encoding: str) -> None:
    delivered.land({"a.hl7": message(pid(name=name), kind="ADT^A04").encode(encoding)})
    [patient] = delivered.current("Patient")
    assert [patient["name"][0]["family"], *patient["name"][0]["given"]] == name.split("^")
