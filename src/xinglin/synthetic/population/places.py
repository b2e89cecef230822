"""Fictitious addresses and phone numbers."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from xinglin.synthetic.streams import below

__all__ = ["CITY", "Address", "draw_address", "draw_phone", "mistype_digits"]

CITY = ("杏林市", "Xinglin")
_DISTRICTS = (
    ("东湖区", "Donghu"), ("西山区", "Xishan"), ("南桥区", "Nanqiao"), ("北塘区", "Beitang"),
    ("河口区", "Hekou"), ("云溪区", "Yunxi"), ("青浦区", "Qingpu"), ("石门区", "Shimen"),
    ("梅岭区", "Meiling"), ("金滩区", "Jintan"), ("安平县", "Anping"), ("永乐县", "Yongle"),
)  # fmt: skip
_SYLLABLES = (
    ("长", "chang"), ("江", "jiang"), ("中", "zhong"), ("山", "shan"), ("人", "ren"), ("民", "min"), ("解", "jie"),
    ("放", "fang"), ("建", "jian"), ("设", "she"), ("和", "he"), ("平", "ping"), ("新", "xin"), ("华", "hua"),
    ("文", "wen"), ("化", "hua"), ("光", "guang"), ("明", "ming"), ("红", "hong"), ("旗", "qi"), ("东", "dong"),
    ("风", "feng"), ("胜", "sheng"), ("利", "li"), ("团", "tuan"), ("结", "jie"), ("春", "chun"), ("海", "hai"),
    ("桃", "tao"), ("源", "yuan"), ("松", "song"), ("柏", "bai"), ("兴", "xing"), ("业", "ye"), ("富", "fu"),
    ("康", "kang"), ("天", "tian"), ("河", "he"), ("龙", "long"), ("泉", "quan"), ("凤", "feng"), ("凰", "huang"),
)  # fmt: skip
_MOBILE = ("130", "131", "135", "136", "137", "138", "139", "150", "151", "152", "157", "158", "159",
           "177", "180", "182", "186", "187", "188", "189", "199")  # fmt: skip


class Address(NamedTuple):
    """An address in parts, so that each institution can format it in its own way.

    Args:
        district: Index of the district.
        street: Street name in characters.
        street_latin: Street name in Latin letters.
        number: House number.
        building: Building number, 0 for none.
        room: Room number, 0 for none.
    """

    district: int
    street: str
    street_latin: str
    number: int
    building: int
    room: int

    def line(self, chinese: bool, terse: bool) -> str:
        """The street line.

        Example:
            >>> Address(0, "长江", "Changjiang", 12, 3, 401).line(chinese=False, terse=False)
            'Room 401, Building 3, 12 Changjiang Road'
        """
        if chinese:
            inner = f"{self.building}-{self.room}" if terse else f"{self.building}幢{self.room}室"
            return f"{self.street}路{self.number}号" + (inner if self.room else "")
        inner = f"{self.building}-{self.room}, " if terse else f"Room {self.room}, Building {self.building}, "
        road = "Rd" if terse else "Road"
        return (inner if self.room else "") + f"{self.number} {self.street_latin} {road}"

    def district_name(self, chinese: bool) -> str:
        """The district's name."""
        return _DISTRICTS[self.district][0 if chinese else 1]

    @property
    def postal_code(self) -> str:
        """The postal code: six digits, one code per district."""
        return f"36{1000 + self.district * 25:04d}"


def draw_address(rng: Random) -> Address:
    """Draw an address out of 1,722 street names; most are flats.

    Example:
        >>> draw_address(Random(1)) == draw_address(Random(1))
        True
    """
    first = below(rng, len(_SYLLABLES))
    second = (first + 1 + below(rng, len(_SYLLABLES) - 1)) % len(_SYLLABLES)
    flat = rng.random() < 0.85
    return Address(
        below(rng, len(_DISTRICTS)),
        _SYLLABLES[first][0] + _SYLLABLES[second][0],
        (_SYLLABLES[first][1] + _SYLLABLES[second][1]).capitalize(),
        1 + below(rng, 900),
        1 + below(rng, 24) if flat else 0,
        (1 + below(rng, 18)) * 100 + 1 + below(rng, 4) if flat else 0,
    )


def draw_phone(rng: Random) -> str:
    """Draw a mobile number of eleven digits."""
    return f"{_MOBILE[below(rng, len(_MOBILE))]}{below(rng, 100_000_000):08d}"


def mistype_digits(text: str, rng: Random) -> str:
    """Make one typing error: a digit changed, or two neighbouring digits swapped.

    Example:
        >>> mistype_digits("13812345678", Random(1)) != "13812345678"
        True
    """
    at = 1 + below(rng, len(text) - 2)
    if rng.random() < 0.5 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    digit = (int(text[at]) + 1 + below(rng, 9)) % 10 if text[at].isdigit() else 0
    return f"{text[:at]}{digit}{text[at + 1 :]}"
