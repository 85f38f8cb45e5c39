"""python -m groundswell backfill, and what dbt keeps of the parsed project: it holds no day."""

import json
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from groundswell.backfill import Day, show_table
from groundswell.days import days_between
from groundswell.stages import Stages
from tests.support.project import DBT, SETTINGS, Finished, Project

# The first day has no posts.
DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")
# Tables with the time of their rows, or with what is derived from it.
WITH_TIMES = {
    "bronze.raw_items",
    "gold.issue_label_attempts",
    "gold.issue_labels",
    "gold.problem_label_attempts",
}
# It says that the other days were not tested.
LEDGER = "bronze.built_days"
UNSET = dict.fromkeys(SETTINGS, "")

# Compiles models as dbt's command line does, with a clock that stands: a line for each run, "parsed" or "kept".
AT_TIMES = """
import os, sys
from datetime import datetime
from pathlib import Path

import dbt.tracking
from dbt.cli.main import dbtRunner

parsed = Path(os.environ["DBT_TARGET_PATH"]) / "partial_parse.msgpack"
for moment, model, day in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    os.environ["LLM_MODEL"] = model

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromisoformat(moment).replace(tzinfo=tz)

    dbt.tracking.datetime = Clock
    before = parsed.stat().st_mtime_ns if parsed.exists() else None
    tests = ["--exclude", "test_type:data", "test_type:unit"]
    named = ["--vars", f"date: {day}"] if day else []
    result = dbtRunner().invoke(["--quiet", "compile", "--select", "opinion_attempts", "texts", *tests, *named])
    assert result.success, result.exception
    print("RUN", "kept" if parsed.stat().st_mtime_ns == before else "parsed")
    for node in result.result.results:
        code = node.node.compiled_code
        assert (day or ("2026-11-19" if moment < "2026-11-21" else "2026-11-20")) in code, code
        assert "texts" in node.node.name or repr(model) in code, code
"""


def write_posts(folder: Path, count: int = 12) -> None:
    """Write a file of so many posts for each day but the first."""
    posts = [
        {
            "source": "reddit",
            "url": f"https://example.com/{day}/{number}",
            "title": f"Export {number} of the report number {number} fails",
            "body": f"The export of report {number} to a spreadsheet is broken since the update of {day}. I hate it.",
            "created_at": f"{day}T08:{number:02}:00Z",
        }
        for day in DAYS[1:]
        for number in range(count)
    ]
    (folder / "posts.jsonl").write_text("".join(f"{json.dumps(post)}\n" for post in posts))


