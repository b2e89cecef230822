"""The lake asks for a permit at every door, also in the process that a task was sent to."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.errors import AccessDenied
from xinglin.core.permit import CLOSED, OPEN, Permit
from xinglin.lake import Lake, LocalRunner, connect, write_parquet

DOORS: dict[str, Callable[[Lake], object]] = {
    "snapshot": lambda lake: lake.snapshot("identity"),
    "require": lambda lake: lake.require("identity", ""),
    "paths": lambda lake: lake.paths(PERSON_MAP, ["a.parquet"]),
    "storage": lambda lake: lake.storage,
    "scratch": lambda lake: lake.scratch("identity").__enter__(),
    "adopt": lambda lake: lake.adopt(PERSON_MAP, Path("a.parquet")),
    "adopt all": lambda lake: lake.adopt_all(PERSON_MAP, []),
    "publish": lambda lake: lake.publish("identity", {}, {}),
}
READERS = ("snapshot", "require", "paths")


@pytest.fixture
def filled(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake", permit=OPEN)
    with lake.scratch("identity") as folder:
        select = "SELECT 1::BIGINT AS patient_key, 7::BIGINT AS person_id"
        write_parquet(connect(200, 1), select, folder / "a.parquet")
        lake.publish("identity", {PERSON_MAP: [lake.adopt(PERSON_MAP, folder / "a.parquet")]}, {})
    return lake


@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens_without_a_decision(filled: Lake, door: str) -> None:
    with pytest.raises(AccessDenied):
        DOORS[door](Lake(filled.root))


@pytest.mark.parametrize("door", DOORS)
def test_a_permit_for_one_stage_is_none_for_another(filled: Lake, door: str) -> None:
    mart = frozenset({"mart"})
    with pytest.raises(AccessDenied):
        DOORS[door](Lake(filled.root, permit=Permit(mart, mart, "d")))


@pytest.mark.parametrize("door", [name for name in DOORS if name not in READERS])
def test_who_may_only_read_writes_nothing(filled: Lake, door: str) -> None:
    with pytest.raises(AccessDenied):
        DOORS[door](Lake(filled.root, permit=Permit(frozenset({"identity"}), frozenset(), "d")))


def test_a_snapshot_asks_again_before_it_names_a_file(filled: Lake) -> None:
    snapshot = filled.require("identity", "")
    with pytest.raises(AccessDenied):
        replace(snapshot, permit=CLOSED).files("person_map")
    assert len(snapshot.files("person_map")) == 1


def rows(lake: Lake) -> int:
    return lake.require("identity", "").rows("person_map")


def test_the_permit_goes_along_to_a_task_in_another_process(filled: Lake) -> None:
    permit = Permit(frozenset({"identity"}), frozenset(), "d")
    allowed = Lake(filled.root, permit=permit)
    assert pickle.loads(pickle.dumps(allowed)).permit == permit  # noqa: S301 - our own bytes
    assert LocalRunner(2).map(rows, [allowed, allowed]) == [1, 1]
    with pytest.raises(AccessDenied):
        LocalRunner(2).map(rows, [replace(allowed, permit=CLOSED)] * 2)
