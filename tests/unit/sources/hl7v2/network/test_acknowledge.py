"""What a listener answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xinglin.sources.hl7v2 import acknowledge, inspect
from xinglin.sources.hl7v2.message.parse import parse

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def message(version: str = "2.5.1", kind: str = "ADT^A01", conditions: str = "|") -> bytes:
    return f"MSH|^~\\&|APP|HOSP|X|Y|20240101||{kind}|C7|P|{version}|||{conditions}||UNICODE UTF-8\rPID|1||7".encode()


def segments(answer: bytes) -> list[list[str]]:
    return parse(answer).segments


def test_the_answer_turns_sender_and_receiver_round_and_speaks_the_senders_version() -> None:
    msh, msa = segments(acknowledge(inspect(message()), NOON, "a1"))
    assert msh[3:7] == ["X", "Y", "APP", "HOSP"]
    assert (msh[9], msh[10], msh[12], msh[18]) == ("ACK^A01^ACK", "a1", "2.5.1", "UNICODE UTF-8")
    assert msa == ["MSA", "AA", "C7"]


def test_a_message_that_cannot_be_taken_is_refused_with_a_reason_and_no_value() -> None:
    _, msa, err = segments(acknowledge(inspect(message(kind="QRY^Q01")), NOON, "a1"))
    assert msa[:3] == ["MSA", "AR", "C7"]
    assert err[3].startswith("200^") and err[4] == "E"
    assert inspect(b"garbage").code == "AR"
    assert segments(acknowledge(inspect(b"garbage"), NOON, "a1"))[1][1] == "AR"


def test_an_old_version_gets_an_old_error_segment() -> None:
    assert segments(acknowledge(inspect(message("2.3", "QRY^Q01")), NOON, "a1"))[2] == [
        "ERR", "^^^200&Unsupported message type&HL70357"]  # fmt: skip
    assert len(segments(acknowledge(inspect(message("2.1", "QRY^Q01")), NOON, "a1"))) == 2


def test_the_listener_can_say_that_the_disk_is_full() -> None:
    _, msa, err = segments(acknowledge(inspect(message()), NOON, "a1", code="AE", reason="storage"))
    assert msa[1] == "AE" and err[3].startswith("207^")


@pytest.mark.parametrize(
    ("conditions", "code", "answer"),
    [("AL|NE", "AA", "CA"), ("AL|AL", "AE", "CE"), ("NE|AL", "AA", "AA"), ("NE|NE", "AA", ""), ("ER|NE", "AA", ""),
     ("ER|NE", "AR", "CR"), ("SU|", "AA", "CA"), ("|ER", "AE", "AE"), ("|", "AA", "AA")],
)  # fmt: skip
def test_enhanced_mode_answers_as_asked(conditions: str, code: str, answer: str) -> None:
    found = acknowledge(inspect(message(conditions=conditions)), NOON, "a1", code=code)
    assert (segments(found)[1][1] if found else "") == answer


def test_results_that_name_no_patient_are_answered_as_the_site_says() -> None:
    header = b"MSH|^~\\&|LAB|A|HIS|B|20240101||ORU^R01|7|P|2.5\r"
    nobody, somebody = header + b"PID|1\rOBX|1|NM|1^a^L||7\r", header + b"PID|1||47\rOBX|1|NM|1^a^L||7\r"
    assert (inspect(nobody).code, inspect(nobody).reason) == ("AE", "no-patient")
    assert inspect(nobody, "settings: {unidentified: AA}").code == "AA"
    assert inspect(somebody).code == "AA"
