"""Compares what PocketBase holds with what gold holds, field by field."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pydantic import ValidationError

from sync.client import read, request_error
from sync.errors import SyncError
from sync.plan import PARTS, Part
from sync.records import fields_of


def differences(connection: duckdb.DuckDBPyConnection, client: PocketBase, day: date) -> Iterator[str]:
    """The differences between server and gold in the issues of a day and in the problems, one line per record.

    Raises SyncError if gold or the server can not be read.
    """
    try:
        for part in PARTS.values():
            for collection, view in ((part.roots, part.root_view), (part.leaves, part.leaf_view)):
                there = {record["id"]: record for record in read(client, collection, part.scope_there(day))}
                for key, wanted in here(connection, collection, view, part, day):
                    found = there.pop(key, None)
                    if wanted is None:
                        yield f"{collection} {key}: not fit to be sent"
                    elif found is None:
                        yield f"{collection} {key}: missing on the server"
                    elif fields := [name for name, value in wanted.items() if found.get(name) != value]:
                        yield f"{collection} {key}: differs in {', '.join(fields)}"
                yield from (f"{collection} {key}: on the server, not in gold" for key in there)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise SyncError(
            f"the database has no {view}: build the day first, python -m groundswell build --date {day}"
        ) from error
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error


def here(
    connection: duckdb.DuckDBPyConnection, collection: str, view: str, part: Part, day: date
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The id and record of each row of a view of gold; None for a record that its collection would not accept."""
    rows = connection.execute(
        f"select record_id, record, content_hash from {view} where {part.scope()} order by record_id", {"day": day}
    )
    while row := rows.fetchone():
        record_id, record, content_hash = row
        try:
            yield record_id, fields_of(collection, record, content_hash)
        except ValidationError:
            yield record_id, None
