"""A message's bytes as segments of fields, whatever delimiters, line ends and frames it came in.

HL7 v2.8, chapter 2: encoding rules. Delimiters are brought to the usual ``|^~\\&``, so that everything after this file
knows one set only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from xinglin.sources.hl7v2.message.charset import decode
from xinglin.sources.record import Rejected

__all__ = ["Message", "Segment", "parse", "unescape"]

Segment = list[str]
"""A segment: item 0 is its name, item n its field n."""

MOST_SEGMENTS = 100_000
MOST_FIELDS = 1_000
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}(?:\||$)").match
_USUAL = "^~\\&"
_TEXTS = frozenset({"OBX", "NTE"})
_KNOWN = re.compile(
    r"\n(?=(?:MSH|MSA|EVN|PID|PD1|NK1|PV1|PV2|MRG|ROL|ORC|OBR|OBX|NTE|SPM|TXA|TQ1|DG1|DRG|PR1|AL1|IAM|GT1|IN1|IN2|IN3|ACC"
    r"|FT1|RXA|RXC|RXD|RXE|RXG|RXO|RXR|SCH|RGS|AIS|AIG|AIL|AIP|PRB|GOL|RF1|CTI|CTD|DSC|Z[A-Z0-9]{2})\|)"
)
_NAMED = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", ".br": "\n", ".sp": "\n", "H": "", "N": "", ".nf": "",
          ".fi": "", "P": "#"}  # fmt: skip
_ESCAPE = re.compile(r"\\([^\\]{0,4000})\\")


@dataclass(frozen=True)
class Message:
    """A message that was taken apart.

    Args:
        segments: Its segments in their order; the first is MSH, with MSH-1 as field 1.
        strays: Lines that are no segment, with their place among the lines.
    """

    segments: list[Segment]
    strays: list[str] = field(default_factory=list)

    def header(self, number: int) -> str:
        """A field of MSH."""
        msh = self.segments[0]
        return msh[number] if number < len(msh) else ""


def parse(raw: bytes, default_charset: str | None = None) -> Message:
    """Take one message apart.

    Args:
        raw: Its bytes, with or without MLLP's frame, a byte-order mark and empty lines around it.
        default_charset: What the site writes when MSH-18 declares nothing.

    Raises:
        Rejected: There is no MSH segment to read, or the characters are not what it declares.

    Example:
        >>> message = parse(b"\\x0bMSH*:~!+*A*B\\rPID*1**7:8|9\\r\\x1c\\r")
        >>> message.segments
        [['MSH', '|', '^~\\\\&', 'A', 'B'], ['PID', '1', '', '7^8\\\\F\\\\9']]
    """
    raw = raw.strip(b"\x0b\x1c\r\n\t \x00").removeprefix(b"\xef\xbb\xbf")
    if raw[:3] != b"MSH" or len(raw) < 8:
        raise Rejected("no-msh", "expected a segment MSH with its delimiters")
    mark, head = raw[3:4], re.split(rb"[\r\n]", raw, maxsplit=1)[0]
    if mark.isalnum() or mark.isspace() or mark >= b"\x7f" or mark < b" ":
        raise Rejected("bad-delimiters", "expected a sign as field separator at MSH-1")
    fields = head.split(mark, 19)
    signs = fields[1].decode("latin-1")
    declared = fields[17].decode("latin-1") if len(fields) > 17 else ""
    text = decode(raw, declared.replace(signs[1:2] or "~", "~"), default_charset)
    if mark != b"|" or signs[:4] != _USUAL:
        text = text.translate(_translation(mark.decode("ascii"), signs))
    return _segments(text)


@lru_cache(maxsize=64)
def _translation(mark: str, signs: str) -> dict[int, str]:
    """What brings other delimiters to the usual ones; a usual delimiter that is plain text there is escaped."""
    if (
        not 1 <= len(signs) <= 5
        or len(set(mark + signs)) != len(mark + signs)
        or any(sign.isalnum() or sign.isspace() for sign in signs)
    ):
        raise Rejected("bad-delimiters", "expected one to five different signs at MSH-2")
    table = {ord(usual): f"\\{name}\\" for usual, name in zip("|^~\\&", "FSRET", strict=True)}
    return table | {ord(mark): "|"} | {ord(sign): usual for sign, usual in zip(signs, _USUAL, strict=False)}


def _segments(text: str) -> Message:
    lines = _lines(text)
    if len(lines) > MOST_SEGMENTS:
        raise Rejected("too-many-segments", f"expected at most {MOST_SEGMENTS} segments")
    found: list[str] = []
    strays: list[str] = []
    for line in lines:
        if _SEGMENT(line):
            found.append(line)
        elif line and (bare := line.strip(" \t\x0b\x1c\x00\x1a")):
            if _SEGMENT(bare):
                found.append(bare)
            elif found and found[-1][:3] in _TEXTS:
                found[-1] += "\n" + line  # a line end inside a text: half a report would be worse than none
            else:
                strays.append(line)
    segments = [line.split("|", MOST_FIELDS) for line in found]
    segments[0][1:2] = ["|", _USUAL]
    return Message(segments, strays)


def _lines(text: str) -> list[str]:
    """The segments as text. They end with a carriage return (v2.5.1, 2.5.4), and where they do, a line feed is a
    character of its field, unless a segment that HL7 knows begins behind it. Some senders end them with line feeds."""
    if "\n" in text:
        text = text.replace("\r\n", "\r")
        text = _KNOWN.sub("\r", text) if "\r" in text.rstrip("\r\n") else text.replace("\n", "\r")
    return text.split("\r", MOST_SEGMENTS + 1)


def unescape(text: str) -> str:
    r"""Text with its escape sequences resolved; unknown ones stay as they were written.

    Example:
        >>> unescape(r"A \T\ B\.br\C \X4A4B\ \Zown\ 5\S\2 \H\bold\N\ "), unescape("C:\\")
        ('A & B\nC JK \\Zown\\ 5^2 bold ', 'C:\\')
    """
    return _ESCAPE.sub(_resolved, text) if "\\" in text else text


def _resolved(found: re.Match[str]) -> str:
    name = found[1]
    known = _NAMED.get(name)
    if known is not None:
        return known
    if name[:1] == "X" and len(name) % 2:
        try:
            return _printable(decode(bytes.fromhex(name[1:]), ""))
        except ValueError:
            return found[0]
    if name[:1] in ("C", "M") and len(name) in (5, 7):
        return ""  # a switch of the character set (ISO 2022): the codec named in MSH-18 has done its work before
    if name[:3] in (".sp", ".in", ".ti", ".sk", ".ce"):
        return " " if name[:3] == ".sk" else "\n" if name[:3] in (".sp", ".ce") else ""
    return found[0]


def _printable(text: str) -> str:
    """Without control characters that no text has: a byte escape may stand for anything."""
    return "".join(sign for sign in text if sign in "\t\n\r" or sign >= " ")
