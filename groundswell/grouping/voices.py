"""Which posts of a window are one voice."""

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from groundswell.grouping.links import COLUMNS, Pairs
from groundswell.grouping.window import Complaints, Sequences
from groundswell.pairs import Floats

# From this cosine similarity on, two posts count as one voice that posted twice.
REPEATED = 0.97


def likeness(sequences: Sequences, pairs: Pairs) -> Floats:
    """The Jaccard similarity (m,) of the sequences of words of m pairs of posts; 0 if none of the two has any."""
    size = np.array([len(each) for each in sequences])
    numbers = np.unique(np.concatenate([np.asarray(each, np.uint64) for each in sequences]), return_inverse=True)[1]
    ends = np.concatenate([[0], np.cumsum(size)])
    has = csr_array((np.ones(len(numbers)), numbers, ends), shape=(len(size), len(numbers)))
    shared = np.empty(len(pairs.a))
    for start in range(0, len(shared), COLUMNS):
        part = slice(start, start + COLUMNS)
        shared[part] = has[pairs.a[part]].multiply(has[pairs.b[part]]).sum(axis=1)
    found: Floats = shared / np.maximum(size[pairs.a] + size[pairs.b] - shared, 1)
    return found


def voices(posts: Complaints, pairs: Pairs, near_copy: float = 1.0) -> list[str]:
    """The voice of each post: the first post by the same author or in nearly the same words, else the post itself.

    Nearly the same are words with a cosine similarity of REPEATED, and sequences of words with a Jaccard similarity of
    near_copy. The tickets of a program are worded by the program, so that sequences say nothing about their authors.

    Nearly the same words are transitive, because two of a hundred copies need not be nearest neighbours of each other.
    """
    voice = list(posts.voice)
    count = len(voice)
    lengths = np.linalg.norm(posts.vectors, axis=1)
    close = pairs.similarity >= REPEATED * lengths[pairs.a] * lengths[pairs.b]
    if posts.sequences and len(pairs.a):
        by_person = np.array([not frame for frame in posts.frames or [""] * count], dtype=bool)
        by_people = by_person[pairs.a] & by_person[pairs.b]
        close |= by_people & (likeness(posts.sequences, pairs) >= near_copy)
    ties = coo_array((np.ones(close.sum()), (pairs.a[close], pairs.b[close])), shape=(count, count))
    wording = connected_components(ties, directed=False)[1].tolist() if count else []
    by_author = {author: first for author, first in zip(posts.author, posts.author_voice, strict=True) if first}
    by_wording: dict[int, str] = {}
    # Posts with a known voice come first, then the new posts, both in the order of their posting.
    for index in sorted(range(count), key=lambda index: not posts.voice[index]):
        author, words = posts.author[index], wording[index]
        voice[index] = voice[index] or by_author.get(author) or by_wording.get(words, posts.url_hash[index])
        by_wording.setdefault(words, voice[index])
        if author:
            by_author.setdefault(author, voice[index])
    return voice
