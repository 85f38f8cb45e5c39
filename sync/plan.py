"""Plans a push: which records PocketBase must create, replace or delete so that it holds what gold holds.

Every record has an id derived from its key and a hash of its content. The hash of an issue or problem also covers its
posts. A plan compares the ids and hashes on the server with those in gold.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
from pocketbase import PocketBase

from sync.client import read
from sync.errors import SyncError

# Problems whose posts are read in one request: the filter must fit into an address.
ASKED_AT_ONCE = 50

# What a plan knows of a record on the server.
LIVE = pa.schema((name, pa.string()) for name in ("collection", "record_id", "root_id", "content_hash"))


@dataclass(frozen=True)
class Part:
    """A part of the board: a collection of roots, and a collection of leaves that belong to them.

    root_view, leaf_view: the views of gold that hold the records.
    parent: the field of a leaf that holds its root's id.
    key: the column of gold that holds a root's id.
    ledger: the table of gold that notes what the server has acknowledged.
    by_day: whether a push is about one day, not about all roots.
    """

    roots: str
    root_view: str
    leaves: str
    leaf_view: str
    parent: str
    key: str
    ledger: str
    by_day: bool

    def scope(self) -> str:
        """A condition in SQL: the rows of a view or ledger that a push is about."""
        return "cluster_date = $day" if self.by_day else "$day is not null"

    def scope_there(self, day: date) -> str:
        """A filter of PocketBase: the records that a push is about."""
        return f'cluster_date = "{day} 00:00:00.000Z"' if self.by_day else ""


ISSUES = Part(
    roots="issues",
    root_view="gold.issue_records",
    leaves="issue_evidence",
    leaf_view="gold.issue_evidence_records",
    parent="issue",
    key="issue_id",
    ledger="gold.live_issues",
    by_day=True,
)
PROBLEMS = Part(
    roots="problems",
    root_view="gold.problem_records",
    leaves="problem_posts",
    leaf_view="gold.problem_post_records",
    parent="problem",
    key="problem_id",
    ledger="gold.live_problems",
    by_day=False,
)
THEMES = Part(
    roots="themes",
    root_view="gold.theme_records",
    leaves="theme_posts",
    leaf_view="gold.theme_post_records",
    parent="theme",
    key="theme_id",
    ledger="gold.live_themes",
    by_day=False,
)
PARTS = {part.roots: part for part in (ISSUES, PROBLEMS, THEMES)}


class Scratch:
    """Temporary tables of one push. A query can use a table only if it is given the name that `table` returns."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.numbers = count(1)
        self.names: list[str] = []

    def table(self, name: str, query: str, **parameters: Any) -> str:
        """Make a temporary table of a query's rows; returns the table's name."""
        self.names.append(f"temp.push_{next(self.numbers)}_{name}")
        self.connection.execute(f"create or replace temp table {self.names[-1]} as {query}", parameters or None)
        return self.names[-1]

    def table_of(self, name: str, rows: pa.Table) -> str:
        """Make a temporary table of Arrow rows; returns the table's name."""
        self.connection.register("push_rows", rows)
        try:
            return self.table(name, "select * from push_rows")
        finally:
            self.connection.unregister("push_rows")

    def drop(self) -> None:
        """Drop all tables."""
        for name in self.names:
            self.connection.execute(f"drop table if exists {name}")


@dataclass(frozen=True)
class Plan:
    """What a push of a part has to do. operations and completions are names of temporary tables.

    operations: number, method, collection, record_id, root_id, content_hash and record of each operation. Each root
        goes before its leaves, in order of rank. Deletions come last, leaves before roots.
    completions: of each root with operations, root_id and the number of its last operation.
    roots, leaves: how many records the server holds afterwards.
    written, deleted: how many operations are of that kind.
    """

    part: Part
    day: date
    operations: str
    completions: str
    roots: int
    leaves: int
    written: int
    deleted: int

    @property
    def total(self) -> int:
        """The number of operations."""
        return self.written + self.deleted


@contextmanager
def planned(
    connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date, *, everything: bool
) -> Iterator[Plan]:
    """The plan for a part, for the length of a with block.

    With everything, the leaves of all roots are compared. Else only the leaves of roots that differ by hash, or that
    the ledger does not note as synced: enough if nobody else writes to the server, and independent of how many
    problems there are.

    Raises SyncError if gold has changed since its tests, ClientResponseError if the server can not be read.
    """
    scratch = Scratch(connection)
    try:
        # A table, because every read of the view computes all its hashes.
        roots = scratch.table(
            "roots",
            f"select record_id, content_hash, push_rank from {part.root_view} where {part.scope()}",
            day=day,
        )
        check_tested(connection, roots, part, day)
        live_roots = scratch.table_of("live_roots", roots_there(client, part, day))
        touched = touched_roots(scratch, roots, live_roots, part, day, everything=everything)
        if everything:
            found = read(client, part.leaves, part.scope_there(day), fields_of_leaves(part))
        else:
            ids = [record_id for (record_id,) in connection.execute(f"from {touched} order by all").fetchall()]
            found = leaves_of(client, part, ids)
        live_leaves = scratch.table_of("live_leaves", live_rows(part.leaves, part.parent, found))
        live = scratch.table("live", f"from {live_roots} union all from {live_leaves}")
        wanted = wanted_records(scratch, roots, touched, part)
        operations = ordered_operations(scratch, live, wanted, part, day)
        completions = scratch.table(
            "completions", f"select root_id, max(number) as last from {operations} group by root_id"
        )
        [counts] = connection.execute(
            f"""
            select
                (select count(*) from {roots}),
                (select count(*) from {part.leaf_view} where {part.scope()}),
                (select count(*) from {operations} where method <> 'DELETE'),
                (select count(*) from {operations} where method = 'DELETE')
            """,
            {"day": day},
        ).fetchall()
        yield Plan(part, day, operations, completions, *counts)
    finally:
        scratch.drop()


