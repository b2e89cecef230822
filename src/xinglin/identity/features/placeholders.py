"""Values that stand for "not known": names, dates, numbers, phones and addresses that identify nobody.

What is listed here is known beforehand. What only one region uses is found by its frequency (`evidence.frequency`).
"""

from __future__ import annotations

__all__ = ["placeholder_patterns"]

_WORDS = (
    "unknown", "unkn", "unk", "unidentified", "unnamed", "noname", "nameless", "anonymous", "anonym", "anon", "none",
    "nn", "notknown", "notgiven", "notavailable", "notapplicable", "notprovided", "notstated",
    "missing", "undefined", "test", "testing", "testpatient", "patienttest", "tba", "tbd", "temporary", "dummy",
    "default", "x{2,}", "z{3,}", "unbekannt", "inconnu", "inconnue", "desconocido", "desconocida", "sconosciuto",
    "onbekend",
    "无名氏", "无名", "無名氏", "未知", "未详", "不详", "不詳", "不明", "佚名", "匿名", "待查", "待补", "测试", "測試",
    "无", "某某",
)  # fmt: skip
_GIVEN = (
    "trauma",
    "male",
    "female",
    "man",
    "woman",
    "patient",
    "person",
    "unknown(male|female|man|woman)",
    "某",
    "男",
    "女",
)
_NEWBORN = (
    "(baby|infant|newborn|neonate|nb|bb|neonatal)(boy|girl|male|female|son|daughter|twin|of.*)?([a-d]|[0-9]+|one|two|three)?",
    "(baby)?(boy|girl|son|daughter|twin)of.*",
    "(boy|girl|twin)([a-d]|[0-9]+|one|two|three)?",
    ".*(之子|之女|之婴|之儿|大婴|小婴|的儿子|的女儿|小毛毛|新生儿|婴儿|男婴|女婴)[0-9一二三]?",
)
_NO_NUMBER = (*_WORDS, "null", "nil", "na", "nos", "temp", "no", "nonumber", "notassigned", "pending", "self")
_JOHN_DOE = ("john", "jane", "jon", "baby", "johnny", "janie")
_ROE = ("doe", "roe")
_DATES = (
    "1900-01-01", "1901-01-01", "1899-12-30", "1899-12-31", "1900-01-02", "1900-12-31", "1910-01-01", "1911-11-11",
    "1890-01-01", "1880-01-01", "9999-12-31", "2099-12-31",
)  # fmt: skip
_OLDEST = "1880-01-01"
_ADDRESSES = (
    "unknown.*", "none", "n ?a", "homeless", "no fixed (abode|address)", "nfa", "not (known|given|available|stated)",
    "test.*", "same", "x+", "不详", "未知", "无", "地址不详", "无固定住所", "流浪",
)  # fmt: skip


def placeholder_patterns() -> dict[str, str]:
    """The lists as the values of ``sql/features/placeholders.sql``.

    Example:
        >>> import re
        >>> bool(re.fullmatch(placeholder_patterns()["newborn"], "babyofpetra"))
        True
    """
    quoted = ", ".join(f"'{date}'" for date in _DATES)
    return {
        "words": "|".join(_WORDS),
        "no_number": "|".join(_NO_NUMBER),
        "given": "|".join((*_WORDS, *_GIVEN)),
        "newborn": "|".join(_NEWBORN),
        "john": ", ".join(f"'{name}'" for name in _JOHN_DOE),
        "doe": ", ".join(f"'{name}'" for name in _ROE),
        "dates": quoted,
        "oldest": _OLDEST,
        "addresses": "|".join(_ADDRESSES),
    }
