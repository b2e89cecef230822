"""Messages become resources: statements and mentions, statuses, corrections, merges, values."""

from __future__ import annotations

import pytest

from tests.unit.sources.hl7v2.conftest import PID, PV1, Convert

OBR = "OBR|1|P1^HIS|F1^LIS|24323-8^Panel^LN|||20240101090000|||||||||||||||20240101100000||LAB|F"


def test_an_admission_states_patient_and_visit(convert: Convert) -> None:
    found = convert(PID, PV1)
    patient, visit = found.one("Patient"), found.one("Encounter")
    assert patient["id"] == "KH.4711"
    assert patient["name"] == [{"use": "official", "family": "Zhang", "given": ["Wei", "M"], "prefix": ["Dr"]}]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1962-03-20")
    assert patient["_birthDate"]["extension"][0]["valueDateTime"] == "1962-03-20T15:30:00+08:00"
    assert patient["meta"]["lastUpdated"] == "2024-01-02T03:04:05+08:00"
    assert (visit["id"], visit["status"], visit["class"]["code"]) == ("KH.V9", "in-progress", "IMP")
    assert visit["subject"] == {"reference": "Patient/KH.4711"}
    assert visit["period"] == {"start": "2024-01-01T08:00:00+08:00"}
    assert not {"Patient/KH.4711", "Encounter/KH.V9"} & found.mentions
    assert "Practitioner/0101" in found.mentions


def test_a_patient_told_again_is_no_new_version_where_the_message_says_when_it_was_changed(convert: Convert) -> None:
    fields = PID.split("|")
    changed = "|".join([*fields, *[""] * (33 - len(fields)), "20230607080910"])
    first, again = (convert(changed, PV1, kind=kind).one("Patient") for kind in ("ADT^A01", "ADT^A03"))
    assert first["meta"]["lastUpdated"] == "2023-06-07T08:09:10+08:00"
    assert first == again


def test_a_result_only_mentions_patient_and_visit_so_that_repeated_words_are_duplicates(convert: Convert) -> None:
    found = convert(PID, PV1, OBR, "OBX|1|NM|2345-7^Glucose^LN||1.50|mg/dl|70-99|H|||F", kind="ORU^R01")
    assert {"Patient/KH.4711", "Encounter/KH.V9"} <= found.mentions
    assert "meta" not in found.one("Patient")
    result, report = found.one("Observation"), found.one("DiagnosticReport")
    assert b'"value":1.50' in next(one.found.text for one in found.records if one.found.resource_type == "Observation")
    assert result["valueQuantity"]["code"] == "mg/dL"
    assert result["category"][0]["coding"][0]["code"] == "laboratory"
    assert (result["status"], result["effectiveDateTime"]) == ("final", "2024-01-01T09:00:00+08:00")
    assert report["result"] == [{"reference": f"Observation/{result['id']}"}]


@pytest.mark.parametrize(
    ("event", "segment", "status"),
    [("A03", PV1, "finished"), ("A11", PV1, "cancelled"), ("A05", PV1, "planned"), ("A04", PV1, "arrived"),
     ("A13", PV1 + "|20240105", "in-progress"), ("A08", PV1 + "|20240105", "finished"), ("A08", PV1, "in-progress"),
     ("A23", PV1, "entered-in-error")],
)  # fmt: skip
def test_the_event_decides_the_status_of_the_visit(convert: Convert, event: str, segment: str, status: str) -> None:
    assert convert(PID, segment, kind=f"ADT^{event}").one("Encounter")["status"] == status


@pytest.mark.parametrize(("flag", "status"), [("P", "preliminary"), ("C", "corrected"), ("D", "entered-in-error"),
                                              ("W", "entered-in-error"), ("X", "cancelled")])  # fmt: skip
def test_a_corrected_result_keeps_its_id(convert: Convert, flag: str, status: str) -> None:
    first = convert(PID, OBR, "OBX|1|NM|2345-7^Glucose^LN||7|mg/dl||||F|F", kind="ORU^R01").one("Observation")
    later = convert(PID, OBR, f"OBX|1|NM|2345-7^Glucose^LN||8|mg/dl|||||{flag}", kind="ORU^R01").one("Observation")
    assert later["id"] == first["id"]
    assert later["status"] == status


