"""One person is erased, everybody else's originals stay byte for byte, and what is there can be told from tampering."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dying import events, killed, moments
from tests.unit.landing.conftest import NOON, condition, lines, patient
from xinglin.core.errors import StorageError, VerificationFailed
from xinglin.core.ids import omop_key
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Erased, IngestReport, Landing, erase, ingest, landed_again, verify
from xinglin.landing.tombstone import originals_now, read_tombstones
from xinglin.sources import Reading

Land = Callable[..., IngestReport]


def bundle(*numbers: int) -> bytes:
    entries = [{"resource": one} for number in numbers for one in (patient(number), condition(number, number))]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


FIRST, COUNT = 100_001, 12
MEMBERS = {f"{number}.json": bundle(number) for number in range(FIRST, FIRST + COUNT)} | {
    "two.json": bundle(FIRST, FIRST + 1),
    "all.ndjson": lines(*(condition(n + 500, n) for n in range(FIRST, FIRST + COUNT))),
}


def gone(landing: Landing, number: int) -> Erased:
    return erase(landing, "mercy", [omop_key("mercy", "Patient", f"p{number}")], "asked for", NOON)


def originals(landing: Landing) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (landing.folder("mercy") / "originals").iterdir()}


def inside(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def texts(landing: Landing) -> list[str]:
    import pyarrow.parquet as pq

    return sorted(text for file in landing.files() for text in pq.read_table(file.path)["resource"].to_pylist() if text)


def test_others_in_the_same_archive_lose_nothing(landing: Landing, land: Land) -> None:
    land(zipped(MEMBERS), "all.zip")
    [before] = originals(landing)

    report = gone(landing, FIRST)

    [(name, data)] = originals(landing).items()
    rest = inside(data)
    assert rest.keys() == MEMBERS.keys() - {f"{FIRST}.json"}
    assert f"p{FIRST}".encode() not in b"".join(rest.values())
    assert {one for one in rest if rest[one] != MEMBERS[one]} == {"two.json", "all.ndjson"}
    assert (report.originals, report.redacted, report.pieces, report.lost) == (0, 1, 4, 0)
    [tombstone] = read_tombstones(landing.folder("mercy"))
    [said] = tombstone.redacted
    assert (said.before, said.after, said.bytes, said.removed) == (before, name, len(data), 4)
    assert verify(landing).erased == 3


def test_verification_tells_redacted_from_tampered(landing: Landing, land: Land) -> None:
    land(zipped(MEMBERS), "all.zip")
    [(before, content)] = originals(landing).items()
    gone(landing, FIRST)
    [(name, data)] = originals(landing).items()
    folder = landing.folder("mercy") / "originals"

    (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(VerificationFailed, match="redacted original of a received file was changed"):
        verify(landing)
    (folder / name).write_bytes(zipped({"a.json": bundle(FIRST + 1)}))
    with pytest.raises(VerificationFailed, match="redacted original of a received file was changed"):
        verify(landing)
    (folder / name).unlink()
    with pytest.raises(VerificationFailed, match="missing"):
        verify(landing)
    (folder / name).write_bytes(data)
    (folder / before).write_bytes(content)
    with pytest.raises(VerificationFailed, match="an erased original still exists"):
        verify(landing)
    (folder / before).unlink()
    verify(landing)


def test_a_second_person_is_taken_out_of_what_is_left(landing: Landing, land: Land) -> None:
    land(zipped(MEMBERS), "all.zip")
    [first] = originals(landing)
    gone(landing, FIRST)
    gone(landing, FIRST + 1)

    [(name, data)] = originals(landing).items()
    rest = inside(data)
    assert rest.keys() == MEMBERS.keys() - {f"{FIRST}.json", f"{FIRST + 1}.json", "two.json"}
    assert all(rest[one] == MEMBERS[one] for one in rest if one != "all.ndjson")
    assert originals_now(read_tombstones(landing.folder("mercy")))[first] == name
    assert verify(landing).erased == 6


def test_when_everybody_is_erased_nothing_is_left(landing: Landing, land: Land) -> None:
    land(zipped(dict(list(MEMBERS.items())[:2])), "all.zip")
    assert [gone(landing, FIRST + one).originals for one in range(2)] == [0, 1]
    assert originals(landing) == {}
    assert verify(landing).erased == 4


def test_the_same_file_again_brings_nobody_back_and_its_original_is_cut_the_same_way(
    landing: Landing, land: Land
) -> None:
    land(zipped(MEMBERS), "all.zip")
    gone(landing, FIRST)
    kept, landed = originals(landing), texts(landing)

    again = land(zipped(MEMBERS), "all.zip")

    assert (again.landed, again.quarantined) == (0, 5)
    assert originals(landing) == kept
    assert texts(landing) == landed
    verify(landing)


def test_a_new_file_with_an_erased_person_keeps_the_others_originals(landing: Landing, land: Land) -> None:
    land(zipped(MEMBERS), "all.zip")
    gone(landing, FIRST)
    known = set(originals(landing))
    new = {"new.json": bundle(FIRST, 7), "more.json": bundle(8)}

    assert land(zipped(new), "later.zip").quarantined == 2
    assert land(bundle(FIRST, 9), "one.json").quarantined == 2

    found = {name: data for name, data in originals(landing).items() if name not in known}
    assert sorted(name.endswith(".zst") for name in found) == [False, True]
    rest = inside(next(data for name, data in found.items() if not name.endswith(".zst")))
    assert rest["more.json"] == new["more.json"]
    assert b'"p7"' in rest["new.json"] and f"p{FIRST}".encode() not in rest["new.json"]
    sources = [one for batch in landing.batches("mercy")[1:] for one in batch.manifest["sources"]]
    assert [one["redacted"] for one in sources if "redacted" in one] == [2, 2]
    verify(landing)
    gone(landing, 7)
    verify(landing)


def test_an_archive_made_anew_gives_the_others_and_not_the_person(landing: Landing, land: Land, tmp_path: Path) -> None:
    land(zipped(MEMBERS), "all.zip")
    gone(landing, FIRST)
    [data] = originals(landing).values()
    (tmp_path / "all.zip").write_bytes(data)
    other = Landing(tmp_path / "other" / "landing", permit=OPEN)
    other.add_site("mercy", "hospital", seed=bytes(32))

    ingest(other, tmp_path / "all.zip", "mercy", Settings(tmp_path / "other", threads=1), NOON)

    assert texts(other) == texts(landing)


def test_what_nobody_can_cut_goes_and_the_report_says_what_others_lose(landing: Landing, land: Land) -> None:
    whole = json.loads(bundle(FIRST, FIRST + 1)) | {"id": f"of-p{FIRST}"}
    land(json.dumps(whole).encode(), "whole.json")

    report = gone(landing, FIRST)

    assert (report.originals, report.redacted, report.lost) == (1, 0, 2)
    assert originals(landing) == {}
    verify(landing)


def test_an_original_is_cut_as_the_format_that_it_was_landed_in(landing: Landing, tmp_path: Path) -> None:
    head = "MSH|^~\\&|LAB|A|HIS|B|20240101||ADT^A04|{0}|P|2.5.1\rPID|1||{0}^^^A||Li^Na\rPV1|1|O\r"
    (tmp_path / "a.zip").write_bytes(zipped({"a.txt": "".join(map(head.format, (111_123, 222_234))).encode()}))
    settings = Settings(landing.root.parent, threads=1)
    ingest(landing, tmp_path / "a.zip", "mercy", settings, NOON, reading=Reading("hl7v2"))

    report = erase(landing, "mercy", [omop_key("mercy", "Patient", "A.111123")], "asked for", NOON)

    assert (report.redacted, report.pieces, report.lost) == (1, 1, 0)
    [data] = originals(landing).values()
    assert inside(data) == {"a.txt": head.format(222_234).encode()}
    verify(landing)


def test_a_disk_that_is_full_midway_leaves_everything_as_it_was(
    landing: Landing, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(zipped(MEMBERS), "all.zip")
    before = {path: path.read_bytes() for path in landing.root.rglob("*") if path.is_file()}

    def full(*given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("xinglin.sources.redact.archive._copy", full)
        with pytest.raises(StorageError, match="full"):
            gone(landing, FIRST)
    assert {path: path.read_bytes() for path in landing.root.rglob("*") if path.is_file()} == before
    verify(landing)
    assert gone(landing, FIRST).redacted == 1
    assert verify(landing).erased == 3


_CHILD = """
import sys
from pathlib import Path
from tests.unit.landing.conftest import NOON
from tests.unit.landing.erasures.test_redaction import FIRST, gone
from xinglin.core.permit import OPEN
from xinglin.landing import Landing

