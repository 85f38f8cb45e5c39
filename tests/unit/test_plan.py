"""sync.plan: what a push must create, replace or delete, from tables in memory and a server that is a dictionary."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

import duckdb
import pytest
from pocketbase import PocketBase

from sync import plan as plans
from sync.errors import SyncError
from sync.plan import ISSUES, PROBLEMS, Part, Plan, planned

DAY = date(2026, 11, 20)
OTHER_DAY = date(2026, 11, 19)
PARTS = pytest.mark.parametrize("part", [ISSUES, PROBLEMS], ids=lambda part: part.roots)


class Root(NamedTuple):
    """A root of gold: its id, its hash, its rank, its day, and its leaves by id."""

    record_id: str
    content_hash: str = "h"
    push_rank: int = 1
    leaves: tuple[tuple[str, str], ...] = ()
    day: date = DAY


class Operation(NamedTuple):
    """A row of a plan's operations."""

    number: int
    method: str
    collection: str
    record_id: str
    root_id: str
    content_hash: str | None
    record: str | None


class Board:
    """A server: the records of each collection, and which of them were asked for."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.records: dict[str, list[dict[str, Any]]] = {part.roots: [], part.leaves: []}
        self.asked: list[tuple[str, str, str]] = []

    def hold(self, *roots: Root) -> None:
        """Add roots and their leaves to the server."""
        for root in roots:
            self.records[self.part.roots].append(
                {"id": root.record_id, "content_hash": root.content_hash, "day": root.day}
            )
            for record_id, content_hash in root.leaves:
                self.records[self.part.leaves].append(
                    {
                        "id": record_id,
                        "content_hash": content_hash,
                        self.part.parent: root.record_id,
                        "day": root.day,
                    }
                )

    def read(self, client: PocketBase, collection: str, where: str, fields: str) -> Iterator[dict[str, Any]]:
        """Answer like sync.client.read, for the filters of a plan."""
        assert client is CLIENT
        self.asked.append((collection, where, fields))
        for record in self.records[collection]:
            is_of_day = where == f'cluster_date = "{record["day"]} 00:00:00.000Z"'
            is_asked_for = f'{self.part.parent} = "{record.get(self.part.parent)}"' in where.split(" || ")
            if not where or is_of_day or is_asked_for:
                # A server answers with the fields that were asked for, and no others.
                yield {name: record[name] for name in fields.split(",")}


CLIENT = PocketBase("http://127.0.0.1:9")


class Gold:
    """The views and the ledger of a part, in a database in memory."""

    def __init__(self, session: duckdb.DuckDBPyConnection, part: Part) -> None:
        self.session, self.part = session, part
        self.key = "record_id"
        columns = "record_id text, content_hash text, push_rank int, cluster_date date, record text"
        session.execute(
            f"create schema gold; create table {part.root_view} ({columns});"
            f"create table {part.leaf_view} ({columns}, {part.key} text);"
            f"create table {part.ledger}"
            f" ({part.key} text, content_hash text, cluster_date date, action text, synced_at timestamp)"
        )

    def hold(self, *roots: Root, action: str | None = "create", synced: bool = False) -> None:
        """Add roots that have passed their tests, and their leaves."""
        for root in roots:
            self.session.execute(
                f"insert into {self.part.root_view} values (?, ?, ?, ?, ?)",
                [root.record_id, root.content_hash, root.push_rank, root.day, f"record of {root.record_id}"],
            )
            self.note(root, action, synced=synced)
            for record_id, content_hash in root.leaves:
                self.session.execute(
                    f"insert into {self.part.leaf_view} values (?, ?, ?, ?, ?, ?)",
                    [record_id, content_hash, 0, root.day, f"record of {record_id}", root.record_id],
                )

    def note(self, root: Root, action: str | None, *, synced: bool) -> None:
        """Add a root to the ledger."""
        self.session.execute(
            f"insert into {self.part.ledger} values (?, ?, ?, ?, ?)",
            [root.record_id, root.content_hash, root.day, action, "2026-11-20 12:00:00" if synced else None],
        )


@contextmanager
def both(part: Part, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gold, Board]]:
    """An empty gold and an empty server."""
    board = Board(part)
    monkeypatch.setattr(plans, "read", board.read)
    with duckdb.connect() as session:
        yield Gold(session, part), board


def plan(gold: Gold, *, everything: bool = False, day: date = DAY) -> tuple[Plan, list[Operation], dict[str, int]]:
    """The plan of a push, its operations in order, and the completions."""
    with planned(gold.session, CLIENT, gold.part, day, everything=everything) as made:
        columns = ", ".join(Operation._fields)
        rows = gold.session.execute(f"select {columns} from {made.operations} order by number").fetchall()
        completions = dict(gold.session.execute(f"select root_id, last from {made.completions}").fetchall())
    return made, [Operation(*row) for row in rows], completions


def brief(operations: list[Operation]) -> list[tuple[str, str]]:
    """Method and record of each operation."""
    return [(operation.method, operation.record_id) for operation in operations]


@PARTS
def test_an_empty_server_gets_roots_by_rank_each_before_its_leaves(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    with both(part, monkeypatch) as (gold, _):
        gold.hold(
            Root("r2", "h2", 1, (("l4", "k4"), ("l3", "k3"))),
            Root("r1", "h1", 2, (("l1", "k1"),)),
            Root("r3", "h3", 1),
        )
        made, operations, completions = plan(gold)
    assert operations == [
        Operation(1, "POST", part.roots, "r2", "r2", "h2", "record of r2"),
        Operation(2, "POST", part.leaves, "l3", "r2", "k3", "record of l3"),
        Operation(3, "POST", part.leaves, "l4", "r2", "k4", "record of l4"),
        Operation(4, "POST", part.roots, "r3", "r3", "h3", "record of r3"),
        Operation(5, "POST", part.roots, "r1", "r1", "h1", "record of r1"),
        Operation(6, "POST", part.leaves, "l1", "r1", "k1", "record of l1"),
    ]
    assert completions == {"r2": 3, "r3": 4, "r1": 6}
    assert (made.part, made.day) == (part, DAY)
    assert (made.roots, made.leaves, made.written, made.deleted, made.total) == (3, 3, 6, 0, 6)


@PARTS
@pytest.mark.parametrize("everything", [False, True])
def test_a_server_that_holds_everything_gets_nothing(
    part: Part, monkeypatch: pytest.MonkeyPatch, everything: bool
) -> None:
    roots = [Root("r1", leaves=(("l1", "k1"),)), Root("r2", leaves=(("l2", "k2"),))]
    with both(part, monkeypatch) as (gold, board):
        gold.hold(*roots, synced=True)
        board.hold(*roots)
        made, operations, completions = plan(gold, everything=everything)
    assert (operations, completions) == ([], {})
    assert (made.roots, made.leaves, made.written, made.deleted) == (2, 2, 0, 0)


@PARTS
def test_only_what_differs_is_replaced_created_or_deleted(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    with both(part, monkeypatch) as (gold, board):
        gold.hold(
            Root("same", "h", 1, (("s1", "k"),)),
            Root("changed", "new", 2, (("c1", "k"), ("c2", "new"), ("c3", "k"))),
            synced=True,
        )
        board.hold(
            Root("same", "h", 1, (("s1", "k"),)),
            Root("changed", "old", 2, (("c1", "k"), ("c2", "old"), ("c4", "k"))),
            Root("gone", "h", 3, (("g1", "k"), ("g2", "k"))),
        )
        made, operations, completions = plan(gold)
    assert operations == [
        Operation(1, "PUT", part.roots, "changed", "changed", "new", "record of changed"),
        Operation(2, "PUT", part.leaves, "c2", "changed", "new", "record of c2"),
        Operation(3, "POST", part.leaves, "c3", "changed", "k", "record of c3"),
        # Leaves before roots.
        Operation(4, "DELETE", part.leaves, "c4", "changed", None, None),
        Operation(5, "DELETE", part.leaves, "g1", "gone", None, None),
        Operation(6, "DELETE", part.leaves, "g2", "gone", None, None),
        Operation(7, "DELETE", part.roots, "gone", "gone", None, None),
    ]
    assert completions == {"changed": 4, "gone": 7}
    assert (made.roots, made.leaves, made.written, made.deleted, made.total) == (2, 4, 3, 4, 7)


@PARTS
def test_deletions_of_leaves_go_before_those_of_any_root(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    with both(part, monkeypatch) as (gold, board):
        board.hold(Root("r1", leaves=(("z", "k"),)), Root("r2", leaves=(("a", "k"),)))
        _, operations, completions = plan(gold)
    assert brief(operations) == [("DELETE", "z"), ("DELETE", "a"), ("DELETE", "r1"), ("DELETE", "r2")]
    assert completions == {"r1": 3, "r2": 4}


@PARTS
def test_leaves_that_others_changed_are_seen_only_when_everything_is_compared(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    with both(part, monkeypatch) as (gold, board):
        gold.hold(Root("r1", leaves=(("l1", "k"), ("l2", "k"))), synced=True)
        board.hold(Root("r1", leaves=(("l1", "other"),)))
        assert plan(gold)[1] == []
        assert brief(plan(gold, everything=True)[1]) == [("PUT", "l1"), ("POST", "l2")]


@PARTS
def test_leaves_of_a_root_that_the_ledger_does_not_note_as_synced_are_compared(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Root("r1", leaves=(("l1", "k"), ("l2", "k")))
    with both(part, monkeypatch) as (gold, board):
        gold.hold(root, synced=False)
        board.hold(root._replace(leaves=(("l1", "k"),)))
        assert brief(plan(gold)[1]) == [("POST", "l2")]


@PARTS
def test_leaves_without_a_root_on_the_server_are_deleted_with_those_of_the_ledger(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    with both(part, monkeypatch) as (gold, board):
        # A push that deleted the root was cut off.
        gold.note(Root("r1"), "delete", synced=False)
        board.hold(Root("r1", leaves=(("l1", "k"),)))
        board.records[part.roots].clear()
        assert brief(plan(gold)[1]) == [("DELETE", "l1")]


def test_issues_are_those_of_the_day_and_problems_all(monkeypatch: pytest.MonkeyPatch) -> None:
    today, yesterday = Root("r1", leaves=(("l1", "k"),)), Root("r2", leaves=(("l2", "k"),), day=OTHER_DAY)
    for part, expected in ((ISSUES, ["r1", "l1"]), (PROBLEMS, ["r1", "l1", "r2", "l2"])):
        with both(part, monkeypatch) as (gold, board):
            gold.hold(today, yesterday)
            made, operations, _ = plan(gold)
            assert [operation.record_id for operation in operations] == expected
            assert (made.roots, made.leaves) == (len(expected) / 2, len(expected) / 2)
        with both(part, monkeypatch) as (gold, board):
            board.hold(today, yesterday)
            for everything in (False, True):
                _, operations, _ = plan(gold, everything=everything)
                assert sorted(operation.record_id for operation in operations) == sorted(expected)


@PARTS
def test_what_is_asked_of_the_server(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    where = 'cluster_date = "2026-11-20 00:00:00.000Z"' if part.by_day else ""
    fields = f"id,content_hash,{part.parent}"
    with both(part, monkeypatch) as (gold, board):
        gold.hold(*(Root(f"r{number:03}") for number in range(101)))
        plan(gold)
        roots, *leaves = board.asked
        assert roots == (part.roots, where, "id,content_hash")
        # At most 50 roots in a request.
        ids = [f"r{number:03}" for number in range(101)]
        assert leaves == [
            (part.leaves, " || ".join(f'{part.parent} = "{each}"' for each in some), fields)
            for some in (ids[:50], ids[50:100], ids[100:])
        ]
        board.asked.clear()
        plan(gold, everything=True)
        assert board.asked == [(part.roots, where, "id,content_hash"), (part.leaves, where, fields)]


@PARTS
@pytest.mark.parametrize("change", ["hash", "new", "gone"])
def test_what_has_not_passed_its_tests_is_not_planned(part: Part, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    with both(part, monkeypatch) as (gold, board):
        gold.hold(Root("r1"), Root("r2"))
        # The ledger also notes deletions: they name no root of gold.
        gold.note(Root("r3"), "delete", synced=False)
        plan(gold)
        statement = {
            "hash": f"update {part.root_view} set content_hash = 'x'",
            "new": f"insert into {part.root_view} select 'r9', 'h', 1, '2026-11-20', ''",
            "gone": f"delete from {part.root_view} where record_id = 'r1'",
        }[change]
        gold.session.execute(statement)
        board.asked.clear()
        number = 2 if change == "hash" else 1
        with pytest.raises(SyncError) as raised:
            plan(gold)
        assert str(raised.value) == (
            f"{number} {part.roots} in the database have not passed their tests as they are now:"
            " python -m groundswell build --date 2026-11-20 tests and pushes them"
        )
        assert board.asked == []


def test_roots_of_another_day_need_no_test_today(monkeypatch: pytest.MonkeyPatch) -> None:
    with both(ISSUES, monkeypatch) as (gold, _):
        gold.hold(Root("r1"))
        gold.note(Root("r2", day=OTHER_DAY), "create", synced=True)
        assert brief(plan(gold)[1]) == [("POST", "r1")]


def test_a_large_number_of_changes_is_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    with both(PROBLEMS, monkeypatch) as (gold, _):
        gold.hold(*(Root(f"r{number}") for number in range(1_200)))
        gold.session.execute("update gold.problem_records set content_hash = 'x'")
        with pytest.raises(SyncError, match=r"^1,200 problems in the database"):
            plan(gold)


@PARTS
@pytest.mark.parametrize("fails", [False, True])
def test_a_plan_leaves_no_table(part: Part, monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    with both(part, monkeypatch) as (gold, board):
        gold.hold(Root("r1", leaves=(("l1", "k"),)))
        if fails:
            board.records[part.leaves] = [{"day": DAY, part.parent: "r1"}]
            with pytest.raises(KeyError):
                plan(gold)
        else:
            plan(gold)
        # Table push_rows is a view of Arrow rows.
        left = gold.session.execute("select table_name from information_schema.tables where table_schema <> 'gold'")
        assert left.fetchall() == []
        # A second plan on the same connection is like the first.
        board.records[part.leaves] = []
        assert brief(plan(gold)[1]) == [("POST", "r1"), ("POST", "l1")]
