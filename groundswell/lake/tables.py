"""What the lake holds of the tables of a worker's file: their types, units and keys."""

import re
from dataclasses import dataclass

import duckdb

from groundswell.lake.address import ALIAS
from groundswell.vectors import DIMENSIONS

# The name under which a worker attaches the lake.
LAKE = ALIAS
SCHEMAS = ("bronze", "silver", "gold")

# The column that says to which day a row belongs: the first of these that a table has.
DAY_COLUMNS = ("as_of_date", "collection_date", "cluster_date", "report_date", "search_date", "embedding_date")

# The keys of the tables that commands write. dbt knows the keys of its models (macro lake_tables).
BRONZE = {
    "raw_items": ("url_hash",),
    "ingest_windows": ("source", "collection_date", "window_start", "query"),
    "ingest_requests": ("source", "request_id"),
    "rejected_items": ("source", "entry_hash"),
    "unfinished_files": ("file_hash",),
    "forgotten": ("url_hash", "match_hash"),
    "author_salts": ("fingerprint",),
    "llm_calls": ("attempt_id",),
    "corrections": ("correction_id",),
    "built_days": ("collection_date",),
    "alert_messages": ("message_id",),
    "alert_mutes": ("subject",),
}
# Tables of the lake that may hold two rows of a call or request: one from before its answer, and one with it. The key,
# and the condition for the first one.
LOGS = {
    "bronze.llm_calls": ("attempt_id", "status = 'asked'"),
    "bronze.ingest_requests": ("(source, request_id)", "answered_at is null"),
}
# Tables in which the row of the earliest day stays if two workers have added one with the same key. In a serial build,
# the second one would have found the row of the first one.
EARLIEST_STAYS = ("silver.embeddings",)


@dataclass(frozen=True)
class Table:
    """A table in a worker's file or in the lake. columns: the types by name, as the file has them."""

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def full_name(self) -> str:
        """Schema and name, as people write them."""
        return f"{self.schema}.{self.name}"

    @property
    def here(self) -> str:
        """The quoted name in the file."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def there(self) -> str:
        """The quoted name in the lake."""
        return f"{LAKE}.{self.here}"

    @property
    def day(self) -> str | None:
        """The column that says to which day a row belongs."""
        return next((column for column in DAY_COLUMNS if column in self.columns), None)

    @property
    def unit(self) -> str:
        """An expression for the unit in which rows are compared: the day; in bronze, the day of a source."""
        parts = ["source"] if self.schema == "bronze" and "source" in self.columns else []
        parts += [f"{self.day}::varchar"] if self.day else []
        return f"concat_ws(' ', {', '.join(parts)})" if parts else "''"

    @property
    def latest(self) -> str:
        """The end of a query for the last row of each call or request: the lake may hold the one before its answer."""
        key, is_open = LOGS["bronze.llm_calls"] if self.is_journal else LOGS.get(self.full_name, ("", ""))
        return f"qualify row_number() over (partition by {key} order by {is_open}) = 1" if key else ""

    @property
    def is_journal(self) -> bool:
        """Whether the table is the journal of a table of attempts."""
        return self.name.endswith("__journal") and "attempt_id" in self.columns

    @property
    def values(self) -> str:
        """The columns of the table, with types of the lake."""
        return ", ".join(f'"{name}"::{lake_type(kind)} as "{name}"' for name, kind in self.columns.items())

    @property
    def row_hash(self) -> str:
        """An expression for the hash of a row; the same in the file and in the lake."""
        columns = [f'"{name}"::{lake_type(kind)}' for name, kind in self.columns.items()]
        return f"hash({', '.join(columns)})"


def lake_type(kind: str) -> str:
    """The type of a column in the lake. DuckLake has neither lists of a fixed length nor enumerations."""
    return "VARCHAR" if kind.startswith("ENUM") else re.sub(r"\[\d+\]", "[]", kind)


def file_type(kind: str) -> str:
    """The type of a column of the lake in a worker's file: lists of floats are vectors."""
    return f"FLOAT[{DIMENSIONS}]" if kind == "FLOAT[]" else kind


def tables_of(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> list[Table]:
    """The tables of the project in the file, or in an attached database."""
    rows = connection.execute(
        """
        select schema_name, table_name, list(column_name order by column_index), list(data_type order by column_index)
        from duckdb_columns() as columns
        semi join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where database_name = coalesce($database, current_database()) and list_contains($schemas, schema_name)
        group by all
        order by all
        """,
        {"database": database, "schemas": list(SCHEMAS)},
    ).fetchall()
    return [
        Table(schema, name, {column: file_type(kind) for column, kind in zip(names, kinds, strict=True)})
        for schema, name, names, kinds in rows
        if "__dbt_tmp" not in name and "__dbt_backup" not in name
    ]
