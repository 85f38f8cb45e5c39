"""Publishes the names of the sources: the board shows "Hacker News" where the tables have hackernews."""

import hashlib
from typing import Any

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from sync.client import read, request_error, send

COLLECTION = "sources"
# The table of the seed.
TABLE = "silver.sources"
FIELDS = ("name", "label", "short_name")


def publish_sources(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> int:
    """Make the collection equal to the seed; returns the number of records that changed.

    A database of an earlier version has no such table: nothing changes, and the board shows the names of the tables.

    Raises SyncError.
    """
    try:
        rows = connection.execute(f"select {', '.join(FIELDS)} from {TABLE}").fetchall()
    except duckdb.CatalogException:
        return 0
    wanted = {record_id(row[0]): dict(zip(FIELDS, row, strict=True)) for row in rows}
    path = f"/api/collections/{COLLECTION}/records"
    try:
        there = {record.pop("id"): record for record in read(client, COLLECTION, fields=f"id,{','.join(FIELDS)}")}
        requests: list[dict[str, Any]] = [
            {"method": "DELETE", "url": f"{path}/{key}", "body": {}} for key in there if key not in wanted
        ]
        requests += [
            {"method": "PUT", "url": path, "body": {"id": key} | record}
            for key, record in wanted.items()
            if there.get(key) != record
        ]
        if requests:
            send(client, "/api/batch", {"method": "POST", "body": {"requests": requests}})
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error
    return len(requests)


def record_id(name: str) -> str:
    """The id of a source's record: PocketBase wants 15 letters and digits."""
    return hashlib.sha256(name.encode()).hexdigest()[:15]
