from __future__ import annotations

import pytest

from xinglin.flows.demo import _garwood, _pairs


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0.0, 3.69), (1, 0.03, 5.57), (10, 4.80, 18.39), (100, 81.36, 121.63)]
)
def test_poisson_limits_are_garwoods(events, low, high):
    assert _garwood(events) == pytest.approx((low, high), abs=0.08)


def test_pairs_within_groups_are_counted():
    assert _pairs([]) == 0
    assert _pairs("aab") == 1
    assert _pairs("aaaabb") == 7
