"""groundswell/linkage.py: average linkage of a sparse graph, against scipy's of all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from groundswell import linkage as linkage_module
from groundswell import neighbours
from groundswell.linkage import average_linkage, within_reach
from groundswell.pairs import Numbers


def partition(groups: Numbers) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in groups}


def link(count: int, links: dict[tuple[int, int], float], least: float, start: list[int] | None = None) -> Numbers:
    a, b = (np.array([pair[end] for pair in links], dtype=np.int64) for end in (0, 1))
    first = np.arange(count) if start is None else np.array(start)
    return average_linkage(a, b, np.array(list(links.values()), dtype=np.float64), first, least)


@pytest.mark.parametrize("many", [False, True])
@settings(deadline=None)
@given(st.integers(2, 25), st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_groups_are_those_of_scipy(many: bool, count: int, seed: int, least: float) -> None:
    random = np.random.default_rng(seed)
    weight = random.random((count, count)) * (random.random((count, count)) < 0.5)
    weight = np.triu(weight, 1)
    a, b = np.nonzero(weight)
    links = dict(zip(zip(a.tolist(), b.tolist(), strict=True), weight[a, b].tolist(), strict=True))
    distances = squareform(1 - weight - weight.T, checks=False)
    expected = fcluster(linkage(distances, "average"), 1 - least, "distance")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "EXACT", 0 if many else count)
        patch.setattr(linkage_module, "AT_ONCE", 7 if many else 10_000)
        assert partition(link(count, links, least)) == partition(expected)


def test_links_that_can_join_nothing_do_not_count() -> None:
    a, b, weight = np.array([0, 1, 0, 3, 2]), np.array([1, 2, 2, 4, 5]), np.array([0.6, 0.6, 0.1, 0.4, -np.inf])
    alone = np.arange(6)
    assert within_reach(a, b, weight, alone, 0.5).tolist() == [True, True, True, False, False]
    # Nodes that begin together reach what one of them reaches.
    assert within_reach(a, b, weight, np.array([0, 1, 2, 3, 2, 5]), 0.5).tolist() == [True, True, True, False, False]
    assert within_reach(a, b, weight, np.array([0, 1, 2, 3, 3, 2]), 0.5).tolist() == [True, True, True, True, True]


def test_without_links_every_node_is_alone() -> None:
    assert partition(link(3, {}, 0.5)) == {frozenset([0]), frozenset([1]), frozenset([2])}
    assert len(link(0, {}, 0.5)) == 0


@pytest.mark.parametrize(("least", "groups"), [(0.45, 1), (0.46, 2)])
def test_a_pair_without_a_link_counts_as_nothing(least: float, groups: int) -> None:
    # The mean of 0.9 and nothing is 0.45.
    assert len(partition(link(3, {(0, 1): 0.95, (1, 2): 0.9}, least))) == groups


def test_groups_to_begin_with_stay_together_and_count_as_one() -> None:
    links = {(0, 2): 0.6, (1, 2): 0.6}
    # Nodes 0 and 1 begin together, and need no link.
    assert partition(link(3, links, 0.7, [5, 5, 9])) == {frozenset([0, 1]), frozenset([2])}
    assert partition(link(3, links, 0.6, [5, 5, 9])) == {frozenset([0, 1, 2])}


def test_of_equal_means_the_earliest_nodes_are_joined_first() -> None:
    links = {(1, 2): 0.6, (0, 1): 0.6}
    assert partition(link(3, links, 0.5)) == {frozenset([0, 1]), frozenset([2])}
