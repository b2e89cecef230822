"""A person is erased from everywhere, nobody else loses a byte, and an interrupted erasure is finished."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from xinglin.admission import Stores
from xinglin.core.errors import Conflict, NotFound, VerificationFailed
from xinglin.core.permit import OPEN
from xinglin.flows.stages.run import build, ingest, link
from xinglin.flows.stages.status import quarantined, status
from xinglin.flows.upkeep.backup import Wanted, make_backup, make_identity, open_target, restore_backup
from xinglin.flows.upkeep.erase import erase, erase_again, under_way
from xinglin.landing import MessageSpool, SpoolLimits, messages, verify
from xinglin.landing.tombstone import folder_of, read_tombstones
from xinglin.release import Salts
from xinglin.wiring import assemble, init_region

Resource = dict[str, Any]
FAMILY, GIVEN, MRN, SSN = "Quackenbush", "Zerelda", "MRN-4711-Z", "987-65-4321"
SECRETS = (FAMILY, GIVEN, MRN, SSN, "zerelda-0001", "zq-at-other")


def _patient(number: str, family: str, given: str, mrn: str, ssn: str, **more: Any) -> Resource:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]}
    return {
        "resourceType": "Patient", "id": number, "gender": "female", "birthDate": "1950-02-03",
        "name": [{"family": family, "given": [given]}],
        "identifier": [{"system": "urn:mrn", "value": mrn}, {"type": kind, "value": ssn}], **more,
    }  # fmt: skip


def _condition(number: str, patient: str, **more: Any) -> Resource:
    return {
        "resourceType": "Condition", "id": number, "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "230690007"}]},
        "onsetDateTime": "2020-03-01", **more,
    }  # fmt: skip


def _lines(resources: list[Resource]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


def _others(count: int = 12) -> list[Resource]:
    made: list[Resource] = []
    for number in range(count):
        name = f"other-{number:04d}"
        made.append(_patient(name, f"Family{number}", f"Given{number}", f"MRN-{number:04d}", f"111-22-{number:04d}",
                             birthDate=f"19{50 + number}-01-0{1 + number % 9}"))  # fmt: skip
        made += [_condition(f"{name}-c{one}", name) for one in range(3)]
    return made


def _bundle() -> bytes:
    """One person's Bundle, as Synthea writes it: an original is kept, and the file's name names her."""
    entries = [_patient("zerelda-0001", FAMILY, GIVEN, MRN, SSN), _condition("zc-1", "zerelda-0001"),
               _condition("zc-2", "zerelda-0001")]  # fmt: skip
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    ).encode()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites that know her: a later version, a quarantined record, a list about nobody, a waiting message."""
    root = tmp_path_factory.mktemp("erase")
    home, inbox = root / "home", root / "inbox"
    inbox.mkdir()
    stores = _open(home, create=True)
    for site in ("mercy", "charity"):
        stores.landing.add_site(site, "hospital", seed=bytes([len(site)]) * 32)
    (inbox / "first").mkdir()
    (inbox / "first" / f"{GIVEN}_{FAMILY}_0001.json").write_bytes(_bundle())
    listed = {"resourceType": "Group", "id": "g1", "type": "person", "actual": True,
              "member": [{"entity": {"reference": "Patient/zerelda-0001"}}]}  # fmt: skip
    numbered = {"resourceType": "Provenance", "id": "pr1", "recorded": "2020-03-01T00:00:00Z",
                "target": [{"reference": f"Patient?identifier=urn:mrn|{MRN}"}],
                "agent": [{"who": {"display": "A clerk"}}]}  # fmt: skip
    # Cut off, so it is quarantined.
    broken = json.dumps(_condition("zc-9", "zerelda-0001", note=[{"text": "Zerelda Quackenbush fell"}])).encode()[:-1]
    (inbox / "first" / "all.ndjson").write_bytes(_lines([*_others(), listed, numbered]) + broken + b"\n")
    ingest(stores, inbox / "first", "mercy")
    (inbox / "second.ndjson").write_bytes(_lines([_condition("zc-1", "zerelda-0001", onsetDateTime="2021-01-01")]))
    ingest(stores, inbox / "second.ndjson", "mercy")
    away = [_patient("zq-at-other", FAMILY, GIVEN, MRN, SSN), _condition("zo-1", "zq-at-other"),
            _patient("else-1", "Else", "Wholly", "MRN-ELSE", "333-22-1111", birthDate="1980-01-01"),
            _condition("else-c", "else-1")]  # fmt: skip
    (inbox / "third.ndjson").write_bytes(_lines(away))
    ingest(stores, inbox / "third.ndjson", "charity")
    spool = MessageSpool(stores.landing.spool("mercy"), "mllp", 0, SpoolLimits(reserve=0))
    spool.append([f"MSH|^~\\&|A\rPID|1||{MRN}||{FAMILY}^{GIVEN}\r".encode(), b"MSH|^~\\&|A\rPID|1||77||Doe^Jo\r"])
    spool.rotate()
    link(stores)
    build(stores)
    Salts(stores.settings.keys / "person-salts").of([_person(stores)])
    return root


