"""What a listener has to know of a message before it answers, and the answer (HL7 v2.8, 2.9).

Original mode answers AA, AE or AR. Where MSH-15 or MSH-16 is valued the sender speaks enhanced mode: MSH-15 says if it
wants to know that the message is safe (CA, CE, CR); where it does not want that, MSH-16 says whether it wants AA,
AE, AR. The message is durable before either is written, so one answer says both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from xinglin.sources.hl7v2.message.charset import codec_of
from xinglin.sources.hl7v2.message.parse import parse
from xinglin.sources.record import Rejected

__all__ = ["Inspection", "acknowledge", "inspect"]

_ERRORS = {
    "no-msh": ("100", "Segment sequence error"),
    "unsupported-message": ("200", "Unsupported message type"),
    "unsupported-version": ("203", "Unsupported version id"),
    "missing-control-id": ("101", "Required field missing"),
    "missing-type": ("101", "Required field missing"),
    "no-patient": ("204", "Unknown key identifier"),
    "duplicate": ("205", "Duplicate key identifier"),
    "storage": ("207", "Application internal error"),
}
_OTHER = ("102", "Data type error")


@dataclass(frozen=True)
class Inspection:
    """What the header of a message says.

    Args:
        control_id: MSH-10.
        message_type: MSH-9 as ``ADT^A01``.
        version: MSH-12, such as ``2.5.1``.
        charset: Python's name of the codec that MSH-18 declares; empty where it declares none.
        code: AA where the message can be taken, AR where it cannot, AE (or AA, by the mapping's settings) where it
            brings results of a patient whom nothing identifies.
        reason: Why not; empty for AA.
        detail: What was expected; never a value.
        application: MSH-3 and MSH-4 of the sender.
        receiver: MSH-5 and MSH-6.
        processing: MSH-11.
        declared_charset: MSH-18 as it was written.
        accept_condition: MSH-15: AL, NE, ER, SU or empty.
        application_condition: MSH-16 likewise.
    """

    control_id: str = ""
    message_type: str = ""
    version: str = ""
    charset: str = ""
    code: str = "AA"
    reason: str = ""
    detail: str = ""
    application: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    processing: str = "P"
    declared_charset: str = ""
    accept_condition: str = ""
    application_condition: str = ""


def inspect(message: bytes, mapping: str | None = None) -> Inspection:
    """What a message is, and whether it can be taken; never raises because of what is in it.

    Args:
        message: Its bytes, with or without MLLP's frame.
        mapping: Text of the site's mapping file, which may add message types.

    Example:
        >>> found = inspect(b"MSH|^~\\\\&|LAB|A|HIS|B|20240101||ORU^R01^ORU_R01|7|P|2.5.1\\rPID|1\\r")
        >>> found.code, found.control_id, found.message_type, found.version
        ('AA', '7', 'ORU^R01', '2.5.1')
        >>> inspect(b"hello").code, inspect(b"hello").reason
        ('AR', 'no-msh')
    """
    from xinglin.sources.hl7v2.convert import names_nobody, understand
    from xinglin.sources.hl7v2.rules.load import compiled

    try:
        parsed = parse(message)
    except Rejected as rejected:
        return Inspection(code="AR", reason=rejected.reason, detail=rejected.detail)
    reason = detail = ""
    code = "AA"
    try:
        name = understand(parsed, mapping)
        if names_nobody(parsed, name, mapping) and (code := compiled(mapping).unidentified) != "AA":
            reason, detail = "no-patient", "expected what identifies the patient at PID-3"
    except Rejected as rejected:
        name, reason, detail = "^".join(parsed.header(9).split("^")[:2]), rejected.reason, rejected.detail
    return Inspection(
        control_id=parsed.header(10),
        message_type=name,
        version=parsed.header(12).split("^")[0],
        charset=_charset(parsed.header(18)),
        code=code if reason in ("", "no-patient") else "AR",
        reason=reason,
        detail=detail,
        application=(parsed.header(3), parsed.header(4)),
        receiver=(parsed.header(5), parsed.header(6)),
        processing=parsed.header(11) or "P",
        declared_charset=parsed.header(18),
        accept_condition=parsed.header(15),
        application_condition=parsed.header(16),
    )


def _charset(declared: str) -> str:
    try:
        return codec_of(declared) or ""
    except Rejected:
        return ""


def acknowledge(
    inspection: Inspection, moment: datetime, control_id: str, code: str | None = None, reason: str = ""
) -> bytes:
    """The answer to a message, without MLLP's frame; empty where the sender wants none.

    Args:
        inspection: What the message was.
        moment: MSH-7 of the answer, with its zone.
        control_id: MSH-10 of the answer.
        code: AA, AE or AR where the listener knows better, such as AE when the disk is full.
        reason: Its reason, such as ``storage``.

    Example:
        >>> found = inspect(b"MSH|^~\\\\&|LAB|A|HIS|B|20240101||ORU^R01|7|P|2.3\\r")
        >>> print(acknowledge(found, datetime.fromisoformat("2024-01-01T08:00:00+08:00"), "a1").decode())
        MSH|^~\\&|HIS|B|LAB|A|20240101080000+0800||ACK^R01|a1|P|2.3\rMSA|AA|7\r
    """
    code, reason = code or inspection.code, reason or inspection.reason
    if inspection.accept_condition or inspection.application_condition:
        if _wanted(inspection.accept_condition, code):
            code = "C" + code[1:]
        elif not _wanted(inspection.application_condition, code):
            return b""
    version = inspection.version or "2.5"
    number, text = _ERRORS.get(reason, _OTHER)
    segments = [_header(inspection, moment, control_id, version)]
    if code[1] == "A":
        segments.append(f"MSA|{code}|{inspection.control_id}")
    else:
        segments.append(f"MSA|{code}|{inspection.control_id}|{text}: {reason}")
        if version >= "2.5":
            segments.append(f"ERR|||{number}^{text}^HL70357|E||||{_plain(inspection.detail) or reason}")
        elif version >= "2.2":
            segments.append(f"ERR|^^^{number}&{text}&HL70357")
    return ("\r".join(segments) + "\r").encode(inspection.charset or "utf-8", "replace")


def _wanted(condition: str, code: str) -> bool:
    return condition == "AL" or condition == ("SU" if code[1] == "A" else "ER")


def _header(inspection: Inspection, moment: datetime, control_id: str, version: str) -> str:
    event = inspection.message_type.partition("^")[2]
    kind = "ACK" if version < "2.2" or not event else f"ACK^{event}"
    if version >= "2.4" and event:
        kind += "^ACK"
    fields = ["MSH", "^~\\&", *inspection.receiver, *inspection.application, moment.strftime("%Y%m%d%H%M%S%z"), "",
              kind, control_id, inspection.processing, version]  # fmt: skip
    if inspection.declared_charset:
        fields += ["", "", "", "", "", inspection.declared_charset]
    return "|".join(fields)


def _plain(text: str) -> str:
    return text.translate({ord(sign): " " for sign in "|^~\\&\r\n"})
