"""HL7 v2 in XML (v2.xml, 2003) as the same segments: no document type, no entities, no resolver."""

from __future__ import annotations

import re
from xml.parsers import expat

from xinglin.sources.record import Rejected

__all__ = ["from_xml"]

_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}").fullmatch
_DEEPEST = 40
_FIELDS = 1_000
_PARTS = 200
_ESCAPES = str.maketrans({"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\", "\r": "\\.br\\",
                          "\n": "\\.br\\"})  # fmt: skip


def from_xml(raw: bytes) -> bytes:
    """The message with the usual delimiters, in UTF-8.

    Raises:
        Rejected: invalid-xml; unsafe-xml where it declares a document type or entities (XXE, billion laughs).

    Example:
        >>> from_xml(b"<ADT_A01><MSH><MSH.1>|</MSH.1><MSH.3><HD.1>A|B</HD.1><HD.2>c</HD.2></MSH.3></MSH></ADT_A01>")
        b'MSH|^~\\\\&|A\\\\F\\\\B^c|||||||||||||||UNICODE UTF-8'
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    try:
        parser.Parse(raw.strip(b"\x0b\x1c\r\n\t \x00"), True)
    except expat.ExpatError as error:
        raise Rejected("invalid-xml", f"expected well-formed XML at line {error.lineno}") from None
    except ValueError:
        raise Rejected("invalid-xml", "expected XML in an encoding that can be read") from None
    if not reader.segments or reader.segments[0][:3] != "MSH":
        raise Rejected("no-msh", "expected an element MSH")
    return "\r".join(reader.segments).encode()


def _refuse(*_: object) -> int:
    raise Rejected("unsafe-xml", "expected XML without a document type and entities")


class _Reader:
    """Elements by their depth below the segment: fields, components, subcomponents."""

    def __init__(self) -> None:
        self.segments: list[str] = []
        self.path: list[str] = []
        self.base = 0
        self.fields: dict[int, list[str]] = {}
        self.parts: list[list[list[str]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        self.path.append(name)
        if len(self.path) > _DEEPEST:
            raise Rejected("too-deep", f"expected at most {_DEEPEST} levels")
        if self.base:
            below = len(self.path) - self.base
            if below == 1:
                self.parts = [[[]]]
            elif below == 2:
                wanted = _number(name, len(self.parts))
                self.parts += [[[]] for _ in range(wanted - len(self.parts))]
            elif below == 3:
                wanted = _number(name, len(self.parts[-1]))
                self.parts[-1] += [[] for _ in range(wanted - len(self.parts[-1]))]
        elif _SEGMENT(name):
            self.base = len(self.path)
            self.fields = {}

    def text(self, data: str) -> None:
        if self.base and len(self.path) > self.base and (data.strip() or self.parts[-1][-1]):
            self.parts[-1][-1].append(data)

    def end(self, tag: str) -> None:
        below = len(self.path) - self.base
        name = self.path.pop()
        if not self.base:
            return
        if below == 1:
            number = name.rpartition(".")[2]
            if number.isascii() and number.isdigit() and 0 < int(number) < _FIELDS:
                whole = "^".join(
                    "&".join("".join(one).strip().translate(_ESCAPES) for one in part) for part in self.parts
                )
                self.fields.setdefault(int(number), []).append(whole)
        elif below == 0:
            self._close(name)

    def _close(self, name: str) -> None:
        self.base = 0
        if name == "MSH":
            self.fields[1] = [""]
            self.fields[2] = ["^~\\&"]
            self.fields[18] = ["UNICODE UTF-8"]
        last = max(self.fields, default=0)
        listed = ["~".join(self.fields.get(number, ())) for number in range(1, last + 1)]
        self.segments.append("|".join([name, *(listed[1:] if name == "MSH" else listed)]))


def _number(name: str, otherwise: int) -> int:
    """The number of a component; parts without one follow each other."""
    number = name.rpartition(".")[2]
    return int(number) if number.isascii() and number.isdigit() and 0 < int(number) < _PARTS else otherwise
