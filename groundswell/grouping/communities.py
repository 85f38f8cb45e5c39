"""Dense ground: the communities of links where many posts are close to each other, by the Leiden algorithm."""

import numpy as np
from graspologic_native import leiden

from groundswell.grouping.links import NEIGHBOURS, ROWS, SAME, Pairs
from groundswell.grouping.window import Labels
from groundswell.linkage import components
from groundswell.pairs import LOCAL_RANK, Flags
from groundswell.vectors import Vectors

# The weight of a link is its similarity minus this value, so that a close link weighs twice as much as a weak link.
LOOSE = 0.5
# Communities with less than this share of the possible links are split. In banking77, every community of ten or more
# intents has a share of 0.7 or more. In real posts, communities that chains of links had joined had 0.2 to 0.5.
MIN_DENSITY = 0.5
ITERATIONS = 2
# If all links together weigh less than this, the resolution is lowered: in a small graph, modularity would split a
# large problem. The links of 10,000 real complaints weigh 315.
ENOUGH = 400
SEED = 20_261_120
# A community is dense ground if this share of its posts has LOCAL_RANK neighbours with a similarity of SAME. In
# banking77, 89 % of the posts have so many; of the bug reports of Eclipse, Firefox and Hadoop, 1 %, 3 % and 6 %.
DENSE_SHARE = 0.5


def communities(vectors: Vectors, pairs: Pairs, before: Labels) -> Labels:
    """The community of each of n vectors (n, d), (n,). A node without links is a community of its own.

    before: the communities of the day before (n,), from which the search starts. In a chain of links, the first and the
    last post need not say the same. Communities with less than MIN_DENSITY of the possible links (at most NEIGHBOURS a
    post) are therefore split with growing resolution until no community is loose.
    """
    weight = float((pairs.similarity - LOOSE).sum())
    found = leiden_communities(pairs, before, min(1, weight / ENOUGH))
    resolution = 1
    while (loose := is_loose(vectors, found)).any():
        within = loose[pairs.a] & (found[pairs.a] == found[pairs.b])
        parts = leiden_communities(Pairs(*(each[within] for each in pairs)), np.arange(len(found)), resolution)
        found[loose] = found.max() + 1 + parts[loose]
        resolution *= 2
    return found


def leiden_communities(pairs: Pairs, before: Labels, resolution: float) -> Labels:
    """The communities of n nodes (n,) by the Leiden algorithm, which starts from the communities `before` (n,).

    A higher resolution gives smaller communities. Members of a community before that no links connect any more start
    apart: the library panics at such a community.
    """
    count = len(before)
    found = np.arange(count) + count
    if len(pairs.a):
        within = before[pairs.a] == before[pairs.b]
        connected = components(pairs.a[within], pairs.b[within], count)
        weights = (pairs.similarity.astype(np.float64) - LOOSE).tolist()
        nodes, ends = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
        names = list(map(str, nodes.tolist()))
        a, b = ([names[end] for end in each] for each in ends.reshape(2, -1).tolist())
        starts = dict(zip(names, connected[nodes].tolist(), strict=True))
        _, named = leiden(
            list(zip(a, b, weights, strict=True)), starts, resolution=resolution, iterations=ITERATIONS, seed=SEED
        )
        found[nodes] = [named[name] for name in names]
    return found


def is_loose(vectors: Vectors, community: Labels) -> Flags:
    """Whether the community of each of n vectors (n, d) has less than MIN_DENSITY of its possible links (n,)."""
    loose = np.zeros(len(community), dtype=bool)
    order = np.argsort(community, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(community[order])) + 1):
        possible = min(len(members) - 1, NEIGHBOURS)
        if possible > 1:
            ties = 0
            for start in range(0, len(members), ROWS):
                are_alike = vectors[members[start : start + ROWS]] @ vectors[members].T >= SAME
                # A post has no link to itself.
                ties += int(np.minimum(are_alike.sum(axis=1) - 1, possible).sum())
            loose[members] = ties < MIN_DENSITY * possible * len(members)
    return loose


def is_dense_ground(pairs: Pairs, community: Labels) -> Flags:
    """Whether the community (n,) of each of n posts is dense ground (n,).

    pairs: the links. A post with at least LOCAL_RANK similar neighbours has as many links.
    """
    if not len(community):
        return np.empty(0, dtype=bool)
    links = np.bincount(np.concatenate([pairs.a, pairs.b]), minlength=len(community))
    dense = np.bincount(community, links >= LOCAL_RANK)
    in_dense: Flags = dense[community] >= DENSE_SHARE * np.bincount(community)[community]
    return in_dense