def test_the_same_test_twice_in_an_order_gives_two_results(convert: Convert) -> None:
    found = convert(PID, OBR, *["OBX|1|NM|2345-7^Glucose^LN||7|||||||F"] * 2, kind="ORU^R01")
    assert len({one["id"] for one in found.of("Observation")}) == 2


def test_two_patients_with_the_same_order_number_keep_their_results(convert: Convert) -> None:
    other = PID.replace("4711", "4712")
    ids = {
        convert(who, OBR, "OBX|1|NM|1^a^L||7|||||||F", kind="ORU^R01").one("Observation")["id"] for who in (PID, other)
    }
    assert len(ids) == 2


def test_a_merge_retires_the_replaced_patient_and_states_the_surviving_one(convert: Convert) -> None:
    found = convert(PID, "MRG|99^^^KH^MR||||||Old^Name", kind="ADT^A40")
    retired, surviving = sorted(found.of("Patient"), key=lambda one: one["active"])
    assert (retired["id"], retired["active"], surviving["id"]) == ("KH.99", False, "KH.4711")
    assert retired["link"] == [{"other": {"reference": "Patient/KH.4711"}, "type": "replaced-by"}]
    assert not found.mentions


def test_a_merge_into_itself_and_a_merge_of_accounts_retire_nobody(convert: Convert) -> None:
    assert convert(PID, "MRG|4711^^^KH^MR", kind="ADT^A40").one("Patient")["active"] is True
    assert convert(PID, "MRG|99^^^KH^MR||A1", kind="ADT^A41").one("Patient")["active"] is True


def test_parts_of_a_panel_become_components(convert: Convert) -> None:
    found = convert(
        PID,
        OBR,
        "OBX|1||85354-9^Blood pressure^LN|1||||||F|F",
        "OBX|2|NM|8480-6^Systolic^LN|1|120|mm[Hg]^^UCUM|||||F",
        "OBX|3|NM|8462-4^Diastolic^LN|1|80|mm[Hg]^^UCUM|||||F",
        "OBX|4|NM|8867-4^Pulse^LN||60|/min|||||F",
        kind="ORU^R01",
    )
    panel, pulse = found.of("Observation")
    assert [one["valueQuantity"]["value"] for one in panel["component"]] == [120, 80]
    assert panel["category"][0]["coding"][0]["code"] == "vital-signs"
    assert pulse["valueQuantity"]["code"] == "/min"


@pytest.mark.parametrize(
    ("kind", "text", "unit", "element", "value"),
    [
        ("NM", ".5", "x", "valueQuantity", {"value": 0.5, "unit": "x"}),
        ("SN", "<^5", "", "valueQuantity", {"value": 5, "comparator": "<"}),
        ("SN", "^1^:^8", "", "valueRatio", {"numerator": {"value": 1}, "denominator": {"value": 8}}),
        ("ST", "a\\T\\b", "", "valueString", "a&b"),
        ("TX", "one~two\\.br\\three", "", "valueString", "one\ntwo\nthree"),
        ("CWE", "1^One^SCT", "", "valueCodeableConcept",
         {"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": "One"}], "text": "One"}),
        ("DT", "20240229", "", "valueDateTime", "2024-02-29"),
        ("TS", "202402290810", "", "valueDateTime", "2024-02-29T08:10:00+08:00"),
        ("TM", "0810", "", "valueTime", "08:10:00"),
        ("", "plain", "", "valueString", "plain"),
    ],
)  # fmt: skip
def test_value_types(convert: Convert, kind: str, text: str, unit: str, element: str, value: object) -> None:
    found = convert(PID, OBR, f"OBX|1|{kind}|1^a^L||{text}|{unit}|||||F", kind="ORU^R01")
    assert found.one("Observation")[element] == value


