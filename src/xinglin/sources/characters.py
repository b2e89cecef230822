"""Which characters bytes stand for that nobody declared: one judgement for every format.

Chinese systems write UTF-8 or GB18030 without saying so. Bytes that are UTF-8 with several bytes a character are so
hardly by chance (RFC 3629); bytes that pair up as everyday characters of GB 2312 are hardly ever meant as Latin-1,
where an accented letter stands among plain ones.
"""

from __future__ import annotations

import re

__all__ = ["is_chinese", "is_han_utf8", "undeclared"]

_COMMON = 0.75
_RUN = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)([A-Za-z]?)")


def undeclared(raw: bytes) -> str | None:
    """The encoding of bytes beyond ASCII: ``utf-8``, ``gb18030``, or None where they are neither.

    Example:
        >>> [undeclared(one) for one in ("张^伟".encode("gb18030"), "张".encode(), "Íñigo".encode("latin-1"))]
        ['gb18030', 'utf-8', None]
    """
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030" if is_chinese(raw) else None
    return "utf-8"


def is_chinese(raw: bytes) -> bool:
    """Whether the bytes are Chinese text in GB18030, by what the double bytes are and by what stands around them.

    Most are everyday characters of GB 2312 (rows 16 to 55, ordered by sound) or Chinese punctuation; or all of them
    are characters of GB 2312, as in a rare name.

    Example:
        >>> is_chinese("姓名,性别".encode("gb18030")), is_chinese("Müller, Jörg".encode("latin-1"))
        (True, False)
    """
    text = raw.decode("gb18030", "replace")
    wide = [sign for sign in text if sign > "\x7f"]
    if not wide or text.count("\ufffd") > len(wide) // 50:
        return False
    common = sum(_is_common(sign) for sign in wide)
    if common < _COMMON * len(wide) and not (common and _is_gb2312(raw)):
        return False
    runs = _RUN.findall(raw)
    return 2 * sum(bool(before or after) for before, _, after in runs) < len(runs) or len(wide) >= 4 * len(runs)


def is_han_utf8(raw: bytes) -> bool:
    """Whether the bytes are UTF-8 and all their characters beyond ASCII are of the kind that Chinese text has.

    Example:
        >>> is_han_utf8("张，三".encode()), is_han_utf8("张".encode("gb18030")), is_han_utf8("é".encode())
        (True, False, False)
    """
    try:
        wide = [sign for sign in raw.decode("utf-8") if sign > "\x7f"]
    except UnicodeDecodeError:
        return False
    return bool(wide) and all(sign >= "\u2010" for sign in wide)


def _is_common(sign: str) -> bool:
    try:
        code = sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return 0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3)


def _is_gb2312(raw: bytes) -> bool:
    try:
        raw.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True
