from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.access.conftest import Region
from xinglin.access.audit.evidence import holds
from xinglin.access.audit.log import AuditLog
from xinglin.access.audit.segments import ENTRY, events_file, seals_of
from xinglin.core.errors import NotFound, StorageError, VerificationFailed
from xinglin.ledger.keys import segment_key
from xinglin.ledger.transactions import cbor

REPO = Path(__file__).resolve().parents[4]
KILLS = int(os.environ.get("XINGLIN_KILLS", "3"))
START = 1_772_323_200_000_000


class Ticking:
    """Microseconds that a test moves on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def about(person: int) -> bytes:
    return person.to_bytes(16, "big")


def write(log: AuditLog, person: int, words: str = "x") -> str:
    who = b'"entity":[{"what":{"reference":"Patient/%s"}}]' % about(person).hex().encode()
    return log.append(b'"outcomeDesc":"%s",%s}' % (words.encode(), who), about(person))


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def log(tmp_path: Path, clock: Ticking) -> Iterator[AuditLog]:
    found = AuditLog(tmp_path / "audit", clock)
    yield found
    found.close()


def stream(log: AuditLog) -> Path:
    return next(iter(log.folder.iterdir()))


def test_a_segment_never_spans_more_than_a_second(log: AuditLog, clock: Ticking) -> None:
    for _ in range(40):
        write(log, 1)
        clock.now += 130_000
    log.seal()
    seals = seals_of(stream(log))
    assert len(seals) > 4 and sum(seal.count for seal in seals) == 40
    assert all(0 <= seal.last - seal.first <= 1_000_000 for seal in seals)


def test_a_clock_that_goes_back_does_not_disorder_the_log(log: AuditLog, clock: Ticking) -> None:
    write(log, 1)
    clock.now -= 5_000_000
    write(log, 1)
    moments = [json.loads(event)["recorded"] for event in log.events_of(about(1).hex())]
    assert moments == sorted(moments) and log.findings() == []


def test_what_nobody_seals_is_sealed_after_a_second_by_itself(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    write(log, 1)
    deadline = time.monotonic() + 10
    while not seals_of(stream(log)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [seal.count for seal in seals_of(stream(log))] == [1]
    log.close()


def test_every_event_is_found_by_its_person_and_its_name(log: AuditLog, clock: Ticking) -> None:
    names = {}
    for number in range(300):
        names[write(log, number % 7, f"event {number}")] = number
        clock.now += 20_000
    for person in range(7):
        found = [json.loads(event)["outcomeDesc"] for event in log.events_of(about(person).hex())]
        assert found == [f"event {number}" for number in range(300) if number % 7 == person]
    for name, number in names.items():
        assert json.loads(log.event(name))["outcomeDesc"] == f"event {number}"


@pytest.mark.parametrize("name", ["", "x", "../../etc", "0" * 32 + "-0", "0" * 32])
def test_an_event_that_is_not_there_is_said(log: AuditLog, name: str) -> None:
    write(log, 1)
    with pytest.raises(NotFound):
        log.event(name)
    with pytest.raises(NotFound):
        log.event(f"{stream(log).name}-9999")


def test_the_index_is_rebuilt_from_the_events(log: AuditLog, clock: Ticking) -> None:
    for number in range(50):
        write(log, number % 3)
        clock.now += 100_000
    log.close()
    whole = (stream(log) / "index").read_bytes()
    for damaged in (b"", whole[:17], whole[: 20 * ENTRY.size], whole + b"rest"):
        (stream(log) / "index").write_bytes(damaged)
        reader = AuditLog(log.folder, clock)
        if len(damaged) <= len(whole):
            assert len(reader.events_of(about(1).hex())) == 17
        write(reader, 5)
        reader.close()
        assert (stream(log) / "index").read_bytes()[: len(whole)] == whole
        assert log.findings() == []


def test_a_proof_leads_to_the_root_and_to_no_other(log: AuditLog, clock: Ticking) -> None:
    names = [write(log, number) for number in range(33)]
    with pytest.raises(NotFound):
        log.prove(names[0])
    log.seal()
    for name in names:
        proof = log.prove(name)
        assert holds(proof, bytes.fromhex(proof.seal.root)) and not holds(proof, bytes(32))
        assert json.loads(proof.event)["id"] == name


def test_two_logs_in_one_folder_write_two_streams_and_the_next_takes_one_up(tmp_path: Path, clock: Ticking) -> None:
    one, other = AuditLog(tmp_path, clock), AuditLog(tmp_path, clock)
    assert write(one, 1)[:32] != write(other, 1)[:32]
    one.close()
    other.close()
    third = AuditLog(tmp_path, clock)
    write(third, 1)
    third.close()
    assert len(list(tmp_path.iterdir())) == 2 and len(third.events_of(about(1).hex())) == 3


def test_a_forked_process_gets_a_stream_of_its_own(log: AuditLog) -> None:
    first = write(log, 1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, write(log, 2).encode())
        os._exit(0)
    os.waitpid(child, 0)
    name = os.read(reading, 100).decode()
    assert name[:32] != first[:32]
    write(log, 3)
    log.seal()
    assert len(list(log.events())) == 3 and log.findings() == []


def test_an_event_that_was_cut_off_is_dropped_and_the_others_stay(log: AuditLog, clock: Ticking) -> None:
    write(log, 1)
    log.close()
    file = events_file(stream(log), 0)
    with file.open("ab") as torn:
        torn.write(b'{"resourceType":"AuditEvent","id":"half')
    again = AuditLog(log.folder, clock)
    assert len(list(again.events())) == 1
    write(again, 2)
    again.close()
    assert len(list(again.events())) == 2 and again.findings() == []


def test_a_disk_that_is_full_while_a_segment_is_sealed_loses_nothing(
    log: AuditLog, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [write(log, number) for number in range(10)]
    real, room = os.write, [0]

    def scarce(descriptor: int, content: bytes) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= 1
        return real(descriptor, content[:20])

    for left in range(20):
        room[0] = left
        with monkeypatch.context() as patch:
            patch.setattr("xinglin.access.audit.stream.os.write", scarce)
            with suppress(StorageError):
                log.seal()
    clock.now += 10
    names.append(write(log, 3))
    log.seal()
    assert log.findings() == []
    assert [json.loads(event)["id"] for event in log.events()] == names
    proof = log.prove(names[3])
    assert len(log.events_of(about(3).hex())) == 2 and holds(proof, bytes.fromhex(proof.seal.root))


def test_what_a_dead_process_left_is_sealed_by_the_next(tmp_path: Path, clock: Ticking) -> None:
    log = AuditLog(tmp_path, clock)
    names = [write(log, 1) for _ in range(5)]
    own = log._stream
    assert own is not None
    own._stop.set()
    os.close(own._lock)
    AuditLog(tmp_path, clock).seal()
    assert [seal.count for seal in seals_of(tmp_path / names[0][:32])] == [5]
    log._stream = None


def test_a_segment_is_anchored_once_and_found_on_the_ledger(region: Region) -> None:
    for person in range(20):
        region.read("clinician", person, "TREAT")
    log = region.gate.log
    waiting = log.unanchored(region.ledger)
    assert sum(item.seal.count for item in waiting) == 20
    receipts = region.ledger.submit([region.signer.sign("AccessBatch", item.body) for item in waiting])
    assert {receipt.code.name for receipt in receipts} == {"OK"}
    assert log.unanchored(region.ledger) == [] and log.findings(region.ledger) == []
    proof = log.prove(f"{waiting[0].stream}-7")
    anchored = cbor.decode(region.ledger.state(segment_key(waiting[0].stream, proof.seal.root)) or b"")
    assert anchored["count"] == 20
    logged = region.ledger.transaction(anchored["transaction"])
    assert logged is not None and bytes.fromhex(proof.seal.root) in logged.transaction


def test_a_log_that_was_written_again_is_not_what_the_ledger_holds(region: Region) -> None:
    region.read("clinician", 1, "TREAT")
    log = region.gate.log
    waiting = log.unanchored(region.ledger)
    region.ledger.submit([region.signer.sign("AccessBatch", item.body) for item in waiting])
    assert log.unanchored(region.ledger) == []
    region.gate.close()
    folder = stream(log)
    events = events_file(folder, 0).read_bytes().replace(b"permitted", b"forbidden")
    for name in ("seals", "index"):
        (folder / name).unlink()
    events_file(folder, 0).write_bytes(events)
    log.seal()
    assert log.findings() == []
    assert log.findings(region.ledger) == [f"stream {folder.name}, segment 0: the ledger holds another root"]
    (folder / "seals").write_bytes(b"")
    events_file(folder, 0).write_bytes(b"")
    (folder / "index").write_bytes(b"")
    assert log.findings() == [f"stream {folder.name}: anchored segment 0 is missing"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clock = Ticking()
    log = AuditLog(tmp_path_factory.mktemp("written"), clock)
    for number in range(60):
        write(log, number % 5, f"event {number}")
        clock.now += 90_000
    log.close()
    assert log.findings() == []
    return log.folder


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["events-00000000.log", "seals", "index"]), st.integers(0, 10**6), st.integers(0, 7))
def test_any_flipped_bit_is_named(written: Path, name: str, place: int, bit: int) -> None:
    path = stream(AuditLog(written)) / name
    whole = path.read_bytes()
    at = place % len(whole)
    try:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        found = AuditLog(written).findings()
        assert found and path.parent.name in found[0]
        if name == "events-00000000.log" and whole[at] != 10 and whole[at] ^ 1 << bit != 10:
            assert f"event {whole[:at].count(10)} " in found[0]
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("field", ["first", "last", "count", "start", "end", "number", "file", "root"])
def test_a_changed_field_of_the_last_seal_is_named(written: Path, field: str) -> None:
    path = stream(AuditLog(written)) / "seals"
    whole = path.read_bytes()
    *before, last = whole.splitlines()
    seal = json.loads(last)
    seal[field] = "00" * 32 if field == "root" else seal[field] + 1
    try:
        path.write_bytes(b"\n".join([*before, json.dumps(seal, separators=(",", ":")).encode(), b""]))
        assert AuditLog(written).findings()
    finally:
        path.write_bytes(whole)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["events-00000000.log", "index"]), st.integers(0, 10**6))
def test_any_truncation_is_named(written: Path, name: str, place: int) -> None:
    path = stream(AuditLog(written)) / name
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: place % len(whole)])
        assert AuditLog(written).findings()
    finally:
        path.write_bytes(whole)


def test_a_changed_event_is_not_proved(written: Path) -> None:
    log = AuditLog(written)
    path = events_file(stream(log), 0)
    whole = path.read_bytes()
    try:
        path.write_bytes(whole.replace(b'event 3"', b'event 9"', 1))
        with pytest.raises(VerificationFailed, match="segment 0"):
            log.prove(f"{stream(log).name}-3")
    finally:
        path.write_bytes(whole)


def test_a_missing_file_of_events_is_named(written: Path) -> None:
    path = events_file(stream(AuditLog(written)), 0)
    whole = path.read_bytes()
    try:
        path.unlink()
        assert "events-00000000.log is missing" in AuditLog(written).findings()[0]
    finally:
        path.write_bytes(whole)


def started(home: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.unit.access.stream_worker", str(home), str(count)]
    return subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)


def test_every_permit_that_was_given_is_in_the_log_after_kill_9(region: Region) -> None:
    given_out: set[str] = set()
    for kill in range(KILLS):
        process = started(region.home, 10**9)
        assert process.stdout is not None
        given_out |= {process.stdout.readline().strip() for _ in range(50 + 37 * kill)}
        process.send_signal(signal.SIGKILL)
        # The last line may have been cut off by the death itself.
        rest = process.stdout.read().split("\n")
        given_out |= set(rest[:-1])
        process.wait()
        process.stdout.close()
    kept = {json.loads(event)["id"] for event in region.gate.log.events()}
    assert len(given_out) >= 50 * KILLS and given_out <= kept
    region.gate.log.seal()
    assert region.gate.log.findings() == [] and region.gate.log.unanchored(region.ledger)


def test_two_processes_append_at_once(region: Region) -> None:
    processes = [started(region.home, 400) for _ in range(2)]
    given_out = [name for process in processes for name in process.communicate(timeout=120)[0].split()]
    assert len(set(given_out)) == 800
    assert {json.loads(event)["id"] for event in region.gate.log.events()} == set(given_out)
    assert region.gate.log.findings() == []
    assert sum(len(region.gate.events_of(person)) for person in range(100)) == 800
