"""The complaints of a window, as grouping sees them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.pairs import Posts
from groundswell.vectors import Vectors
from groundswell.verdicts import NO_VERDICTS, Verdicts

# A number for each of n posts (n,): the community, group or problem that it is in.
Labels = npt.NDArray[np.int64]
# The sequences of words of each of n posts, each once.
Sequences = Sequence[Sequence[int] | npt.NDArray[np.uint64]]


class Complaints(NamedTuple):
    """n complaints in the order of their posting, with their state after the day before; "" means none."""

    url_hash: Sequence[str]
    author: Sequence[str]
    # The voice of the author's first post.
    author_voice: Sequence[str]
    # The url_hash of the first post of the same voice; "" marks a new post.
    voice: Sequence[str]
    problem: Sequence[str]
    # The number of posts of the problem, with duplicates and with posts older than the window.
    size: Sequence[int]
    # (n, d), about unit length.
    vectors: Vectors
    # Texts and titles with their vectors.
    said: Posts
    # The problem that a person gave the post; "" for none. It is also the problem before.
    given: Sequence[str] = ()
    # All problems that people gave posts, here or outside the window. They are not merged into others.
    corrected: frozenset[str] = frozenset()
    # Which of the posts programs wrote; () if none.
    frames: Sequence[str] = ()
    differing_words: Sequence[str] = ()
    # The sequences of words of each post (silver.wordings), each once; () if none are known.
    sequences: Sequences = ()
    # What a language model says of pairs of them.
    verdicts: Verdicts = NO_VERDICTS
    # Which of the posts are complaints; the others are weak ones. () if all are complaints.
    complains: Sequence[bool] = ()


def labels_of(names: Sequence[str]) -> Labels:
    """A number for each of n names (n,): equal names have equal numbers; every "" has a number of its own."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(name or f" {index}", len(numbers)) for index, name in enumerate(names)], np.int64
    )
