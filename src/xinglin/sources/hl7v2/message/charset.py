"""Which characters the bytes of a message stand for: MSH-18 (HL7 table 0211), else what they can be."""

from __future__ import annotations

import codecs

from xinglin.sources.characters import is_chinese
from xinglin.sources.record import Rejected

__all__ = ["CODECS", "codec_of", "decode"]

CODECS = {
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "BIG-5": "big5hkscs",
    "CNS 11643-1992": "euc_tw",
    "ISO IR6": "ascii",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_2",
    "KS X 1001": "euc_kr",
    "JAS2020": "iso2022_jp",
    "JIS X 0202": "iso2022_jp",
} | {f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))}
"""Names of HL7 table 0211, and what senders write instead, to the codecs of Python."""


def codec_of(declared: str) -> str | None:
    """The codec that the first repetition of MSH-18 names; None where it names none.

    Raises:
        Rejected: A character set that is not known.

    Example:
        >>> codec_of("GB 18030-2000"), codec_of("8859/15"), codec_of("")
        ('gb18030', 'iso8859-15', None)
    """
    name = " ".join(declared.split("~")[0].split("^")[0].upper().split())
    if not name:
        return None
    codec = CODECS.get(name) or CODECS.get(name.replace("ISO", "").replace("-", "/", 1).strip())
    if codec is None:
        raise Rejected("unknown-charset", "expected a character set of HL7 table 0211 at MSH-18")
    try:
        return codecs.lookup(codec).name
    except LookupError:
        raise Rejected("unknown-charset", "expected a character set that can be read at MSH-18") from None


def decode(raw: bytes, declared: str, default: str | None = None) -> str:
    """The text of a message.

    Declared: as declared, and what is not valid in it is refused; but ASCII and the Japanese sets are senders' habit
    for messages that hold more, so these go on as if nothing was declared. Undeclared: UTF-8 if the bytes are valid
    in it, else the site's default, else GB18030 where they are Chinese, else ISO 8859-1, in which every byte is a
    character.

    Args:
        raw: The bytes.
        declared: MSH-18.
        default: What the site writes when it declares nothing.

    Raises:
        Rejected: unknown-charset, or invalid-charset where the bytes are not what was declared.

    Example:
        >>> decode("张".encode("gb18030"), "GB 18030-2000"), decode(b"\\xe9", ""), decode("é".encode(), "")
        ('张', 'é', 'é')
    """
    codec = codec_of(declared)
    try:
        return raw.decode(codec or "utf-8")
    except UnicodeDecodeError as error:
        if codec is not None and codec not in ("ascii", "iso2022_jp", "iso2022_jp_2"):
            raise Rejected("invalid-charset", f"expected {codec} as MSH-18 says, at byte {error.start}") from None
    for other in ("utf-8", default):
        if other:
            try:
                return raw.decode(other)
            except (UnicodeDecodeError, LookupError):
                pass
    if is_chinese(raw):
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return raw.decode("latin-1")
