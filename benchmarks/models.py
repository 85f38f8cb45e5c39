"""Asks the models of LLM_MODEL about the bundled day, and prints what their answers are worth: make models.

The day is built without a model into a temporary database. Then the models are asked for labels of topics and problems,
for second opinions, and about pairs of posts, as in any build.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.llm.opinions import BATCH
from groundswell.llm.settings import EXTRACTIVE
from tests.support.project import DAY, DBT, ROOT, SAMPLE, Project

# So few questions that a slow model at home is done in some minutes: of topics and of problems this many, and one each
# about posts and about pairs.
QUESTIONS = 6
VARS = f"second_opinion_margin: 0.05, judged_pairs: {BATCH}"
# Reasons that are shown, the most frequent first.
REASONS = 10


class Purpose(NamedTuple):
    """What models are asked for: its name in the tables, the table of attempts, and the columns of its subject."""

    name: str
    attempts: str
    subject: str


PURPOSES = (
    Purpose("topics", "gold.issue_label_attempts", "cluster_id"),
    Purpose("problems", "gold.problem_label_attempts", "problem_id"),
    Purpose("opinions", "silver.opinion_attempts", "content_hashes"),
    Purpose("pairs", "silver.pair_attempts", "pair_hashes"),
)
# The models that are built with LLM_MODEL. Without it silver.unsure_pairs is empty.
ASKING = (
    *("opinion_requests", "opinion_attempts", "unsure_pairs", "pair_requests", "pair_attempts"),
    *("issue_label_attempts", "problem_label_attempts"),
)

# A question is asked once more after a wrong answer.
ANSWERS = """
with tries as (
    select
        labeler,
        {subject} as subject,
        status in ('labelled', 'mixed', 'answered') as passes,
        tokens_in,
        tokens_out,
        latency_seconds,
        row_number() over (partition by labeler, subject order by attempted_at) as place,
    from {attempts}
    where labeler <> $extractive
)
select
    labeler,
    count(distinct subject) as questions,
    count(*) filter (where passes and place = 1) as at_first,
    count(*) filter (where passes and place > 1) as later,
    coalesce(avg(tokens_in) filter (where latency_seconds is not null), 0) as tokens_in,
    coalesce(avg(tokens_out) filter (where latency_seconds is not null), 0) as tokens_out,
    coalesce(median(latency_seconds), 0) as seconds,
from tries
group by labeler
order by labeler
"""
ERRORS = """
select error from {attempts}
where labeler <> $extractive and status in ('rejected', 'unanswered')
"""


def without_details(error: str) -> str:
    """The reason of an error without the words and numbers of one question, at most 90 characters."""
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", error)
    return re.sub(r"\d[\d,.]*\d|\d", "N", words)[:90]


def measure_answers(project: Project) -> list[Table]:
    """Tables of the answers in a database: how many pass, their size and time, and why the others fail."""
    passed = Table(title="Answers", title_justify="left", box=SIMPLE_HEAD)
    passed.add_column("model", no_wrap=True)
    passed.add_column("asked about", no_wrap=True)
    columns = ("questions", "pass at first", "after correction", "fail", "tokens in", "tokens out", "s an answer")
    for column in columns:
        passed.add_column(column, justify="right")
    reasons: dict[str, Counter[str]] = {}
    for purpose in PURPOSES:
        names = {"attempts": purpose.attempts, "subject": purpose.subject}
        for labeler, asked, first, later, *sizes, seconds in project.query(
            ANSWERS.format(**names), extractive=EXTRACTIVE
        ):
            shares = (f"{count} ({count / asked:.0%})" for count in (first, later, asked - first - later))
            passed.add_row(
                labeler, purpose.name, f"{asked}", *shares, *(f"{size:,.0f}" for size in sizes), f"{seconds:.1f}"
            )
        for (error,) in project.query(ERRORS.format(**names), extractive=EXTRACTIVE):
            reasons.setdefault(without_details(error), Counter())[purpose.name] += 1
    failed = Table(title="Wrong or missing answers", title_justify="left", box=SIMPLE_HEAD)
    failed.add_column("reason")
    for purpose in PURPOSES:
        failed.add_column(purpose.name, justify="right", no_wrap=True)
    for reason, counts in sorted(reasons.items(), key=lambda item: -item[1].total())[:REASONS]:
        # Text and not str: rich would read brackets in a server's message as markup.
        failed.add_row(Text(reason), *(str(counts[purpose.name] or "") for purpose in PURPOSES))
    return [passed, failed] if reasons else [passed]


def few_questions(project: Project) -> None:
    """Forget the labels and opinions of a built day, and all but a few of the questions that lead to labels."""
    for purpose in PURPOSES:
        project.query(f"delete from {purpose.attempts}")
    for requests, number in (("gold.label_requests", "cluster_id"), ("gold.problem_requests", "question_number")):
        asked = f"select rowid from {requests} where prompt is not null order by {number} limit {QUESTIONS}"
        project.query(f"delete from {requests} where rowid not in ({asked})")


def ask(project: Project, model: str, variables: str) -> None:
    """Have a model asked about a day that was built without one. dbt's own output goes to stderr."""
    # What no model labels gets a label of the built-in labeller, so that no failure ends the build.
    names = [name for name in model.split(",") if name.strip().lower() != EXTRACTIVE]
    environment = os.environ | {
        "GROUNDSWELL_DB": str(project.database),
        "DBT_TARGET_PATH": str(project.database.with_suffix(".target")),
        "DBT_LOG_PATH": str(project.database.with_suffix(".logs")),
        "LLM_MODEL": ",".join([*names, EXTRACTIVE]),
        # The invented posts go to no board.
        "POCKETBASE_URL": "",
    }
    command = [DBT, "build", "--vars", f"{{date: {DAY}, {variables}}}", "--exclude-resource-type", "test", "unit_test"]
    status = subprocess.run(
        [*command, "--select", *ASKING], cwd=ROOT, env=environment, stdout=sys.stderr, check=False
    ).returncode
    if status:
        sys.exit(status)


def main(
    variables: Annotated[str, typer.Option("--vars", help="dbt vars, such as 'llm_timeout_seconds: 600'.")] = "",
) -> None:
    """Ask the models of LLM_MODEL about the bundled day and print the tables."""
    model = os.environ.get("LLM_MODEL", "")
    if not model.strip() or model.strip().lower() == EXTRACTIVE:
        sys.exit(
            "LLM_MODEL names no language model: set it to provider/model, such as openai/gpt-4o-mini;"
            " docs/labels.md shows a server at home"
        )
    variables = ", ".join(filter(None, (VARS, variables)))
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "groundswell.duckdb")
        with console.status("Building the bundled day"):
            ingested = project.ingest("--date", DAY, "--replay", str(SAMPLE))
            built = ingested if ingested.status else project.build(DAY, variables=f", {variables}", data_tests=False)
        if built.status:
            sys.exit(built.output)
        few_questions(project)
        started = time.monotonic()
        ask(project, model, variables)
        minutes = (time.monotonic() - started) / 60
        # Without a terminal rich assumes 80 columns, which is too narrow for the tables.
        output = Console(width=None if sys.stdout.isatty() else 140)
        output.print(*measure_answers(project))
        output.print(f"{DAY}, {variables}: {minutes:.1f} minutes")


if __name__ == "__main__":
    typer.run(main)
