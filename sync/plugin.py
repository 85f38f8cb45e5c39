"""A dbt-duckdb plugin: post-hooks publish with select push_live('issues', '2026-11-20')."""

import json
import logging
import os
import re
import sys
from contextlib import suppress
from datetime import date
from typing import Any

import duckdb
import yaml
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

from groundswell.clock import yesterday
from groundswell.database import PROJECT, connect, existing_path, refuse_damage
from groundswell.disk import why_full
from groundswell.environment import SettingError
from groundswell.errors import GroundswellError
from groundswell.garbage import end_reading
from groundswell.watchlist import load_watchlist

# The vars that say how many days a build looks back, for complaints and for problems.
DAYS_BACK = ("problem_window_days", "problem_memory_days")

# With less memory DuckDB may not open a file.
LEAST_MEGABYTES = 100

# The command of dbt that has pulled from the lake.
begun: list[str] = []

handle_error = logging.Handler.handleError


def handle_full_disk(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Say once that a log can not be written. Python would print a traceback for each record of dbt's log."""
    error = sys.exc_info()[1]
    if not isinstance(error, OSError):
        handle_error(handler, record)
        return
    if not getattr(handler, "is_silent", False):
        handler.is_silent = True  # type: ignore[attr-defined]
        name = getattr(handler, "baseFilename", handler)
        # Whoever reads our output may have gone, and then this can not be written either.
        with suppress(OSError):
            sys.stderr.write(f"{name} can not be written, and the build goes on without it: {error.strerror}\n")


def require_space() -> None:
    """Raise DbtRuntimeError if a disk has no room for what dbt writes besides the database."""
    flags = get_flags()
    folders = [getattr(flags, "TARGET_PATH", None) or "target"]
    if getattr(flags, "LOG_LEVEL_FILE", None) != "none":
        folders.append(getattr(flags, "LOG_PATH", None) or "logs")
    if fault := why_full(*folders):
        raise DbtRuntimeError(fault)


def require_memory(limit: str) -> None:
    """Raise SettingError for a memory limit that DuckDB can not open a file with, or takes for none."""
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([MGT])i?B", limit, re.IGNORECASE)
    if not found or float(found[1]) * {"M": 1, "G": 1_000, "T": 1_000_000}[found[2].upper()] < LEAST_MEGABYTES:
        raise SettingError(
            f"GROUNDSWELL_MEMORY_LIMIT is a size of {LEAST_MEGABYTES}MB or more, as 1GB or 512MB, not {limit!r}"
        )


def begin_over_lake(connection: duckdb.DuckDBPyConnection, *, is_copy: bool = False) -> None:
    """Pull from the lake what a command of dbt needs, once for each command that this process runs.

    is_copy: another target reads the file, and publishes nothing. Raises LakeError.
    """
    from groundswell.lake.build import begin
    from groundswell.lake.scope import Build

    if begun[-1:] == [get_invocation_id()]:
        return
    begun[:] = [get_invocation_id()]
    flags = get_flags()
    variables = getattr(flags, "VARS", None) or {}
    try:
        day = date.fromisoformat(str(variables.get("date", yesterday())))
    except ValueError:
        raise DbtRuntimeError(f"date {variables['date']} is no day: write it as 2026-11-20") from None
    selector = getattr(flags, "SELECTOR", None)
    values = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"] | variables
    # A value that is no number stops the build a little later.
    window, memory = (int(values[name]) if str(values[name]).isdigit() else 0 for name in DAYS_BACK)
    command = "" if is_copy else str(flags.WHICH)
    build = Build(day, window, memory, publishes=values["publish"] is True)
    begin(connection, command, selector if isinstance(selector, str) else None, build)


def publish_to_lake(conn: duckdb.DuckDBPyConnection, keys: str) -> str:
    """Publish a build; keys: JSON of what groundswell.lake.build.end takes. Returns JSON with a message or an error."""
    from groundswell.lake.build import end

    cursor = conn.cursor()
    try:
        return json.dumps({"message": end(cursor, json.loads(keys))})
    except GroundswellError as error:
        return json.dumps({"error": str(error)})
    finally:
        cursor.close()


class Plugin(BasePlugin):  # type: ignore[misc]  # dbt-duckdb comes without types
    """Registers the SQL function push_live(part, day), which returns JSON with a message or an error.

    An error is returned and not raised, because DuckDB would show an exception with its Python stack. Macro push_live()
    makes the error fail the node.
    """

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Open the database once before dbt-duckdb does, which shows a traceback if the file is locked.

        dbt-duckdb would also create a missing file, in any folder that dbt is called from. Only the file of target dev
        may be missing, and not the one that this target attaches.
        """
        end_reading()
        logging.Handler.handleError = handle_full_disk  # type: ignore[method-assign, assignment]
        require_space()
        try:
            load_watchlist()
            require_memory(config.get("memory_limit", "1GB"))
            paths = [attached.path for attached in creds.attach or ()] or [creds.path]
            if os.environ.get("GROUNDSWELL_LAKE"):
                with connect(paths[0]) as connection:
                    begin_over_lake(connection, is_copy=paths[0] != creds.path)
            for path in paths:
                existing_path(path)
                # connect reads its own file through.
                if path != creds.path:
                    refuse_damage(path)
            connect(creds.path).close()
        except GroundswellError as error:
            raise DbtRuntimeError(str(error)) from None

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Begin over the lake if the file is still open from another command of this process."""
        if os.environ.get("GROUNDSWELL_LAKE"):
            try:
                begin_over_lake(cursor)
            except GroundswellError as error:
                raise DbtRuntimeError(str(error)) from None

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the function. It writes through its own cursor, which commits after each batch."""

        def push_live(part: str, day: str) -> str:
            # Only a push needs them, and most commands of dbt push nothing.
            from sync.client import signed_in
            from sync.forgotten import take_off_board
            from sync.plan import PARTS
            from sync.push import clear_emptied_days, push
            from sync.small import publish_small
            from sync.sources import publish_sources

            url = os.environ["POCKETBASE_URL"]
            cursor = conn.cursor()
            try:
                with signed_in(url) as client:
                    take_off_board(cursor, client)
                    publish_sources(cursor, client)
                    if part == "problems":
                        publish_small(cursor, client)
                    if part == "issues":
                        clear_emptied_days(cursor, client)
                    pushed = push(cursor, client, PARTS[part], date.fromisoformat(day), everything=part == "issues")
            except GroundswellError as error:
                return json.dumps({"error": str(error)})
            finally:
                cursor.close()
            return json.dumps({"message": pushed.message(date.fromisoformat(day), url)})

        # DuckDB imports numpy for a function.
        if os.environ.get("POCKETBASE_URL"):
            conn.create_function("push_live", push_live, ["VARCHAR", "VARCHAR"], "VARCHAR", side_effects=True)
        if os.environ.get("GROUNDSWELL_LAKE"):
            conn.create_function(
                "publish_to_lake", lambda keys: publish_to_lake(conn, keys), ["VARCHAR"], "VARCHAR", side_effects=True
            )
