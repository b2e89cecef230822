"""Broken objects: each lands or is set aside with a reason, soon, and in little memory."""

from __future__ import annotations

import os
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.dicom.handmade import read
from tests.unit.sources.dicom.mutations import mutated, originals
from xinglin.sources import Rejected
from xinglin.sources.dicom.sniff import is_directory

TIMES = int(os.environ.get("XINGLIN_FUZZ", "100"))
REASONS = {"missing-element", "invalid-id", "damaged-dicom", "not-dicom"}
DETAIL = re.compile(
    r"expected (a DICOM object|a deflated data set|readable values \(\w+\)|a DICOM header \(\w+\)"
    r"|the (Study|Series|SOP) Instance UID( in 1 to 64 digits and dots)?)"
).fullmatch


@pytest.mark.real
def test_a_broken_object_lands_or_is_set_aside_with_a_reason(real_data: Callable[[str], Path]) -> None:
    pool = originals([real_data("dicom-pydicom"), real_data("dicom-pynetdicom")])
    slowest = 0.0
    read(mutated(pool, 0))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(TIMES):
        data = mutated(pool, number)
        begun = time.process_time()
        found = read(data)
        slowest = max(slowest, time.process_time() - begun)
        if is_directory(data):
            assert found == []
        elif len(found) == 1:
            (record,) = found
            assert isinstance(record.found, Rejected)
            assert record.found.reason in REASONS, number
            assert DETAIL(record.found.detail), number
        else:
            assert [getattr(one.found, "resource_type", "") for one in found] == ["Patient", "ImagingStudy"]
    del data, found
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert slowest < 5
    assert grown < 3_000_000
