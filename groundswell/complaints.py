"""Reads the complaints of a window, with what their chance to be the same problem depends on."""

import duckdb
import pyarrow as pa

from groundswell.pairs import Posts, Tickets
from groundswell.relations import subquery
from groundswell.vectors import title_vectors, to_vectors

# The complaints of a window, weak ones too, without duplicates, with their vectors. The posts are selected before the
# join with the vectors; otherwise the join would read the vectors of all posts ever collected.
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
        texts.text,
        coalesce(nullif(texts.title, ''), texts.text) as title,
        coalesce(programs.frame, '') as frame,
        coalesce(programs.differing_words, '') as differing_words,
        complaints.collection_date,
        vectors.embedding,
        title_vectors.embedding as title_embedding,
    from complaints
    inner join vectors using (content_hash)
    inner join {texts} as texts using (url_hash)
    left join post_titles using (url_hash)
    left join vectors as title_vectors on post_titles.content_hash = title_vectors.content_hash
    left join programs using (url_hash)
    order by url_hash
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


def said_of(complaints: pa.Table) -> Posts:
    """What n complaints say: their texts and titles, with the vectors of both."""
    vectors = to_vectors(complaints["embedding"])
    titles = title_vectors(vectors, complaints["title_embedding"])
    return Posts(complaints["text"].to_pylist(), complaints["title"].to_pylist(), vectors, titles)


def tickets_of(complaints: pa.Table) -> Tickets:
    """Which of n complaints programs wrote."""
    return Tickets(complaints["frame"].to_pylist(), complaints["differing_words"].to_pylist())
