"""Adds rows to the lake at once that must outlive this machine: what was paid for, and what a service has counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import duckdb
import pyarrow as pa

from groundswell.database import one_transaction
from groundswell.lake.address import Lake, lake_errors
from groundswell.lake.build import running
from groundswell.lake.locks import lock
from groundswell.lake.publish import make_table
from groundswell.lake.pull import attach_exactly
from groundswell.lake.tables import LAKE, Table, file_type, tables_of
from groundswell.relations import arrow_view


@dataclass
class Log:
    """A connection of its own to the lake.

    Rows are only added. A pull takes the last row of a call, and a publish replaces all of them by one.
    """

    lake: Lake
    connection: duckdb.DuckDBPyConnection

    @classmethod
    def of(cls, lake: Lake) -> Self:
        """Open a log of a lake. Raises LakeError."""
        connection = duckdb.connect()
        attach_exactly(connection, lake)
        return cls(lake, connection)

    @classmethod
    def of_build(cls) -> Self | None:
        """Open the log of the build of this process; None if it publishes nothing. Raises LakeError."""
        return cls.of(running[0].lake) if running and running[0].writes else None

    def add(self, rows: Mapping[tuple[str, str], pa.Table]) -> None:
        """Add rows to tables, named by schema and name, in one transaction. Raises LakeError."""
        with lock(self.lake, "publish") as held, lake_errors(self.lake), one_transaction(self.connection):
            there = {table.full_name: table for table in tables_of(self.connection, LAKE)}
            for (schema, name), added in rows.items():
                with arrow_view(self.connection, "added", added) as view:
                    types = self.connection.execute(f"describe from {view}").fetchall()
                    table = Table(schema, name, {column: file_type(kind) for column, kind, *_ in types})
                    make_table(self.connection, table, there.get(table.full_name))
                    self.connection.execute(f"insert into {table.there} by name select {table.values} from {view}")
            held.require()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