def _open(home: Path, *, create: bool = False) -> Stores:
    if create:
        return assemble(init_region(home, buckets=2), OPEN)
    from xinglin.core.settings import Settings

    return assemble(Settings.load(home), OPEN)


def _person(stores: Stores) -> int:
    from xinglin.core.ids import omop_key

    key = omop_key("mercy", "Patient", "zerelda-0001")
    files = stores.lake.require("identity", "").files("person_map")
    rows = duckdb.execute("SELECT person_id FROM read_parquet(?) WHERE patient_key = ?", [files, key]).fetchall()
    return int(rows[0][0])


@pytest.fixture
def stores(template: Path, tmp_path: Path) -> Stores:
    shutil.copytree(template / "home", tmp_path / "home")
    return _open(tmp_path / "home")


def _mart(stores: Stores, person: int) -> dict[str, list[Any]]:
    """Every row of everybody else, but for counts of files."""
    snapshot = stores.lake.require("mart", "")
    rows = {}
    for name in ("person", "condition_occurrence", "observation_period", "lineage"):
        files = snapshot.files(name)
        where = "" if name == "lineage" else f"WHERE person_id <> {person}"
        rows[name] = duckdb.execute(f"SELECT * FROM read_parquet(?) {where} ORDER BY ALL", [files]).fetchall()
    return rows


def _texts(stores: Stores) -> dict[tuple[str, int, str, int], str]:
    return {
        (file.site, file.batch, file.name, row): text
        for file in stores.landing.files()
        for row, text in enumerate(pq.read_table(file.path)["resource"].to_pylist())
    }


def _holding(home: Path) -> list[str]:
    """Files of the home in which a name or a number of hers can be read, packed or not."""
    found = []
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes() + path.name.encode()
        if path.suffix == ".parquet":
            data += str(pq.read_table(path).to_pylist()).encode()
        if path.suffix == ".zst":
            import zstandard

            data += zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        if any(secret.lower().encode() in data.lower() for secret in SECRETS):
            found.append(str(path.relative_to(home)))
    return found


def test_nothing_of_her_is_left_and_nobody_else_loses_a_byte(stores: Stores) -> None:
    person, home = _person(stores), stores.settings.home
    before, rows, counts = _texts(stores), _mart(stores, person), stores.landing.counts()
    assert len(_holding(home)) > 5

    report = erase(stores, person, "asked for by the person")

    assert _holding(home) == []
    after = _texts(stores)
    gone = {place for place in before if before[place] != after[place]}
    assert all(after[place] == "" for place in gone) and before.keys() == after.keys()
    assert all(any(one in before[place] for one in ("zerelda-0001", "zq-at-other", MRN)) for place in gone)
    assert len(gone) == sum(stores.landing.erased().values()) == 8
    mart = _mart(stores, person)
    lineage = [row for row in rows["lineage"] if (row[2], row[3], row[4], row[5]) not in gone]
    assert {**rows, "lineage": lineage} == mart
    assert not any(person in row for table in mart.values() for row in table)
    assert stores.landing.counts() == counts
    assert {one["site"]: one["erased"] for one in status(stores)["sites"]} == {"mercy": 6, "charity": 2}
    assert (report.salts, {one.site: one.quarantined for one in report.sites}) == (1, {"mercy": 1, "charity": 0})
    assert verify(stores.landing).erased == 8
    waiting = [one for path in stores.landing.spool("mercy").glob("*.journal") for one in messages(path.read_bytes())]
    assert [b"Doe^Jo" in one for one in waiting] == [True]