def check_tested(connection: duckdb.DuckDBPyConnection, roots: str, part: Part, day: date) -> None:
    """Raise SyncError if the roots differ from those that passed their tests, which the ledger lists."""
    [(changed,)] = connection.execute(
        f"""
        with tested as (
            select {part.key} as record_id, content_hash from {part.ledger}
            where {part.scope()} and action is distinct from 'delete'
        )
        select count(*) from {roots} as roots full join tested using (record_id)
        where roots.content_hash is distinct from tested.content_hash
        """,
        {"day": day},
    ).fetchall()
    if changed:
        raise SyncError(
            f"{changed:,} {part.roots} in the database have not passed their tests as they are now:"
            f" python -m groundswell build --date {day} tests and pushes them"
        )


def roots_there(client: PocketBase, part: Part, day: date) -> pa.Table:
    """The roots on the server, as rows of LIVE."""
    return live_rows(part.roots, "id", read(client, part.roots, part.scope_there(day), "id,content_hash"))


def fields_of_leaves(part: Part) -> str:
    """The fields of a leaf that a plan reads."""
    return f"id,content_hash,{part.parent}"


def leaves_of(client: PocketBase, part: Part, roots: list[str]) -> Iterator[dict[str, Any]]:
    """The leaves on the server that belong to some roots."""
    for start in range(0, len(roots), ASKED_AT_ONCE):
        asked = " || ".join(f'{part.parent} = "{record_id}"' for record_id in roots[start : start + ASKED_AT_ONCE])
        yield from read(client, part.leaves, asked, fields_of_leaves(part))


def live_rows(collection: str, root: str, records: Iterable[dict[str, Any]]) -> pa.Table:
    """Records of the server as rows of LIVE; root is the field that holds the root's id."""
    rows = [
        {
            "collection": collection,
            "record_id": record["id"],
            "root_id": record[root],
            "content_hash": record["content_hash"],
        }
        for record in records
    ]
    return pa.Table.from_pylist(rows, schema=LIVE)


def touched_roots(scratch: Scratch, roots: str, live_roots: str, part: Part, day: date, *, everything: bool) -> str:
    """The table of the ids of roots whose leaves are to be compared: of all of them, or of those that may differ."""
    return scratch.table(
        "touched",
        f"""
        select record_id from {roots} as roots full join {live_roots} as live using (record_id)
        where $everything or roots.content_hash is distinct from live.content_hash
        union
        select {part.key} from {part.ledger} where {part.scope()} and synced_at is null
        """,
        day=day,
        everything=everything,
    )


def wanted_records(scratch: Scratch, roots: str, touched: str, part: Part) -> str:
    """The table of the records that the server shall hold: all roots, and the leaves of touched roots."""
    return scratch.table(
        "wanted",
        f"""
        select '{part.roots}' as collection, record_id, record_id as root_id, content_hash, push_rank, 0 as depth
        from {roots}
        union all
        select '{part.leaves}', leaves.record_id, roots.record_id, leaves.content_hash, roots.push_rank, 1
        from {part.leaf_view} as leaves inner join {roots} as roots on leaves.{part.key} = roots.record_id
        where roots.record_id in (select record_id from {touched})
        """,
    )


def ordered_operations(scratch: Scratch, live: str, wanted: str, part: Part, day: date) -> str:
    """The table of operations that turn the live records into the wanted ones; class Plan says in which order."""
    return scratch.table(
        "operations",
        f"""
        with puts as (
            select if(live.record_id is null, 'POST', 'PUT') as method, wanted.*
            from {wanted} as wanted left join {live} as live using (collection, record_id)
            where wanted.content_hash is distinct from live.content_hash
        ),
        deletions as (
            select
                'DELETE' as method, live.collection, live.record_id, live.root_id,
                if(live.collection = '{part.roots}', 1, 0) as depth
            from {live} as live anti join {wanted} as wanted using (collection, record_id)
        ),
        differences as (
            select * from puts
            union all by name
            select * from deletions
        ),
        records as (
            select record_id, record from {part.root_view}
            where {part.scope()} and record_id in (select record_id from puts)
            union all
            select record_id, record from {part.leaf_view}
            where {part.scope()} and record_id in (select record_id from puts)
        )
        select
            row_number() over (
                order by method = 'DELETE', if(method = 'DELETE', depth, push_rank), root_id, depth, record_id
            ) as number,
            method, collection, record_id, root_id, content_hash, record
        from differences left join records using (record_id)
        """,
        day=day,
    )
