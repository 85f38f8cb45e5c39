"""Sentence embeddings of all distinct texts and titles; the table keeps them, so that no text is encoded twice.

Grain: one row per content_hash and model. Append-only, except that a new embedding replaces a damaged one.
Method: groundswell.encoder, on this machine or on the nodes of a Ray cluster (var embed_engine).

Encoding takes most of the time of a build. Each batch is therefore committed to a journal, a table beside this table,
before the next batch starts: after a `kill -9`, the next run finds the batch in the journal. dbt moves the journal's
rows into the table at the end of the model, and the post-hook drops the journal.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from dbt.adapters.events.logging import AdapterLogger

from groundswell.encoders import open_encoder
from groundswell.progress import track
from groundswell.relations import arrow_view, journal_of, subquery
from groundswell.vectors import DIMENSIONS, Vectors, from_vectors

# The number of texts that are encoded and committed together.
BATCH = 1_000

ROWS = pa.schema([("content_hash", pa.string()), ("embedding", pa.list_(pa.float32(), DIMENSIONS))])

# An embedding is sound if it has 384 numbers, none of them null or NaN, and unit length. The casts allow for a table
# that another program created with another type.
SOUND = f"""
    list_count(embedding::float[]) = {DIMENSIONS}
    and list_sum(list_transform(embedding::float[], lambda number: number * number)) between 0.98 and 1.02
"""

log = AdapterLogger("Groundswell")


def to_arrow(hashes: list[str], vectors: Vectors) -> pa.Table:
    """A table of schema ROWS from n content hashes and a float32 array (n, 384)."""
    return pa.Table.from_arrays([pa.array(hashes), from_vectors(vectors)], schema=ROWS)


def of_another_kind(connection: Any, cached: str, name: str, used: str) -> str | None:
    """Where the table's vectors were made, if those or the new ones are in int8 and the others are not.

    The first versions did not note where a vector was made.
    """
    [(others,)] = connection.execute(
        f"""
        select string_agg(distinct computed_on, ' and ' order by computed_on)
        from (select null::text as computed_on where false union all by name from {cached})
        where model = $name and computed_on like '%int8' <> $used like '%int8'
        """,
        {"name": name, "used": used},
    ).fetchall()
    return str(others) if others else None


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    """Return the embeddings that are missing from the table or damaged in it."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key=["content_hash", "model"])
    texts = dbt.ref("texts")
    titles = dbt.ref("titles")
    categories = dbt.ref("categories")
    run_date = dbt.config.meta_get("run_date")
    days = dbt.config.meta_get("problem_window_days")
    name = dbt.config.meta_get("embedding_model")
    precision = dbt.config.meta_get("embedding_precision")
    engine = dbt.config.meta_get("embed_engine")
    cached = (
        dbt.this
        if dbt.is_incremental
        else "(select '' as content_hash, '' as model, [0.0] as embedding, '' as computed_on)"
    )

    # A separate connection commits each batch at once, outside dbt's transaction.
    durable = session.cursor()
    journal = journal_of(dbt.this)
    durable.execute(
        f"create table if not exists {journal} (content_hash text, model text, embedding float[{DIMENSIONS}],"
        " computed_on text, embedding_date date)"
    )
    journalled = durable.execute(f"select content_hash from {journal} where model = $name", {"name": name}).fetchall()

    # silver.problem_assignments needs the embeddings of the day, of the window before it, and of all later days, which
    # it groups again.
    session.sql(
        f"""
        create or replace temp table pending as
        with wanted as (
            select content_hash, text from {subquery(texts)}
            where collection_date > date '{run_date}' - {int(days)} and text <> ''
            union all
            select content_hash, title from {subquery(titles)}
            where collection_date > date '{run_date}' - {int(days)}
            union all
            select sha256(description), description from {subquery(categories)}
        ),
        cached as (
            select content_hash, {SOUND} as is_sound from {cached}
            where model = $name and content_hash in (select content_hash from wanted)
        )
        select distinct content_hash, text, is_sound is not null as is_damaged
        from wanted left join cached using (content_hash)
        where is_sound is not true and content_hash not in (select unnest($journalled::text[]))
        """,
        params={"name": name, "journalled": [content_hash for (content_hash,) in journalled]},
    )
    [(count, damaged)] = session.sql(
        "select count(*), list(content_hash order by content_hash) filter (where is_damaged) from temp.pending"
    ).fetchall()
    if damaged:
        log.warning(f"{len(damaged)} damaged embeddings of {name} are encoded again: {', '.join(damaged[:3])} …")
    if count:
        # Texts of similar length share a batch, because those of equal length are encoded together.
        rows = session.execute("select content_hash, text from temp.pending order by length(text), content_hash")
        batches: Iterator[tuple[list[str], list[str]]] = (
            tuple(map(list, zip(*rows.fetchmany(BATCH), strict=True)))  # type: ignore[misc]
            for _ in range(0, count, BATCH)
        )
        with open_encoder(engine, name, precision) as (encoded_batches, used):
            log.info(f"Encoding {count:,} texts with {name} ({used})")
            if others := of_another_kind(durable, cached, name, used):
                log.warning(
                    f"vectors of {name} are of two kinds now: new ones are computed on {used}, old ones on {others}."
                    " A cosine of two texts moves by about 0.001. Var embedding_precision keeps to one kind"
                )
            texts_done = track(encoded_batches(batches), f"Encoding {count:,} texts", total=-(-count // BATCH))
            for hashes, vectors in texts_done:
                with arrow_view(durable, "encoded", to_arrow(hashes, vectors)) as encoded:
                    durable.execute(
                        f"insert into {journal}"
                        f" select content_hash, $name, embedding, $used, date '{run_date}' from {encoded}",
                        {"name": name, "used": used},
                    )
    session.execute("drop table temp.pending")
    return durable.execute(f"select * from {journal}").to_arrow_reader(BATCH)