def test_erased_resources_are_told_apart_in_the_account_of_the_mart(stores: Stores) -> None:
    erase(stores, _person(stores), "asked for")

    files = stores.lake.require("mart", "").files("etl_count")
    told = dict(duckdb.execute("SELECT outcome, sum(rows) FROM read_parquet(?) GROUP BY 1", [files]).fetchall())
    assert told["erased"] == 8
    others = {"resources", "written", "contributes"}
    reasons = sum(told[one] for one in told if one not in others and not one.startswith("part: "))
    assert told["resources"] == reasons


def test_a_resource_about_another_person_that_mentions_her_is_left_and_told(stores: Stores, tmp_path: Path) -> None:
    person = _person(stores)
    about = _condition("other-0000-x", "other-0000", asserter={"reference": "Patient/zerelda-0001"})
    (tmp_path / "more.ndjson").write_bytes(_lines([about]))
    ingest(stores, tmp_path / "more.ndjson", "mercy")

    report = erase(stores, person, "asked for")

    assert {one.site: one.others for one in report.sites} == {"mercy": 1, "charity": 0}
    assert json.dumps(about, separators=(",", ":")) in _texts(stores).values()


def test_what_was_erased_does_not_land_again(stores: Stores, template: Path) -> None:
    erase(stores, _person(stores), "asked for")

    again = ingest(stores, template / "inbox" / "first", "mercy")
    new = template / "inbox" / "later.ndjson"
    new.write_bytes(_lines([_condition("zc-77", "zerelda-0001"), _condition("new", "other-0001")]))
    later = ingest(stores, new, "mercy")

    # The Bundle's three, the list, the provenance, the record that cannot be read.
    assert (again.landed, again.quarantined) == (0, 6)
    assert again.received == again.landed + again.duplicate + again.quarantined
    assert (later.landed, later.quarantined) == (1, 1)
    reasons = [row[3] for row in quarantined(stores, "mercy", 100)]
    assert reasons.count("erased") == 7 and len(reasons) == 8
    assert [one for one in _holding(stores.settings.home) if not one.endswith("manifest.json")] == []
    verify(stores.landing)


def test_a_tombstone_allows_what_it_names_and_nothing_else(stores: Stores) -> None:
    person = _person(stores)
    erase(stores, person, "asked for")
    batch = stores.landing.batches("mercy")[0]
    file = batch.files("Condition")[0]
    tombstone = folder_of(stores.landing.folder("mercy")) / "000001.json"

    for path, place in ((file.path, 100), (file.path, -30), (tombstone, 40), (batch.path / "manifest.json", 30)):
        original = path.read_bytes()
        flipped = bytearray(original)
        flipped[place] ^= 1
        path.write_bytes(bytes(flipped))
        with pytest.raises(VerificationFailed):
            verify(stores.landing)
        path.write_bytes(original)
    tombstone.rename(tombstone.with_suffix(".gone"))
    with pytest.raises(VerificationFailed):
        verify(stores.landing)
    tombstone.with_suffix(".gone").rename(tombstone)
    assert verify(stores.landing).erased == 8
    assert [one.sequence for one in read_tombstones(stores.landing.folder("mercy"))] == [1]


