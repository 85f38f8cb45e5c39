"""The pairs of complaints about which a language model can say most.

Grain: one row per as_of_date, url_hash and other_url_hash. One post of a pair at least is of the day as_of_date; the
other one is of the window that ends with it.
Method: the maximum spanning forest of the pairs by their chance (groundswell.pairs) is what could join the complaints:
each pair in it is the surest between two groups. Pairs of the forest whose chance is unsure are asked about. (Wang et
al. 2013, Leveraging transitive relations for crowdsourced joins, ask in this order and deduce the rest.) Two pairs have
no place in the forest: on dense ground chances say nothing, and two weak complaints alone never open a problem. The
table is empty without LLM_MODEL, and with var judged_pairs at 0.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from groundswell.complaints import complaints_query, read_complaints, said_of, tickets_of
from groundswell.llm.settings import EXTRACTIVE
from groundswell.pairs import (
    LOCAL_RANK,
    Candidates,
    Flags,
    Floats,
    Numbers,
    Weights,
    by_ground,
    candidates,
    possible_chances,
)

# A chance is unsure from LOW on and below HIGH. Of the pairs of the forest of 1,145 reports of Eclipse, 72 % of the
# hundred below HIGH are the same, and 2 % of the seventh hundred. Four people who report a matter in their own words
# need the pairs down to LOW.
LOW, HIGH = 0.08, 0.6

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("other_url_hash", pa.string()),
        ("chance", pa.float64()),
        ("as_of_date", pa.date32()),
    ]
)


def spanning_forest(found: Candidates, chance: Floats, count: int) -> Numbers:
    """The candidates, as their indices, that form the maximum spanning forest of `count` posts by chance (m,)."""
    # A distance of 0 would be no link.
    distance = csr_array((2 - chance, (found.a, found.b)), shape=(count, count))
    tree = minimum_spanning_tree(distance).tocoo()
    kept = np.isin(found.a * count + found.b, tree.row.astype(np.int64) * count + tree.col)
    return np.flatnonzero(kept)


def on_dense_ground(found: Candidates, count: int, same: float) -> Flags:
    """Whether each of `count` posts has LOCAL_RANK candidates with a similarity of at least `same` (count,)."""
    near = found.features[:, 0] >= same
    dense: Flags = np.bincount(np.concatenate([found.a[near], found.b[near]]), minlength=count) >= LOCAL_RANK
    return dense


def unsure_candidates(
    found: Candidates, chance: Floats, count: int, same: float, complains: Flags | None = None
) -> Numbers:
    """The candidates among `count` posts, as their indices, about which a model can say most.

    chance: that of the candidates (m,). same: var problem_similarity. complains: which posts are complaints (count,);
    all if None, and the others are weak ones.
    """
    dense = on_dense_ground(found, count, same)
    askable = ~(dense[found.a] | dense[found.b])
    if complains is not None:
        askable &= complains[found.a] | complains[found.b]
    kept = np.flatnonzero(askable)
    part = Candidates(found.a[kept], found.b[kept], found.features[kept])
    forest = kept[spanning_forest(part, chance[kept], count)]
    return forest[(chance[forest] >= LOW) & (chance[forest] < HIGH)]


def rows_of_day(complaints: pa.Table, day: str, weights: Mapping[str, Weights], same: float) -> pa.Table:
    """The rows of SCHEMA for the rows of COMPLAINTS (groundswell.complaints). same: var problem_similarity."""
    count = complaints.num_rows
    if count < 2:
        return SCHEMA.empty_table()
    found = candidates(said_of(complaints))
    chance = possible_chances(found, weights, tickets_of(complaints))
    asked = unsure_candidates(found, chance, count, same, complaints["complains"].to_numpy())
    is_new = np.array(
        [each == date.fromisoformat(day) for each in complaints["collection_date"].to_pylist()], dtype=bool
    )
    asked = asked[is_new[found.a[asked]] | is_new[found.b[asked]]]
    url_hash = complaints["url_hash"].combine_chunks()
    columns = [
        url_hash.take(pa.array(found.a[asked])),
        url_hash.take(pa.array(found.b[asked])),
        pa.array(chance[asked]),
        pa.array([date.fromisoformat(day)] * len(asked), pa.date32()),
    ]
    return pa.table(columns, schema=SCHEMA)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    texts = dbt.ref("texts")
    program_posts = dbt.ref("program_posts")
    pair_weights = dbt.ref("pair_weights")
    run_date = dbt.config.meta_get("run_date")
    llm_model = dbt.config.meta_get("llm_model")
    most = int(dbt.config.meta_get("judged_pairs"))
    same = float(dbt.config.meta_get("problem_similarity"))
    if llm_model == EXTRACTIVE or not most:
        return SCHEMA.empty_table()
    weights = by_ground(pair_weights.project("ground, feature, weight").fetchall())
    settings = {
        "last": run_date,
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "weak_threshold": float(dbt.config.meta_get("weak_complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
    }
    query = complaints_query(documents, titles, embeddings, texts, program_posts)
    return rows_of_day(read_complaints(session, query, texts, embeddings, settings), run_date, weights, same)
