"""Reads rows with texts and vectors in order, however many they are.

DuckDB 1.5.5 gives up where rows that it sorts need more memory than its limit: with vectors and texts, the rows of
75,000 posts. So only narrow columns are sorted. Wide ones are read apart, and put into the order of the narrow ones.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from groundswell.neighbours import are_many
from groundswell.relations import subquery
from groundswell.vectors import to_vectors

# The rows of a batch of wide columns.
AT_ONCE = 10_000
# What DuckDB may keep for a moment, once the rows of a large window are read.
LEAST_MEMORY = "100MB"
SORTED = "temp.sorted_rows"
# Texts are found by url_hash, and vectors by a column with the hash of what was encoded.
TEXT = "select place, {column} as value from {rows} inner join {texts} as texts using (url_hash)"
VECTOR = """
    select place, embedding as value
    from {rows} as narrow inner join {embeddings} as embeddings on narrow.{column} = embeddings.content_hash
    where model = $model
"""


def text_columns(texts: duckdb.DuckDBPyRelation) -> dict[str, str]:
    """The queries of columns text and title, for rows with url_hash."""
    source = subquery(texts)
    return {name: TEXT.format(column=f"texts.{name}", rows=SORTED, texts=source) for name in ("text", "title")}


def vector_columns(embeddings: duckdb.DuckDBPyRelation) -> dict[str, str]:
    """The queries of columns embedding and title_embedding, for rows with content_hash and title_hash.

    They have parameter model.
    """
    hashes, source = {"embedding": "content_hash", "title_embedding": "title_hash"}, subquery(embeddings)
    return {name: VECTOR.format(column=each, rows=SORTED, embeddings=source) for name, each in hashes.items()}


def read_wide(
    session: duckdb.DuckDBPyConnection,
    narrow: str,
    order: str,
    wide: Mapping[str, str],
    parameters: Mapping[str, Any],
) -> pa.Table:
    """The rows of query `narrow`, sorted by the expressions `order`, with further columns.

    wide: for each further column a query of its rows: their places in the order, from 0, and their values. A place
    without a value has a null. Such a query joins table SORTED, which has the narrow rows and column place. parameters:
    those of all queries.
    """

    def run(query: str) -> duckdb.DuckDBPyConnection:
        named = {name: value for name, value in parameters.items() if f"${name}" in query}
        return session.execute(query, named)

    run(
        f"create or replace temp table {SORTED} as"
        f" select *, row_number() over (order by {order}) - 1 as place from ({narrow}) as narrow"
    )
    rows = run(f"select * exclude (place) from {SORTED} order by place").to_arrow_table()
    for name, query in wide.items():
        found = run(query).to_arrow_reader(AT_ONCE)
        is_vector = pa.types.is_fixed_size_list(found.schema.field("value").type)
        rows = rows.append_column(name, (vectors_in_order if is_vector else in_order)(found, rows.num_rows))
    session.execute(f"drop table {SORTED}")
    if are_many(rows.num_rows):
        free_pages(session)
    return rows


def free_pages(session: duckdb.DuckDBPyConnection) -> None:
    """Have DuckDB give its pages back, which it keeps up to its limit, and memory that it keeps for later ones."""
    [(limit,)] = session.execute("select current_setting('memory_limit')").fetchall()
    # What is in use stays.
    with suppress(duckdb.OutOfMemoryException):
        session.execute(f"set memory_limit = '{LEAST_MEMORY}'")
    session.execute(f"set memory_limit = '{limit}'")


def vectors_in_order(found: pa.RecordBatchReader, number: int) -> pa.FixedSizeListArray:
    """Column value, a FLOAT[d], by column place. Each batch is copied, so that the column is never there twice."""
    dimensions = found.schema.field("value").type.list_size
    vectors, are_missing = np.zeros((number, dimensions), np.float32), np.ones(number, np.bool_)
    for batch in found:
        place = batch["place"].to_numpy()
        vectors[place] = to_vectors(batch["value"])
        are_missing[place] = False
    return pa.FixedSizeListArray.from_arrays(
        pa.array(vectors.reshape(-1)), dimensions, mask=pa.array(are_missing) if are_missing.any() else None
    )


def in_order(found: pa.RecordBatchReader, number: int) -> pa.ChunkedArray:
    """Column value by column place."""
    table = found.read_all()
    index = np.full(number, -1)
    index[table["place"].to_numpy()] = np.arange(table.num_rows)
    values = table["value"]
    if pa.types.is_string(values.type):
        # The offsets of Arrow's other texts end at 2 GB.
        values = values.cast(pa.large_string())
    return values.take(pa.array(index, mask=index < 0))
