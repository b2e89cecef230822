"""Pieces become files row group by row group, and give the bytes that all of them at once would give."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.landing.batch import assemble as assembling
from xinglin.landing.batch.assemble import FilePlan, assemble, plan
from xinglin.landing.batch.parquet import resource_table, write_table
from xinglin.landing.batch.pieces import Piece
from xinglin.landing.batch.rows import Rows


def made(folder: Path, number: int, size: int, text: bytes = b"{}") -> Piece:
    rows = Rows("mercy", "Condition")
    for at in range(size):
        rows.digests.append(bytes([number]) * 8 + at.to_bytes(8, "little"))
        rows.patients.append(None)
        rows.ids.append(f"{number}-{at}")
        rows.leaves.append(bytes([number]) * 24 + at.to_bytes(8, "little"))
        rows.sources.append(0)
        rows.positions.append(at)
        rows.texts.append(text)
        rows.updated.append(None)
        rows.text_bytes += len(text)
    path = folder / f"piece-{number}.parquet"
    write_table(resource_table(rows, rows.keys()), path)
    return Piece("Condition", path, size, rows.text_bytes, 0)


def planned(folder: Path, pieces: list[Piece], dropped: dict[int, list[int]]) -> FilePlan:
    (folder / "batch").mkdir(exist_ok=True)
    (one,) = plan(pieces, dropped, folder / "batch")
    return one


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> int:
    """Row groups of eight rows, in pieces and in files."""
    for module in ("xinglin.landing.batch.assemble", "xinglin.landing.batch.parquet"):
        monkeypatch.setattr(f"{module}.ROW_GROUP", 8)
    return 8


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.sets(st.integers(0, 29))), min_size=2, max_size=5))
def test_a_file_holds_the_rows_that_stay_in_their_order_and_full_row_groups(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, set[int]]]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("xinglin.landing.batch.assemble", "xinglin.landing.batch.parquet"):
            patch.setattr(f"{module}.ROW_GROUP", 8)
        dropped = {number: sorted(at for at in gone if at < size) for number, (size, gone) in enumerate(parts)}
        wanted = [f"{number}-{at}" for number, (size, gone) in enumerate(parts) for at in range(size) if at not in gone]
        pieces = [made(folder, number, size) for number, (size, _) in enumerate(parts)]
        if not wanted:
            return
        file = planned(folder, pieces, dropped)
        assemble(file)
    found = pq.ParquetFile(file.folder / file.name)
    groups = [found.metadata.row_group(at).num_rows for at in range(found.num_row_groups)]
    assert found.read()["resource_id"].to_pylist() == wanted
    if len(file.paths) > 1 or any(file.dropped):
        assert groups == [8] * (len(wanted) // 8) + ([len(wanted) % 8] if len(wanted) % 8 else [])
    assert len(list(folder.glob("piece-*"))) == len(parts) - len(file.paths)


@pytest.mark.usefixtures("small_groups")
def test_what_waits_in_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    text = bytes(range(33, 120)) * 1_000
    pieces = [made(tmp_path, number, 40, text) for number in range(8)]
    file = planned(tmp_path, pieces, {3: [7, 9]})
    total = sum(piece.text_bytes for piece in pieces)
    usual = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counted)
    try:
        assembling.assemble(file)
    finally:
        pa.set_memory_pool(usual)
    assert counted.bytes_allocated() == 0
    assert 0 < counted.max_memory() < total / 3
