"""Measures what real builds find of problems whose members are known, among posts that have nothing to do with them.

Bug reports whose duplicates are known are dealt among the posts of real days. Groups with at least var problem_voices
reports are the needles; the reports of a group come on random days, each by an author of its own. The days are
collected and built with the project's commands, with weights of pairs that are fitted on the other trackers.

The posts are the files given with --days (as for `ingest --file`). The reports are those of the benchmark of problems:
eclipse_duplicates.tsv in ../*/data/labelled.
"""

import csv
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from rich.table import Table

from benchmarks.problems import MIN_VOICES, TIERS, fitted_without, labelled, read_trackers, table
from groundswell.pairs import REPORTS
from tests.support.project import DBT, Finished, Project, project_vars
from training.pairs import Reports

TRACKER = "eclipse"
ADDRESS = "https://github.com/needles/needles/issues/"
# The fewest members of a group that a problem must hold for the group to count as found, as a share.
FOUND = 0.5


class Needle(NamedTuple):
    """A report with its group."""

    group: str
    title: str
    description: str


class Placed(NamedTuple):
    """A post in a published problem; group is "" for a post that is no needle."""

    problem: str
    tier: str
    group: str


def read_needles(file: Path) -> list[Needle]:
    """The reports of the groups with at least MIN_VOICES reports."""
    csv.field_size_limit(sys.maxsize)
    with file.open(newline="") as opened:
        needles = [
            Needle(row["group"], row["title"], row["description"] or "")
            for row in csv.DictReader(opened, delimiter="\t")
        ]
    size = Counter(needle.group for needle in needles)
    return [needle for needle in needles if size[needle.group] >= MIN_VOICES]


def deal(needles: Sequence[Needle], days: Sequence[str], file: Path) -> None:
    """Write the needles as posts of random days."""
    chance = np.random.default_rng(0)
    with file.open("w") as opened:
        for number, needle in enumerate(needles):
            day, minute = days[int(chance.integers(len(days)))], int(chance.integers(24 * 60))
            post = {
                "source": "github",
                "url": f"{ADDRESS}{number}",
                "title": needle.title,
                "body": needle.description,
                "author": f"reporter {number}",
                "created_at": f"{day}T{minute // 60:02}:{minute % 60:02}:00Z",
            }
            opened.write(json.dumps(post) + "\n")


def hold_out(project: Project, trackers: dict[str, Reports]) -> None:
    """Fit the weights of bug reports without TRACKER, and write them into the table."""
    check(project.run(DBT, "seed", "--select", "pair_weights"))
    with duckdb.connect(str(project.database)) as connection:
        connection.executemany(
            "update silver.pair_weights set weight = ? where ground = ? and feature = ?",
            [(weight, REPORTS, feature) for feature, weight in fitted_without(TRACKER, trackers).items()],
        )


def measure_needles(files: Sequence[Path]) -> Table:
    """Build the days with the needles among them, and score what is published, tier by tier."""
    made = table(
        f"Needles: groups of {TRACKER} among the posts of {len(files)} days",
        *("groups found", "members placed", "purity", "strangers", "problems"),
    )
    reports = labelled(f"{TRACKER}_duplicates.tsv")
    if not reports or not files:
        made.title = f"{made.title}: none, for want of {TRACKER}_duplicates.tsv or of --days"
        return made
    needles = read_needles(reports)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "needles.duckdb", {"AUTHOR_SALT": "needles"})
        for file in files:
            check(project.ingest("--file", str(file)))
        collected = project.query("select distinct collection_date::text from bronze.raw_items order by 1")
        days = [str(day) for (day,) in collected]
        dealt = Path(folder) / "needles.jsonl"
        deal(needles, days, dealt)
        check(project.ingest("--file", str(dealt)))
        hold_out(project, read_trackers())
        for day in days:
            check(project.build(day, "--exclude", "pair_weights", data_tests=False))
        placed = [
            Placed(problem, tier, needles[int(url.removeprefix(ADDRESS))].group if url.startswith(ADDRESS) else "")
            for problem, tier, url in project.query(
                "select problem_id, tier, url from gold.problem_posts inner join gold.problems using (problem_id)"
            )
        ]
        [(complaints,)] = project.query(
            f"select count(*) from silver.documents inner join silver.posts using (url_hash)"
            f" where url like '{ADDRESS}%' and complaint_score >= $threshold",
            threshold=project_vars()["complaint_threshold"],
        )
    made.title = f"{made.title}; {complaints:,} of {len(needles):,} needles pass as complaints"
    surest = []
    for tier in TIERS:
        surest.append(tier)
        made.add_row(" + ".join(surest), *score(needles, [each for each in placed if each.tier in surest]))
    return made


def score(needles: Sequence[Needle], placed: Iterable[Placed]) -> list[str]:
    """Groups found, members placed, and the purity, the strangers and the number of problems with needles."""
    problems: dict[str, list[str]] = {}
    for each in placed:
        problems.setdefault(each.problem, []).append(each.group)
    with_needles = [groups for groups in problems.values() if any(groups)]
    size = Counter(needle.group for needle in needles)
    found, members, pure = set(), 0, 0
    for groups in with_needles:
        here = Counter(group for group in groups if group)
        [(group, most)] = here.most_common(1)
        members += here.total()
        pure += most
        if most >= FOUND * size[group]:
            found.add(group)
    posts = sum(map(len, with_needles))
    return [
        f"{len(found)} of {len(size)}",
        f"{members / len(needles):.0%}",
        f"{pure / posts:.2f}" if posts else "",
        f"{posts - members}",
        f"{len(with_needles)}",
    ]


def check(finished: Finished) -> None:
    """Leave with the output of a command that failed."""
    if finished.status:
        sys.exit(finished.output)
