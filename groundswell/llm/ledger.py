"""Records every call of a language model before the call leaves, so that a killed run does not lose its costs.

A call has a row in two tables. The journal beside the table of attempts holds all columns; dbt moves the journal into
the table at the end of the model, and a post-hook drops the journal. The table bronze.llm_calls holds the cost; every
model that asks language models reads there what the day has cost so far.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from groundswell.llm.budget import Cost
from groundswell.relations import arrow_view, journal_of, table_name

if TYPE_CHECKING:
    from groundswell.lake.log import Log

Row = dict[str, Any]

# The error of an attempt without an answer.
ENDED = "the run ended before the answer came"

# The schema of bronze.llm_calls.
CALL = pa.schema(
    [
        ("attempt_id", pa.string()),
        ("asked_by", pa.string()),
        ("labeler", pa.string()),
        ("status", pa.string()),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("cost_usd", pa.float64()),
        ("attempted_at", pa.timestamp("us")),
    ]
)


class Ledger:
    """The calls of one table of attempts. A separate connection commits them outside dbt's transaction."""

    def __init__(
        self, dbt: Any, session: duckdb.DuckDBPyConnection, schema: pa.Schema, llm_calls: duckdb.DuckDBPyRelation
    ) -> None:
        """`schema`: the schema of the table of attempts. `llm_calls`: the source bronze.llm_calls."""
        self.connection = session.cursor()
        self.log: Log | None = None
        self.schema = schema
        self.layer = dbt.this.schema
        self.asked_by = dbt.this.identifier
        self.llm_calls = table_name(llm_calls)
        self.journal = journal_of(dbt.this)
        with arrow_view(self.connection, "no_attempts", schema.empty_table()) as no_attempts:
            self.connection.execute(f"create table if not exists {self.journal} as select * from {no_attempts}")
            columns = self.connection.execute(f"describe from {no_attempts}").fetchall()
        # A killed build of an earlier version may have left a journal with fewer columns.
        for name, column_type, *_ in columns:
            self.connection.execute(f"alter table {self.journal} add column if not exists {name} {column_type}")
        # A run that ended before its answers came, killed or by an error, has left its calls open. They may have cost.
        self.connection.execute(
            f"update {self.llm_calls} set status = 'unanswered'"
            f" where status = 'asked' and attempt_id in (select attempt_id from {self.journal})"
        )
        self.connection.execute(
            f"update {self.journal} set status = 'unanswered', error = '{ENDED}' where status = 'asked'"
        )
        # A subquery of all attempts so far. is_new marks the attempts of the journal, which are not in the table yet.
        self.attempts = f"(select *, true as is_new from {self.journal})"
        if dbt.is_incremental:
            self.attempts = f"({self.attempts} union all by name select *, false as is_new from {dbt.this})"

    def read(self, query: str, **parameters: Any) -> list[Row]:
        """Run a query and return its rows."""
        return self.connection.execute(query, parameters).to_arrow_table().to_pylist()  # type: ignore[no-any-return]

    def keep(self, row: Row) -> None:
        """Commit the row of a call; it replaces an earlier row of the same call."""
        call = {"asked_by": self.asked_by} | {name: row[name] for name in CALL.names if name != "asked_by"}
        with (
            arrow_view(self.connection, "attempt", pa.Table.from_pylist([row], schema=self.schema)) as attempt,
            arrow_view(self.connection, "call", pa.Table.from_pylist([call], schema=CALL)) as call_view,
        ):
            self.connection.begin()
            for table, view in ((self.journal, attempt), (self.llm_calls, call_view)):
                self.connection.execute(f"delete from {table} where attempt_id = $id", {"id": row["attempt_id"]})
                self.connection.execute(f"insert into {table} by name select * from {view}")
            self.connection.commit()
            self.keep_in_lake(row, call)

    def keep_extractive(self, rows: Sequence[Row]) -> None:
        """Commit new attempts of the built-in labeller. It calls nobody, so they have no cost and no row of a call."""
        with arrow_view(self.connection, "attempts", pa.Table.from_pylist(rows, schema=self.schema)) as attempts:
            self.connection.execute(f"insert into {self.journal} by name select * from {attempts}")

    def keep_in_lake(self, row: Row, call: Row) -> None:
        """With GROUNDSWELL_LAKE, add the row of a call to the lake, too: this machine may be lost."""
        if os.environ.get("GROUNDSWELL_LAKE"):
            from groundswell.lake.log import Log

            self.log = self.log or Log.of_build()
            if self.log:
                self.log.add(
                    {
                        (self.layer, f"{self.asked_by}__journal"): pa.Table.from_pylist([row], schema=self.schema),
                        ("bronze", "llm_calls"): pa.Table.from_pylist([call], schema=CALL),
                    }
                )

    def kept(self) -> pa.Table:
        """All rows of the journal: the attempts that are not in the table yet."""
        if self.log:
            self.log.close()
        return self.connection.execute(f"select * from {self.journal}").to_arrow_table()

    def spent_today(self) -> Cost:
        """The cost of all calls of this UTC day, for all tables of attempts."""
        [(tokens_in, tokens_out, usd)] = self.connection.execute(
            f"""
            select coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cost_usd), 0)
            from {self.llm_calls}
            where attempted_at >= (now() at time zone 'UTC')::date
            """
        ).fetchall()
        return Cost(int(tokens_in), int(tokens_out), usd)
