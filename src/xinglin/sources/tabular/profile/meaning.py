"""What a column may mean, by its heading in English or Chinese and by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

__all__ = ["SEXES", "is_resident_id", "meaning_of"]

SEXES = {
    "男": "male", "女": "female", "男性": "male", "女性": "female", "m": "male", "f": "female", "male": "male",
    "female": "female", "1": "male", "2": "female", "0": "unknown", "9": "unknown", "other": "other", "其他": "other",
    "unknown": "unknown", "未知": "unknown", "未说明": "unknown", "u": "unknown", "o": "other",
}  # fmt: skip
"""Words for the sex as they stand in tables, 1 and 2 by GB/T 2261.1."""

_NAMES: tuple[tuple[str, str], ...] = (
    ("resident-id", r"身份证|证件号|national.?id|resident.?id|id.?card|^ssn$"),
    ("phone", r"电话|手机|联系方式|phone|mobile|^tel"),
    ("birth-date", r"出生|生日|birth|^dob$"),
    ("death-date", r"死亡|death|deceased"),
    ("sex", r"性别|^sex$|gender"),
    ("age", r"年龄|^age"),
    ("visit-id", r"就诊号|就诊流水|住院号|门诊号|住院流水|visit.?(id|no|num)|encounter(.?id)?$|admission.?(id|no)"),
    ("patient-id", r"病人编号|病人号|患者编号|患者号|病历号|病案号|体检号|档案号|^(patient|person|subject)"
                   r"(.?(id|no|num(ber)?))?$|^(mrn|pid|p_?id)$"),
    ("name", r"姓名|病人名|患者名|^(patient.?|full.?)?name$|^(first|last|family|given)(.?name)?$"),
    ("address", r"地址|住址|address"),
    ("diagnosis-code", r"诊断.*(编码|代码|码)|icd|diag.*code"),
    ("diagnosis-name", r"诊断|疾病|diagnos"),
    ("procedure-code", r"手术.*(编码|代码|码)|操作.*码|procedure.*code"),
    ("procedure-name", r"手术.*名|操作.*名|^手术$|procedure|operation"),
    ("drug-code", r"药品.*(编码|代码|码)|drug.*code|medication.*code|rxnorm|^ndc$"),
    ("drug-name", r"药品|药名|drug|medication|medicine"),
    ("test-code", r"(项目|检验|指标|检查).*(编码|代码|码)|loinc|(test|item).*code"),
    ("test-name", r"项目名|检验项目|指标名|检查项目|^(test|item|analyte)(.?name)?$"),
    ("result", r"^结果|检验结果|检查结果|结果值|^测定值|^(result|value)(.?value)?$"),
    ("unit", r"单位|^units?$"),
    ("reference-range", r"参考|range"),
    ("flag", r"提示|异常标志|flag|abnormal"),
    ("start", r"入院|就诊(日期|时间)|到达|开始|^(start|admit|begin)|admission.?(date|time)|visit.?(date|time)"),
    ("end", r"出院|离开|结束|^(stop|end|discharge)"),
    ("date", r"日期|时间|^date|date$|time$|_at$"),
    ("dose", r"剂量|用量|^dose|dosage"),
    ("code", r"编码|代码|code$"),
    ("visit-type", r"就诊类[型别]|visit.?type|encounter.?class|patient.?class"),
    ("id", r"^(id|编号|序号|流水号)$|_id$|编号$|流水号$"),
)  # fmt: skip
_BY_NAME = tuple((meaning, re.compile(words, re.IGNORECASE).search) for meaning, words in _NAMES)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT = re.compile(
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[0-9]{3}[0-9Xx]"
).fullmatch
_PHONE = re.compile(r"(?:\+?86[ -]?)?1[3-9][0-9]{9}").fullmatch
_ICD10 = re.compile(r"[A-TV-Z][0-9][0-9AB](?:\.[0-9A-Z]{1,4}(?:x[0-9]{3})?)?[+*†]?").fullmatch
_LOINC = re.compile(r"[0-9]{1,5}-[0-9]").fullmatch
_SNOMED = re.compile(r"[1-9][0-9]{5,17}").fullmatch


def is_resident_id(text: str) -> bool:
    """Whether a text is a Chinese resident identity number: 17 digits and a check sign (GB 11643).

    Example:
        >>> is_resident_id("11010519491231002X"), is_resident_id("110105194912310021")
        (True, False)
    """
    if not _RESIDENT(text):
        return False
    total = sum(int(sign) * weight for sign, weight in zip(text, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[17].upper()


def _is_loinc(text: str) -> bool:
    """A LOINC code has a check digit by Luhn's rule."""
    if not _LOINC(text):
        return False
    doubled = [int(sign) * (2 if place % 2 == 0 else 1) for place, sign in enumerate(reversed(text[:-2]))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10) == text[-1]


def _is_snomed(text: str) -> bool:
    """A SNOMED CT concept id says 00 or 10 before its check digit."""
    return bool(_SNOMED(text)) and text[-3:-1] in ("00", "10")


_BY_CONTENT: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("resident-id", is_resident_id),
    ("phone", _PHONE),
    ("loinc", _is_loinc),
    ("icd-10", _ICD10),
    ("snomed", _is_snomed),
    ("sex", lambda text: not text.isdecimal() and text.lower() in SEXES),
)


def meaning_of(heading: str, values: Sequence[str]) -> str:
    """The likeliest meaning of a column, empty where there is none.

    Args:
        heading: Its name.
        values: Some of its values that are not empty.

    Example:
        >>> meaning_of("诊断编码", ["I63.9", "E11.9"]), meaning_of("x", ["I63.9", "E11.9"]), meaning_of("性别", ["1"])
        ('icd-10', 'icd-10', 'sex')
    """
    named = next((meaning for meaning, fits in _BY_NAME if fits(heading)), "")
    for meaning, fits in _BY_CONTENT:
        if values and sum(bool(fits(value)) for value in values) >= 0.9 * len(values):
            codes = ("loinc", "icd-10", "snomed")
            if meaning in codes and named and "code" not in named and named not in ("diagnosis-name", "test-name"):
                continue
            return meaning
    return "" if named in ("sex",) and any(value.lower() not in SEXES for value in values) else named
