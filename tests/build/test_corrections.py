"""python -m groundswell correct: what people say of problems, what the next build makes of it, and the way back."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import DAY, Finished, Project

HOSTILE = "<img src=x onerror=alert(1)> '; drop table gold.problems; --"
# Attempts are kept for good. The ledgers of the board note which records changed meanwhile, and must be sent again.
KEPT = {
    "bronze.built_days",
    "bronze.corrections",
    "gold.problem_label_attempts",
    "gold.live_problems",
    "gold.live_themes",
}


def correct(project: Project, *arguments: str) -> Finished:
    """Run `python -m groundswell correct`."""
    return project.run(sys.executable, "-m", "groundswell", "correct", *arguments)


def corrected(project: Project, *arguments: str) -> str:
    """Make a correction; returns what the command says."""
    finished = correct(project, *arguments)
    assert finished.status == 0, finished.output
    return finished.output


def build(project: Project, *, data_tests: bool = False) -> None:
    """Build the sample day again."""
    finished = project.build(DAY, data_tests=data_tests)
    assert finished.status == 0, finished.output


def column(project: Project, sql: str, **parameters: str) -> list[str]:
    """The first column of a query."""
    return [row[0] for row in project.query(sql, **parameters)]


def posts_of(project: Project, problem: str) -> list[str]:
    """The posts of a problem."""
    return column(
        project, "select url_hash from silver.problem_members where problem_id = $id order by all", id=problem
    )


@pytest.fixture
def copy(built: Project, tmp_path: Path) -> Project:
    """A copy of the built sample day."""
    return built.copy_to(tmp_path)


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The tables whose rows differ."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_corrections_hold_until_they_are_undone(copy: Project) -> None:
    before = copy.contents()
    shown = column(copy, "select problem_id from gold.problems order by voices desc, problem_id")
    renamed, dismissed, kept, joined, parted, pinned = shown[:6]
    [stranger] = column(
        copy,
        """
        select min(url_hash) from silver.documents
        where complaint_score < 0.3 and duplicate_of is null
            and url_hash not in (select url_hash from gold.problem_posts)
        """,
    )
    [address] = column(copy, "select url from silver.posts where url_hash = $id", id=stranger)
    joining, parting = posts_of(copy, joined), posts_of(copy, parted)
    # A problem gets another title when the posts have left that its label quotes, and keeps it.
    quoted = column(copy, "select unnest(quotes).url_hash from gold.problems where problem_id = $id", id=parted)
    leaving = [post for post in parting if post not in quoted][:3]
    staying = [post for post in parting if post not in leaving]

    said = corrected(copy, "rename", renamed, f"  {HOSTILE}\n")
    assert "Correction 1: " in said
    assert f"python -m groundswell build --date {DAY}" in said
    corrected(copy, "dismiss", dismissed)
    corrected(copy, "merge", kept, joined)
    corrected(copy, "split", parted, *leaving)
    corrected(copy, "pin", pinned, address)
    # No build has applied them yet.
    assert changed(before, copy.contents()) == {"bronze.corrections"}

    build(copy, data_tests=True)
    problems = {row[0]: row[1:] for row in copy.query("select problem_id, title, is_edited from gold.problems")}
    [opened] = column(copy, "select other_problem_id from silver.corrections where kind = 'split'")
    assert problems[renamed] == (HOSTILE, True)
    assert dismissed not in problems
    assert dismissed not in column(copy, "select problem_id from gold.problem_requests")
    assert joined not in problems
    assert set(joining) < set(posts_of(copy, kept))
    assert problems[kept][1]
    # A post of another problem may join them.
    assert set(leaving) <= set(posts_of(copy, opened))
    assert not set(staying) & set(posts_of(copy, opened))
    assert posts_of(copy, parted) == staying
    assert problems[opened][1]
    assert stranger in posts_of(copy, pinned)
    untouched = set(shown[6:])
    assert {name for name, (_, is_edited) in problems.items() if not is_edited} == untouched
    [record] = column(copy, "select record->>'title' from gold.problem_records where record_id = $id", id=renamed)
    assert record == HOSTILE

    pairs = {
        row[:2]: row[2] for row in copy.query("select url_hash_a, url_hash_b, is_same from silver.corrected_pairs")
    }
    assert not pairs[min(leaving[0], staying[0]), max(leaving[0], staying[0])]
    assert pairs[leaving[0], leaving[1]]
    one, other = sorted((joining[0], posts_of(copy, kept)[0]))
    assert one == other or pairs[one, other]

    once = copy.contents()
    build(copy)
    assert changed(once, copy.contents()) == set()

    for number in range(1, 6):
        corrected(copy, "undo", str(number))
    build(copy)
    after = copy.contents()
    assert changed(before, after) <= KEPT
    listed = corrected(copy, "list")
    assert "<img src=x onerror=alert(1)>" in listed
    assert listed.count("undone") == listed.count("undoes") == 5


def test_corrections_before_a_build_add_up(copy: Project) -> None:
    [problem, other] = column(copy, "select problem_id from gold.problems order by voices desc, problem_id limit 2")
    first, second, *rest = posts_of(copy, problem)
    corrected(copy, "split", problem, first)
    # The post has left already.
    assert "no post of problem" in correct(copy, "split", problem, first, second).output
    corrected(copy, "split", problem, second)
    corrected(copy, "pin", other, second)
    build(copy)
    assert posts_of(copy, problem) == rest
    assert second in posts_of(copy, other)
    assert first not in posts_of(copy, other)
    # An undo leaves what was said before.
    corrected(copy, "undo", "3")
    build(copy)
    assert second not in [*posts_of(copy, problem), *posts_of(copy, other)]


REFUSED: list[tuple[Callable[[str, list[str]], list[str]], str]] = [
    (lambda _, __: ["merge", "nobody", "knows"], "no problem has the id 'nobody'"),
    (lambda problem, _: ["merge", problem, problem], "can not be merged with itself"),
    (lambda problem, _: ["split", problem, "https://example.com/"], "no post has the url or url_hash"),
    (lambda problem, posts: ["split", problem, *posts], "name those that leave it, not all"),
    (lambda problem, _: ["pin", problem, "'; drop table bronze.corrections; --"], "no post has the url or url_hash"),
    (lambda problem, _: ["rename", problem, " \n"], "the title is empty"),
    (lambda problem, _: ["rename", problem, "x" * 121], "the title has 121 characters"),
    (lambda problem, _: ["rename", problem, "a\x1b[31mb"], "can not be shown"),
    (lambda _, __: ["dismiss", "nothing"], "no problem has the id 'nothing'"),
    (lambda _, __: ["undo", "7"], "there is no correction 7"),
]


def test_what_can_not_be_corrected_is_refused_in_one_line(copy: Project) -> None:
    [problem] = column(copy, "select problem_id from gold.problems order by problem_id limit 1")
    posts = posts_of(copy, problem)
    for arguments, reason in REFUSED:
        finished = correct(copy, *arguments(problem, posts))
        assert (finished.status, finished.output.count("\n")) == (1, 1), finished.output
        assert reason in finished.output
    assert "No corrections" in corrected(copy, "list")

    corrected(copy, "rename", problem, "Another title")
    corrected(copy, "undo", "1")
    for number, reason in (("1", "undone already"), ("2", "is an undo")):
        finished = correct(copy, "undo", number)
        assert finished.status == 1
        assert reason in finished.output


def test_a_database_without_problems_has_nothing_to_correct(project: Project) -> None:
    finished = correct(project, "dismiss", "p")
    assert (finished.status, finished.output.count("\n")) == (1, 1)
    assert "does not exist" in finished.output
    assert not project.database.exists()
    project.query("create schema silver")
    finished = correct(project, "dismiss", "p")
    assert finished.status == 1
    assert "build a day first" in finished.output
