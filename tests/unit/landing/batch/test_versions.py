"""The offered keys are decided share by share, whatever the size of a share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.landing.batch import versions
from xinglin.landing.batch.history import UNKNOWN
from xinglin.landing.batch.pieces import Offered, Piece
from xinglin.landing.batch.versions import Decision, Offers, decide

Row = tuple[int, int, bool, int, bool, int]
Pieces = list[list[Row]]


def decided(folder: Path, pieces: Pieces) -> Decision:
    offers = Offers(folder / "offers")
    for number, rows in enumerate(pieces):
        keys, leaves, mentions, updated, deleted, fixed = zip(*rows, strict=True)
        piece = Piece("Condition", folder / "p", len(rows), 0, 0)
        offers.add(
            number,
            Offered(
                piece,
                np.array(keys, "<i8"),
                np.array(leaves, "<u8"),
                np.array(mentions, dtype=bool),
                np.array(updated, "<i8"),
                np.array(deleted, dtype=bool),
                np.array(fixed, "<u8"),
            ),
        )
    return decide(offers, [], folder / "index")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 9),
                st.integers(0, 3),
                st.booleans(),
                st.sampled_from([UNKNOWN, 1, 2]),
                st.booleans(),
                st.integers(0, 2),
            ),
            min_size=1,
            max_size=12,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_small_shares_decide_as_one_share_does(tmp_path_factory: pytest.TempPathFactory, pieces: Pieces) -> None:
    whole = decided(tmp_path_factory.mktemp("whole"), pieces)
    folder = tmp_path_factory.mktemp("shares")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_SHARE", 4)
        patch.setattr(versions, "_BLOCK", 3)
        shared = decided(folder, pieces)
    assert {piece: sorted(rows) for piece, rows in shared.dropped.items()} == {
        piece: sorted(rows) for piece, rows in whole.dropped.items()
    }
    assert sorted(shared.superseded) == sorted(whole.superseded)
    assert {piece: sorted(rows) for piece, rows in shared.conflicts.items()} == {
        piece: sorted(rows) for piece, rows in whole.conflicts.items()
    }
    assert not list(folder.iterdir())
