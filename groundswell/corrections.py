"""Corrections by people: what they say of the problems that the builds find.

A correction is a row of bronze.corrections. Rows are only added. An undo is a row as well, and names the correction
that it takes back. The builds read the standing corrections (silver.corrections).

A correction that moves posts also names the posts that stay. From its day on, each of these posts belongs to the
problem that the correction gives it, until a later correction gives it another one.
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any
from unicodedata import category

import duckdb

from groundswell.clock import now
from groundswell.database import database_path, existing, table, transaction, write_errors
from groundswell.errors import GroundswellError

CORRECTIONS = table("bronze", "corrections")
# Tables of the latest build, which the commands read.
MEMBERS = table("silver", "problem_members")
ASSIGNMENTS = table("silver", "problem_assignments")
CORRECTED_POSTS = table("silver", "corrected_posts")
STANDING = table("silver", "corrections")
POSTS = table("silver", "posts")

# Macro create_corrections creates the same table in a build.
DDL = f"""
create table if not exists {CORRECTIONS} (
    correction_id bigint not null,
    kind text not null,
    problem_id text,
    other_problem_id text,
    posts text[],
    kept_posts text[],
    title text,
    undoes bigint,
    as_of_date date,
    corrected_at timestamp not null
);
"""

# The problem of each post, with corrections that no build has applied yet.
STANDS = f"""
with words as (
    select url_hash, problem_id from {CORRECTED_POSTS}
    qualify row_number() over (partition by url_hash order by correction_id desc) = 1
),
members as (select url_hash, problem_id from {MEMBERS})
select url_hash, coalesce(words.problem_id, members.problem_id) as problem_id
from words full join members using (url_hash)
"""

LONGEST_TITLE = 120
UNDO = "undo"


class CorrectionError(GroundswellError):
    """A correction that can not be made."""


class Corrections:
    """The corrections of a database. Every method raises GroundswellError with one line that says what to do."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the table of corrections where it is missing. Raises CorrectionError if no day was built."""
        self.connection = connection
        found = {
            name for name in (MEMBERS, ASSIGNMENTS, CORRECTED_POSTS, STANDING, POSTS) if existing(connection, name)
        }
        if len(found) < 5 or not (days := self.rows(f"select max(as_of_date) from {ASSIGNMENTS}")[0][0]):
            raise CorrectionError(
                f"{database_path()} has no problems to correct: build a day first, python -m groundswell day"
            )
        self.day: date = days
        create_corrections(connection)

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query, parameters or None).fetchall()

    def members(self, problem: str) -> list[str]:
        """The posts of a problem. Raises CorrectionError if it has none."""
        found = self.rows(
            f"select url_hash from ({STANDS}) where problem_id = $problem order by url_hash", problem=problem
        )
        if not found:
            raise CorrectionError(
                f"no problem has the id {problem!r}: gold.problems and the board's addresses have ids"
            )
        return [url_hash for (url_hash,) in found]

    def post(self, name: str) -> str:
        """The url_hash of a post that is named by its url_hash or by its url. Raises CorrectionError."""
        found = self.rows(f"select url_hash from {POSTS} where url_hash = $name or url = $name", name=name)
        if not found:
            raise CorrectionError(f"no post has the url or url_hash {name!r}: take it from gold.problem_posts")
        return str(found[0][0])

    def merge(self, problem: str, other: str) -> int:
        """Say that two problems are one, which keeps the id of the first one."""
        if problem == other:
            raise CorrectionError(f"a problem can not be merged with itself: {problem} was named twice")
        kept, posts = self.members(problem), self.members(other)
        return self.add("merge", problem_id=problem, other_problem_id=other, posts=posts, kept_posts=kept)

    def split(self, problem: str, names: Sequence[str]) -> int:
        """Say that some posts of a problem are another problem."""
        members = self.members(problem)
        posts = sorted({self.post(name) for name in names})
        for url_hash, name in ((self.post(name), name) for name in names):
            if url_hash not in members:
                raise CorrectionError(f"{name} is no post of problem {problem}: gold.problem_posts lists its posts")
        kept = [url_hash for url_hash in members if url_hash not in posts]
        if not kept:
            raise CorrectionError(f"these are all posts of problem {problem}: name those that leave it, not all")
        # Derived from the time, so that it is never given twice.
        opened = sha256(f"{now().isoformat()}/{posts[0]}".encode()).hexdigest()[:15]
        return self.add("split", problem_id=problem, other_problem_id=opened, posts=posts, kept_posts=kept)

    def pin(self, problem: str, name: str) -> int:
        """Say that a post belongs to a problem."""
        members, post = self.members(problem), self.post(name)
        kept = [url_hash for url_hash in members if url_hash != post]
        before = self.rows(f"select problem_id from ({STANDS}) where url_hash = $post", post=post)
        left = next((name for (name,) in before if name != problem), None)
        return self.add("pin", problem_id=problem, other_problem_id=left, posts=[post], kept_posts=kept)

    def rename(self, problem: str, title: str) -> int:
        """Give a problem another title."""
        self.members(problem)
        return self.add("rename", problem_id=problem, title=checked_title(title))

    def dismiss(self, problem: str) -> int:
        """Say that a problem is none."""
        members = self.members(problem)
        if self.rows(f"select 1 from {STANDING} where kind = 'dismiss' and problem_id = $problem", problem=problem):
            raise CorrectionError(f"problem {problem} is dismissed already: correct list shows by which correction")
        return self.add("dismiss", problem_id=problem, kept_posts=members)

    def undo(self, correction: int) -> int:
        """Take a correction back. Returns its id."""
        found = self.rows(f"select kind from {CORRECTIONS} where correction_id = $id", id=correction)
        if not found:
            raise CorrectionError(f"there is no correction {correction}: correct list shows all")
        if found[0][0] == UNDO:
            raise CorrectionError(
                f"correction {correction} is an undo: make the correction that it took back once more"
            )
        if self.rows(f"select 1 from {CORRECTIONS} where undoes = $id", id=correction):
            raise CorrectionError(f"correction {correction} is undone already")
        return self.add(UNDO, undoes=correction)

    def day_of(self, correction: int) -> date:
        """The day from which on a correction counts."""
        [(day,)] = self.rows(f"select as_of_date from {CORRECTIONS} where correction_id = $id", id=correction)
        found: date = day
        return found

    def all(self) -> list[tuple[Any, ...]]:
        """Every correction in order: id, time, kind, problem, other problem, posts, title, undoes, whether undone."""
        return self.rows(
            f"""
            with undos as (select undoes as correction_id from {CORRECTIONS} where kind = '{UNDO}')
            select correction_id, corrected_at, kind, problem_id, other_problem_id, posts, title, undoes,
                correction_id in (from undos) as is_undone
            from {CORRECTIONS}
            order by correction_id
            """
        )

    def add(self, kind: str, **values: Any) -> int:
        """Write a correction; returns its id."""
        columns = ", ".join(f"${name} as {name}" for name in values)
        with transaction(self.connection):
            [(number,)] = self.connection.execute(
                f"""
                insert into {CORRECTIONS} by name
                select (select coalesce(max(correction_id), 0) + 1 from {CORRECTIONS}) as correction_id,
                    $kind as kind, {columns}, $day::date as as_of_date, $moment::timestamp as corrected_at
                returning correction_id
                """,
                {"kind": kind, "day": self.day, "moment": now(), **values},
            ).fetchall()
        return int(number)


def create_corrections(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of corrections if it does not exist."""
    with write_errors():
        connection.execute("create schema if not exists bronze")
        connection.execute(DDL)


def checked_title(title: str) -> str:
    """A title in one line, with single spaces. Raises CorrectionError."""
    line = " ".join(title.split())
    if not line:
        raise CorrectionError("the title is empty: write what hurts, in a few words")
    if len(line) > LONGEST_TITLE:
        raise CorrectionError(f"the title has {len(line)} characters: at most {LONGEST_TITLE} are shown")
    if any(category(character) in ("Cc", "Cs") for character in line):
        raise CorrectionError("the title has characters that can not be shown: write it as plain text")
    return line
