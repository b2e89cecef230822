"""Texts of a DICOM header, in whatever character sets it declares (PS3.3, C.12.1.1.2; PS3.5, section 6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinglin.sources.characters import undeclared

__all__ = ["decode", "encodings_of", "guess", "is_designated"]

_IR = re.compile(r"ISO[ _-]?(2022)?[ _-]?IR[ _-]?([0-9]+)").fullmatch
_ALIASES = {"UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192", "GB2312": "GBK", "GB_18030": "GB18030", "GB 18030": "GB18030"}
_SETS = {b"\x1b$)A": "gb18030", b"\x1b$)C": "euc_kr"}
_G1 = re.compile(rb"\x1b\$\)[AC]").search
_PARTS = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*").findall
_PLAIN = frozenset(range(0x20, 0x7F))
_DELIMITERS = {0x0D, 0x0A, 0x09, 0x0C, 0x5C}


def encodings_of(declared: Sequence[str]) -> tuple[str, ...]:
    """Python's names of the declared character sets; none where the header declares none.

    What is no defined term says nothing. (pydicom would look it up among all of Python's codecs.)

    Args:
        declared: Values of (0008,0005).

    Example:
        >>> encodings_of(["GB18030"]), encodings_of(["", "ISO 2022 IR 58"]), encodings_of(["rot13"]), encodings_of([])
        (('GB18030',), ('iso8859', 'iso_ir_58'), (), ())
    """
    from pydicom.charset import convert_encodings, python_encoding

    names = [_spelt(name.strip("\x00 ").upper()) for name in declared]
    known = [name for place, name in enumerate(names) if name in python_encoding and (name or place == 0)]
    return tuple(convert_encodings(known)) if any(known) else ()


def _spelt(name: str) -> str:
    """The defined term for what devices write instead of it."""
    match = _IR(name)
    if match:
        return f"ISO 2022 IR {match[2]}" if match[1] else f"ISO_IR {match[2]}"
    return _ALIASES.get(name, name)


def decode(raw: bytes, encodings: tuple[str, ...]) -> str:
    """A text; bytes that are none in the declared sets become U+FFFD.

    Args:
        raw: As it stands in the header.
        encodings: From `encodings_of`.

    Example:
        >>> decode(b"\\xcd\\xf5", ("GB18030",)), decode("王".encode(), ()), decode(b"Buc^J\\xe9r\\xf4me", ())
        ('王', '王', 'Buc^Jérôme')
        >>> decode(b"Li^Ming=\\x1b$)A\\xc0\\xee^\\x1b$)A\\xc3\\xf7=", ("iso8859", "iso_ir_58"))
        'Li^Ming=李^明='
    """
    from pydicom.charset import decode_bytes

    if _PLAIN.issuperset(raw):
        return raw.decode("ascii")
    if _G1(raw):
        return "".join(_designated(part, encodings) for part in _PARTS(raw))
    return decode_bytes(raw, encodings or guess(raw), _DELIMITERS)


def is_designated(raw: bytes) -> bool:
    """Whether an escape sequence in the bytes designates GB 2312 or KS X 1001 to G1 (PS3.5, Annexes I and K)."""
    return _G1(raw) is not None


def _designated(part: bytes, encodings: tuple[str, ...]) -> str:
    """A part that may begin with an escape sequence, which designates a set and is no character."""
    from pydicom.charset import decode_bytes

    for escape, encoding in _SETS.items():
        if part.startswith(escape):
            return part[len(escape) :].decode(encoding, "replace")
    return decode_bytes(part, encodings or ("iso8859",), _DELIMITERS)


def guess(raw: bytes) -> tuple[str, ...]:
    """The character set of bytes beyond ASCII in a header that declares none.

    Example:
        >>> guess("小东".encode("gb18030")), guess("Müller".encode("latin-1"))
        (('gb18030',), ('iso8859',))
    """
    return (undeclared(raw) or "iso8859",)
