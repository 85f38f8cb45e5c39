"""Reads the complaints of a window, with what their chance to be the same problem depends on."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from groundswell.pairs import Posts, Tickets
from groundswell.relations import subquery
from groundswell.vectors import title_vectors, to_vectors
from groundswell.wide import read_wide, text_columns, vector_columns

# The complaints of a window, weak ones too, without duplicates, that have a vector.
COMPLAINTS = """
    with complaints as (
        select url_hash, content_hash, addresses_model, complaint_score >= $threshold as complains, collection_date
        from {documents}
        where
            collection_date > $last::date - $window::int
            and collection_date <= $last::date
            and complaint_score >= least($weak_threshold, $threshold)
            and duplicate_of is null
    ),
    post_titles as (
        select url_hash, content_hash as title_hash
        from {titles}
        where url_hash in (select url_hash from complaints)
    ),
    programs as (
        select url_hash, frame, differing_words
        from {program_posts}
        where as_of_date <= $last::date
    )
    select
        url_hash,
        content_hash,
        addresses_model,
        complains,
        post_titles.title_hash,
        coalesce(programs.frame, '') as frame,
        coalesce(programs.differing_words, '') as differing_words,
        complaints.collection_date,
    from complaints
    left join post_titles using (url_hash)
    left join programs using (url_hash)
    where
        content_hash in (select content_hash from {embeddings} where model = $model)
        and url_hash in (select url_hash from {texts})
"""


def complaints_query(
    documents: duckdb.DuckDBPyRelation,
    titles: duckdb.DuckDBPyRelation,
    embeddings: duckdb.DuckDBPyRelation,
    texts: duckdb.DuckDBPyRelation,
    program_posts: duckdb.DuckDBPyRelation,
) -> str:
    """COMPLAINTS on the relations of dbt; its parameters are last, window, threshold, weak_threshold and model."""
    return COMPLAINTS.format(
        documents=subquery(documents),
        titles=subquery(titles),
        embeddings=subquery(embeddings),
        texts=subquery(texts),
        program_posts=subquery(program_posts),
    )


def read_complaints(
    session: duckdb.DuckDBPyConnection,
    query: str,
    texts: duckdb.DuckDBPyRelation,
    embeddings: duckdb.DuckDBPyRelation,
    settings: Mapping[str, Any],
) -> pa.Table:
    """The rows of a query of complaints by url_hash, with columns text, title, embedding and title_embedding.

    settings: the parameters of complaints_query.
    """
    return read_wide(session, query, "url_hash", text_columns(texts) | vector_columns(embeddings), settings)


def said_of(complaints: pa.Table) -> Posts:
    """What n complaints say: their texts and titles, with the vectors of both."""
    vectors = to_vectors(complaints["embedding"])
    titles = title_vectors(vectors, complaints["title_embedding"])
    bodies = complaints["text"].to_pylist()
    # A text stands for a missing title.
    names = [title or body for title, body in zip(complaints["title"].to_pylist(), bodies, strict=True)]
    return Posts(bodies, names, vectors, titles)


def tickets_of(complaints: pa.Table) -> Tickets:
    """Which of n complaints programs wrote."""
    return Tickets(complaints["frame"].to_pylist(), complaints["differing_words"].to_pylist())