def test_a_result_that_cannot_be_read_costs_its_value_and_is_told(convert: Convert) -> None:
    bad = "OBX|2|NM|1^b^L||seven|||||||F"
    found = convert(PID, OBR, "OBX|1|NM|1^a^L||7|||||||F", bad, kind="ORU^R01")
    assert found.reasons == ["invalid-number"]
    good, unread = found.of("Observation")
    assert len(found.one("DiagnosticReport")["result"]) == 2
    assert "valueQuantity" in good and "valueQuantity" not in unread
    assert unread["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert unread["extension"][0]["extension"][1] == {"url": "text", "valueString": "seven"}
    (rejected,) = [one for one in found.records if hasattr(one.found, "reason")]
    assert rejected.raw == bad.encode()
    assert "seven" not in rejected.found.detail


@pytest.mark.parametrize("kind", ["ADT^A99", "QRY^Q01", "", "ACK"])
def test_a_message_of_no_known_type_is_one_record_with_a_reason(convert: Convert, kind: str) -> None:
    found = convert(PID, kind=kind)
    assert found.reasons == ["missing-type" if not kind else "unsupported-message"]
    assert not found.resources


def test_the_header_accounts_for_the_message(convert: Convert) -> None:
    found = convert(PID, PV1)
    header = found.one("MessageHeader")
    assert header["id"] == "C1"
    assert header["eventCoding"]["code"] == "A01"
    assert {one["reference"] for one in header["focus"]} == {"Patient/KH.4711", "Encounter/KH.V9"}


def test_a_control_id_that_cannot_be_an_id_is_hashed_with_its_sender(convert: Convert) -> None:
    def header(sender: str) -> str:
        raw = f"MSH|^~\\&|{sender}|H|||2024||ADT^A28|a b/c|P|2.5\r{PID}".encode()
        return str(convert(raw=raw).one("MessageHeader")["id"])

    assert header("A") == header("A") != header("B")


def test_a_patient_without_a_number_is_set_aside(convert: Convert) -> None:
    assert convert("PID|1||||Zhang^Wei").reasons == ["missing-element"]


def test_null_removes_and_is_no_text(convert: Convert) -> None:
    patient = convert('PID|1||4711||Zhang^Wei||""|""|||""').one("Patient")
    assert "birthDate" not in patient and "address" not in patient and patient["gender"] == "unknown"


def test_a_vaccination_a_prescription_a_document_a_charge_and_an_appointment(convert: Convert) -> None:
    vaccine = convert(
        PID, "ORC|RE||V1", "RXA|0|1|20240101||08^HepB^CVX|0.5|mL|||||||||||||CP", "RXR|IM", kind="VXU^V04"
    )
    assert vaccine.one("Immunization")["doseQuantity"] == {
        "value": 0.5, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}  # fmt: skip
    drug = convert(
        PID, PV1, "ORC|NW|R1|||||||20240101", "RXE||197361^Amlodipine^RXNORM|5||mg||^once daily", kind="RDE^O11"
    )
    assert drug.one("MedicationRequest")["authoredOn"] == "2024-01-01"
    assert drug.one("MedicationRequest")["dosageInstruction"][0]["text"] == "once daily"
    note = convert(
        PID, PV1, "TXA|1|DS|TX|20240101||||||||D1", "OBX|1|TX|1^n^L||one", "OBX|2|TX|1^n^L||two", kind="MDM^T02"
    )
    assert note.one("DocumentReference")["content"][0]["attachment"]["data"] == "b25lCnR3bw=="
    charge = convert(PID, PV1, "FT1|1|T1||20240101||CG|99213^Visit^C4|||1|100&CNY", kind="DFT^P03")
    assert charge.one("Claim")["total"] == {"value": 100, "currency": "CNY"}
    assert charge.one("Claim")["item"][0]["encounter"] == [{"reference": "Encounter/KH.V9"}]
    booking = convert("SCH|1|S1|||||||30|MIN|^^^202402010900^202402010930|||||||||||||||Booked", PID, kind="SIU^S12")
    assert booking.one("Appointment")["start"] == "2024-02-01T09:00:00+08:00"
    assert booking.one("Appointment")["participant"][0]["actor"] == {"reference": "Patient/KH.4711"}


def test_the_site_mapping_changes_tables_zone_and_message_types(convert: Convert) -> None:
    mapping = """
settings: {zone: Asia/Shanghai}
tables: {sex: {W: female}}
messages: {ZZA: {like: ADT, events: {Z01: {visit: finished}}}}
"""
    visit = f"PV1|1|O{'|' * 17}7{'|' * 25}20240101"
    raw = f"MSH|^~\\&|A|B|||20240102||ZZA^Z01|1|P|2.5\rPID|1||1||A^B||1962|W\r{visit}".encode()
    assert convert(raw=raw).reasons == ["unsupported-message"]
    found = convert(raw=raw, mapping=mapping)
    assert found.one("Patient")["gender"] == "female"
    assert found.one("Encounter")["status"] == "finished"
    assert found.one("Encounter")["meta"]["lastUpdated"] == "2024-01-02T00:00:00+08:00"