def test_another_row_cannot_be_emptied_under_the_tombstone(stores: Stores) -> None:
    from xinglin.core.files import file_sha256
    from xinglin.landing.batch.parquet import write_table

    erase(stores, _person(stores), "asked for")
    path = stores.landing.batches("mercy")[0].files("Condition")[0].path
    rows = pq.read_table(path).to_pylist()
    victim = next(number for number, row in enumerate(rows) if row["resource"])
    rows[victim] |= {"resource": "", "resource_id": "", "key": 0, "patient_key": None}
    import pyarrow as pa

    write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    tombstone = folder_of(stores.landing.folder("mercy")) / "000001.json"
    content = json.loads(tombstone.read_bytes().split(b"\n")[0])
    for one in content["batches"]:
        for file in one["files"]:
            if file["name"] == path.name and one["sequence"] == 1:
                file |= {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    from xinglin.landing.manifest import canonical, sign

    data = canonical(content)
    tombstone.write_bytes(data + b"\n" + sign(stores.landing.signing_key("mercy"), data))

    with pytest.raises(VerificationFailed, match="does not have its signed hash"):
        verify(stores.landing)


class _Killed(BaseException):
    pass


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the process die at its n-th change of a name."""
    left = [1 << 30]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise _Killed
            return real(*given, **more)

        return act

    monkeypatch.setattr(os, "replace", dying(os.replace))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    monkeypatch.setattr(shutil, "rmtree", dying(shutil.rmtree))

    def at(number: int) -> None:
        left[0] = number

    yield at


def test_an_erasure_that_dies_at_any_moment_is_finished_by_the_next(
    template: Path, tmp_path: Path, crash: Callable[[int], None]
) -> None:
    moments = range(1, 200) if os.environ.get("XINGLIN_KILLS") else (1, 4, 9, 16, 22, 30, 45)
    for moment in moments:
        home = tmp_path / f"home-{moment}"
        shutil.copytree(template / "home", home)
        stores = _open(home)
        person = _person(stores)
        crash(moment)
        try:
            erase(stores, person, "asked for")
            done = True
        except _Killed:
            done = False
        crash(1 << 30)
        if not done:
            stores = _open(home)
            if under_way(stores.settings.keys) is None:
                assert moment < 3
            erase(stores, person, "asked for")
        assert _holding(home) == [] and under_way(stores.settings.keys) is None
        assert verify(stores.landing).erased == 8
        shutil.rmtree(home)
        if done:
            break


def test_nobody_is_erased_twice_and_one_erasure_waits_for_the_other(stores: Stores) -> None:
    person = _person(stores)
    (stores.settings.keys / "erasing.json").write_text(json.dumps({"person": 5, "reason": "r", "records": {}}))
    with pytest.raises(Conflict):
        erase(stores, person, "asked for")
    (stores.settings.keys / "erasing.json").unlink()

    erase(stores, person, "asked for")

    with pytest.raises(NotFound):
        erase(stores, person, "asked for")


def test_a_backup_from_before_an_erasure_brings_her_back_only_until_she_is_erased_again(
    stores: Stores, tmp_path: Path
) -> None:
    from xinglin.backup import read_identities

    person, place = _person(stores), str(tmp_path / "copies")
    public = make_identity(tmp_path / "identity", stores.clock)
    first = make_backup(stores, Wanted(place, (public,))).manifest
    erase(stores, person, "asked for")
    make_backup(stores, Wanted())
    mart = _mart(stores, person)

    home = tmp_path / "again"
    restored = restore_backup(open_target(place), first.name, read_identities(tmp_path / "identity"), home)
    again = _open(home)

    assert restored.erasures_known
    with pytest.raises(VerificationFailed, match="an erased person was landed again"):
        verify(again.landing)
    [report] = erase_again(again)
    assert (report.person, sum(one.resources for one in report.sites)) == (person, 8)
    assert erase_again(again) == []
    assert verify(again.landing).erased == 8
    assert _holding(home) == []
    build(again)
    assert _mart(again, person) == mart
