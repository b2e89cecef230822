"""What is one person's is taken out of an original, and every other byte is as it was."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.sources import Reading, Record, Rejected
from xinglin.sources.fhir.redaction import without_entries
from xinglin.sources.redact import Cut, Judge, Original, redact

TABLE = """
tables:
  persons:
    file: a.csv
    resources:
      - type: Patient
        id: "{no}"
        elements: {gender: "{sex}"}
"""


def judge(*ids: str) -> Judge:
    def owns(record: Record) -> bool:
        if isinstance(record.found, Rejected):
            return any(one.encode() in record.raw for one in ids)
        return record.found.patient_id in ids

    def told(data: bytes) -> bool:
        return any(one.encode() in data for one in ids)

    return Judge(owns, told, told)


def patient(name: str) -> bytes:
    return json.dumps({"resourceType": "Patient", "id": name}).encode()


def condition(name: str, of: str, **more: Any) -> bytes:
    return json.dumps(
        {"resourceType": "Condition", "id": name, "subject": {"reference": f"Patient/{of}"}, **more}
    ).encode()


def bundle(*resources: bytes) -> bytes:
    entries = b" ,\n ".join(b'{ "resource": ' + one + b"}" for one in resources)
    return b'{ "resourceType":"Bundle", "type":"collection",\n "entry": [' + entries + b" ]\n}\n"


def run(tmp_path: Path, data: bytes, name: str, *ids: str, **more: Any) -> tuple[Cut, bytes | None]:
    path, target = tmp_path / "original", tmp_path / "target"
    path.write_bytes(data)
    reading = more.pop("reading", Reading())
    cut = redact(Original(path, name, reading, **more), judge(*ids), target)
    assert path.read_bytes() == data
    assert target.exists() == bool(cut.removed and cut.remains)
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".parts")] == []
    return cut, target.read_bytes() if target.exists() else None


LINES = (
    patient("her-0001") + b"\n" + patient("b") + b"\r\n\n" + condition("c", "her-0001") + b"\n" + condition("d", "b")
)


def test_lines_go_and_their_line_ends_stay_so_that_the_others_keep_their_numbers(tmp_path: Path) -> None:
    cut, rest = run(tmp_path, LINES, "a.ndjson", "her-0001")

    assert cut == Cut(removed=2)
    assert rest == b"\n" + patient("b") + b"\r\n\n\n" + condition("d", "b")


def test_what_holds_nothing_of_the_person_is_left_alone(tmp_path: Path) -> None:
    for name, data in {
        "a.ndjson": LINES,
        "b.json": bundle(patient("b"), condition("c", "b", asserter={"reference": "Patient/her-0002"})),
        "c.bin": b"\x00\x01",
    }.items():
        assert run(tmp_path, data, name, "her-0002") == (Cut(), None)


def test_a_bundle_of_several_persons_loses_the_entries_of_one(tmp_path: Path) -> None:
    data = bundle(patient("her-0001"), patient("b"), condition("c", "her-0001"), condition("d", "b"))

    cut, rest = run(tmp_path, data, "a.json", "her-0001")

    assert cut == Cut(removed=2)
    assert rest == bundle(patient("b"), condition("d", "b"))


def test_a_bundle_of_one_person_goes_as_a_whole_with_what_it_says_about_nobody(tmp_path: Path) -> None:
    place = b'{"resourceType":"Location","id":"l"}'
    assert run(tmp_path, bundle(patient("her-0001"), place), "a.json", "her-0001")[0] == Cut(1, remains=False)


def test_a_bundle_that_speaks_of_the_person_around_its_entries_goes_as_a_whole(tmp_path: Path) -> None:
    data = bundle(patient("her-0001"), patient("b")).replace(b'"collection"', b'"collection","id":"of-her-0001"')
    assert run(tmp_path, data, "a.json", "her-0001")[0] == Cut(1, remains=False, lost=1)


def test_a_line_that_is_a_bundle_loses_entries_only(tmp_path: Path) -> None:
    line = bundle(patient("her-0001"), patient("b")).replace(b"\n", b"").replace(b'"type"', b'"id":"x","type"')
    cut, rest = run(tmp_path, line + b"\n" + patient("c") + b"\n", "a.ndjson", "her-0001")

    assert cut.removed == 1
    assert rest == line.replace(b'{ "resource": ' + patient("her-0001") + b"} , ", b"") + b"\n" + patient("c") + b"\n"


def hl7(number: int, of: str) -> bytes:
    head = f"MSH|^~\\&|LAB|A|HIS|B|2024010112{number:02}||ADT^A04|{number}|P|2.5.1\r"
    return (head + f"EVN||20240101\rPID|1||{of}^^^A||Li^Na\rPV1|1|O\r").encode()


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_messages_go_and_batch_headers_and_trailers_stay(tmp_path: Path, gone: int) -> None:
    names = ["one-0001", "two-0002", "three-0003"]
    head, tail = b"FHS|^~\\&|A\rBHS|^~\\&|A\r", b"BTS|3\rFTS|1\r"
    kept = [hl7(number, name) for number, name in enumerate(names) if number != gone]

    cut, rest = run(tmp_path, head + b"".join(map(hl7, range(3), names)) + tail, "a.hl7", f"A.{names[gone]}",
                    expected=True)  # fmt: skip

    assert cut == Cut(removed=1)
    assert rest == head + b"".join(kept) + tail


def test_a_message_in_a_frame_goes_with_its_frame(tmp_path: Path) -> None:
    framed = [b"\x0b" + hl7(number, name) + b"\x1c\r" for number, name in enumerate(["one-1", "two-2", "three-3"])]
    for gone in range(3):
        own = f"A.{['one-1', 'two-2', 'three-3'][gone]}"
        cut, rest = run(tmp_path, b"".join(framed), "a.hl7", own, expected=True)
        assert (cut.removed, rest) == (1, b"".join(framed[:gone] + framed[gone + 1 :]))


def test_rows_go_also_over_several_lines_and_the_header_stays(tmp_path: Path) -> None:
    rows = 'no,sex,words\r\n1,male,a\r\n77,female,"two\r\nlines"\r\n\r\n2,female,"more\r\nlines"\r\n77,male,x'
    reading = Reading(mapping=TABLE)

    cut, rest = run(tmp_path, rows.encode(), "a.csv", "77", reading=reading)

    assert cut == Cut(removed=2)
    assert rest == b'no,sex,words\r\n1,male,a\r\n\r\n\r\n\r\n2,female,"more\r\nlines"\r\n'
    assert rest.count(b"\n") == rows.count("\n")


def test_text_of_wider_letters_goes_as_a_whole_and_what_others_lose_is_counted(tmp_path: Path) -> None:
    rows = "no,sex\n1,male\n77,female\n2,male\n".encode("utf-16")
    cut, _ = run(tmp_path, rows, "a.csv", "77", reading=Reading(mapping=TABLE), expected=True)
    assert cut == Cut(1, remains=False, lost=2)


def test_what_is_known_to_be_in_it_and_is_not_found_goes_with_all_of_it(tmp_path: Path) -> None:
    assert run(tmp_path, LINES, "a.ndjson", "nobody-1", expected=True)[0] == Cut(1, remains=False, lost=4)


def test_a_broken_document_that_speaks_of_the_person_goes(tmp_path: Path) -> None:
    assert run(tmp_path, b'{"resourceType":"Bundle","her-0001', "a.json", "her-0001")[0] == Cut(1, remains=False)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_original_is_packed_again_the_same_way(tmp_path: Path, packing: str) -> None:
    pack = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}[packing]
    unpack = {
        "gzip": gzip.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    }

    cut, rest = run(tmp_path, pack(LINES), "a.ndjson.gz", "her-0001")

    assert cut.removed == 2
    assert unpack[packing](rest) == run(tmp_path, LINES, "a.ndjson", "her-0001")[1]


def archive(members: dict[str, bytes], comment: bytes = b"", stream: bool = False) -> bytes:
    out = io.BytesIO()

    class Stream(io.RawIOBase):  # what cannot be gone back in has sizes behind its members
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return out.write(data)

    with zipfile.ZipFile(Stream() if stream else out, "w", zipfile.ZIP_DEFLATED) as made:
        made.comment = comment
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def local(data: bytes, name: str) -> bytes:
    """A member as it lies in an archive, its header included."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        begins = sorted([one.header_offset for one in opened.infolist()] + [opened.start_dir])
        start = opened.getinfo(name).header_offset
        return data[start : begins[begins.index(start) + 1]]


