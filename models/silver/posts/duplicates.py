"""Finds the posts of a day that repeat an earlier post of that day, so that ten copies do not count as ten voices.

Grain: one row per url_hash of a duplicate.
Method: Jaccard similarity of the sets of three consecutive words, estimated with MinHash; locality-sensitive hashing
finds the candidates (Broder 1997, On the resemblance and containment of documents; datasketch implements both). A post
repeats the most similar original. Posts with fewer than SIMILAR_WORDS words must have equal words. Posts with fewer
than EQUAL_WORDS words are never duplicates, because two people may both write "Question".

A post takes 1 KB of memory: its url_hash, a hash of its words, and 128 numbers of four bytes. Only posts that have a
band of these numbers in common with another post are looked up.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasketch import LeanMinHash, MinHash, MinHashLSH

from groundswell.relations import subquery

BATCH = 1_000
# The comparison reads this many characters of a body.
LETTERS = 2_000
SHINGLE = 3
PERMUTATIONS = 128
SEED = 1
# At this similarity, the standard error of the estimate is 0.035.
RESEMBLANCE = 0.8
# How much a pair counts that is found though less similar, and one that is missed. The similarity is looked at again,
# so the former only take time. With datasketch's own weights, of posts that share 0.82 half would be missed.
WEIGHTS = (0.1, 0.9)
# The fewest words of a post that can equal another post, and of a post that can resemble another post.
EQUAL_WORDS = 5
SIMILAR_WORDS = 10
WORD = re.compile(r"\w+")
Signature = npt.NDArray[np.uint32]
EMPTY = MinHash(num_perm=PERMUTATIONS, seed=SEED)

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("duplicate_of", pa.string()),
        ("similarity", pa.float32()),
        ("collection_date", pa.date32()),
    ]
)


def sketch(words: list[str]) -> Signature:
    """The MinHash (PERMUTATIONS,) of the set of all SHINGLE consecutive words of a text."""
    # A copy of EMPTY shares its permutations, which take more memory than the signature.
    signature = EMPTY.copy()
    signature.update_batch([" ".join(words[start : start + SHINGLE]).encode() for start in range(len(words) - 2)])
    hashes: Signature = signature.hashvalues.astype(np.uint32)
    return hashes


def share_a_band(signatures: Signature, bands: Iterable[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Whether each of n signatures (n, PERMUTATIONS) is equal to another one between the ends of a band (n,).

    A few more are true: of each band, a sum of products is compared.
    """
    factors = np.random.default_rng(SEED).integers(1 << 63, size=PERMUTATIONS, dtype=np.uint64) * 2 + 1
    share = np.zeros(len(signatures), dtype=bool)
    for start, end in bands:
        keys = signatures[:, start:end] @ factors[start:end]
        _, which, posts = np.unique(keys, return_inverse=True, return_counts=True)
        share |= posts[which] > 1
    return share


def resembled(signatures: Signature) -> dict[int, tuple[int, float]]:
    """The row of the original and the similarity to it, for each row of signatures (n, PERMUTATIONS) that has one.

    The original is the most similar earlier row that has no original itself. If several are equally similar, it is the
    earliest.
    """
    lsh = MinHashLSH(threshold=RESEMBLANCE, num_perm=PERMUTATIONS, weights=WEIGHTS)
    originals: dict[int, LeanMinHash] = {}
    found: dict[int, tuple[int, float]] = {}
    for row in np.flatnonzero(share_a_band(signatures, lsh.hashranges)).tolist():
        signature = EMPTY.copy()
        signature.hashvalues = signatures[row].astype(EMPTY.hashvalues.dtype)
        similarity, other = max(
            ((signature.jaccard(originals[other]), -other) for other in lsh.query(signature)), default=(0.0, 0)
        )
        if similarity >= RESEMBLANCE:
            found[row] = -other, similarity
        else:
            lsh.insert(row, signature, check_duplication=False)
            originals[row] = LeanMinHash(signature)
    return found


def repetitions(posts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, float]]:
    """Yield (url_hash of the duplicate, url_hash of its original, similarity) for posts (url_hash, text).

    posts: the earliest first. Every duplicate resembles its original directly. There are no chains of duplicates whose
    ends differ.
    """
    url_hashes: list[str] = []
    # Of each post, the first one with equal words; and the posts that have a signature, with their signatures.
    equal: list[int] = []
    first: dict[bytes, int] = {}
    sketched: list[int] = []
    signatures = bytearray()
    for url_hash, text in posts:
        words = WORD.findall(text.lower())
        if len(words) < EQUAL_WORDS:
            continue
        index = len(url_hashes)
        url_hashes.append(url_hash)
        equal.append(first.setdefault(sha256(" ".join(words).encode()).digest(), index))
        if equal[index] == index and len(words) >= SIMILAR_WORDS:
            sketched.append(index)
            signatures += sketch(words).tobytes()
    found = resembled(np.frombuffer(signatures, np.uint32).reshape(-1, PERMUTATIONS))
    originals = {sketched[row]: (sketched[other], similarity) for row, (other, similarity) in found.items()}
    for index, earlier in enumerate(equal):
        if earlier != index:
            yield url_hashes[index], url_hashes[originals.get(earlier, (earlier, 1.0))[0]], 1.0
        elif index in originals:
            original, similarity = originals[index]
            yield url_hashes[index], url_hashes[original], similarity


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the duplicates of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="collection_date")
    posts = dbt.ref("posts")
    redactions = dbt.ref("redactions")
    run_date = dbt.config.meta_get("run_date")

    batches = session.sql(
        f"""
        select url_hash, redactions.title || chr(10) || left(redactions.body, {LETTERS}) as text
        from {subquery(redactions)} as redactions
        inner join {subquery(posts)} as posts using (url_hash)
        where redactions.collection_date = date '{run_date}'
        order by posts.posted_at, url_hash
        """
    ).to_arrow_reader(BATCH)
    texts = (
        (url_hash, text)
        for batch in batches
        for url_hash, text in zip(batch["url_hash"].to_pylist(), batch["text"].to_pylist(), strict=True)
    )
    day = date.fromisoformat(run_date)
    return pa.Table.from_pylist(
        [
            {"url_hash": url_hash, "duplicate_of": original, "similarity": similarity, "collection_date": day}
            for url_hash, original, similarity in repetitions(texts)
        ],
        schema=SCHEMA,
    )
