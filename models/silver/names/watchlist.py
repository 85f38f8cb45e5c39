"""The names that are watched, from watchlist.yml (groundswell/watchlist.py).

Grain: one row per name.
"""

from typing import Any

import pyarrow as pa

from groundswell.watchlist import load_watchlist

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("side", pa.string()),
        ("position", pa.int64()),
    ]
)


def model(dbt: Any, session: Any) -> pa.Table:  # noqa: ARG001  (dbt calls it with a session)
    """Return the names."""
    dbt.config(materialized="table")
    watchlist = load_watchlist()
    return pa.Table.from_pylist(
        [
            {"name": name.name, "side": "own" if name in watchlist.own else "competitor", "position": position}
            for position, name in enumerate(watchlist.names(), start=1)
        ],
        schema=SCHEMA,
    )
