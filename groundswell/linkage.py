"""Average linkage of a sparse graph.

Average linkage (Sokal & Michener 1958, A Statistical Method for Evaluating Systematic Relationships) joins the two
groups whose posts have the highest mean weight, until no mean is high enough. scipy and scikit-learn need the weights
of all pairs; ten thousand posts have fifty million of them. Here a pair without a link has weight 0, and only links are
kept: a step costs as much as the smaller of two groups has linked groups.
"""

from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from groundswell.neighbours import are_many
from groundswell.pairs import Flags, Floats, Numbers

# The links that are read at a time.
AT_ONCE = 100_000


def average_linkage(a: Numbers, b: Numbers, weight: Floats, start: Numbers, least: float) -> Numbers:
    """Join groups of n nodes as long as the mean weight between two groups is at least `least`; returns groups (n,).

    a, b, weight: m links (m,) between nodes, each pair once. start: the groups to begin with (n,). The result is
    the same in every run: of equal means, the groups with the earliest nodes are joined first.
    """
    if are_many(len(start)):
        # Most links lead nowhere, and a link takes 150 bytes below.
        counts = within_reach(a, b, weight, start, least)
        a, b, weight = a[counts], b[counts], weight[counts]
    _, earliest, group = np.unique(start, return_index=True, return_inverse=True)
    first, size = earliest.tolist(), np.bincount(group, minlength=len(earliest)).tolist()
    # The sum of the weights between two groups. Both ends share the objects of a sum and of the numbers: millions of
    # links are most of the memory of a large window.
    sums: list[dict[int, float]] = [{} for _ in size]
    numbers = list(range(len(size)))
    for top in range(0, len(a), AT_ONCE):
        part = slice(top, top + AT_ONCE)
        for one, other, value in zip(
            group[a[part]].tolist(), group[b[part]].tolist(), weight[part].tolist(), strict=True
        ):
            if one != other:
                sums[one][numbers[other]] = sums[other][numbers[one]] = sums[one].get(other, 0.0) + value
    del a, b, weight

    def candidate(one: int, other: int) -> tuple[float, int, int, int]:
        """Two groups as the heap sorts them: by the highest mean, then by the earliest node."""
        mean = sums[one][other] / (size[one] * size[other])
        return -mean, min(first[one], first[other]), min(one, other), max(one, other)

    heap = [
        candidate(one, other)
        for one, linked in enumerate(sums)
        for other, value in linked.items()
        if one < other and value >= least * size[one] * size[other]
    ]
    heapify(heap)
    into = list(range(len(size)))
    while heap:
        found = heappop(heap)
        one, other = found[2:]
        # A group that has joined another one has no sums. The mean changes when one of the two grows.
        if other not in sums[one] or candidate(one, other) != found:
            continue
        if len(sums[one]) < len(sums[other]):
            one, other = other, one
        del sums[one][other], sums[other][one]
        into[other] = one
        size[one] += size[other]
        first[one] = min(first[one], first[other])
        for third, added in sums[other].items():
            del sums[third][other]
            sums[one][third] = sums[third][one] = sums[one].get(third, 0.0) + added
        sums[other] = {}
        for third, value in sums[one].items():
            if value >= least * size[one] * size[third]:
                heappush(heap, candidate(one, third))
    for number in range(len(into)):
        root = number
        while into[root] != root:
            root = into[root]
        into[number] = root
    joined: Numbers = np.array(into, dtype=np.int64)[group]
    return joined


def within_reach(a: Numbers, b: Numbers, weight: Floats, start: Numbers, least: float) -> Flags:
    """Whether the ends of each link (m,) can come into one group. Arguments: those of `average_linkage`.

    Two groups are joined only if a link between them weighs `least`: a mean is no higher than the highest weight.
    """
    count = len(start)
    _, group = np.unique(start, return_inverse=True)
    # A sum of weights may be rounded up.
    joins = weight >= least * (1 - 1e-9)
    one, other = np.concatenate([a[joins], np.arange(count)]), np.concatenate([b[joins], count + group])
    component = components(one, other, 2 * count)
    reached: Flags = component[a] == component[b]
    return reached


def components(a: Numbers, b: Numbers, count: int) -> Numbers:
    """The connected component of each of `count` nodes (count,), at least one; m links go from a (m,) to b (m,)."""
    ties = coo_array((np.ones(len(a)), (a, b)), shape=(count, count))
    found: Numbers = connected_components(ties, directed=False)[1]
    return found
