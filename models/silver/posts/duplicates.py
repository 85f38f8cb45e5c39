"""Finds the posts of a day that repeat an earlier post of that day, so that ten copies do not count as ten voices.

Grain: one row per url_hash of a duplicate.
Method: Jaccard similarity of the sets of three consecutive words, estimated with MinHash; locality-sensitive hashing
finds the candidates (Broder 1997, On the resemblance and containment of documents; datasketch implements both). A post
repeats the most similar original. Posts with fewer than SIMILAR_WORDS words must have equal words. Posts with fewer
than EQUAL_WORDS words are never duplicates, because two people may both write "Question".
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import Any

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
# The fewest words of a post that can equal another post, and of a post that can resemble another post.
EQUAL_WORDS = 5
SIMILAR_WORDS = 10
WORD = re.compile(r"\w+")
EMPTY = MinHash(num_perm=PERMUTATIONS, seed=SEED)

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("duplicate_of", pa.string()),
        ("similarity", pa.float32()),
        ("collection_date", pa.date32()),
    ]
)


def sketch(words: list[str]) -> MinHash:
    """The MinHash of the set of all SHINGLE consecutive words of a text."""
    # A copy of EMPTY shares its permutations, which take more memory than the signature.
    signature = EMPTY.copy()
    signature.update_batch([" ".join(words[start : start + SHINGLE]).encode() for start in range(len(words) - 2)])
    return signature


def repetitions(posts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, float]]:
    """Yield (url_hash of the duplicate, url_hash of its original, similarity) for posts (url_hash, text).

    posts: the earliest first. Every duplicate resembles its original directly. There are no chains of duplicates whose
    ends differ.
    """
    lsh = MinHashLSH(threshold=RESEMBLANCE, num_perm=PERMUTATIONS)
    originals: list[tuple[str, LeanMinHash]] = []
    equals: dict[bytes, str] = {}
    for url_hash, text in posts:
        words = WORD.findall(text.lower())
        if len(words) < EQUAL_WORDS:
            continue
        digest = sha256(" ".join(words).encode()).digest()
        first = equals.setdefault(digest, url_hash)
        if first != url_hash:
            yield url_hash, first, 1.0
        elif len(words) >= SIMILAR_WORDS:
            signature = sketch(words)
            # The most similar original. If several originals are equally similar, the earliest.
            similarity, position = max(
                ((signature.jaccard(originals[other][1]), -other) for other in lsh.query(signature)), default=(0.0, 0)
            )
            if similarity >= RESEMBLANCE:
                equals[digest] = originals[-position][0]
                yield url_hash, originals[-position][0], similarity
            else:
                lsh.insert(len(originals), signature, check_duplication=False)
                originals.append((url_hash, LeanMinHash(signature)))


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
