"""A health centre's HL7 v2: whole messages, each patient first by the number of the truth, everything noted once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest


def messages(folder: Path, stem: str) -> list[list[list[str]]]:
    """Messages of a file as segments of fields; MSH-n stands at place n - 1 there."""
    data = (folder / f"{stem}.0000.hl7").read_bytes().decode()
    assert data.startswith("MSH|") and data.endswith("\r") and "\n" not in data
    found: list[list[list[str]]] = []
    for segment in data.removesuffix("\r").split("\r"):
        fields = segment.split("|")
        if fields[0] == "MSH":
            found.append([])
        found[-1].append(fields)
    return found


def segments(folder: Path, stem: str, name: str) -> list[list[str]]:
    return [segment for message in messages(folder, stem) for segment in message if segment[0] == name]


def resources(folder: Path, resource_type: str) -> list[dict[str, Any]]:
    path = folder / f"{resource_type}.0000.ndjson"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_message_says_what_it_is_and_no_two_have_one_number(as_hl7v2: Path) -> None:
    heads = [head for path in as_hl7v2.glob("*.hl7") for head in segments(as_hl7v2, path.name[:3], "MSH")]
    assert {head[11] for head in heads} == {"2.5.1"}
    assert {head[17] for head in heads} == {"UNICODE UTF-8"}
    assert all(len(head[8].split("^")) == 3 for head in heads)
    assert max(Counter(head[9] for head in heads).values()) == 1


def test_the_first_number_of_a_patient_is_that_of_the_truth(as_hl7v2: Path, as_fhir: Path) -> None:
    firsts = {segment[3].split("~")[0] for segment in segments(as_hl7v2, "ADT", "PID")}
    assert firsts == {f"{one['id']}^^^^PI" for one in resources(as_fhir, "Patient")}


@pytest.mark.parametrize(
    ("stem", "segment", "resource_type"),
    [("PPR", "PRB", "Condition"), ("RDE", "RXE", "MedicationRequest"), ("VXU", "RXA", "Immunization"),
     ("DFT", "FT1", "Claim"), ("ADT", "PR1", "Procedure"), ("ADT", "IAM", "AllergyIntolerance"),
     ("MDM", "TXA", "DocumentReference")],
)  # fmt: skip
def test_what_was_noted_is_sent_once(
    as_hl7v2: Path, as_fhir: Path, stem: str, segment: str, resource_type: str
) -> None:
    assert len(segments(as_hl7v2, stem, segment)) == len(resources(as_fhir, resource_type)) > 0


def test_every_value_is_one_result(as_hl7v2: Path, as_fhir: Path) -> None:
    values = sum(len(one.get("component", [None])) for one in resources(as_fhir, "Observation"))
    assert len(segments(as_hl7v2, "ORU", "OBX")) == values


def test_visits_begin_and_end(as_hl7v2: Path, as_fhir: Path) -> None:
    events = Counter(head[8].split("^")[1] for head in segments(as_hl7v2, "ADT", "MSH"))
    classes = Counter(one["class"]["code"] for one in resources(as_fhir, "Encounter"))
    assert events["A01"] == classes["IMP"]
    assert events["A04"] == classes["AMB"] + classes["EMER"]
    assert events["A03"] == sum(classes.values())


def test_a_problem_has_its_onset_and_its_end(as_hl7v2: Path, as_fhir: Path) -> None:
    told = {segment[4]: (segment[16], segment[9]) for segment in segments(as_hl7v2, "PPR", "PRB")}

    def stamp(moment: str) -> str:
        return "".join(filter(str.isdigit, moment[:19])) + "+0800" if moment else ""

    for one in resources(as_fhir, "Condition"):
        assert told[one["id"]] == (stamp(one["onsetDateTime"]), stamp(one.get("abatementDateTime", "")))
