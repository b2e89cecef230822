"""Whatever is done to a file, every record is landed or set aside with a reason, and no value is told."""

from __future__ import annotations

import os
import random
from importlib.resources import files
from pathlib import Path

from tests.unit.sources.tabular.workbooks import xlsx
from xinglin.sources import Limits, Part, Reading, Rejected, Splitter, discover, records
from xinglin.sources.tabular import read_mapping

MAPPING = read_mapping(Path(str(files("xinglin.sources.tabular") / "examples" / "laboratory-long.yaml")))
SECRET = "机密姓名"
TEXT = "报告号,病人编号,就诊号,项目代码,项目名称,结果,单位,提示,参考范围,采样时间\n" + "".join(
    f'R{n},{SECRET}{n},V{n},GLU,"空腹,血糖",{n}.50,mmol/L,H,"3.9\n6.1",2024-05-01 07:00:{n:02}\n' for n in range(20)
)
KINDS = ("gb18030", "utf-8", "utf-16", "xlsx")


def original(kind: str) -> bytes:
    if kind != "xlsx":
        return TEXT.encode(kind)
    lines = [line.split(",") for line in TEXT.replace("\n6.1", "").replace('"空腹,血糖"', "x").splitlines()]
    return xlsx({"A": [list(line) for line in lines]})


def mutated(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randrange(1, 6)):
        place, other = dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)
        kind = dice.randrange(5)
        if kind == 0:
            data = data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + dice.choice([b'"', b",", b"\n", b"\r", b"\x00", b"\xff\xfe", b'""']) + data[place:]
        elif kind == 2:
            data = data[: min(place, other)] + data[max(place, other) :]
        elif kind == 3:
            data = data[:place] + data[other : other + 300] + data[place:]
        else:
            data = data[:place]
    return data


def test_mutated_files_are_read_to_the_end(tmp_path: Path):
    dice = random.Random(20260101)
    reading = Reading("tabular", mapping=MAPPING, limits=Limits(chunk_bytes=500))
    landed = rejected = 0
    for number in range(int(os.environ.get("XINGLIN_MUTATIONS", "200"))):
        kind = KINDS[number % len(KINDS)]
        path = tmp_path / ("lab-results.xlsx" if kind == "xlsx" else "lab-results.csv")
        path.write_bytes(mutated(original(kind), dice))
        whole = Reading("tabular", mapping=MAPPING.replace('"lab-results*.csv"', '"lab-results*"').replace(
            "lab-results*.csv", "lab-results*"))  # fmt: skip
        for how in (whole, Reading("tabular", mapping=whole.mapping, limits=reading.limits)):
            splitter = Splitter(how)
            parts: list[Part] = [part for found in discover(path) for part in splitter.parts(found)]
            for part in parts:
                for record in records(part, how):
                    if isinstance(record.found, Rejected):
                        rejected += 1
                        assert record.found.reason
                        assert SECRET[:2] not in record.found.detail
                    else:
                        landed += 1
    assert landed > 1_000 and rejected > 100
