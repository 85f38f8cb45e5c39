"""The past does not matter: after the builds that a user would run, the tables are those of a fresh database.

A machine collects, edits, moves, deletes and erases posts, builds days in any order, twice, with other vars, and kills
builds; each build pushes to a PocketBase. At the end the days are built that a build has named. Then all data tests are
green, PocketBase holds what the database holds, and all tables are those of a database that was built from the same
posts, day after day.

A step that changes posts costs nothing by itself: the next build, deletion or erasure collects all changes in one run.
A build costs seconds of dbt, whatever the number of posts. So one build in three has its data tests, and the fresh
database has them only at its end.

`make soak` runs as many examples as SOAK says, from a random seed that it prints. What it found stands here as a test.
"""

import json
import os
import random
import re
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from groundswell.backfill import ON_FILE
from sync.check import differences
from sync.client import signed_in
from tests.support.project import DATABASE, DBT, TIMEOUT_SECONDS, Project, Server, free_address, serve
from tests.support.shared import Shared

DAYS = ("2026-11-19", "2026-11-20", "2026-11-21")
# Posts of the sample day, most of them in problems, and the number of them that the machine begins with.
POOL, FIRST = 70, 54
EXAMPLES = int(os.environ.get("SOAK", "0"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(10**9)
CHANGED = re.compile(r"The posts of ([\d, -]+) have changed")

# The rows of a topic are as old as its posts: an assignment never changes, so that a label is paid for once. They are
# those of a fresh database on days whose posts came before the first build and stayed as they were.
TOPICS = {
    "silver.cluster_assignments": "cluster_date",
    "silver.map_positions": "cluster_date",
    "silver.clusters": "cluster_date",
    "silver.summaries": "cluster_date",
    "silver.topic_titles": "cluster_date",
    "silver.extractive_labels": "cluster_date",
    "gold.label_requests": "cluster_date",
    "gold.issue_labels": "cluster_date",
    "gold.issues": "cluster_date",
    "gold.issue_evidence": "cluster_date",
}
# Columns that say when something was done, or what it cost.
VOLATILE = ("attempts", "labelled_at", "latency_seconds", "spent_today_usd", "synced_at", "action", "embedding_date")
# A label stands as long as its quotes do, so it may be older than a fresh one. What follows from it is left out.
LABELS = (
    "title", "canonical_title", "category", "description", "impact_level", "quotes", "would_pay_signal",
    "labelled_voices", "content_hash",
)  # fmt: skip
WHOLE = {
    "silver.plain_texts": (),
    "silver.redactions": (),
    "silver.duplicates": (),
    "silver.post_lines": (),
    "silver.program_posts": (),
    "silver.texts": (),
    "silver.post_signals": (),
    "silver.documents": (),
    "silver.problem_assignments": (),
    "silver.problem_candidates": (),
    "silver.theme_assignments": (),
    "silver.theme_terms": (),
    "silver.extractive_problem_labels": (),
    "silver.name_matches": (),
    "gold.problem_posts": (),
    "gold.problem_wordings": (),
    "gold.problem_hours": (),
    "gold.problem_events": (),
    "gold.problem_requests": (),
    "gold.problems": LABELS,
    "gold.themes": (),
    "gold.theme_posts": (),
    "gold.problem_weeks": (),
    "gold.week_figures": (),
    "gold.mentions": (),
    "gold.problem_mentions": (),
    "gold.mention_days": (),
    "gold.watched_names": (),
    "gold.alerts": (),
    "gold.live_problems": LABELS,
    "gold.live_themes": LABELS,
}
# The report of a day, as far as it does not tell what else its build has met.
REPORT = (
    "report_date", "posts", "source_counts", "complaints", "duplicates", "posts_hash", "problems_opened",
    "problems_continued", "problems_reopened", "problems_merged", "problems_split", "problems_dormant",
    "problems_closed",
)  # fmt: skip


def pool_of(built: Project) -> list[dict[str, Any]]:
    """Posts of the sample day as entries of a file: members of its problems first."""
    rows = built.query(
        """
        select source, url, title, body
        from bronze.raw_items left join silver.problem_members using (url_hash)
        where length(title) > 20
        order by problem_id is null, md5(url)
        limit $limit
        """,
        limit=POOL,
    )
    return [dict(zip(("source", "url", "title", "body"), row, strict=True)) for row in rows]


def edited(post: dict[str, Any], version: int) -> dict[str, Any]:
    """A post after some edits: a word more in its title, then another body."""
    words = post["title"].split()
    title = " ".join([*words[:3], "(again)", *words[3:]]) if version else post["title"]
    return post | {"title": title, "body": f"Solved in the meantime. {post['body']}" if version > 1 else post["body"]}


@pytest.fixture(scope="session")
def vectors(built: Project, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the vectors of all texts that a machine may collect."""

    def make(folder: Path) -> None:
        copy = built.copy_to(folder)
        file = folder / "posts.jsonl"
        posts = [
            edited(post, version)
            | {"url": f"https://example.com/{number}/{version}", "created_at": f"{DAYS[1]}T12:00:00Z"}
            for number, post in enumerate(pool_of(built))
            for version in (1, 2)
        ]
        file.write_text("".join(json.dumps(post) + "\n" for post in posts))
        finished = copy.ingest("--file", str(file))
        assert finished.status == 0, finished.output
        finished = copy.build(DAYS[1], "--select", "+embeddings", data_tests=False)
        assert finished.status == 0, finished.output

    return shared.copy("vectors", make, tmp_path_factory.mktemp("vectors") / "vectors") / DATABASE


class AnyPast(RuleBasedStateMachine):
    """Changes posts and builds days, in any order."""

    parsed: ClassVar[Path]
    vectors: ClassVar[Path]
    pool: ClassVar[list[dict[str, Any]]]
    # Of all examples of this run, for `make soak`.
    steps: ClassVar[int] = 0
    builds: ClassVar[int] = 0
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        self.started = time.monotonic()
        self.server: Server = self.opened.enter_context(serve(self.folder / "pb", free_address(), secrets.token_hex()))
        self.project = replace(self.empty("past"), settings=self.server.settings)
        # By number in the pool: day, version and votes of each post that its source has.
        self.posts: dict[int, tuple[str, int, int]] = {}
        # The posts to collect and those to erase before the next build, and all that were erased.
        self.changed: set[int] = set()
        self.erasing: set[int] = set()
        self.erased: set[int] = set()
        self.threshold = 0.5
        # Days that were built, those whose posts have changed since their first build, and those to build again.
        self.built: set[str] = set()
        self.touched: set[str] = set()
        self.unfinished: set[str] = set()

    def empty(self, name: str) -> Project:
        """A database that holds vectors only."""
        folder = self.folder / name
        folder.mkdir()
        project = Project(folder / DATABASE, parsed=self.parsed)
        with duckdb.connect(str(project.database)) as connection:
            connection.execute(f"attach '{self.vectors}' as cache (read_only)")
            connection.execute("create schema silver; create table silver.embeddings as from cache.silver.embeddings")
        return project

    def collect(self) -> None:
        """Erase what waits for that, and collect what has changed. The sources still list what was erased."""
        if self.erasing:
            urls = [option for number in sorted(self.erasing) for option in ("--url", self.pool[number]["url"])]
            finished = self.project.ingest("forget", *urls)
            assert finished.status == 0, finished.output
            self.erasing.clear()
        if not self.changed:
            return
        file = self.folder / "posts.jsonl"
        entries = []
        for number in sorted(self.changed | self.erased):
            day, version, votes = self.posts.get(number, (DAYS[1], 0, 0))
            moment = f"{day}T{number % 24:02}:{number % 60:02}:00Z"
            entries.append(edited(self.pool[number], version) | {"created_at": moment, "vote_count": votes})
        file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        finished = self.project.ingest("--file", str(file))
        assert finished.status == 0, finished.output
        self.changed.clear()

    def touch(self, *days: str) -> None:
        """Note that a post of a day changes."""
        self.touched |= set(days) & self.built

    def change(self, number: int, day: str, version: int, votes: int) -> None:
        """Give a post a day, a version and votes."""
        before = self.posts.get(number)
        self.touch(day, before[0] if before else day)
        self.posts[number] = day, version, votes
        self.changed.add(number)
        AnyPast.steps += 1

    def chosen(self, index: int) -> int:
        """One of the posts that the sources have."""
        return sorted(self.posts)[index % len(self.posts)]

    @initialize()
    def start(self) -> None:
        """The first collections, of all days."""
        for number in range(FIRST):
            self.posts[number] = DAYS[number % len(DAYS)], 0, 1
        self.changed = set(self.posts)
        self.collect()

    @rule(number=st.integers(0, POOL - 1), day=st.sampled_from(DAYS))
    def post_comes_late(self, number: int, day: str) -> None:
        """Also a post that its source had deleted."""
        if number not in self.erased | set(self.posts):
            self.change(number, day, 0, 0)

    @rule(index=st.integers(0, 99), version=st.integers(0, 2))
    def author_edits(self, index: int, version: int) -> None:
        number = self.chosen(index)
        day, _, votes = self.posts[number]
        self.change(number, day, version, votes)

    @rule(index=st.integers(0, 99), votes=st.integers(2, 10**6))
    def votes_come(self, index: int, votes: int) -> None:
        number = self.chosen(index)
        day, version, _ = self.posts[number]
        self.change(number, day, version, votes)

    @rule(index=st.integers(0, 99), day=st.sampled_from(DAYS))
    def date_is_corrected(self, index: int, day: str) -> None:
        number = self.chosen(index)
        _, version, votes = self.posts[number]
        self.change(number, day, version, votes)

    @rule(day=st.sampled_from(DAYS))
    def day_is_collected_again(self, day: str) -> None:
        self.changed |= {number for number, (of, *_) in self.posts.items() if of == day}
        AnyPast.steps += 1

    @precondition(lambda self: len(self.posts) > FIRST // 2)
    @rule(index=st.integers(0, 99))
    def row_is_deleted(self, index: int) -> None:
        number = self.chosen(index)
        day, *_ = self.posts.pop(number)
        self.touch(day)
        self.changed.discard(number)
        url = self.pool[number]["url"]
        # A corrected date may wait, so the row can be of another day.
        for (of,) in self.project.query(
            "delete from bronze.raw_items where url_hash = sha256($url) returning collection_date", url=url
        ):
            self.touch(str(of))
        AnyPast.steps += 1

    @precondition(lambda self: len(self.posts) > FIRST // 2)
    @rule(index=st.integers(0, 99))
    def post_is_erased(self, index: int) -> None:
        number = self.chosen(index)
        if number in self.changed:
            self.collect()
        day, *_ = self.posts.pop(number)
        self.touch(day)
        self.erasing.add(number)
        self.erased.add(number)
        AnyPast.steps += 1

    @rule(threshold=st.sampled_from((0.5, 0.7)))
    def var_changes(self, threshold: float) -> None:
        if self.threshold != threshold:
            self.threshold = threshold
            # After a change of this var, all days are built again.
            self.touched |= self.built
            self.unfinished |= self.built
        AnyPast.steps += 1

    @rule(day=st.sampled_from(DAYS), tested=st.sampled_from((False, False, True)))
    def build(self, day: str, tested: bool = False) -> None:
        AnyPast.steps += 1
        self.build_past(day, data_tests=tested)

    @rule(day=st.sampled_from(DAYS), seconds=st.floats(0.5, 12))
    def build_is_killed(self, day: str, seconds: float) -> None:
        AnyPast.steps += 1
        try:
            self.build_past(day, seconds=seconds)
        except TimeoutError:
            # It may have built topics. A user builds the day again.
            self.touched.add(day)
            self.unfinished.add(day)

    def build_past(self, day: str, *, data_tests: bool = False, seconds: float = TIMEOUT_SECONDS) -> str:
        """Collect what has changed, and build a day if it has posts; returns what the build says."""
        self.collect()
        if day not in {each for each, *_ in self.posts.values()}:
            return ""
        output = self.build_with(replace(self.project, seconds=seconds), day, data_tests=data_tests)
        self.built.add(day)
        self.unfinished.discard(day)
        return output

    def build_with(self, project: Project, day: str, *, data_tests: bool = False) -> str:
        """Build a day; returns what the build says."""
        AnyPast.builds += 1
        threshold = f", complaint_threshold: {self.threshold}"
        finished = project.build(day, variables=threshold, data_tests=data_tests)
        assert finished.status == 0, finished.output[-6000:]
        return finished.output

    def teardown(self) -> None:
        """Build what a user would, and compare."""
        try:
            if self.posts:
                self.settle()
                self.compare()
        finally:
            self.opened.close()
            AnyPast.examples += 1
            if EXAMPLES:
                sys.stderr.write(
                    f"{AnyPast.examples} examples, {AnyPast.steps} steps, {AnyPast.builds} builds;"
                    f" this one {time.monotonic() - self.started:.0f} s\n"
                )

    def settle(self) -> None:
        """Build the days that no build has finished, and those that a build names, the first of them first."""
        days = sorted({day for day, *_ in self.posts.values()})
        said = ""
        for day in [day for day in days if day not in self.built - self.unfinished] or days[-1:]:
            said = self.build_past(day)
        while named := CHANGED.search(said):
            said = self.build_past(named[1].split(", ")[0])
        said = self.build_past(days[-1], data_tests=True)
        assert not CHANGED.search(said), said

    def compare(self) -> None:
        """Compare the posts with those of the sources, PocketBase with the tables, and these with a fresh database."""
        stored = self.project.query("select url, collection_date::text, vote_count from bronze.raw_items order by url")
        wanted = [(self.pool[number]["url"], day, votes) for number, (day, _, votes) in self.posts.items()]
        assert stored == sorted(wanted)
        days = sorted({day for day, *_ in self.posts.values()})
        with pytest.MonkeyPatch.context() as environment:
            for name, value in self.server.settings.items():
                environment.setenv(name, value)
            with signed_in(self.server.url) as client, duckdb.connect(str(self.project.database)) as connection:
                assert [line for day in days for line in differences(connection, client, date.fromisoformat(day))] == []
        fresh = self.built_day_after_day(days)
        different = {}
        with duckdb.connect(str(fresh.database)) as connection:
            connection.execute(f"attach '{self.project.database}' as past (read_only)")
            fresh_name = fresh.database.stem
            untouched = sorted(self.built - self.touched)
            checks = [(table, columns, "true") for table, columns in WHOLE.items()]
            checks += [(table, (), f"list_contains({untouched}, {day}::varchar)") for table, day in TOPICS.items()]
            for table, left_out, condition in checks:
                columns = [
                    column
                    for (column,) in connection.execute(
                        "select column_name from duckdb_columns() where database_name = $name"
                        " and schema_name || '.' || table_name = $table order by column_index",
                        {"name": fresh_name, "table": table},
                    ).fetchall()
                    if column not in (*VOLATILE, *left_out)
                ]
                found = difference(connection, fresh_name, table, columns, condition)
                if found:
                    different[table] = found
            if found := difference(connection, fresh_name, "gold.daily_report", list(REPORT), "true"):
                different["gold.daily_report"] = found
        assert different == {}

    def built_day_after_day(self, days: list[str]) -> Project:
        """A database with the same posts, built as a backfill does it."""
        fresh = self.empty("fresh")
        with duckdb.connect(str(fresh.database)) as connection:
            connection.execute(f"attach '{self.project.database}' as past (read_only); create schema bronze")
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where database_name = 'past' and schema_name = 'bronze'"
            ).fetchall():
                connection.execute(f"create table bronze.{name} as from past.bronze.{name}")
        for number, day in enumerate(days[:-1]):
            AnyPast.builds += 1
            dates = f"{{date: {day}, complaint_threshold: {self.threshold}}}"
            finished = fresh.run(DBT, *ON_FILE[number > 0], "--vars", dates)
            assert finished.status == 0, finished.output[-6000:]
        self.build_with(fresh, days[-1])
        return fresh


def difference(
    connection: duckdb.DuckDBPyConnection, fresh: str, table: str, columns: list[str], condition: str
) -> list[Any]:
    """Rows that only one of the two databases has, at most three of each."""
    listed = ", ".join(f'"{column}"' for column in columns)
    # The ledgers keep the rows of what has left the board.
    if ".live_" in table:
        condition = f"{condition} and action is distinct from 'delete'"
    found = []
    for name, one, other in (("past", "past", fresh), ("fresh", fresh, "past")):
        rows = connection.execute(
            f"select {listed} from {one}.{table} where {condition}"
            f" except all select {listed} from {other}.{table} where {condition} limit 3"
        ).fetchall()
        found += [(name, *(str(value)[:80] for value in row)) for row in rows]
    return found


@pytest.fixture
def machine(built: Project, vectors: Path, shared: Shared) -> type[AnyPast]:
    """The machine, with the posts and vectors that it may use."""
    AnyPast.parsed, AnyPast.vectors, AnyPast.pool = shared.parsed, vectors, pool_of(built)
    return AnyPast


def test_a_past_of_every_kind(machine: type[AnyPast]) -> None:
    past = machine()
    past.start()
    past.build("2026-11-21", tested=True)
    past.build("2026-11-20")
    past.date_is_corrected(index=1, day="2026-11-21")
    # A title that a problem quotes gets a word more.
    [quoted] = past.project.query(
        """
        select list(posts.url)
        from gold.problems, unnest(quotes) as claims (claim)
        inner join gold.problem_posts as posts on claim.url_hash = posts.url_hash and contains(posts.title, claim.quote)
        where posts.collection_date = date '2026-11-20'
        """
    )
    numbers = [number for number in sorted(past.posts) if past.pool[number]["url"] in quoted[0]]
    past.author_edits(index=sorted(past.posts).index(numbers[0]), version=1)
    past.row_is_deleted(index=7)
    past.post_is_erased(index=9)
    past.post_comes_late(number=FIRST, day="2026-11-20")
    # A hundred steps more, in an order that is the same in each run.
    dice = random.Random(24)
    changes = (
        lambda: past.author_edits(dice.randrange(100), dice.randrange(3)),
        lambda: past.votes_come(dice.randrange(100), dice.randrange(2, 1000)),
        lambda: past.date_is_corrected(dice.randrange(100), dice.choice(DAYS)),
        lambda: past.post_comes_late(dice.randrange(POOL), dice.choice(DAYS)),
        lambda: past.day_is_collected_again(dice.choice(DAYS)),
    )
    for step in range(100):
        if step % 10 == 9:
            past.row_is_deleted(dice.randrange(100))
        elif step % 50 == 28:
            past.post_is_erased(dice.randrange(100))
        elif step % 40 == 35:
            past.build(dice.choice(DAYS))
        else:
            dice.choice(changes)()
    past.teardown()


@pytest.mark.skipif(not EXAMPLES, reason="make soak runs it")
def test_any_past(machine: type[AnyPast]) -> None:
    sys.stderr.write(f"SOAK_SEED={SEED}\n")
    steps = int(os.environ.get("SOAK_STEPS", "50"))
    run = settings(
        max_examples=EXAMPLES, stateful_step_count=steps, deadline=None, database=None, print_blob=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    run_state_machine_as_test(seed(SEED)(machine), settings=run)
