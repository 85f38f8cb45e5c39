"""Publishes what the search for problems found on each day: the board explains an empty list with it."""

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pydantic import ValidationError

from sync.client import read, request_error, send
from sync.delivery import BATCH
from sync.errors import SyncError
from sync.records import fields_of

COLLECTION = "searches"
VIEW = "gold.search_records"


def publish_searches(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> int:
    """Write the records that differ from those on the server; returns their number.

    A database of an earlier version has no such view: nothing changes.

    Raises SyncError.
    """
    try:
        rows = connection.execute(f"select record_id, record, content_hash from {VIEW} order by search_date").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return 0
    path = f"/api/collections/{COLLECTION}/records"
    try:
        hashes = {record["id"]: record["content_hash"] for record in read(client, COLLECTION, fields="id,content_hash")}
        changed = [
            fields_of(COLLECTION, record, content_hash)
            for record_id, record, content_hash in rows
            if hashes.get(record_id) != content_hash
        ]
        for start in range(0, len(changed), BATCH):
            requests = [{"method": "PUT", "url": path, "body": record} for record in changed[start : start + BATCH]]
            send(client, "/api/batch", {"method": "POST", "body": {"requests": requests}})
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error
    except ValidationError as error:
        raise SyncError(f"{VIEW} has a record that does not fit collection {COLLECTION}: {error}") from error
    return len(changed)
