"""The complaints outside of problems that are nearest to forming one.

Grain: one row per as_of_date and url_hash. A complaint of the window has a row if another complaint is near it, or if
it is in a group.
Method: the chance of each pair of neighbours (groundswell.pairs), and average linkage (groundswell.linkage) down to
the least chance of the loosest tier in seed problem_tiers. silver.problem_assignments stops at that of var
problem_tier, and keeps only groups with enough voices. The posts of problems are neighbours too, but
they are in no group.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.linkage import average_linkage
from groundswell.pairs import (
    Candidates,
    Floats,
    Numbers,
    Posts,
    Tickets,
    Weights,
    by_ground,
    candidates,
    chances,
    may_be_same,
)
from groundswell.relations import subquery
from groundswell.vectors import title_vectors, to_vectors

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("group_hash", pa.string()),
        ("voice", pa.string()),
        ("chance", pa.float64()),
        ("near_posts", pa.int64()),
        ("as_of_date", pa.date32()),
    ]
)

# The complaints of a window without duplicates, with their vectors, and whether a problem has them on its last day.
COMPLAINTS = """
    with complaints as (
        select url_hash, content_hash
        from {documents}
        where
            collection_date > $last::date - $window::int
            and collection_date <= $last::date
            and complaint_score >= $threshold
            and duplicate_of is null
    ),
    post_titles as (
        select url_hash, content_hash
        from {titles}
        where url_hash in (select url_hash from complaints)
    ),
    vectors as (
        select content_hash, embedding
        from {embeddings}
        where
            model = $model
            and content_hash in (select content_hash from complaints union all select content_hash from post_titles)
    ),
    standing as (
        select url_hash, voice, problem_id
        from {problem_assignments}
        where as_of_date <= $last::date
        qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
    ),
    programs as (
        select url_hash, frame, differing_words
        from {program_posts}
        where as_of_date <= $last::date
    )
    select
        url_hash,
        coalesce(standing.voice, url_hash) as voice,
        standing.problem_id is null as is_alone,
        texts.text,
        coalesce(nullif(texts.title, ''), texts.text) as title,
        coalesce(programs.frame, '') as frame,
        coalesce(programs.differing_words, '') as differing_words,
        vectors.embedding,
        title_vectors.embedding as title_embedding,
    from complaints
    inner join vectors using (content_hash)
    inner join {texts} as texts using (url_hash)
    left join post_titles using (url_hash)
    left join vectors as title_vectors on post_titles.content_hash = title_vectors.content_hash
    left join standing using (url_hash)
    left join programs using (url_hash)
    order by url_hash
"""


def groups_of(
    found: Candidates, chance: Floats, is_alone: np.ndarray[Any, np.dtype[np.bool_]], least: float
) -> Numbers:
    """The groups (n,) of the posts that is_alone marks (n,); every other post is a group of its own.

    chance: that of the candidates (m,). least: the least mean chance at which two groups are joined.
    """
    linked = is_alone[found.a] & is_alone[found.b]
    start = np.arange(len(is_alone))
    return average_linkage(found.a[linked], found.b[linked], chance[linked], start, least)


def pair_means(group: Numbers, found: Candidates, chance: Floats) -> tuple[Numbers, Floats]:
    """The size (n,) of the group of each post, and the mean chance (n,) of the pairs in it; 0 for a group of one post.

    group: the group of each post (n,). chance: that of the candidates (m,); other pairs have chance 0.
    """
    size = np.bincount(group, minlength=1)
    within = group[found.a] == group[found.b]
    total = np.bincount(group[found.a[within]], chance[within], minlength=len(size))
    means: Floats = total / np.maximum(size * (size - 1) / 2, 1)
    return size[group], means[group]


def near_posts(found: Candidates, chance: Floats, count: int, least: float) -> Numbers:
    """The number (n,) of other posts with which each of n posts has at least the chance `least`."""
    near = chance >= least
    return np.bincount(np.concatenate([found.a[near], found.b[near]]), minlength=count)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    texts = dbt.ref("texts")
    problem_assignments = dbt.ref("problem_assignments")
    program_posts = dbt.ref("program_posts")
    pair_weights = dbt.ref("pair_weights")
    problem_tiers = dbt.ref("problem_tiers")
    run_date = dbt.config.meta_get("run_date")
    tier = dbt.config.meta_get("problem_tier")
    weights = by_ground(pair_weights.project("ground, feature, weight").fetchall())
    # With --empty the seeds have no rows, and there are no complaints.
    limits = dict(problem_tiers.project("tier, least_chance").fetchall()) or {tier: 1.0}
    query = COMPLAINTS.format(
        documents=subquery(documents),
        titles=subquery(titles),
        embeddings=subquery(embeddings),
        texts=subquery(texts),
        problem_assignments=subquery(problem_assignments),
        program_posts=subquery(program_posts),
    )
    settings = {
        "last": run_date,
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
    }
    complaints = session.sql(query, params=settings).to_arrow_table()
    return rows_of_day(complaints, run_date, weights, float(limits[tier]), float(min(limits.values())))


def rows_of_day(complaints: pa.Table, day: str, weights: Mapping[str, Weights], near: float, loose: float) -> pa.Table:
    """The rows of SCHEMA for the rows of COMPLAINTS.

    near: the chance from which on two posts are near. loose: the least mean chance of a group.
    """
    count = complaints.num_rows
    if count < 2:
        return SCHEMA.empty_table()
    vectors = to_vectors(complaints["embedding"])
    titles = title_vectors(vectors, complaints["title_embedding"])
    said = Posts(complaints["text"].to_pylist(), complaints["title"].to_pylist(), vectors, titles)
    found = candidates(said)
    chance = chances(found.features, weights)
    tickets = Tickets(complaints["frame"].to_pylist(), complaints["differing_words"].to_pylist())
    chance[~may_be_same(found.a, found.b, tickets)] = 0
    is_alone = complaints["is_alone"].to_numpy()
    group = groups_of(found, chance, is_alone, loose)
    size, means = pair_means(group, found, chance)
    neighbours = near_posts(found, chance, count, near)
    url_hashes = complaints["url_hash"].to_pylist()
    voices = complaints["voice"].to_pylist()
    # A group is named after its first post.
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    rows = [
        {
            "url_hash": url_hashes[index],
            "group_hash": url_hashes[first[number[index]]] if size[index] > 1 else None,
            "voice": voices[index],
            "chance": float(means[index]) if size[index] > 1 else None,
            "near_posts": int(neighbours[index]),
        }
        for index in np.flatnonzero((size > 1) | (neighbours > 0)).tolist()
    ]
    fields = pa.schema(list(SCHEMA)[:-1])
    dates = pa.array([day] * len(rows), pa.string()).cast(pa.date32())
    return pa.Table.from_pylist(rows, schema=fields).append_column("as_of_date", dates)