landing = Landing(Path(sys.argv[1]) / "landing", permit=OPEN)
gone(landing, FIRST)
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A region with one archive of many persons."""
    landing = Landing(tmp_path / "home" / "landing", permit=OPEN)
    landing.add_site("mercy", "hospital", seed=bytes(32))
    (tmp_path / "all.zip").write_bytes(zipped(MEMBERS | {"big.bin": random.Random(3).randbytes(4_000_000)}))
    ingest(landing, tmp_path / "all.zip", "mercy", Settings(tmp_path / "home", threads=1), NOON)
    return tmp_path / "home"


class _Died(BaseException):
    pass


def test_wherever_it_dies_among_changes_of_names_the_next_run_finishes(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [old] = originals(Landing(template / "landing", permit=OPEN))
    new: dict[str, bytes] = {}
    for moment in range(0, 60, 1 if "XINGLIN_KILLS" in os.environ else 3):
        home = tmp_path / "copy"
        shutil.copytree(template, home)
        landing = Landing(home / "landing", permit=OPEN)
        with monkeypatch.context() as patch:
            left = [moment]
            for owner, name in ((os, "replace"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree")):
                patch.setattr(owner, name, _dying(getattr(owner, name), left))
            with contextlib.suppress(_Died):
                gone(landing, FIRST)
        assert originals(landing).keys() & {old, *new}
        gone(landing, FIRST)
        new = new or originals(landing)
        assert originals(landing) == new and old not in new
        assert not (landing.folder("mercy") / ".erasure").exists()
        assert verify(landing).erased == 3
        shutil.rmtree(home)
        if left[0] >= 0:
            return
    raise AssertionError("it never came to its end")


def _dying(real: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def act(*given: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise _Died
        return real(*given, **more)

    return act


def test_killed_at_any_moment_the_original_is_the_old_one_or_the_new_one_and_the_next_run_finishes(
    template: Path, tmp_path: Path
) -> None:
    [old] = originals(Landing(template / "landing", permit=OPEN))
    shutil.copytree(template, tmp_path / "undisturbed")
    total = events(["-c", _CHILD, tmp_path / "undisturbed"], tmp_path / "events")
    landing = Landing(tmp_path / "undisturbed" / "landing", permit=OPEN)
    assert verify(landing).erased == 3
    new = originals(landing)
    for number, moment in enumerate(moments(total, int(os.environ.get("XINGLIN_KILLS", "4")), seed=7)):
        home = tmp_path / f"home{number}"
        shutil.copytree(template, home)
        assert killed(["-c", _CHILD, home], moment)
        landing = Landing(home / "landing", permit=OPEN)
        there = originals(landing).keys()
        assert there and there <= {old, *new}
        gone(landing, FIRST)
        assert originals(landing) == new
        assert not (landing.folder("mercy") / ".erasure").exists()
        assert verify(landing).erased == 3


def test_a_person_who_came_back_is_noticed(landing: Landing, land: Land, tmp_path: Path) -> None:
    land(zipped(MEMBERS), "all.zip")
    shutil.copytree(landing.root.parent, tmp_path / "old")
    gone(landing, FIRST)
    old = Landing(tmp_path / "old" / "landing", permit=OPEN)
    assert landed_again(landing, "mercy") == landed_again(old, "mercy") == []

    shutil.copy(landing.folder("mercy") / "erased", old.folder("mercy") / "erased")
    shutil.copy(landing.keys / "erased.key", old.keys / "erased.key")

    assert landed_again(old, "mercy") == [omop_key("mercy", "Patient", f"p{FIRST}")]
    with pytest.raises(VerificationFailed, match="an erased person was landed again"):
        verify(old)
    gone(old, FIRST)
    assert verify(old).erased == 3
