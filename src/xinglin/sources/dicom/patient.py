"""The Patient that an object mentions (PS3.3, C.7.1.1 and C.2.2)."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote

from xinglin.sources.dicom.header import Header
from xinglin.sources.dicom.moments import day
from xinglin.sources.placeholders import is_placeholder

__all__ = ["authority_system", "patient", "patient_id"]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+").fullmatch
_URI = re.compile(r"(urn:[a-z0-9]|https?://).+").fullmatch
_UNIVERSAL = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "URI": ""}
_NUMBER = "urn:xinglin:patient-number"
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_GENDERS = {"M": "male", "F": "female", "O": "other"}
_GROUPS = ("ABC", "IDE", "SYL")


def patient(header: Header, study_uid: str) -> dict[str, Any]:
    """The Patient as a FHIR resource.

    Args:
        header: Of the object.
        study_uid: Names the patient of an object that has no Patient ID, or a placeholder: a study has one patient.

    Example:
        >>> from xinglin.sources.dicom.header import read_header
        >>> patient(read_header(b"\\x10\\x00\\x20\\x00LO\\x02\\x0017"), "1.2")["id"]
        '17'
    """
    found: dict[str, Any] = {"resourceType": "Patient", "id": patient_id(header, study_uid)}
    if identifiers := _identifiers(header):
        found["identifier"] = identifiers
    if names := _names(header):
        found["name"] = names
    if gender := _GENDERS.get((header.word(0x00100040) or "").upper()):
        found["gender"] = gender
    if born := day(header.word(0x00100030)):
        found["birthDate"] = born
    return found


def patient_id(header: Header, study_uid: str) -> str:
    """The id of the Patient resource: stable, and the number itself where FHIR can hold it."""
    number, authority = header.text(0x00100020), header.text(0x00100021)
    if number is None or is_placeholder(number):
        return _hashed(f"study|{study_uid}")
    written = number if authority is None else f"{authority}.{number}"
    return written if _ID(written) else _hashed(f"{authority or ''}|{number}")


def authority_system(header: Header) -> str | None:
    """The identifier system of a number's assigning authority, in the header or in an item of other numbers.

    Example:
        >>> from xinglin.sources.dicom.header import read_header
        >>> authority_system(read_header(b"\\x10\\x00\\x21\\x00LO\\x04\\x00HIS "))
        'urn:xinglin:authority:HIS'
    """
    for item in header.items(0x00100024)[:1]:
        universal, kind = item.text(0x00400032), _UNIVERSAL.get((item.word(0x00400033) or "").upper())
        if universal and kind is not None:
            return kind + universal
    authority = header.text(0x00100021)
    if authority is None:
        return None
    if _OID(authority):
        return f"urn:oid:{authority}"
    return authority if _URI(authority) else f"urn:xinglin:authority:{quote(authority, safe='')}"


def _hashed(text: str) -> str:
    """Shaped like a UUID; the same number of the same authority in an HL7 v2 message gives the same."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def _identifiers(header: Header) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    number = header.text(0x00100020)
    if number is not None and not is_placeholder(number):
        kind = {"coding": [{"system": _V2_0203, "code": "MR"}]}
        found.append({"type": kind, "system": authority_system(header) or _NUMBER, "value": number})
    for item in header.items(0x00101002)[:20]:
        if other := item.text(0x00100020):
            system = authority_system(item)
            found.append({"system": system, "value": other} if system else {"value": other})
    found += [{"value": other} for other in header.texts(0x00101000)[:20]]
    unique: dict[tuple[str | None, str], dict[str, Any]] = {}
    for one in found:
        unique.setdefault((one.get("system"), one["value"]), one)
    return list(unique.values())


def _names(header: Header) -> list[dict[str, Any]]:
    """One HumanName per component group; the ideographic one first, since it is how the name is written."""
    groups = header.name_groups(0x00100010)
    names = []
    for place in (1, 0, 2):
        if place < len(groups) and any(groups[place]):
            name = _name(groups[place])
            if len(groups) > 1:
                name = {"extension": [{"url": _REPRESENTATION, "valueCode": _GROUPS[place]}], **name}
            names.append(name)
    return names


def _name(parts: list[str]) -> dict[str, Any]:
    """A name of one component tells nothing of family and given name: many devices take the whole name there."""
    if not any(parts[1:]):
        return {"text": parts[0]}
    family, given, middle, prefix, suffix = [*parts, "", "", "", ""][:5]
    found: dict[str, Any] = {}
    if family:
        found["family"] = family
    if given or middle:
        found["given"] = [part for part in (given, middle) if part]
    if prefix:
        found["prefix"] = [prefix]
    if suffix:
        found["suffix"] = [suffix]
    return found
