"""Messages in, resources out, without a landing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from xinglin.sources import Reading, Record, Rejected
from xinglin.sources.hl7v2 import records
from xinglin.sources.part import Part


class Found:
    """What a message became: resources by type, and reasons."""

    def __init__(self, listed: list[Record]) -> None:
        self.records = listed
        self.resources = [orjson.loads(one.found.text) for one in listed if not isinstance(one.found, Rejected)]
        self.reasons = [one.found.reason for one in listed if isinstance(one.found, Rejected)]
        self.mentions = {
            f"{one.found.resource_type}/{one.found.resource_id}"
            for one in listed
            if not isinstance(one.found, Rejected) and one.mention
        }

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.resources if one["resourceType"] == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.of(kind)
        return found


Convert = Callable[..., Found]


@pytest.fixture
def convert() -> Convert:
    """Segments (or bytes) as a file of HL7 v2; the header is put before them."""

    def run(*segments: str, kind: str = "ADT^A01", mapping: str | None = None, raw: bytes | None = None) -> Found:
        header = f"MSH|^~\\&|APP|HOSP|X|Y|20240102030405+0800||{kind}|C1|P|2.5"
        data = raw if raw is not None else "\r".join([header, *segments]).encode()
        return Found(list(records(Part(0, "lines", data=data), Reading("hl7v2", mapping))))

    return run


PID = "PID|1||4711^^^KH^MR||Zhang&von^Wei^M^^Dr^^L||19620320153000|F|||1 Road^Apt^Beijing^BJ^100083^CN^H||01062334455"
PV1 = f"PV1|1|I|W1^R2^B3||||0101^Li^Ming{'|' * 12}V9^^^KH{'|' * 25}20240101080000"
