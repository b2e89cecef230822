"""Broken and hostile input: a clear error or a quarantine row with the reason, nothing lost, nothing written half."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.landing.conftest import condition, lines, patient
from xinglin.core.errors import NotFound, StorageError
from xinglin.landing import Landing, verify
from xinglin.sources import Limits

Land = Callable[..., Any]
Quarantine = Callable[[], list[dict[str, Any]]]

GOOD = lines(*(patient(number) for number in range(50)))


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.received, report.landed, report.duplicate, report.quarantined


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "invalid-json"),
        (b'{"resourceType":"Patient","id":"\xfe"}', "invalid-utf8"),
        (b'{"resourceType":"Human","id":"x"}', "unknown-resource-type"),
        (b'{"resourceType":"Patient"}', "missing-id"),
        (b'{"resourceType":"Patient","id":"x","id":"y"}', "duplicate-key"),
        (b'{"resourceType":"Patient","id":"x","extension":[{"url":null}]}', "wrong-type"),
        (b'{"resourceType":"Basic","id":"x","y":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "too-deep"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_position_and_the_others_land(
    land: Land, quarantine: Quarantine, line: bytes, reason: str
) -> None:
    report = land(lines(patient(1)) + b"\n" + line + b"\r\n" + lines(patient(2)))
    assert counts(report) == (3, 2, 0, 1)
    (row,) = quarantine()
    assert (row["source"], row["position"], row["reason"], row["original"]) == (0, 3, reason, line)
    assert row["original_bytes"] == len(line)


def test_lines_before_the_break_of_a_truncated_gzip_land_and_the_rest_is_one_row(
    land: Land, quarantine: Quarantine
) -> None:
    whole = gzip.compress(lines(*(patient(n, name=[{"text": os.urandom(20).hex()}]) for n in range(500))), mtime=0)
    report = land(whole[: len(whole) // 2], "a.ndjson.gz")
    assert 100 < report.landed < 400 and report.quarantined == 1
    (row,) = quarantine()
    assert (row["reason"], row["position"]) == ("truncated-gzip", report.landed + 1)


def test_a_gzip_of_nothing_or_with_a_damaged_middle_is_told(land: Land, quarantine: Quarantine) -> None:
    assert counts(land(b"", "a.ndjson.gz")) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "truncated-gzip"
    land(b"this is no gzip", "b.ndjson.gz")
    assert quarantine()[0]["reason"] == "damaged-gzip"


def test_gzip_members_one_after_the_other_are_all_read(land: Land) -> None:
    assert counts(land(gzip.compress(lines(patient(1))) + gzip.compress(lines(patient(2))), "a.ndjson.gz")) == (
        2,
        2,
        0,
        0,
    )


def test_zstd_frames_are_all_read_and_a_truncated_one_is_told(land: Land, quarantine: Quarantine) -> None:
    frame = zstandard.ZstdCompressor().compress(GOOD)
    more = zstandard.ZstdCompressor().compress(lines(patient(90)))
    assert counts(land(frame + more, "a.ndjson.zst")) == (51, 51, 0, 0)
    assert land((frame + more)[:-8], "b.ndjson.zst").quarantined == 1
    assert quarantine()[0]["reason"] == "truncated-zstd"


def test_a_bundle_cut_in_the_middle_is_one_row_with_the_place_of_the_break(land: Land, quarantine: Quarantine) -> None:
    data = json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient(n)} for n in range(20)]}, indent=1)
    assert counts(land(data[:700].encode(), "cut.json")) == (1, 0, 0, 1)
    (row,) = quarantine()
    assert (row["reason"], row["position"]) == ("invalid-json", 0)
    assert "at character 700" in row["detail"]


@pytest.mark.parametrize("size", [3_000_000, 4_000_000, 9_000_000])
def test_a_huge_single_resource_is_too_large_and_its_neighbours_land(
    land: Land, quarantine: Quarantine, size: int
) -> None:
    huge = b'{"resourceType":"Binary","id":"b","data":"' + b"A" * size + b'"}\n'
    limits = Limits(resource_bytes=1_000_000, document_bytes=1_000_000, chunk_bytes=100_000)
    assert counts(land(lines(patient(1)) + huge + lines(patient(2)), limits=limits)) == (3, 2, 0, 1)
    (row,) = quarantine()
    assert (row["reason"], row["position"], row["original_bytes"]) == ("too-large", 2, len(huge) - 1)
    assert len(row["original"]) == 1_000_000
    assert counts(land(huge, "huge.json", limits)) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "too-large"


def test_what_is_no_json_at_all_is_one_row(land: Land, quarantine: Quarantine) -> None:
    assert counts(land(b"\x89PNG\r\n\x1a\n" * 100, "picture.png")) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "not-fhir"


def test_a_zip_is_read_without_its_resource_forks(land: Land) -> None:
    bundle = json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient(n)} for n in range(3)]}).encode()
    members = {"a/b.json": bundle, "c.ndjson": lines(patient(9)), "d.ndjson.gz": gzip.compress(lines(patient(8)))}
    report = land(zipped(**members, **{"__MACOSX/a/._b.json": b"junk", "README.md": b"read me"}), "a.zip")
    assert counts(report) == (5, 5, 0, 0)


def test_an_archive_that_was_replaced_is_read_anew(land: Land) -> None:
    land(zipped(**{"a.ndjson": lines(patient(1))}), "a.zip")
    assert counts(land(zipped(**{"a.ndjson": lines(patient(2))}), "a.zip")) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "..\\evil.json", "C:/evil.json"]
)
def test_a_member_that_points_outside_the_archive_is_set_aside(
    land: Land, quarantine: Quarantine, name: str, tmp_path: Path
) -> None:
    data = zipped(**{name: json.dumps(patient(1)).encode(), "good.ndjson": lines(patient(2))})
    before = set(tmp_path.rglob("evil*"))
    assert counts(land(data, "a.zip")) == (2, 1, 0, 1)
    assert quarantine()[0]["reason"] == "unsafe-path"
    assert set(tmp_path.rglob("evil*")) == before


def test_a_link_or_an_archive_in_an_archive_is_set_aside(land: Land, quarantine: Quarantine) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inner.zip", zipped(**{"a.ndjson": GOOD}))
    assert counts(land(buffer.getvalue(), "a.zip")) == (2, 0, 0, 2)
    assert [row["reason"] for row in quarantine()] == ["unsafe-path", "nested-archive"]


@pytest.mark.parametrize("kind", ["zip", "gz", "zst"])
def test_a_zip_bomb_is_stopped(land: Land, quarantine: Quarantine, kind: str) -> None:
    bomb = b'{"resourceType":"Binary","id":"b","data":"' + b"A" * 30_000_000 + b'"}'
    packed = {
        "zip": lambda: zipped(**{"a.json": bomb}),
        "gz": lambda: gzip.compress(bomb),
        "zst": lambda: zstandard.ZstdCompressor().compress(bomb),
    }[kind]()
    name = "a.zip" if kind == "zip" else f"a.json.{kind}"
    assert counts(land(packed, name)) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "zip-bomb"


def test_too_many_members_are_a_bomb_too(land: Land, quarantine: Quarantine) -> None:
    data = zipped(**{f"{number}.json": b"{}" for number in range(20)})
    assert counts(land(data, "a.zip", Limits(members=10))) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "zip-bomb"


@pytest.mark.parametrize("cut", [0, 10, 200, -30])
def test_a_damaged_zip_is_one_row(land: Land, quarantine: Quarantine, cut: int) -> None:
    data = zipped(**{"a.ndjson": GOOD})
    assert counts(land(data[:cut] if cut else b"", "a.zip")) == (1, 0, 0, 1)
    assert quarantine()[0]["reason"] == "damaged-zip"


def test_a_flipped_byte_in_a_member_is_found_by_its_checksum(land: Land, quarantine: Quarantine) -> None:
    data = bytearray(zipped(**{"a.ndjson": GOOD, "b.ndjson": lines(patient(99))}))
    data[100] ^= 255
    report = land(bytes(data), "a.zip")
    assert counts(report) == (2, 1, 0, 1)
    assert quarantine()[0]["reason"] == "damaged-zip"


def test_an_unreadable_file_is_one_row_and_the_others_land(land: Land, quarantine: Quarantine, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "b.ndjson").write_bytes(GOOD)
    (folder / "a.json").symlink_to(folder / "nowhere.json")
    assert counts(land(folder)) == (51, 50, 0, 1)
    (row,) = quarantine()
    assert (row["reason"], row["position"]) == ("unreadable", 0)


def test_a_loop_of_links_ends(land: Land, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.ndjson").write_bytes(GOOD)
    (folder / "deep" / "again").symlink_to(folder)
    assert counts(land(folder)) == (50, 50, 0, 0)


def test_a_folder_named_like_a_file_is_a_folder(land: Land, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "x.json"
    folder.mkdir(parents=True)
    (folder / "a.ndjson").write_bytes(GOOD)
    assert land(tmp_path / "in").landed == 50


def test_a_path_that_is_not_there_is_an_error(land: Land, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        land(tmp_path / "nothing")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("step", ["make_pieces", "assemble", "seal"])
def test_a_full_disk_lands_nothing_and_leaves_nothing(
    land: Land, landing: Landing, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from xinglin.landing import receive

    def full(*_: object) -> None:
        with open("/dev/full", "wb", buffering=0) as device:
            device.write(b"x")

    land(lines(patient(1)), "first.ndjson")
    with monkeypatch.context() as patch:
        patch.setattr(receive, step, full)
        with pytest.raises(StorageError, match="the disk is full"):
            land(GOOD)
    assert [batch.sequence for batch in landing.batches("mercy")] == [1]
    assert not list(landing.folder("mercy").glob(".batch-*"))
    assert land(GOOD).landed == 49
    verify(landing)


ANYTHING = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"{}", b"[]", b"null", b"1", b'""', b'{"resourceType":"Bundle","entry":[{}]}', b"\xef\xbb\xbf"]),
    st.builds(lambda n, v: lines(patient(n, multipleBirthInteger=v))[:-1], st.integers(0, 5), st.integers(0, 2)),
    st.builds(lambda n: lines(condition(n, n))[:-1], st.integers(0, 5)),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["resourceType", "id", "name", "extension", "url"]), inner, max_size=4)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANYTHING, max_size=8), st.sampled_from(["a.ndjson", "a.json", "a", "a.ndjson.gz"]))
def test_whatever_is_offered_the_account_balances(land: Land, offered: list[bytes], name: str) -> None:
    if name == "a.ndjson":
        # Bytes that came before under another name would be counted as they were read then.
        offered = [*offered, lines(patient(9))[:-1]]
    data = b"\n".join(offered)
    report = land(gzip.compress(data) if name.endswith("gz") else data, name)
    if name == "a.ndjson":
        blank = sum(not one.removeprefix(b"\xef\xbb\xbf").strip() for one in data.split(b"\n"))
        assert report.received >= len(data.split(b"\n")) - blank
