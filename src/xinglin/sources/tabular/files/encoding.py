"""Which encoding a text file is in: marks first, then strict UTF-8, then what the bytes look like."""

from __future__ import annotations

import codecs

from xinglin.sources.characters import is_chinese, is_han_utf8

__all__ = ["ascii_safe", "encoding_of", "line_of", "sample"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-16", "utf-32", "utf-7", "hz", "iso2022")
_LIKELY = ["shift_jis", "big5", "euc_jp", "euc_kr", "cp1252", "cp1251", "cp1250", "cp1253", "cp1256", "cp874"]
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
    lines = [line for line in piece.split(b"\n") if not line.isascii()]
    if not lines or _decodes(piece):
        return "utf-8"
    if most := _by_lines(lines):
        return most
    return "gb18030" if is_chinese(piece) else _guessed(piece)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: the zero bytes of its delimiters and digits all stand on one side of the pairs."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < 2 or max(even, odd) < 4 * min(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = head[: len(head) // 2 * 2].decode(encoding, "ignore")
    is_table = any(sign in text for sign in ",;\t|\n") and not any(sign < "\t" for sign in text)
    return encoding if is_table else None


def _by_lines(lines: list[bytes]) -> str | None:
    """UTF-8 or GB18030 by what most lines are in; None where they are in neither.

    Files are put together from several exports: a few broken lines do not make them another encoding, and lines in the
    other one of the two are read as what they are (`line_of`).
    """
    good = sum(_decodes(line) for line in lines)
    han = sum(is_han_utf8(line) for line in lines)
    chinese = sum(is_chinese(line) for line in lines if not is_han_utf8(line))
    most = 0.9 * len(lines)
    if (good > most and good > 2) or (han > 2 and han >= chinese and han + chinese > most):
        return "utf-8"
    return "gb18030" if han and han + chinese > most else None


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def line_of(line: bytes, encoding: str) -> str:
    """The text of a line; UTF-8 and GB18030 tell each other apart where a file holds lines of both.

    Args:
        line: Its bytes.
        encoding: Of the file.

    Raises:
        UnicodeDecodeError: It is in neither.

    Example:
        >>> line_of("张".encode("gb18030"), "utf-8"), line_of("张".encode(), "gb18030")
        ('张', '张')
    """
    if encoding == "gb18030" and is_han_utf8(line):
        return line.decode("utf-8")
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8" and is_chinese(line):
            return line.decode("gb18030")
        raise


def _guessed(piece: bytes) -> str:
    """What charset-normalizer makes of it; ISO 8859-1, which fits everything, where it finds nothing."""
    from charset_normalizer import from_bytes

    found = list(from_bytes(piece, cp_isolation=["gb18030", *_LIKELY], preemptive_behaviour=False))
    western = next((one for one in found if one.encoding == "cp1252"), None)
    if western is not None and (western.chaos, -western.coherence) <= (found[0].chaos, -found[0].coherence):
        return "cp1252"  # as likely as the others and the commonest of them
    return found[0].encoding if found else "latin-1"
