"""The complaints outside of problems that are nearest to forming one.

Grain: one row per as_of_date and url_hash. A complaint of the window, weak or not, has a row if another complaint is
near it, or if it is in a group.
Method: the chance of each pair of neighbours (groundswell.pairs), and average linkage (groundswell.linkage) down to
the least chance of the loosest tier in seed problem_tiers. silver.problem_assignments stops at that of var
problem_tier, and keeps only groups with enough voices. The posts of problems are neighbours too, but they are in no
group. Opinions of a language model count as in silver.problem_assignments.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.complaints import complaints_query, read_complaints, said_of, tickets_of
from groundswell.linkage import average_linkage
from groundswell.pairs import Candidates, Flags, Floats, Numbers, Weights, by_ground, candidates, possible_chances
from groundswell.relations import subquery
from groundswell.verdicts import NO_VERDICTS, Verdicts, opinions_of, updated_chances, verdicts_of, with_verdicts

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

# The voices of the posts of the window on its last day, and whether a problem has them.
STANDING = """
    with standing as (
        select url_hash, voice, problem_id
        from {problem_assignments}
        where as_of_date <= $last::date
        qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
    )
    select
        complaints.*,
        coalesce(standing.voice, url_hash) as voice,
        standing.problem_id is null as is_alone,
    from ({complaints}) as complaints
    left join standing using (url_hash)
"""


def groups_of(
    found: Candidates,
    chance: Floats,
    is_alone: np.ndarray[Any, np.dtype[np.bool_]],
    least: float,
    verdicts: Verdicts = NO_VERDICTS,
) -> Numbers:
    """The groups (n,) of the posts that is_alone marks (n,); every other post is a group of its own.

    chance: that of the candidates (m,). least: the least mean chance at which two groups are joined.
    """
    a, b, weight = with_verdicts(found, chance, verdicts)
    linked = is_alone[a] & is_alone[b]
    return average_linkage(a[linked], b[linked], weight[linked], np.arange(len(is_alone)), least)


def pair_means(group: Numbers, found: Candidates, chance: Floats) -> tuple[Numbers, Floats]:
    """The size (n,) of the group of each post, and the mean chance (n,) of the pairs in it; 0 for a group of one post.

    group: the group of each post (n,). chance: that of the candidates (m,); other pairs have chance 0.
    """
    size = np.bincount(group, minlength=1)
    within = group[found.a] == group[found.b]
    total = np.bincount(group[found.a[within]], chance[within], minlength=len(size))
    means: Floats = total / np.maximum(size * (size - 1) / 2, 1)
    return size[group], means[group]


def near_posts(found: Candidates, chance: Floats, complains: Flags, least: float) -> Numbers:
    """The number (n,) of other complaints with which each of n posts has at least the chance `least`.

    complains: which posts are complaints (n,). Weak ones are near to none.
    """
    near = (chance >= least) & complains[found.a] & complains[found.b]
    return np.bincount(np.concatenate([found.a[near], found.b[near]]), minlength=len(complains))


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    texts = dbt.ref("texts")
    problem_assignments = dbt.ref("problem_assignments")
    program_posts = dbt.ref("program_posts")
    pair_opinions = dbt.ref("pair_opinions")
    pair_weights = dbt.ref("pair_weights")
    problem_tiers = dbt.ref("problem_tiers")
    run_date = dbt.config.meta_get("run_date")
    tier = dbt.config.meta_get("problem_tier")
    weights = by_ground(pair_weights.project("ground, feature, weight").fetchall())
    # With --empty the seeds have no rows, and there are no complaints.
    limits = dict(problem_tiers.project("tier, least_chance").fetchall()) or {tier: 1.0}
    query = STANDING.format(
        complaints=complaints_query(documents, titles, embeddings, texts, program_posts),
        problem_assignments=subquery(problem_assignments),
    )
    settings = {
        "last": run_date,
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "weak_threshold": float(dbt.config.meta_get("weak_complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
    }
    return rows_of_day(
        # No name holds the rows, so that rows_of_day can let go of texts and vectors.
        read_complaints(session, query, texts, embeddings, settings),
        run_date,
        weights,
        float(limits[tier]),
        float(min(limits.values())),
        opinions_of(pair_opinions),
        float(dbt.config.meta_get("opinion_accuracy")),
    )


def rows_of_day(
    complaints: pa.Table,
    day: str,
    weights: Mapping[str, Weights],
    near: float,
    loose: float,
    opinions: Mapping[tuple[str, str], bool] | None = None,
    accuracy: float = 0.5,
) -> pa.Table:
    """The rows of SCHEMA for the rows of STANDING.

    near: the chance from which on two posts are near. loose: the least mean chance of a group. opinions, accuracy: what
    a language model says of pairs (groundswell.verdicts.verdicts_of).
    """
    count = complaints.num_rows
    if count < 2:
        return SCHEMA.empty_table()
    verdicts = verdicts_of(complaints["content_hash"].to_pylist(), opinions or {}, accuracy)
    said = said_of(complaints)
    complaints = complaints.drop_columns(["text", "title", "embedding", "title_embedding"])
    found = candidates(said)
    del said
    chance = possible_chances(found, weights, tickets_of(complaints))
    chance = updated_chances(found, chance, verdicts, count)
    found = found.without_features()
    is_alone = complaints["is_alone"].to_numpy()
    group = groups_of(found, chance, is_alone, loose, verdicts)
    size, means = pair_means(group, found, chance)
    complains = complaints["complains"].to_numpy()
    neighbours = near_posts(found, chance, complains, near)
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
