"""The dbt-duckdb plugin that lets a post-hook publish a day: select sync_day('2026-11-20')."""

import json
import os
from datetime import date

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from sync.client import connect
from sync.errors import SyncError
from sync.push import push_day


class Plugin(BasePlugin):  # type: ignore[misc]  # dbt-duckdb comes without types
    """Registers the SQL function sync_day(day) -> JSON, with either a message or an error.

    An error comes as a value, since an exception would reach the user as DuckDB's account of a Python stack;
    macro sync_live_issues() makes it fail the node.
    """

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the function; it writes through a cursor of its own, which commits batch by batch."""

        def sync_day(day: str) -> str:
            url = os.environ["POCKETBASE_URL"]
            cursor = conn.cursor()
            try:
                pushed = push_day(cursor, connect(url), date.fromisoformat(day))
            except SyncError as error:
                return json.dumps({"error": str(error)})
            finally:
                cursor.close()
            return json.dumps({"message": pushed.message(date.fromisoformat(day), url)})

        conn.create_function("sync_day", sync_day, ["VARCHAR"], "VARCHAR", side_effects=True)