MEMBERS = {
    "x/": b"",
    "x/her.json": bundle(patient("her-0001"), condition("c", "her-0001")),
    "x/b.json": bundle(patient("b"), condition("d", "b")),
    "x/all.ndjson": LINES,
    "x/all.ndjson.gz": gzip.compress(LINES, mtime=0),
    "x/README.md": b"of the export",
    "x/c.json": bundle(patient("c"), condition("e", "c", asserter={"reference": "Patient/her-0001"})),
}


@pytest.mark.parametrize("stream", [False, True])
def test_members_go_or_are_cut_and_the_others_lie_as_they_lay(tmp_path: Path, stream: bool) -> None:
    data = archive(MEMBERS, b"a comment", stream)

    cut, rest = run(tmp_path, data, "a.zip", "her-0001")

    assert cut == Cut(removed=5)
    assert rest is not None
    with zipfile.ZipFile(io.BytesIO(rest)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [name for name in MEMBERS if name != "x/her.json"]
        assert opened.comment == b"a comment"
        assert b"her-0001" not in opened.read("x/all.ndjson") + gzip.decompress(opened.read("x/all.ndjson.gz"))
        assert opened.read("x/all.ndjson") == run(tmp_path, LINES, "a.ndjson", "her-0001")[1]
        assert opened.getinfo("x/all.ndjson").date_time == (2020, 1, 2, 3, 4, 6)
    for name in ("x/b.json", "x/README.md", "x/c.json"):
        assert local(rest, name) == local(data, name)


def test_an_archive_of_one_person_goes_as_a_whole(tmp_path: Path) -> None:
    data = archive({"her.json": MEMBERS["x/her.json"]})
    assert run(tmp_path, data, "a.zip", "her-0001")[0] == Cut(1, remains=False)


def test_a_member_whose_name_tells_of_the_person_has_another_name(tmp_path: Path) -> None:
    cut, rest = run(
        tmp_path, archive({"a.json": patient("a"), "child-of-her-0001.json": patient("b")}), "a.zip", "her-0001"
    )

    assert cut.removed == 1
    assert rest is not None
    with zipfile.ZipFile(io.BytesIO(rest)) as opened:
        [_, name] = opened.namelist()
        assert "her-0001" not in name and name.endswith(".json")
        assert opened.read(name) == patient("b")


def test_members_that_nobody_can_look_into_stay_and_are_told(tmp_path: Path) -> None:
    data = archive({"a.ndjson": LINES, "b.ndjson": LINES, "c.zip": b"PK"})
    broken = bytearray(data)
    broken[len(local(data, "a.ndjson")) + 60] ^= 0xFF

    cut, rest = run(tmp_path, bytes(broken), "a.zip", "her-0001")

    assert rest is not None
    assert cut.unread >= 1
    assert local(rest, "c.zip") == local(bytes(broken), "c.zip")


def test_only_expected_members_are_looked_into_where_nothing_is_suspected(tmp_path: Path) -> None:
    path, target = tmp_path / "a.zip", tmp_path / "target"
    path.write_bytes(archive(MEMBERS))
    one = judge("her-0001")

    cut = redact(
        Original(path, "a.zip", Reading(), members=frozenset({"x/her.json"})), Judge(one.owns, one.told, None), target
    )

    assert cut == Cut(removed=1)
    with zipfile.ZipFile(target) as opened:
        assert opened.read("x/all.ndjson") == LINES


def test_an_archive_with_more_members_than_short_numbers_can_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinglin.sources.redact.archive._MANY", 3)
    members = {f"{number}.ndjson": b"" for number in range(6)}
    data = archive({"her.json": patient("her-0001"), **members})

    cut, rest = run(tmp_path, data, "a.zip", "her-0001")

    assert cut == Cut(removed=1)
    assert rest is not None and b"PK\x06\x06" in rest
    with zipfile.ZipFile(io.BytesIO(rest)) as opened:
        assert opened.namelist() == list(members)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"", b" ", b"\n\t"]), st.sampled_from([b"", b" "])), min_size=1, max_size=9),
       st.data())  # fmt: skip
def test_any_entries_can_go_and_the_others_stay_byte_for_byte(blanks: list[tuple[bytes, bytes]], data: Any) -> None:
    texts = [b'{"n":%d,"s":"],{}\\""}' % number for number in range(len(blanks))]
    inside = b",".join(before + text + after for text, (before, after) in zip(texts, blanks, strict=True))
    whole = b'{"a":"entry","entry":[' + inside + b'],"z":1.50}'
    gone = data.draw(st.sets(st.integers(1, len(blanks)), max_size=len(blanks) - 1))

    rest, around = without_entries(whole, gone) if gone else (whole, b"")

    kept = [text for number, text in enumerate(texts, 1) if number not in gone]
    assert json.loads(rest)["entry"] == [json.loads(text) for text in kept]
    assert all(text in rest for text in kept)
    assert rest.startswith(b'{"a":"entry","entry":[') and rest.endswith(b'],"z":1.50}')
    assert not gone or around.startswith(b'{"a":"entry","entry":[')
