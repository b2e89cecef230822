"""Mutated messages, XML that attacks, and what must not grow. XINGLIN_FUZZ=10000 runs the full number."""

from __future__ import annotations

import gc
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.hl7v2.conftest import PID, Convert
from xinglin.sources import Reading, Rejected
from xinglin.sources.fhir import check
from xinglin.sources.hl7v2 import acknowledge, inspect, records
from xinglin.sources.limits import Limits
from xinglin.sources.part import Part

ODD = [
    *(bytes([sign]) for sign in b'|^~\\&\r\n\x0b\x1c\x00\xff{"'),
    *(b'""', b"MSH|", b"\rMSH|^~\\&|", b"\\X", b"\\X41\\", b"1e400", b"20240230", b"\rOBX|1|NM|", b"-" * 9),
    *("张".encode(), b"|" * 500, b"A" * 5_000),
]


def mutated(message: bytes, chance: random.Random) -> bytes:
    """Some random changes: bytes, odd pieces, cuts, doublings, exchanged segments."""
    data = bytearray(message)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(6)
        if what == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif what == 1:
            data[at:at] = chance.choice(ODD)
        elif what == 2:
            del data[at : at + chance.randint(1, 60)]
        elif what == 3:
            data[at:at] = data[at : at + chance.randint(1, 200)]
        elif what == 4:
            lines = bytes(data).split(b"\r")
            chance.shuffle(lines)
            data = bytearray(b"\r".join(lines))
        else:
            data[at : at + 4] = chance.choice(ODD)
    return bytes(data)


@pytest.mark.real
def test_mutated_messages_land_or_are_set_aside_with_a_reason(real_data: Callable[[str], Path]) -> None:
    seeds = [path.read_bytes() for path in sorted((real_data("hl7v2-msft") / "messages").glob("*.hl7"))]
    count = int(os.environ.get("XINGLIN_FUZZ", "300"))
    chance, reading, slowest = random.Random(20_260), Reading("hl7v2"), 0.0
    tracemalloc.start()
    gc.disable()  # as a worker does: what refers to itself would stay
    for number in range(count):
        if number == min(200, count // 2):
            before = tracemalloc.get_traced_memory()[0]
        data = mutated(chance.choice(seeds), chance)
        begin = time.process_time()
        found = list(records(Part(0, "lines", data=data), reading))
        slowest = max(slowest, time.process_time() - begin)
        assert found
        for one in found:
            if isinstance(one.found, Rejected):
                assert one.found.reason and one.found.detail
            else:
                assert check(one.found.text, Limits()).resource_id == one.found.resource_id
        acknowledge(inspect(data), moment(), "1")
    grown = tracemalloc.get_traced_memory()[0] - before
    gc.enable()
    tracemalloc.stop()
    assert slowest < 5
    assert grown < 40_000_000


def moment() -> object:
    from datetime import UTC, datetime

    return datetime(2026, 1, 1, tzinfo=UTC)


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "&a%d;&a%d;">' % (n, n - 1, n - 1) for n in range(1, 30)
) + b"]><ADT_A01><MSH><MSH.10>&a29;</MSH.10></MSH></ADT_A01>"  # fmt: skip
XXE = b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><ADT_A01><MSH><MSH.10>&x;</MSH.10></MSH></ADT_A01>'


@pytest.mark.parametrize("raw", [LAUGHS, XXE, b'<!DOCTYPE f SYSTEM "http://127.0.0.1/x"><A><MSH/></A>'])
def test_document_types_and_entities_are_refused(convert: Convert, raw: bytes) -> None:
    begin = time.process_time()
    assert convert(raw=raw).reasons == ["unsafe-xml"]
    assert time.process_time() - begin < 1


def test_the_xml_encoding_gives_what_the_usual_one_gives(convert: Convert) -> None:
    xml = """<?xml version="1.0"?><n:ADT_A01 xmlns:n="urn:hl7-org:v2xml"><n:MSH><n:MSH.1>|</n:MSH.1><n:MSH.3>
      <n:HD.1>APP</n:HD.1>
      </n:MSH.3><n:MSH.7><n:TS.1>20240102030405+0800</n:TS.1></n:MSH.7><n:MSH.9><n:MSG.1>ADT</n:MSG.1><n:MSG.2>A28</n:MSG.2>
      </n:MSH.9><n:MSH.10>C1</n:MSH.10><n:MSH.12><n:VID.1>2.5</n:VID.1></n:MSH.12></n:MSH><n:ADT_A01.X><n:PID><n:PID.3>
      <n:CX.1>47</n:CX.1><n:CX.4><n:HD.1>KH</n:HD.1></n:CX.4></n:PID.3><n:PID.5><n:XPN.1><n:FN.1>Zh|ang</n:FN.1></n:XPN.1>
      </n:PID.5></n:PID></n:ADT_A01.X></n:ADT_A01>"""
    plain = "MSH|^~\\&|APP||||20240102030405+0800||ADT^A28|C1|P|2.5\rPID|||47^^^KH||Zh\\F\\ang"
    from_xml, from_plain = convert(raw=xml.encode()), convert(raw=plain.encode())
    assert from_xml.one("Patient") == from_plain.one("Patient")
    assert from_xml.one("Patient")["name"][0]["family"] == "Zh|ang"


@pytest.mark.parametrize("raw", [b"<", b"<a>", b"<a><b></a>", b"<" * 500, b"<ADT_A01/>", b"<a>" * 10_000])
def test_broken_xml_is_one_record(convert: Convert, raw: bytes) -> None:
    found = convert(raw=raw)
    assert len(found.records) == 1 and found.reasons[0] in ("invalid-xml", "no-msh", "too-deep")


def test_a_flood_of_fields_segments_and_repetitions_is_bounded(convert: Convert) -> None:
    begin = time.process_time()
    convert(PID + "|" * 500_000)
    convert("PID|1||" + "1^^^K~" * 100_000)
    convert(PID, *["NTE|1||x"] * 20_000)
    assert convert(*["NTE"] * 100_001).reasons == ["too-many-segments"]
    convert(PID, "OBX|1|TX|1^a^L||" + "\\" * 200_000 + "|||||F", kind="ORU^R01")
    assert time.process_time() - begin < 20


def test_no_value_of_a_patient_stands_in_a_detail(convert: Convert) -> None:
    found = convert(PID.replace("19620320153000", "secret99"), "OBX|1|NM|1^a^L||secret7|||||||F")
    assert sorted(found.reasons) == ["invalid-date", "invalid-number"]
    assert not any("secret" in one.found.detail for one in found.records if isinstance(one.found, Rejected))
