"""The position of each post on the map of its day; similar posts are close to each other.

Grain: one row per url_hash. Append-only: a post keeps its position, so that the map stays familiar.
Method: t-SNE (van der Maaten and Hinton 2008, Visualizing Data using t-SNE) gives positions to up to 1,000 of the day's
posts, the anchors, from their 50 principal components. Every other post, and every late post, gets a position between
its three most similar anchors. The time therefore grows linearly with the number of posts.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from groundswell.relations import subquery
from groundswell.vectors import Vectors, to_vectors

Positions = npt.NDArray[np.float64]

# The posts that t-SNE positions, in a second.
ANCHORS = 1_000
COMPONENTS = 50
PERPLEXITY = 30
ITERATIONS = 400
# Posts that are seen under a smaller angle (radians) repel a post as one, at their mean position.
ANGLE = 0.8
# With fewer different posts, there are no neighbourhoods for t-SNE to keep.
MIN_LAID_OUT = 10
NEIGHBOURS = 3
# The distance between posts that would have the same position, as a share of the map.
SPREAD = 0.006
SEED = 20_261_120
# The posts that are positioned at once: 32 MB of similarities.
CHUNK = 8_192

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("map_x", pa.float64()),
        ("map_y", pa.float64()),
        ("cluster_date", pa.date32()),
    ]
)


def laid_out(vectors: Vectors) -> Positions:
    """Positions (n, 2), 0 to 1, of unit vectors (n, d) by t-SNE; a row of points if there are few different vectors."""
    different, which = np.unique(vectors, axis=0, return_inverse=True)
    count = len(different)
    if count < MIN_LAID_OUT:
        places = np.column_stack([(np.arange(count) + 0.5) / count, np.full(count, 0.5)])
    else:
        perplexity = min(PERPLEXITY, (count - 1) / 3)
        tsne = TSNE(2, perplexity=perplexity, init="pca", max_iter=ITERATIONS, angle=ANGLE, random_state=SEED, n_jobs=1)
        # Several threads would wait for each other longer than they work, and sum up in another order: another map.
        with threadpool_limits(1):
            reduced = PCA(min(COMPONENTS, count), random_state=SEED).fit_transform(different)
            places = tsne.fit_transform(reduced).astype(np.float64)
        low, high = places.min(axis=0), places.max(axis=0)
        places = (places - low) / (high - low)
    return places[which]


def amid_neighbours(vectors: Vectors, anchors: Vectors, places: Positions) -> Positions:
    """Positions (n, 2), 0 to 1, of unit vectors (n, d): between the most similar of the anchors (m, d) at `places`."""
    near = min(NEIGHBOURS, len(anchors))
    similarity = vectors @ anchors.T
    nearest = np.argpartition(-similarity, near - 1, axis=1)[:, :near]
    # With the fourth power, an anchor with the same text attracts a post much more than less similar anchors.
    weights = np.maximum(np.take_along_axis(similarity, nearest, axis=1), 0.01).astype(np.float64) ** 4
    amid = (places[nearest] * weights[..., None]).sum(axis=1) / weights.sum(axis=1)[:, None]
    # The golden angle spreads the posts in all directions, so that no post hides another.
    turns = np.arange(len(vectors)) * np.pi * (3 - np.sqrt(5))
    places_of_vectors: Positions = np.clip(amid + SPREAD * np.column_stack([np.cos(turns), np.sin(turns)]), 0, 1)
    return places_of_vectors


def rows(hashes: pa.Array, places: Positions, run_date: str) -> pa.RecordBatch:
    """The rows of SCHEMA for posts with positions (n, 2)."""
    dates = pa.array([run_date] * len(hashes)).cast(pa.date32())
    rounded = places.round(4)
    return pa.RecordBatch.from_arrays([hashes, pa.array(rounded[:, 0]), pa.array(rounded[:, 1]), dates], schema=SCHEMA)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the positions of the day's posts that have no position yet."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    items = dbt.ref("items")
    run_date = dbt.config.meta_get("run_date")

    known = "select null::varchar as url_hash, null::double as map_x, null::double as map_y where false"
    if dbt.is_incremental:
        known = f"select url_hash, map_x, map_y from {dbt.this} where cluster_date = date '{run_date}'"
    # The order by url_hash makes the map independent of the order in which the posts arrived.
    session.sql(
        f"""
        create or replace temp table day_places as
        select items.url_hash, items.embedding, items.duplicate_of, known.map_x, known.map_y
        from {subquery(items)} as items
        left join ({known}) as known on items.url_hash = known.url_hash
        where items.cluster_date = date '{run_date}' and items.embedding is not null
        """
    )
    [(new, placed)] = session.sql("select count(*) - count(map_x), count(map_x) from temp.day_places").fetchall()
    if not new:
        return SCHEMA.empty_table()

    anchors = session.execute(
        "select url_hash, embedding, map_x, map_y from temp.day_places where "
        + ("map_x is not null" if placed else "duplicate_of is null")
        + f" order by url_hash limit {ANCHORS}"
    ).to_arrow_table()
    vectors = to_vectors(anchors["embedding"])
    hashes = anchors["url_hash"].combine_chunks()
    batches = []
    if placed:
        places = np.column_stack([anchors["map_x"].to_numpy(), anchors["map_y"].to_numpy()])
    else:
        places = laid_out(vectors)
        batches.append(rows(hashes, places, run_date))
    others = session.execute(
        "select url_hash, embedding from temp.day_places"
        " where map_x is null and url_hash not in $anchors order by url_hash",
        {"anchors": hashes.to_pylist()},
    ).to_arrow_reader(CHUNK)
    batches += [
        rows(batch["url_hash"], amid_neighbours(to_vectors(batch["embedding"]), vectors, places), run_date)
        for batch in others
    ]
    session.execute("drop table temp.day_places")
    return pa.Table.from_batches(batches, schema=SCHEMA)
