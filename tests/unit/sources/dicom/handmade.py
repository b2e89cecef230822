"""DICOM objects written byte by byte, so that they can be wrong in every way."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from xinglin.sources import Part, Reading, Record, Rejected
from xinglin.sources.dicom import records

STUDY, SERIES, INSTANCE = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2", "1.2.826.0.1.3680043.8.498.3"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
CT = "1.2.840.10008.5.1.4.1.1.2"
_LONG = ("OB", "OW", "SQ", "UN", "UT")

Elements = dict[int, tuple[str, bytes | str]]

BASIC: Elements = {
    0x00080005: ("CS", "ISO_IR 192"),
    0x00080016: ("UI", CT),
    0x00080018: ("UI", INSTANCE),
    0x00080020: ("DA", "20240115"),
    0x00080030: ("TM", "083000.5"),
    0x00080050: ("SH", "A-77"),
    0x00080060: ("CS", "CT"),
    0x00080090: ("PN", "Li^Na"),
    0x00081030: ("LO", "Head without contrast"),
    0x0008103E: ("LO", "Axial"),
    0x00100010: ("PN", "Wang^XiaoDong=王^小东"),
    0x00100020: ("LO", "P-17"),
    0x00100030: ("DA", "19500203"),
    0x00100040: ("CS", "M"),
    0x00180015: ("CS", "HEAD"),
    0x0020000D: ("UI", STUDY),
    0x0020000E: ("UI", SERIES),
    0x00200011: ("IS", "2"),
    0x00200013: ("IS", "14"),
}


def element(tag: int, vr: str, value: bytes | str, *, big: bool = False, implicit: bool = False) -> bytes:
    """One data element."""
    raw = value.encode() if isinstance(value, str) else value
    raw += (b"\x00" if vr in ("UI", "OB", "UN") else b" ") * (len(raw) % 2)
    order = ">" if big else "<"
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<L", len(raw)) + raw
    if vr in _LONG:
        return head + vr.encode() + b"\x00\x00" + struct.pack(f"{order}L", len(raw)) + raw
    return head + vr.encode() + struct.pack(f"{order}H", len(raw)) + raw


def sequence(tag: int, *items: Elements) -> tuple[int, tuple[str, bytes]]:
    """A sequence of items as an entry of `Elements`."""
    made = b""
    for item in items:
        content = b"".join(element(one, *item[one]) for one in sorted(item))
        made += b"\xfe\xff\x00\xe0" + struct.pack("<L", len(content)) + content
    return tag, ("SQ", made)


def dicom_object(
    changes: Elements | None = None, *, without: tuple[int, ...] = (), syntax: str = EXPLICIT, prefix: bool = True
) -> bytes:
    """The basic object with changes.

    Args:
        changes: Elements to add or replace.
        without: Tags to leave out.
        syntax: Transfer syntax it is written in.
        prefix: Whether preamble and file meta information stand before it.
    """
    elements = {tag: one for tag, one in (BASIC | (changes or {})).items() if tag not in without}
    big, implicit = syntax == BIG, syntax == IMPLICIT
    content = b"".join(element(tag, *elements[tag], big=big, implicit=implicit) for tag in sorted(elements))
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        content = packer.compress(content) + packer.flush()
    if not prefix:
        return content
    meta = element(0x00020002, "UI", CT) + element(0x00020003, "UI", INSTANCE) + element(0x00020010, "UI", syntax)
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(meta))) + meta + content


def read(data: bytes, name: str = "a.dcm", reading: Reading | None = None) -> list[Record]:
    """The records of an object."""
    return list(records(Part(0, "document", data=data, name=name), reading or Reading()))


def resources(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Patient and ImagingStudy of an object that lands."""
    import orjson

    mentioned, study = read(data)
    assert not isinstance(mentioned.found, Rejected) and not isinstance(study.found, Rejected)
    return orjson.loads(mentioned.found.text), orjson.loads(study.found.text)


def refused(data: bytes, name: str = "a.dcm", reading: Reading | None = None) -> tuple[str, str]:
    """Reason and detail of an object that is set aside."""
    (record,) = read(data, name, reading)
    assert isinstance(record.found, Rejected)
    return record.found.reason, record.found.detail
