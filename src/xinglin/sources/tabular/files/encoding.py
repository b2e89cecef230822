"""Which encoding a text file is in: marks first, then strict UTF-8, then what the bytes look like."""

from __future__ import annotations

import codecs

__all__ = ["ascii_safe", "encoding_of", "sample"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-16", "utf-32", "utf-7", "hz", "iso2022")
_LIKELY = ["shift_jis", "big5", "euc_jp", "euc_kr", "cp1252", "cp1251", "cp1250", "cp1253", "cp1256", "cp874"]
_COMMON = 0.75
_SAMPLE = 256_000


def ascii_safe(encoding: str) -> bool:
    """Whether a line feed or a quote in the bytes is one in the text.

    Example:
        >>> ascii_safe("gb18030"), ascii_safe("UTF-16LE")
        (True, False)
    """
    return not codecs.lookup(encoding).name.replace("_", "-").startswith(_WIDE)


def sample(head: bytes, size: int = _SAMPLE) -> bytes:
    """The part of a file's beginning that tells most: from its first letter that is not ASCII, in whole lines.

    Example:
        >>> sample(b"a,b\\n" * 100 + "名\\n".encode()).decode()
        '名\\n'
    """
    first = next((place for place in range(0, len(head), 65_536) if not head[place : place + 65_536].isascii()), None)
    if first is None:
        return head[:size]
    block = head[first : first + 65_536]
    lowest = next(place for place, byte in enumerate(block) if byte > 127)
    begin = head.rfind(b"\n", 0, first + lowest) + 1
    piece = head[begin : begin + size]
    end = piece.rfind(b"\n") + 1
    return piece[:end] if end and begin + size < len(head) else piece


def encoding_of(head: bytes) -> str:
    """The encoding of a file, by as much of it as is at hand.

    Args:
        head: Its beginning; or, where that is all ASCII, a stretch with something else in it.

    Example:
        >>> encoding_of("姓名,性别\\n张三,男\\n".encode("gb18030")), encoding_of("姓名".encode()), encoding_of(b"a")
        ('gb18030', 'utf-8', 'utf-8')
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _without_mark(head[:4_000]):
        return wide
    piece = sample(head)
    if piece.isascii() or _is_utf8(piece):
        return "utf-8"
    if _is_chinese(piece):
        return "gb18030"
    return _guessed(piece)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: the zero bytes of its delimiters and digits all stand on one side of the pairs."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < 2 or max(even, odd) < 4 * min(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = head[: len(head) // 2 * 2].decode(encoding, "ignore")
    is_table = any(sign in text for sign in ",;\t|\n") and not any(sign < "\t" for sign in text)
    return encoding if is_table else None


def _is_utf8(piece: bytes) -> bool:
    """Whether the bytes are UTF-8; a few broken lines do not make it another encoding."""
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        lines = [line for line in piece.split(b"\n")[:-1] if not line.isascii()]
        good = sum(_decodes(line) for line in lines)
        return good > 0.9 * len(lines) and good > 2
    return True


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(piece: bytes) -> bool:
    """Whether most of the double bytes are the everyday characters of GB 2312 (rows 16 to 55, ordered by sound)."""
    text = piece.decode("gb18030", "replace")
    wide = [sign for sign in text if sign > "\x7f"]
    if not wide:
        return False
    common = sum(_is_common(sign) for sign in wide)
    return common >= _COMMON * len(wide) and text.count("�") <= len(wide) // 50


def _is_common(sign: str) -> bool:
    """Everyday character, or the punctuation of Chinese text."""
    try:
        code = sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return 0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3)


def _guessed(piece: bytes) -> str:
    """What charset-normalizer makes of it; ISO 8859-1, which fits everything, where it finds nothing."""
    from charset_normalizer import from_bytes

    found = list(from_bytes(piece, cp_isolation=["gb18030", *_LIKELY], preemptive_behaviour=False))
    western = next((one for one in found if one.encoding == "cp1252"), None)
    if western is not None and (western.chaos, -western.coherence) <= (found[0].chaos, -found[0].coherence):
        return "cp1252"  # as likely as the others and the commonest of them
    return found[0].encoding if found else "latin-1"
