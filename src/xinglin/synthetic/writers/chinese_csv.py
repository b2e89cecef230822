"""CSV export of a clinic: Chinese column names, GB18030, local dates, one file per table."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from xinglin.synthetic.plan import Site
from xinglin.synthetic.writers.mappings import mapping_text
from xinglin.synthetic.writers.rows import COLUMNS, MOMENTS, Row, RowWriter

__all__ = ["HEADINGS", "CsvWriter"]

HEADINGS = {
    "institution": "机构编号 机构名称 电话 地址 区县 城市 邮政编码",
    "department": "科室编号 科室名称 科室类别 机构编号",
    "staff": "工号 执业证号 姓 名 性别",
    "patient": "患者编号 病历号 姓名 姓 名 性别 出生日期 证件类型 证件国别 证件号码 手机号 住址 区县 城市 邮政编码 "
    "建档日期 死亡时间 更新时间",
    "visit": "就诊号 患者编号 就诊类型 就诊类别编码 就诊类别 开始时间 结束时间 医生工号 科室编号 机构编号 主要诊断编码 "
    "主要诊断 主要诊断ICD10 离院方式 转自就诊号 更新时间",
    "diagnosis": "诊断号 患者编号 就诊号 诊断编码 诊断名称 ICD10 发病时间 痊愈时间 记录时间 医生工号 更新时间",
    "result": "结果号 患者编号 就诊号 项目编码 项目名称 项目类别 结果 单位 选项编码 选项 检查时间 医生工号 更新时间",
    "pressure": "结果号 患者编号 就诊号 收缩压 舒张压 检查时间 医生工号 更新时间",
    "prescription": "处方号 患者编号 就诊号 药品编码 药品名称 开方时间 天数 每日次数 总量 用至 诊断号 "
    "医生工号 更新时间",
    "treatment": "治疗号 患者编号 就诊号 项目编码 项目名称 开始时间 结束时间 诊断号 器械号 医生工号 更新时间",
    "vaccination": "接种号 患者编号 就诊号 疫苗编码 疫苗名称 接种时间 批号 医生工号 更新时间",
    "report": "报告号 患者编号 就诊号 报告编码 报告名称 报告类别 报告时间 结论 影像号 结果号 医生工号 更新时间",
    "study": "影像号 患者编号 就诊号 部位编码 部位 设备类型 检查时间 影像UID 序列UID 图像数 描述 更新时间",
    "note": "文书号 患者编号 就诊号 文书编码 文书名称 书写时间 内容 医生工号 更新时间",
    "device": "器械号 患者编号 就诊号 器械编码 器械名称 发放时间 生产日期 序列号 医生工号 更新时间",
    "allergy": "过敏号 患者编号 就诊号 过敏编码 过敏名称 过敏类别 严重程度 记录时间 医生工号 更新时间",
    "bill": "账单号 患者编号 就诊号 项目编码 项目名称 开始时间 结束时间 金额 诊断号 机构编号 更新时间",
}
_TO_QUOTE = re.compile('[,"\r\n]').search
_STEMS = {"diagnosis": "diagnoses", "allergy": "allergies", "staff": "staff", "study": "studies"}
_WORDS = {
    "sex": {"male": "男", "female": "女"},
    "id_type": {"NI": "居民身份证", "PPN": "护照"},
    "setting": {"AMB": "门诊", "EMER": "急诊", "IMP": "住院"},
    "discharge": {"home": "回家", "exp": "死亡"},
    "category": {"vital-signs": "体征", "laboratory": "检验", "survey": "评分", "social-history": "生活史",
                 "LAB": "检验", "RAD": "影像", "medication": "药物", "environment": "环境", "food": "食物"},
    "criticality": {"high": "重", "low": "轻"},
    "unit": {"mm[Hg]": "mmHg", "/min": "次/分", "Cel": "℃", "umol/L": "μmol/L", "10*9/L": "10^9/L",
             "{score}": "分", "kg/m2": "kg/m²", "{INR}": "INR"},
}  # fmt: skip


@cache
def _day(day: int) -> str:
    one = date.fromordinal(day)
    return f"{one.year}/{one.month}/{one.day}"


_TIMES = tuple(f" {hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))


def _moment(minute: int) -> str:
    """A minute in the form 2024/3/5 08:15."""
    day, rest = divmod(minute, 1440)
    return _day(day) + _TIMES[rest]


def _birth(text: str) -> str:
    """A date of birth in the form 1987年3月5日."""
    year, month, day = text.split("-")
    return f"{year}年{int(month)}月{int(day)}日"


def _cell(field: str, value: Any) -> str:
    if value is None:
        return ""
    if field in MOMENTS:
        return _moment(value)
    if field == "registered":
        return _day(value)
    if field == "birth":
        return _birth(value)
    written = str(_WORDS[field].get(value, value)) if field in _WORDS else str(value)
    if _TO_QUOTE(written):
        return '"' + written.replace('"', '""') + '"'
    return written


def _stem(table: str) -> str:
    return _STEMS.get(table, f"{table}s")


class CsvWriter(RowWriter):
    """Writes CSV files in GB18030."""

    suffix = ".csv"
    reading = "tabular"
    database = None

    def line(self, row: Row) -> tuple[str, str]:
        """Add a row, with cells in the clinic's notation."""
        table, values = row
        return _stem(table), ",".join(
            [_cell(field, value) for field, value in zip(COLUMNS[table], values, strict=True)]
        )

    def encode(self, lines: list[str]) -> bytes:
        """One row per line, in GB18030."""
        return ("\r\n".join(lines) + "\r\n").encode("gb18030")

    def head(self, stem: str) -> bytes:
        """The column names."""
        table = next(table for table in HEADINGS if _stem(table) == stem)
        return (HEADINGS[table].replace(" ", ",") + "\r\n").encode("gb18030")

    def finish(self, site: Site, folder: Path) -> None:
        """Nothing to do."""

    def mapping(self, site: Site) -> str:
        """The mapping of its columns to FHIR."""
        return mapping_text("clinic", site)
