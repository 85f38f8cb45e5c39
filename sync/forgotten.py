"""Takes posts off the board that were forgotten (python -m ingest forget): bronze.forgotten says which."""

from typing import Any

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from groundswell.clock import now
from sync.client import read, request_error, send
from sync.delivery import BATCH
from sync.plan import PARTS
from sync.small import SEARCHES, VIEWS

FORGOTTEN = "bronze.forgotten"
# A route of sync/pb_hooks. A server without it keeps the bytes of deleted records until its file is vacuumed.
SHRED = "/api/groundswell/shred"


def take_off_board(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> str:
    """Delete forgotten posts from the server, and what quotes them, and note that; returns what was done in one line.

    Returns "" if nothing waits to be taken off. Raises SyncError.
    """
    try:
        waiting = connection.execute(f"select url_hash from {FORGOTTEN} where left_board_at is null").fetchall()
    except duckdb.CatalogException:
        # A database of an earlier version.
        return ""
    if not waiting:
        return ""
    hashes = {url_hash for (url_hash,) in waiting}
    try:
        gone, emptied = records_to_clear(connection, client, hashes)
        requests = [
            {"method": "DELETE", "url": f"/api/collections/{collection}/records/{record_id}", "body": {}}
            for collection, record_id in gone
        ] + [
            {"method": "PATCH", "url": f"/api/collections/problems/records/{record_id}", "body": {"search_text": ""}}
            for record_id in emptied
        ]
        for start in range(0, len(requests), BATCH):
            send(client, "/api/batch", {"method": "POST", "body": {"requests": requests[start : start + BATCH]}})
        is_shredded = shred(client)
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error
    for part in PARTS.values():
        if exists(connection, part.ledger):
            connection.execute(
                f"update {part.ledger} set synced_at = $now where action = 'delete' and synced_at is null",
                {"now": now()},
            )
    connection.execute(f"update {FORGOTTEN} set left_board_at = $now where left_board_at is null", {"now": now()})
    done = f"{len(hashes):,} forgotten posts have left {client.base_url}: {len(gone):,} records deleted"
    if is_shredded:
        return f"{done}, and its file is written anew"
    return f"{done}; the server keeps their bytes in its file until somebody vacuums it (docs/privacy.md)"


def records_to_clear(
    connection: duckdb.DuckDBPyConnection, client: PocketBase, hashes: set[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """What holds forgotten posts on the server.

    The records to delete, since they hold a post or quote it: collection and id, leaves before roots. The ids of the
    other problems that had such a post: their search text has its title, until the next push sends it anew.
    """
    leaves, roots, emptied = [], [], []
    for part in PARTS.values():
        gone: set[str] = set()
        if exists(connection, part.ledger):
            left = connection.execute(
                f"select {part.key} from {part.ledger} where action = 'delete' and synced_at is null"
            ).fetchall()
            there = {record["id"] for record in read(client, part.roots, fields="id")} if left else set()
            gone = {key for (key,) in left if key in there}
        found = list(read(client, part.leaves, fields=f"id,url_hash,{part.parent}"))
        # The server does not delete the leaves of a root with it.
        leaves += [
            (part.leaves, record["id"])
            for record in found
            if record["url_hash"] in hashes or record[part.parent] in gone
        ]
        roots += [(part.roots, key) for key in sorted(gone)]
        if part.roots == "problems":
            holders = {record[part.parent] for record in found if record["url_hash"] in hashes} - gone
            known = {record["id"] for record in read(client, part.roots, fields="id")} if holders else set()
            emptied = sorted(holders & known)
    if exists(connection, VIEWS[SEARCHES]):
        kept = {key for (key,) in connection.execute(f"select record_id from {VIEWS[SEARCHES]}").fetchall()}
        there = {record["id"] for record in read(client, SEARCHES, fields="id")}
        roots += [(SEARCHES, key) for key in sorted(there - kept)]
    return leaves + roots, emptied


def exists(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a relation exists and can be read."""
    try:
        connection.execute(f"select 1 from {name} limit 0")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def shred(client: PocketBase) -> bool:
    """Have the server write its file anew; False if it can not. Raises ClientResponseError."""
    request: dict[str, Any] = {"method": "POST", "body": {}}
    try:
        send(client, SHRED, request)
    except ClientResponseError as error:
        if error.status == 404:
            return False
        raise
    return True
