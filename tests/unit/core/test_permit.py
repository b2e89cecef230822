"""What a decision allows, and that nothing is allowed without one."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.errors import AccessDenied
from xinglin.core.permit import CLOSED, OPEN, Permit

STAGES = st.frozensets(st.sampled_from(["landing", "identity", "mart", "views"]))


@given(STAGES, STAGES, st.sampled_from(["landing", "identity", "mart", "views", "vocabulary"]))
def test_only_what_is_named_is_allowed(reads: frozenset[str], writes: frozenset[str], stage: str) -> None:
    permit = Permit(reads, writes, "d")
    assert permit.allows(stage) == (stage in reads | writes)
    assert permit.allows(stage, write=True) == (stage in writes)


@pytest.mark.parametrize("write", [False, True])
def test_without_a_decision_nothing_is_allowed(write: bool) -> None:
    with pytest.raises(AccessDenied, match="no decision"):
        CLOSED.require("mart", write)
    OPEN.require("mart", write)


def test_a_permit_says_the_same_in_another_process() -> None:
    permit = Permit(frozenset({"mart"}), frozenset(), "d")
    assert pickle.loads(pickle.dumps(permit)) == permit  # noqa: S301 - our own bytes
