"""One object's share of an ImagingStudy: one series with one instance. Whoever counts brings fragments together."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

from xinglin.sources.dicom.header import Header
from xinglin.sources.dicom.moments import age, clock, moment
from xinglin.sources.record import Rejected

__all__ = ["Uids", "fragment", "uids"]

_UID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_SNOMED = "http://snomed.info/sct"
_SIDES = {"R": ("24028007", "Right"), "L": ("7771000", "Left")}
_NEEDED = {"instance": (0x00080018, "SOP Instance UID"), "study": (0x0020000D, "Study Instance UID"),
           "series": (0x0020000E, "Series Instance UID")}  # fmt: skip
_MODALITY = re.compile(r"[A-Z0-9_]{1,16}").fullmatch

Uids = dict[str, str]
"""UIDs of the instance, its study and its series."""


def uids(header: Header) -> Uids:
    """The UIDs that say where the object belongs.

    They are names: what differs in writing (zeros before a component, letters) is another name and stays as written,
    as long as it can be the id of a resource.

    Raises:
        Rejected: One of them is missing or no name that FHIR can hold.

    Example:
        >>> from xinglin.sources.dicom.header import read_header
        >>> uids(read_header(b"\\x08\\x00\\x18\\x00UI\\x04\\x001.2\\x00"))
        Traceback (most recent call last):
        ...
        xinglin.sources.record.Rejected: ('missing-element', 'expected the Study Instance UID')
    """
    found = {}
    for name, (tag, words) in _NEEDED.items():
        uid = header.text(tag)
        if uid is None:
            raise Rejected("missing-element", f"expected the {words}")
        if not _UID(uid):
            raise Rejected("invalid-id", f"expected the {words} in 1 to 64 digits and dots")
        found[name] = uid
    return found


def fragment(header: Header, names: Uids, patient_id: str, sha256: str) -> dict[str, Any]:
    """The ImagingStudy fragment of one object.

    Args:
        header: Of the object.
        names: From `uids`.
        patient_id: Id of its Patient.
        sha256: Of the object, by which it is kept.
    """
    zone = header.word(0x00080201)
    found: dict[str, Any] = {
        "resourceType": "ImagingStudy",
        "id": names["instance"],
        "meta": {"tag": [{"system": "urn:xinglin:tag", "code": "fragment"}]},
        "extension": _extensions(header, sha256),
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{names['study']}"}],
        "status": "available",
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    if accession := header.text(0x00080050):
        kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}
        found["identifier"].append({"type": kind, "value": accession})
    if modality := _modality(header):
        found["modality"] = [modality]
    if started := moment(header.word(0x00080020), header.word(0x00080030), zone):
        found["started"] = started
    if referrer := " ".join(part for part in next(iter(header.name_groups(0x00080090)), []) if part):
        found["referrer"] = {"display": referrer}
    if description := header.text(0x00081030):
        found["description"] = description
    found["series"] = [_series(header, names, modality, zone)]
    return found


def _extensions(header: Header, sha256: str) -> list[dict[str, Any]]:
    """The object's hash; the time of day where no zone is known, which FHIR's dateTime cannot hold; the age."""
    found: list[dict[str, Any]] = [{"url": "urn:xinglin:object-sha256", "valueString": sha256}]
    if header.word(0x00080020) and (time := clock(header.word(0x00080030))):
        found.append({"url": "urn:xinglin:local-time", "valueTime": time})
    if years := age(header.word(0x00101010)):
        value = {"value": years[0], "system": "http://unitsofmeasure.org", "code": years[1]}
        found.append({"url": "urn:xinglin:patient-age", "valueAge": value})
    return found


def _series(header: Header, names: Uids, modality: dict[str, str] | None, zone: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"uid": names["series"]}
    if (number := header.number(0x00200011)) is not None:
        found["number"] = number
    if modality:
        found["modality"] = modality
    if description := header.text(0x0008103E):
        found["description"] = description
    if site := _body_site(header):
        found["bodySite"] = site
    if side := _SIDES.get((header.word(0x00200060) or "").upper()):
        found["laterality"] = {"system": _SNOMED, "code": side[0], "display": side[1]}
    for day_tag, time_tag in ((0x00080021, 0x00080031), (0x00080022, 0x00080032), (0x00080023, 0x00080033)):
        if started := moment(header.word(day_tag), header.word(time_tag), zone):
            found["started"] = started
            break
    instance: dict[str, Any] = {"uid": names["instance"]}
    if sop_class := header.word(0x00080016):
        instance["sopClass"] = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{sop_class}"}
    if (number := header.number(0x00200013)) is not None:
        instance["number"] = number
    return {**found, "instance": [instance]}


def _modality(header: Header) -> dict[str, str] | None:
    written = (header.word(0x00080060) or "").upper()
    return {"system": _DCM, "code": written} if _MODALITY(written) else None


def _body_site(header: Header) -> dict[str, str] | None:
    """The coded region, else the word for it, which stays a word where PS3.16, Annex L has no code known here."""
    for item in header.items(0x00082218)[:1]:
        code = item.word(0x00080100)
        if code and item.word(0x00080102) == "SCT":
            meaning = item.text(0x00080104)
            return {"system": _SNOMED, "code": code, **({"display": meaning} if meaning else {})}
    written = header.text(0x00180015)
    if written is None:
        return None
    known = _body_parts().get(written.upper().replace(" ", "").replace("_", ""))
    return {"system": _SNOMED, "code": known[0], "display": known[1]} if known else {"display": written}


@cache
def _body_parts() -> dict[str, tuple[str, str]]:
    with (Path(__file__).parent / "body_part.csv").open(encoding="utf-8") as file:
        return {row["written"]: (row["code"], row["display"]) for row in csv.DictReader(file)}
