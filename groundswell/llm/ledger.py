"""A dbt model's table of calls, and the journal that takes them before they leave.

A call costs money, so its row is committed to a journal table before it leaves, and again with its answer: a `kill -9`
loses no more than the calls in flight, and their cost stays counted. dbt moves the journal's rows into the table at
the end, and the post-hook drops it.
"""

from typing import Any

import pyarrow as pa

from groundswell.llm.budget import Cost

# The tables whose calls are paid from one budget, each with columns attempt_id, attempted_at and those of a Cost.
LEDGERS = ("silver.opinion_attempts", "gold.label_attempts")

Row = dict[str, Any]


class Ledger:
    """The calls of one table, on a connection of its own: what it writes stays, whatever dbt's transaction does."""

    def __init__(self, dbt: Any, session: Any, schema: pa.Schema) -> None:
        self.connection = session.cursor()
        self.schema = schema
        self.journal = f"{dbt.this.schema}.{dbt.this.identifier}__journal"
        empty = schema.empty_table()  # noqa: F841  (DuckDB finds it by name)
        self.connection.execute(f"create table if not exists {self.journal} as select * from empty")
        # A killed build of an earlier version may have left a journal with fewer columns.
        for name, column_type, *_ in self.connection.execute("describe from empty").fetchall():
            self.connection.execute(f"alter table {self.journal} add column if not exists {name} {column_type}")
        # All attempts so far as a subquery; is_new are those that no finished build has seen.
        self.attempts = f"(select *, true as is_new from {self.journal})"
        if dbt.is_incremental:
            self.attempts = f"({self.attempts} union all by name select *, false as is_new from {dbt.this})"

    def read(self, query: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        return self.connection.execute(query, parameters).to_arrow_table().to_pylist()  # type: ignore[no-any-return]

    def keep(self, row: Row) -> None:
        """Make a call durable, in place of what was known of it before."""
        attempt = pa.Table.from_pylist([row], schema=self.schema)  # noqa: F841
        self.connection.execute("begin")
        self.connection.execute(f"delete from {self.journal} where attempt_id = $id", {"id": row["attempt_id"]})
        self.connection.execute(f"insert into {self.journal} by name select * from attempt")
        self.connection.execute("commit")

    def kept(self) -> pa.Table:
        """The calls that the table does not hold yet."""
        return self.connection.sql(f"select * from {self.journal}").to_arrow_table()

    def spent_today(self) -> Cost:
        """What all ledgers hold of this day, by UTC; those of later models as the last build left them."""
        names = [f"{ledger}{journal}" for ledger in LEDGERS for journal in ("", "__journal")]
        known = self.connection.execute(
            """
            select schema_name || '.' || table_name as name from duckdb_tables()
            where name in (select unnest($names::text[]))
            """,
            {"names": names},
        ).fetchall()
        columns = "attempt_id, attempted_at, tokens_in, tokens_out, cost_usd"
        calls = " union all ".join(f"select {columns} from {name}" for (name,) in known)
        [(tokens_in, tokens_out, usd)] = self.connection.execute(
            f"""
            -- A killed build may have left a call in journal and table.
            with calls as (select distinct on (attempt_id) * from ({calls}))
            select coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cost_usd), 0)
            from calls
            where attempted_at >= (now() at time zone 'UTC')::date
            """
        ).fetchall()
        return Cost(int(tokens_in), int(tokens_out), usd)
