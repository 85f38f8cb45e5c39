"""Which posts of a window are one voice."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from groundswell.grouping.links import COLUMNS, Pairs
from groundswell.grouping.window import Complaints, Labels, Sequences
from groundswell.linkage import components
from groundswell.pairs import Floats

# From this cosine similarity on, two posts count as one voice that posted twice.
REPEATED = 0.97
# The sequences of words that are numbered at a time.
NUMBERED = 5_000_000


def likeness(sequences: Sequences, pairs: Pairs) -> Floats:
    """The Jaccard similarity (m,) of the sequences of words of m pairs of posts; 0 if none of the two has any."""
    # Most posts are in no pair.
    members, place = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    a, b = place.reshape(2, -1)
    said = [np.asarray(sequences[member], np.uint64) for member in members.tolist()]
    size = np.array([len(each) for each in said])
    values, ends = np.concatenate(said), np.concatenate([[0], np.cumsum(size)])
    del said
    shared = np.zeros(len(a))
    # Part by part: to number sequences takes several times their memory.
    parts = 1 + len(values) // NUMBERED
    for part in range(parts):
        is_of_part = values % np.uint64(parts) == part
        ends_of_part = np.concatenate([[0], np.cumsum(is_of_part)])[ends]
        shared += shared_values(values[is_of_part], ends_of_part, a, b)
    found: Floats = shared / np.maximum(size[a] + size[b] - shared, 1)
    return found


def shared_values(values: npt.NDArray[np.uint64], ends: Labels, a: Labels, b: Labels) -> Floats:
    """How many values posts a and b of m pairs (m,) share (m,). Post i has values[ends[i] : ends[i + 1]], each once."""
    # Numbers instead of values. numpy.unique would need several times the memory.
    encoded = pa.array(values).dictionary_encode()
    columns = max(len(encoded.dictionary), 1)
    has = csr_array((np.ones(len(values), np.uint8), encoded.indices.to_numpy(), ends), shape=(len(ends) - 1, columns))
    has.sort_indices()
    shared = np.empty(len(a))
    for start in range(0, len(shared), COLUMNS):
        part = slice(start, start + COLUMNS)
        shared[part] = has[a[part]].multiply(has[b[part]]).sum(axis=1)
    return shared


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
    if posts.sequences:
        by_person = np.array([not frame for frame in posts.frames or [""] * count], dtype=bool)
        asked = by_person[pairs.a] & by_person[pairs.b] & ~close
        if asked.any():
            close[asked] = likeness(posts.sequences, Pairs(*(each[asked] for each in pairs))) >= near_copy
    wording = components(pairs.a[close], pairs.b[close], count).tolist() if count else []
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
