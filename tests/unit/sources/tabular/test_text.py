"""Text files: encodings, and everything that can be wrong with a CSV file."""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.tabular.conftest import Clinic
from xinglin.sources import Limits, Part, Reading, Splitter, discover, records

MAPPING = """
tables:
  notes:
    file: "notes*"
    resources:
      - type: Observation
        id: "{编号}"
        elements: {status: final, code: {text: note}, valueString: "{内容}"}
"""
Put = Callable[..., Path]
RARE = "𠮷𣗋䶮"  # four bytes each in GB18030


def table(*rows: str) -> str:
    return "编号,内容\n" + "".join(f"{row}\n" for row in rows)


def values(clinic: Clinic) -> dict[str, str]:
    return {one["id"]: one["valueString"] for one in clinic.resources()}


@pytest.mark.parametrize(
    "encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_the_encoding_is_found(clinic: Clinic, put: Put, encoding: str):
    text = "患者神志清楚，言语流利，四肢肌力正常" + (RARE if encoding != "gbk" else "")
    report = clinic.land(put("notes.csv", table(f"1,{text}", '2,"两行\n，一个格"').encode(encoding)), MAPPING)
    assert (report.landed, report.quarantined) == (2, 0)
    assert values(clinic) == {"1": text, "2": "两行\n，一个格"}


def test_letters_that_come_late_decide_the_encoding_too(tmp_path: Path):
    path = tmp_path / "notes.csv"
    path.write_bytes(b"n,v\n" + b"1,plain\n" * 700_000 + "2,神志清楚\n".encode("gb18030"))
    reading = Reading("tabular", mapping=MAPPING.replace("编号", "n").replace("内容", "v"))
    splitter = Splitter(reading)
    parts = [part for found in discover(path) for part in splitter.parts(found)]
    assert splitter.received[0].facts["encoding"] == "gb18030"
    assert path.stat().st_size > 5_000_000 and parts


def test_shift_jis_and_latin_are_told_from_chinese(clinic: Clinic, put: Put):
    from xinglin.sources.tabular.files.encoding import encoding_of

    japanese = "患者番号,氏名,所見\n1,田中太郎,これは検査の結果です。異常はありませんでした。\n" * 20
    french = "numéro,prénom,remarque\n1,Hélène,Patiente âgée fébrile depuis l'été, très fatiguée\n" * 20
    assert encoding_of(japanese.encode("cp932")) in ("shift_jis", "cp932")
    assert french.encode("latin-1").decode(encoding_of(french.encode("latin-1"))) == french


def test_a_wrong_declared_encoding_costs_the_lines_that_do_not_fit(clinic: Clinic, put: Put):
    data = b"n,v\n1,plain\n2," + "Übelkeit".encode("latin-1") + b"\n3,plain\n"
    mapping = MAPPING.replace("编号", "n").replace("内容", "v").replace("tables:", "encoding: utf-8\ntables:")
    report = clinic.land(put("notes.csv", data), mapping)
    assert (report.landed, report.quarantined) == (2, 1)
    assert clinic.quarantine() == [(3, "invalid-encoding", "expected utf-8 at byte 2 of the line")]


def test_a_header_in_a_wrong_encoding_sets_the_file_aside(clinic: Clinic, put: Put):
    data = table("1,x").encode("gb18030")
    report = clinic.land(put("notes.csv", data), MAPPING.replace("tables:", "encoding: utf-8\ntables:"))
    assert (report.received, report.quarantined) == (1, 1)
    report = clinic.land(put("notes.csv", data), MAPPING.replace("tables:", "encoding: latin-1\ntables:"))
    assert report.quarantined == 1
    assert clinic.reasons() == {"invalid-encoding": 1, "missing-column": 1}


def test_a_ragged_row_costs_itself(clinic: Clinic, put: Put):
    report = clinic.land(put("notes.csv", table("1,a", "2", "3,b,c", "", "4,d")), MAPPING)
    assert (report.landed, report.quarantined) == (2, 2)
    assert clinic.quarantine() == [
        (3, "ragged-row", "expected 2 fields, found 1"),
        (4, "ragged-row", "expected 2 fields, found 3"),
    ]
    padded = MAPPING.replace('file: "notes*"', 'file: "notes*"\n    short_rows: pad')
    assert clinic.land(put("notes.csv", table("1,a", "2", "3,b,c", "", "4,d")), padded).quarantined == 1


def test_a_quote_that_is_not_closed_costs_its_line(clinic: Clinic, put: Put):
    clinic.land(put("notes.csv", table("1,a", '2,"open', "3,b", "4,c", '5,"good\nnote"', "6,d")), MAPPING)
    assert values(clinic) == {"1": "a", "3": "b", "4": "c", "6": "d", "5": "good\nnote"}
    assert [one[:2] for one in clinic.quarantine()] == [(3, "malformed-row")]


def test_a_quote_open_to_the_end_costs_its_line(clinic: Clinic, put: Put):
    clinic.land(put("notes.csv", table("1,a", '2,"open', "3,b", "4,c")), MAPPING)
    assert values(clinic) == {"1": "a", "3": "b", "4": "c"}
    assert [one[:2] for one in clinic.quarantine()] == [(3, "malformed-row")]


def test_a_zero_byte_or_another_control_character_costs_its_row(clinic: Clinic, put: Put):
    clinic.land(put("notes.csv", table("1,a\x00b", "2,b", "3,\x1bc")), MAPPING)
    assert values(clinic) == {"2": "b"}
    assert [one[:2] for one in clinic.quarantine()] == [(2, "control-character"), (4, "control-character")]


def test_a_cell_of_10_mb_lands_and_a_longer_record_than_may_be_does_not(clinic: Clinic, put: Put):
    long = "x" * 10_000_000
    assert clinic.land(put("notes.csv", table(f"1,{long}", "2,b")), MAPPING).landed == 2
    assert values(clinic)["1"] == long
    long = "x" * 1_100_000
    report = clinic.land(put("notes.csv", table(f"3,{long}", "4,b")), MAPPING, resource_bytes=1_000_000)
    assert (report.landed, report.quarantined) == (1, 1)


def test_a_line_without_end_is_counted_and_not_kept(tmp_path: Path):
    path = tmp_path / "notes.csv"
    path.write_bytes(table("1,a").encode() + b"2," + b"x" * 9_000_000 + b"\n3,c\n")
    reading = Reading("tabular", mapping=MAPPING, limits=Limits(chunk_bytes=1_000_000, resource_bytes=2_000_000))
    splitter = Splitter(reading)
    parts = [part for found in discover(path) for part in splitter.parts(found)]
    found = [record for part in parts for record in records(part, reading)]
    assert [(one.position, getattr(one.found, "reason", "landed")) for one in found] == [
        (2, "landed"),
        (3, "too-large"),
        (4, "landed"),
    ]
    assert found[1].size == 9_000_002 and len(found[1].raw) < 9_000_002


def test_very_many_columns_are_read(clinic: Clinic, put: Put):
    count = int(os.environ.get("XINGLIN_COLUMNS", "200000"))  # a million takes some seconds
    header = ",".join(f"c{number}" for number in range(count))
    row = ",".join("7" for _ in range(count))
    mapping = MAPPING.replace("编号", "c0").replace("内容", f"c{count - 1}")
    assert clinic.land(put("notes.csv", f"{header}\n{row}\n{row}x,\n"), mapping).landed == 1
    assert clinic.quarantine()[0][1:] == ("ragged-row", f"expected {count} fields, found {count + 1}")


@pytest.mark.parametrize(("delimiter", "quote"), [(";", '"'), ("\t", '"'), ("|", "'"), (" ", '"')])
def test_other_delimiters_and_quotes(clinic: Clinic, put: Put, delimiter: str, quote: str):
    word = {"\t": "tab", " ": "space"}.get(delimiter, delimiter)
    mapping = MAPPING.replace(
        "tables:", f"delimiter: '{word}'\nquote: \"{quote if quote != chr(34) else chr(92) + quote}\"\ntables:"
    )
    text = f"编号{delimiter}内容\n1{delimiter}{quote}a{delimiter}{quote}{quote}b{quote}\n"
    assert clinic.land(put("notes.csv", text.encode("gb18030")), mapping).landed == 1
    assert values(clinic) == {"1": f"a{delimiter}{quote}b"}


def test_line_ends_of_every_kind(clinic: Clinic, put: Put):
    put("notes-1.csv", table("1,a", "2,b").replace("\n", "\r\n"))
    put("notes-2.csv", table("3,a", "4,b").replace("\n", "\r"))
    clinic.land(put("notes-3.csv", table("5,a", "6,b").rstrip("\n")), MAPPING)
    assert sorted(values(clinic)) == ["1", "2", "3", "4", "5", "6"]
    assert not clinic.quarantine()


def test_files_in_archives_and_packed_files_are_read(clinic: Clinic, put: Put, tmp_path: Path):
    import gzip

    put("notes-1.csv.gz", gzip.compress(table("1,神志清楚").encode("gb18030")))
    inbox = put("other.txt", "not in the mapping")
    with zipfile.ZipFile(inbox / "all.zip", "w") as archive:
        archive.writestr("folder/notes-2.csv", table("2,神志清楚").encode("gb18030"))
    report = clinic.land(inbox, MAPPING)
    assert (report.landed, report.quarantined) == (2, 1)
    assert clinic.reasons() == {"no-table": 1}
    assert values(clinic) == {"1": "神志清楚", "2": "神志清楚"}


def test_the_parts_of_a_file_give_the_same_records_whatever_their_size(tmp_path: Path):
    random.seed(7)
    signs = ["a", "神", '""', ",", "\n", " ", "x"]
    rows = []
    for number in range(400):
        cell = "".join(random.choice(signs) for _ in range(random.randrange(12)))
        rows.append(f'{number},"{cell}"' if number % 5 else f"{number},{'5' + chr(34) + ' pipe'}")
        if number % 37 == 0:
            rows.append(f'{number},"broken" quote')
    for encoding in ("gb18030", "utf-8"):
        path = tmp_path / f"notes-{encoding}.csv"
        path.write_bytes(table(*rows).encode(encoding))
        whole = _read(path, 32_000_000)
        assert len(whole) > 400 and any(len(one) > 2 and one[2] == "landed" for one in whole)
        for size in (1, 17, 100, 1_000):
            assert _read(path, size) == whole


def _read(path: Path, chunk: int) -> list[tuple[object, ...]]:
    reading = Reading("tabular", mapping=MAPPING, limits=Limits(chunk_bytes=chunk))
    splitter = Splitter(reading)
    parts: list[Part] = [part for found in discover(path) for part in splitter.parts(found)]
    return [
        (one.position, getattr(one.found, "text", b""), getattr(one.found, "reason", "landed"))
        for part in parts
        for one in records(part, reading)
    ]
