from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xinglin.identity.persons.clusters import Decided, Link, connected, divide


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60))
def test_components_are_those_of_a_walk_through_the_graph(nodes: int, edges: list[tuple[int, int]]) -> None:
    edges = [(a % nodes, b % nodes) for a, b in edges]
    reached = {node: {node} for node in range(nodes)}
    for _ in range(nodes):
        for a, b in edges:
            both = reached[a] | reached[b]
            for node in both:
                reached[node] = both
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    assert connected(nodes, ends[:, 0], ends[:, 1]).tolist() == [min(reached[node]) for node in range(nodes)]


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(1).permutation(5000)
    assert set(connected(5000, order[:-1], order[1:]).tolist()) == {0}


def test_the_strongest_links_decide_on_which_side_a_record_falls() -> None:
    links = [Link(1, 2, 0.96), Link(2, 3, 0.999), Link(1, 3, 0.96)]
    assert divide([1, 2, 3], links, [(1, 3)], []) == {1: 1, 2: 2, 3: 2}


def test_enemies_of_a_part_are_enemies_of_the_part_it_joins() -> None:
    links = [Link(1, 2, 0.99), Link(3, 4, 0.98), Link(2, 3, 0.97)]
    assert divide([1, 2, 3, 4], links, [(1, 4)], []) == {1: 1, 2: 1, 3: 3, 4: 3}


def test_a_merge_overrides_what_cannot_be() -> None:
    assert divide([1, 2], [], [(1, 2)], [Decided(1, 2, True)]) == {1: 1, 2: 1}


def test_of_contradicting_decisions_the_newest_hold() -> None:
    newest_first = [Decided(1, 3, False), Decided(2, 3, True), Decided(1, 2, True)]
    assert divide([1, 2, 3], [], [], newest_first) == {1: 1, 2: 2, 3: 2}
    assert divide([1, 2, 3], [], [], newest_first[1:] + newest_first[:1]) == {1: 1, 2: 1, 3: 1}
