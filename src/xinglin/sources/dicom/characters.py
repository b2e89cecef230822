"""Texts of a DICOM header, in whatever character sets it declares (PS3.3, C.12.1.1.2; PS3.5, section 6.1)."""

from __future__ import annotations

__all__ = ["decode", "encodings_of", "guess"]

_PLAIN = frozenset(range(0x20, 0x7F))
_DELIMITERS = {0x0D, 0x0A, 0x09, 0x0C, 0x5C}


def encodings_of(declared: bytes | None) -> tuple[str, ...]:
    """Python's names of the declared character sets; none where the header declares none.

    Args:
        declared: Value of (0008,0005).

    Example:
        >>> encodings_of(b"GB18030 "), encodings_of(b"\\\\ISO 2022 IR 58"), encodings_of(b"")
        (('GB18030',), ('iso8859', 'iso_ir_58'), ())
    """
    from pydicom.charset import convert_encodings

    names = [name.strip() for name in (declared or b"").decode("ascii", "replace").strip("\x00 ").split("\\")]
    return tuple(convert_encodings(names)) if any(names) else ()


def decode(raw: bytes, encodings: tuple[str, ...]) -> str:
    """A text; bytes that are none in the declared sets become U+FFFD.

    Args:
        raw: As it stands in the header.
        encodings: From `encodings_of`.

    Example:
        >>> decode(b"\\xcd\\xf5", ("GB18030",)), decode("王".encode(), ()), decode(b"Buc^J\\xe9r\\xf4me", ())
        ('王', '王', 'Buc^Jérôme')
    """
    from pydicom.charset import decode_bytes

    if _PLAIN.issuperset(raw):
        return raw.decode("ascii")
    return decode_bytes(raw, encodings or guess(raw), _DELIMITERS)


def guess(raw: bytes) -> tuple[str, ...]:
    """The character set of bytes beyond ASCII in a header that declares none.

    Devices in China write UTF-8 or GB18030 without saying so. Bytes that pair up as the common characters of GB 2312
    hardly ever are meant as Latin-1, where an accented letter stands among plain ones.

    Example:
        >>> guess("小东".encode("gb18030")), guess("Müller".encode("latin-1"))
        (('gb18030',), ('iso8859',))
    """
    for test, encoding in (("utf-8", "utf-8"), ("gb2312", "gb18030")):
        try:
            raw.decode(test)
        except UnicodeDecodeError:
            continue
        return (encoding,)
    return ("iso8859",)
