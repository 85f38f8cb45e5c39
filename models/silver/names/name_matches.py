"""The names of the watchlist that each post mentions.

Grain: one row per url_hash and name.
Method: words of their own, the longest name first; groundswell/watchlist.py has the rules. A build searches the posts
of its day. Where the watchlist has changed, it searches the posts of all days, so that a change counts for all of them.
DuckDB first leaves out the posts that hold none of the spellings.
"""

from typing import Any

import pyarrow as pa

from groundswell.database import existing
from groundswell.relations import subquery
from groundswell.watchlist import load_watchlist, mentions_in

BATCH = 1_000

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("name", pa.string()),
        ("occurrences", pa.int64()),
        ("is_in_title", pa.bool_()),
        ("passage", pa.string()),
        ("watchlist_hash", pa.string()),
        ("collection_date", pa.date32()),
    ]
)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the mentions of all days."""
    dbt.config(materialized="table")
    redactions = dbt.ref("redactions")
    run_date = dbt.config.meta_get("run_date")
    watchlist = load_watchlist()
    if not watchlist.parts:
        return SCHEMA.empty_table()

    parameters = {"day": run_date, "hash": watchlist.fingerprint}
    kept = SCHEMA.empty_table()
    # A failed look-up would end dbt's transaction, so another connection makes it.
    if existing(session.cursor(), str(dbt.this)):
        # A post that has left its day, or was erased, has no row in silver.redactions.
        kept = session.execute(
            f"""
            select {", ".join(f"known.{column}" for column in SCHEMA.names)}
            from {dbt.this} as known
            semi join {subquery(redactions)} as redactions
                on known.url_hash = redactions.url_hash and known.collection_date = redactions.collection_date
            where known.watchlist_hash = $hash and known.collection_date <> $day::date
            """,
            parameters,
        ).to_arrow_table()
    reader = session.execute(
        f"""
        select url_hash, title, body, collection_date
        from {subquery(redactions)} as redactions
        where regexp_matches(title || chr(10) || body, $spellings)
            and not list_contains($searched::date[], collection_date)
        order by url_hash
        """,
        {"spellings": watchlist.prefilter, "searched": kept["collection_date"].unique().to_pylist()},
    ).to_arrow_reader(BATCH)
    found: list[dict[str, Any]] = []
    for batch in reader:
        posts = batch.to_pylist()
        days = {post["url_hash"]: post["collection_date"] for post in posts}
        texts = ((post["url_hash"], post["title"], post["body"]) for post in posts)
        found += [
            {
                "url_hash": url_hash,
                "watchlist_hash": watchlist.fingerprint,
                "collection_date": days[url_hash],
                **match._asdict(),
            }
            for url_hash, match in mentions_in(watchlist, texts)
        ]
    return pa.concat_tables([kept.cast(SCHEMA), pa.Table.from_pylist(found, schema=SCHEMA)])
