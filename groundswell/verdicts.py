"""What a language model says of pairs of posts, as links for average linkage and as chances.

Between two groups a pair is one of many, and its chance alone could neither join nor part them. A verdict is therefore
a link of its own that outweighs chances: "same" joins two groups that were there before if at most VERDICT / least
pairs lie between them (eight posts and eight, at a least mean chance of 0.14), and "different" keeps them apart.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from groundswell.pairs import Candidates, Floats, Numbers

# The weight of a verdict in the linkage: so many pairs that are sure to be the same, or to be different.
VERDICT = 10.0


class Verdicts(NamedTuple):
    """k verdicts on pairs of posts a < b (k,): whether they are the same problem (k,), and how often that is right."""

    a: Numbers
    b: Numbers
    is_same: npt.NDArray[np.bool_]
    accuracy: float


NO_VERDICTS = Verdicts(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_), 0.5)


def opinions_of(pair_opinions: duckdb.DuckDBPyRelation) -> dict[tuple[str, str], bool]:
    """The opinions of silver.pair_opinions: {(content_hash, other content_hash): is_same}, the smaller hash first."""
    rows = pair_opinions.project("content_hash_a, content_hash_b, is_same").fetchall()
    return {(one, other): is_same for one, other, is_same in rows}


def verdicts_of(hashes: Sequence[str], opinions: Mapping[tuple[str, str], bool], accuracy: float) -> Verdicts:
    """The verdicts on n posts with the content_hash of each (n,). Of equal texts, the first stands for all.

    opinions: {(content_hash, other content_hash): is_same}. accuracy: var opinion_accuracy.
    """
    first: dict[str, int] = {}
    for index, name in enumerate(hashes):
        first.setdefault(name, index)
    known = sorted(
        (*sorted((first[one], first[other])), is_same)
        for (one, other), is_same in opinions.items()
        if one in first and other in first
    )
    if not known:
        return NO_VERDICTS
    a, b, is_same = (np.array(column) for column in zip(*known, strict=True))
    return Verdicts(a, b, is_same, accuracy)


def with_verdicts(found: Candidates, chance: Floats, verdicts: Verdicts) -> tuple[Numbers, Numbers, Floats]:
    """The links for average linkage, (m + k,) each: both ends and the weight.

    chance: that of the candidates (m,).
    """
    said = np.where(verdicts.is_same, VERDICT, -VERDICT)
    return (
        np.concatenate([found.a, verdicts.a]),
        np.concatenate([found.b, verdicts.b]),
        np.concatenate([chance, said]),
    )


def updated_chances(found: Candidates, chance: Floats, verdicts: Verdicts, count: int) -> Floats:
    """The chances (m,) of the candidates among `count` posts after a Bayes update by the verdicts on them."""
    keys, said = found.a * count + found.b, verdicts.a * count + verdicts.b
    # The candidates are sorted.
    place = np.searchsorted(keys, said)
    is_candidate = keys[np.minimum(place, len(keys) - 1)] == said if len(keys) else np.zeros(len(said), np.bool_)
    place, is_same = place[is_candidate], verdicts.is_same[is_candidate]
    likely = np.where(is_same, verdicts.accuracy, 1 - verdicts.accuracy)
    updated = chance.copy()
    updated[place] = chance[place] * likely / (chance[place] * likely + (1 - chance[place]) * (1 - likely))
    return updated
