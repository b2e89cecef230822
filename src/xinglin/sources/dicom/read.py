"""DICOM files cut into parts, one object each, and objects read as records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from xinglin.sources.dicom.directory import references
from xinglin.sources.dicom.fragment import fragment, uids
from xinglin.sources.dicom.header import quiet, read_header
from xinglin.sources.dicom.patient import patient
from xinglin.sources.dicom.sniff import has_prefix, is_dicom, is_directory
from xinglin.sources.fhir import check
from xinglin.sources.limits import Limits
from xinglin.sources.opened import Opened
from xinglin.sources.part import Part, read
from xinglin.sources.reading import Reading
from xinglin.sources.record import KEPT, Record, Rejected, Resource

__all__ = ["cut", "recognises", "records"]


def recognises(name: str, head: bytes, reading: Reading) -> bool:
    """Whether it is a DICOM object or a DICOMDIR."""
    return is_dicom(name, head)


def cut(opened: Opened) -> Iterator[Part]:
    """One object is one part; a DICOMDIR is a description of the objects beside it."""
    if is_directory(opened.head):
        yield from _describe(opened)
    elif is_dicom(opened.entry.name, opened.head):
        yield opened.document("dicom")
    else:
        yield opened.document("dicom", _not_dicom())


def records(part: Part, reading: Reading) -> Iterator[Record]:
    """The Patient that an object mentions and its fragment of an ImagingStudy, or why there is neither."""
    try:
        data = read(part)
    except Rejected as rejected:
        yield Record(0, rejected, b"")
        return
    if is_directory(data):
        return
    size = len(data)
    kept = data if has_prefix(data) else None
    try:
        if size > reading.limits.document_bytes:
            raise Rejected("too-large", f"expected a document of at most {reading.limits.document_bytes} bytes")
        if not is_dicom(part.name, data):
            raise _not_dicom()
        mentioned, study = _resources(data, reading.limits)
    except Rejected as rejected:
        yield Record(1, rejected, data[:KEPT], size, keep=kept)
        return
    yield Record(1, mentioned, b"", size, mention=True)
    yield Record(1, study, b"", size, keep=data)


def _resources(data: bytes, limits: Limits) -> tuple[Resource, Resource]:
    with quiet():
        header = read_header(data)
        names = uids(header)
        try:
            mentioned = patient(header, names["study"])
            study = fragment(header, names, mentioned["id"], hashlib.sha256(data).hexdigest())
        except Exception as error:  # a value that pydicom's decoders stumble over
            raise Rejected("damaged-dicom", f"expected readable values ({type(error).__name__})") from None
    return check(_json(mentioned), limits), check(_json(study), limits)


def _json(resource: dict[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(resource)


def _describe(opened: Opened) -> Iterator[Part]:
    """Nothing to land, but what it refers to; read to its end for its hash."""
    opened.entry.role = "description"
    limit, held, size = opened.limits.resource_bytes, [], 0
    try:
        for block in opened.blocks:
            size += len(block)
            if size <= limit:
                held.append(block)
    except Rejected as rejected:
        opened.entry.complete = False
        yield opened.document("dicom", rejected)
        return
    folder = opened.path.parent if opened.path is not None else None
    if size <= limit and (found := references(b"".join(held), folder)):
        opened.entry.facts["dicomdir"] = found


def _not_dicom() -> Rejected:
    return Rejected("not-dicom", "expected a DICOM object")