def make(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def backfill(project: Project, *arguments: str) -> Finished:
    """Run python -m groundswell backfill for the days."""
    command = (sys.executable, "-m", "groundswell", "backfill", "--from", DAYS[0], "--to", DAYS[-1], *arguments)
    return project.run(*command, **UNSET)


def test_a_build_after_midnight_needs_no_parse_and_is_of_the_next_day(project: Project) -> None:
    finished = project.run(
        sys.executable, "-c", AT_TIMES,
        "2026-11-20T23:59:59", "extractive", "", "2026-11-21T00:00:01", "extractive", "",
        "2026-11-21T00:00:02", "extractive", "2026-11-05", "2026-11-21T00:00:03", "some/model", "",
        GROUNDSWELL_DB=":memory:",
    )  # fmt: skip
    assert finished.status == 0, finished.output
    runs = [line.removeprefix("RUN ") for line in finished.output.splitlines() if line.startswith("RUN ")]
    assert runs == ["parsed", "kept", "kept", "parsed"]


def test_days_without_posts_share_a_row(
    built: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DB", str(built.database))
    days = days_between(None, date(2026, 11, 1), date(2026, 11, 21))
    found = [Day(date(2026, 11, 20), 198, None, is_tested=True, became="stays")]
    show_table(days, found, Stages(Console(), tmp_path))
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if "2026" in line]
    assert [rows[0], rows[2]] == ["2026-11-01 to 2026-11-19 no posts", "2026-11-21 no posts"]
    assert rows[1].startswith("2026-11-20 198 ")
    assert rows[1].endswith(" stays")


def test_days_in_one_process_end_in_the_tables_of_days_one_by_one(project: Project, tmp_path: Path) -> None:
    write_posts(tmp_path)
    assert project.ingest("--file", str(tmp_path / "posts.jsonl")).status == 0
    one_by_one = project.copy_to(make(tmp_path / "one"))
    for day in DAYS[1:]:
        assert one_by_one.build(day, data_tests=False).status == 0
    finished = backfill(project, "--log-format", "json")
    assert finished.status == 5, finished.output
    lines = [json.loads(line) for line in finished.output.splitlines()]
    assert {line["run"] for line in lines} == {lines[0]["run"]}
    assert {line["model"] for line in lines if line["day"] == DAYS[2]} >= {"documents", "cluster_assignments"}
    assert next(line for line in lines if line["level"] == "error")["message"].startswith(
        f"{DAYS[0]} was not built, because {project.database} has no posts of it"
    )
    table = {line["day"]: line for line in lines if line["stage"] == "backfill"}
    assert [table[day]["message"] for day in DAYS] == ["no posts", "built", "built"]
    assert [table[day]["posts"] for day in DAYS] == [None, 12, 12]
    before, expected = project.contents(), one_by_one.contents()
    different = {name for name in before if before[name] != expected.get(name)}
    assert different <= {*WITH_TIMES, LEDGER}
    assert project.query("select bool_and(is_tested), count(*) from bronze.built_days") == [(True, 2)]
    ledgers = [each.query("from gold.live_issues order by all") for each in (project, one_by_one)]
    assert ledgers[0] == ledgers[1]

    # Nothing has changed.
    finished = backfill(project)
    assert finished.status == 5, finished.output
    assert finished.output.count("stays") == 2
    assert project.contents() == before
    [folder] = (project.database.with_suffix(".target") / "runs").iterdir()
    assert {file.name for file in folder.iterdir()} == {
        "manifest.json",
        *(f"run_results-{day}.json" for day in DAYS[1:]),
    }

    # A late post, and a correction.
    with duckdb.connect(str(project.database)) as connection:
        late = "select * replace ('late' as url_hash, 'late' as url) from bronze.raw_items"
        connection.execute(f"insert into bronze.raw_items {late} where collection_date = '{DAYS[1]}' limit 1")
        connection.execute(
            "insert into bronze.corrections by name select 1 as correction_id, 'dismiss' as kind,"
            f" date '{DAYS[2]}' as as_of_date, now() at time zone 'UTC' as corrected_at"
        )
    span = {"first": DAYS[0], "last": DAYS[2]}
    planned = project.run(DBT, "run-operation", "name_days", "--args", json.dumps(span))
    assert planned.status == 0, planned.output
    said = json.loads(planned.output[planned.output.index('{"days": ') :].splitlines()[0])
    assert [day["due"] for day in said["days"]] == ["posts changed", "corrected"]


def test_a_day_that_fails_stops_the_days_after_it(project: Project, tmp_path: Path) -> None:
    write_posts(tmp_path)
    assert project.ingest("--file", str(tmp_path / "posts.jsonl")).status == 0
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("create schema silver; create table silver.documents as select 1 as url_hash")
    finished = backfill(project)
    assert finished.status == 6, finished.output
    said = finished.output.splitlines()[-2:]
    assert said[0].startswith(f"{DAYS[1]} was not built: ")
    assert said[1].startswith(f"the days from {DAYS[2]} on were left out: each day builds on those before.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", DAYS[0]), "--from and --to name the days"),
        (("--from", DAYS[0], "--to", DAYS[1], "--workers", "2"), "is one file, which has one writer"),
        (("--from", DAYS[0], "--to", DAYS[1], "--file", "x"), "runs with --collect only"),
        (("--from", DAYS[0], "--to", "2999-01-01"), "2999-01-01 has not begun"),
    ],
)
def test_what_backfill_refuses(project: Project, arguments: tuple[str, ...], says: str) -> None:
    finished = project.run(sys.executable, "-m", "groundswell", "backfill", *arguments)
    assert finished.status == 2
    assert says in finished.output
    assert "Traceback" not in finished.output
