"""Delimiters, ends of lines, frames, escapes and character sets."""

from __future__ import annotations

import pytest

from xinglin.sources.hl7v2.message.charset import CODECS, codec_of
from xinglin.sources.hl7v2.message.parse import parse, unescape
from xinglin.sources.record import Rejected


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("frame", [("", ""), ("\x0b", "\x1c\r"), ("\ufeff", "\r")])
def test_ends_of_lines_and_frames_make_no_difference(end: str, frame: tuple[str, str]) -> None:
    text = frame[0] + end.join(["MSH|^~\\&|A", "PID|1||7", "", "ZPI|x"]) + frame[1]
    assert [one[0] for one in parse(text.encode()).segments] == ["MSH", "PID", "ZPI"]


def test_other_delimiters_are_brought_to_the_usual_ones_and_text_that_looks_like_them_is_escaped() -> None:
    segments = parse(b"MSH#:$!*#A\rPID#1##a:b$c*d#x|y^z!T!w").segments
    assert segments[1][3:] == ["a^b~c&d", "x\\F\\y\\S\\z\\T\\w"]
    assert unescape(segments[1][4]) == "x|y^z&w"


@pytest.mark.parametrize(
    "raw",
    [b"", b"PID|1", b"MSH", b"MSHA", b"MSH|||||||", b"MSH |^~\\&|a", b"MSH|^^~~|a|", b"\xff\xfeM\x00S\x00H\x00|\x00"],
)
def test_what_has_no_readable_header_is_refused(raw: bytes) -> None:
    with pytest.raises(Rejected):
        parse(raw)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("GB 18030-2000", "gb18030"),
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("BIG-5", "big5"),
        ("KS X 1001", "euc_kr"),
    ],
)
def test_the_declared_character_set_is_used(declared: str, codec: str) -> None:
    name = {"8859/1": "Müller", "8859/15": "Š€", "KS X 1001": "김"}.get(declared, "張")
    raw = f"MSH|^~\\&|A{'|' * 15}{declared}\rPID|||||{name}".encode(codec)
    assert parse(raw).segments[1][5] == name


def test_characters_whose_second_byte_is_a_delimiter_are_not_torn() -> None:
    name = "乗昞"  # 0x81 0x5C and 0x95 0x7C in GB 18030: backslash and bar
    assert b"\\" in name.encode("gb18030") or b"|" in name.encode("gb18030")
    raw = f"MSH|^~\\&|A{'|' * 15}GB 18030-2000\rPID|||||{name}".encode("gb18030")
    assert parse(raw).segments[1][5] == name


def test_undeclared_bytes_are_utf8_else_the_sites_own_else_latin_1() -> None:
    def read(text: bytes, default: str | None = None) -> str:
        return parse(b"MSH|^~\\&|A\rPID|||||" + text, default).segments[1][5]

    assert read("张".encode()) == "张"
    assert read("张".encode("gb18030"), "gb18030") == "张"
    assert read(b"M\xfcller") == "Müller"


def test_what_is_not_in_the_declared_set_is_refused() -> None:
    with pytest.raises(Rejected, match="invalid-charset"):
        parse(b"MSH|^~\\&|A" + b"|" * 15 + b"UNICODE UTF-8\rPID|||||M\xfcller")
    with pytest.raises(Rejected, match="unknown-charset"):
        parse(b"MSH|^~\\&|A" + b"|" * 15 + b"EBCDIC\rPID|")


def test_every_named_set_is_one_that_this_python_has() -> None:
    missing = [name for name in CODECS if name != "CNS 11643-1992" and not codec_of(name)]
    assert not missing


def test_a_line_that_is_no_segment_is_kept_apart() -> None:
    assert parse(b"MSH|^~\\&|A\r// a comment\rPID|1").strays == ["// a comment"]
