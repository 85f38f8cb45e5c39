"""The state that a model with rows of many days has before a day: the latest row of each post."""

from typing import Any

import duckdb
import pyarrow as pa

from groundswell.relations import arrow_view


def days_to_build(dbt: Any, session: duckdb.DuckDBPyConnection, run_date: str) -> list[str]:
    """The day of the build, and the later days in the model's table: their rows depend on the day.

    They end before var next_day, whose build groups the days from it on.
    """
    if not dbt.is_incremental:
        return [run_date]
    next_day = dbt.config.meta_get("next_day") or "infinity"
    later = session.sql(
        f"""
        select distinct as_of_date::text from {dbt.this}
        where as_of_date > date '{run_date}' and as_of_date < date '{next_day}'
        order by 1
        """
    )
    return [run_date, *(day for (day,) in later.fetchall())]


def make_standing(dbt: Any, session: duckdb.DuckDBPyConnection, run_date: str, table: str, schema: pa.Schema) -> None:
    """Make a temporary table of the latest row of each post before the day of the build.

    schema: the columns of the model, url_hash and as_of_date among them.
    """
    known = (
        dbt.this if dbt.is_incremental else "(select null::varchar as url_hash, null::date as as_of_date where false)"
    )
    with arrow_view(session, "no_rows", schema.empty_table()) as no_rows:
        session.execute(
            f"""
            create or replace temp table {table} as
            select * from {no_rows}
            union all by name
            select * from {known}
            where as_of_date < date '{run_date}'
            qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
            """
        )


def change_standing(session: duckdb.DuckDBPyConnection, table: str, changed: pa.Table) -> None:
    """Replace the rows of the posts that a day has changed."""
    with arrow_view(session, "changed_rows", changed) as rows:
        session.execute(f"delete from temp.{table} where url_hash in (select url_hash from {rows})")
        session.execute(f"insert into temp.{table} by name select * from {rows}")
