"""Publishes the small collections, each compared whole: searches for problems, watched names, figures of the week."""

from typing import Any

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pydantic import ValidationError

from sync.client import read, request_error, send
from sync.delivery import BATCH
from sync.errors import SyncError
from sync.records import fields_of

SEARCHES = "searches"
# Each collection with the view of gold that holds its records.
VIEWS = {
    SEARCHES: "gold.search_records",
    "watched_names": "gold.name_records",
    "week_figures": "gold.figure_records",
}


def publish_small(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> int:
    """Make the small collections equal to their views; returns the number of records that changed.

    A collection whose view a database of an earlier version does not have stays as it is.

    Raises SyncError.
    """
    return sum(publish_view(connection, client, collection, view) for collection, view in VIEWS.items())


def publish_view(connection: duckdb.DuckDBPyConnection, client: PocketBase, collection: str, view: str) -> int:
    """Make a collection equal to its view; returns the number of records that changed. Raises SyncError."""
    try:
        rows = connection.execute(f"select record_id, record, content_hash from {view} order by record_id").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return 0
    path = f"/api/collections/{collection}/records"
    try:
        hashes = {record["id"]: record["content_hash"] for record in read(client, collection, fields="id,content_hash")}
        requests: list[dict[str, Any]] = [
            {"method": "DELETE", "url": f"{path}/{key}", "body": {}}
            for key in sorted(hashes.keys() - {record_id for record_id, _, _ in rows})
        ]
        requests += [
            {"method": "PUT", "url": path, "body": fields_of(collection, record, content_hash)}
            for record_id, record, content_hash in rows
            if hashes.get(record_id) != content_hash
        ]
        for start in range(0, len(requests), BATCH):
            send(client, "/api/batch", {"method": "POST", "body": {"requests": requests[start : start + BATCH]}})
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise SyncError(f"{view} has a record that does not fit collection {collection}: {reason}") from error
    return len(requests)
