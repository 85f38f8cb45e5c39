"""python -m groundswell: a day from the services to the board, what a scheduler sees of it, and the doctor."""

import json
import re
import signal
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from groundswell.day import NOT_PASSED_ON, Exit, Outcome, run_days, what_is_done_stays
from groundswell.environment import SettingError
from groundswell.report import live_counts, show_report
from groundswell.stages import Built, LogError, Reader, Stages, printable, sentence
from groundswell.watchlist import WatchlistError
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DAY, DBT, ROOT, SAMPLE, SETTINGS, Finished, Project, Server, heeding

# The environment wins over the .env of a developer, also with nothing in it.
UNSET = dict.fromkeys(SETTINGS, "") | {"INGEST_MAX_WAIT_SECONDS": "900"}
NOWHERE = {"POCKETBASE_URL": "http://127.0.0.1:9", "POCKETBASE_TOKEN": "s3cret"}


def groundswell(project: Project, *arguments: str, **settings: str) -> Finished:
    """Run python -m groundswell."""
    return project.run(sys.executable, "-m", "groundswell", *arguments, **(UNSET | project.settings | settings))


def test_a_day_with_an_incomplete_collection_and_no_server(
    built: Project, pocketbase: Server, loopback: Loopback, tmp_path: Path
) -> None:
    copy = built.copy_to(tmp_path)
    # Algolia has nothing, and no other service is asked.
    loopback.answer = lambda _: Answer("no", 403)
    finished = groundswell(
        copy, "day", "--date", DAY, "--", "--source", "hackernews",
        HACKERNEWS_API_URL=loopback.url, ALERT_URLS="https://example.com/hook", **NOWHERE,
    )  # fmt: skip
    assert finished.status == 4, finished.output
    lines = finished.output.splitlines()
    assert len(lines) <= 25
    assert lines[0].startswith(f"{DAY} collect  0 new posts, 0 updated, 0 known; ")
    assert re.search(r"\(unchanged, and left alone: \d+ tables, \d+ tests\); ", lines[1])
    assert f"{DAY}: 198 posts (" in finished.output
    assert "The first 10 of 20 problems" in finished.output
    log = copy.database.with_suffix(".logs") / f"day-{DAY}.log"
    incomplete, not_pushed, not_told = lines[-3:]
    assert incomplete.startswith(f"{DAY} is incomplete: hackernews ended with 1 window to go: Algolia refuses (403")
    assert incomplete.endswith(f"The same command again goes on from there (full log: {log})")
    assert not_pushed.startswith(f"{DAY} was not pushed: PocketBase at http://127.0.0.1:9 can not be reached")
    assert f"Then: python -m groundswell push --date {DAY}" in not_pushed
    assert not_told.startswith(
        "alerts were not sent: address 1 in ALERT_URLS is a webhook, and messages to it are signed"
    )
    text = log.read_text()
    assert "1 of 360 START" in text or "START seed file" in text
    assert "s3cret" not in finished.output + text
    # As if nothing had ever been pushed.
    copy.query("update gold.live_issues set synced_at = null")
    alone = groundswell(copy, "day", "--date", DAY, "--", "--source", "hackernews", HACKERNEWS_API_URL=loopback.url)
    assert alone.status == 3, alone.output
    assert alone.output.splitlines()[-1] == incomplete
    assert f"{DAY} push     nothing was pushed, since POCKETBASE_URL is not set\n" in alone.output
    assert " waiting, nothing pushed; language models today " in alone.output
    pushed = groundswell(copy, "push", "--date", DAY, **pocketbase.settings)
    assert pushed.status == 0, pushed.output
    assert f"10 issues and 198 posts of {DAY} are live at {pocketbase.url}" in pushed.output


def test_a_build_that_fails_shows_the_line_that_matters(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    # dbt looks for profiles.yml there.
    finished = groundswell(copy, "day", "--date", DAY, "--", "--replay", str(SAMPLE), DBT_PROFILES_DIR=str(tmp_path))
    assert finished.status == 6, finished.output
    _, build, line = finished.output.splitlines()
    assert build.startswith(f"{DAY} build    failed after 0 models, 0 data tests; ")
    assert line.startswith(f"{DAY} was not built: Could not find profile named 'groundswell' (full log: ")
    assert "Traceback" not in finished.output


def test_a_day_without_posts_is_not_built(project: Project, loopback: Loopback) -> None:
    loopback.answer = lambda _: Answer({"hits": [], "nbHits": 0})
    options = ("--from", "2026-11-18", "--to", "2026-11-19", "--", "--source", "hackernews")
    finished = groundswell(project, "day", *options, HACKERNEWS_API_URL=loopback.url)
    assert finished.status == 5, finished.output
    assert [line.partition(",")[0] for line in finished.output.splitlines()[-2:]] == [
        "2026-11-18 was not built", "2026-11-19 was not built",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "says"),
    [
        (["--date", "tomorrow"], {}, 2, "'tomorrow' is not a day"),
        (["--date", "0001-01-01"], {}, 2, "'0001-01-01' is before 1970: there are no posts of that day"),
        (["--from", DAY], {}, 2, "--from and --to go together"),
        ([], {"POCKETBASE_URL": "localhost:8090"}, 2, "POCKETBASE_URL is no web address"),
        (
            [],
            {"LLM_MODEL": "openai/a,openai/b", "LLM_BASE_URL": "http://a,localhost"},
            2,
            "LLM_BASE_URL is no web address",
        ),
        ([], {"LLM_MODEL": "gpt-of-my-own"}, 2, "LLM_MODEL=gpt-of-my-own names no provider"),
        ([], {"DBT_LOG_PATH": "pyproject.toml"}, 2, "pyproject.toml is no folder, and a build writes files there"),
        ([], {"DBT_TARGET_PATH": "pyproject.toml/target"}, 2, "pyproject.toml is no folder"),
        (["--date", DAY, "--file", "none.jsonl"], {}, 1, "was not collected: none.jsonl is no file"),
        ([], {"GITHUB_API_URL": "localhost"}, 1, "was not collected: GITHUB_API_URL is no web address"),
        (["--from", "2026-11-20", "--to", "2026-11-22", "--", "--nope"], {}, 1, "No such option: --nope"),
    ],
)
def test_what_a_day_refuses(
    project: Project, arguments: list[str], settings: dict[str, str], status: int, says: str
) -> None:
    finished = groundswell(project, "day", *arguments, **settings)
    assert finished.status == status, finished.output
    assert says in finished.output
    assert "Traceback" not in finished.output


def test_a_disk_that_becomes_full_is_one_line(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    logs = copy.database.with_suffix(".logs")
    logs.mkdir()
    # Each write to this file fails as on a full disk.
    log = logs / f"day-{DAY}.log"
    log.symlink_to("/dev/full")
    for command in (["day", "--date", DAY, "--", "--replay", str(SAMPLE)], ["backfill", "--from", DAY, "--to", DAY]):
        finished = groundswell(copy, *command)
        assert (finished.status, finished.output.splitlines()[-1]) == (
            1, f"ERROR: {log} can not be written: No space left on device",
        )  # fmt: skip
        assert "Traceback" not in finished.output
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "runs").touch()
    stages = Stages(Console(), logs, {"DBT_TARGET_PATH": str(tmp_path / "target")})
    with pytest.raises(LogError, match=r"/target/runs/.* can not be written: Not a directory"):
        stages.artifacts()


@pytest.mark.parametrize("setting", ["DBT_TARGET_PATH", "DBT_LOG_PATH"])
def test_a_file_in_the_place_of_a_folder_of_dbt_is_one_line(built: Project, tmp_path: Path, setting: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    said = (
        f"ERROR: {link} is no folder, and a build writes files there: set DBT_TARGET_PATH and DBT_LOG_PATH to folders\n"
    )
    for command in (["build", "--date", DAY], ["backfill", "--from", DAY, "--to", DAY]):
        assert groundswell(built, *command, **{setting: str(link)}) == Finished(2, said)


def test_a_command_of_dbt_says_that_its_target_path_is_no_folder(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    # A new interpreter: dbt imports its plugins once.
    finished = Project(project.database).run(DBT, "ls", "--select", "sources", "--target-path", str(file))
    assert finished.status == 2
    assert f"{file} is no folder, and a build writes files there" in finished.output
    assert "Traceback" not in finished.output


def test_what_is_refused_before_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    def stages(**environment: str) -> Stages:
        return Stages(Console(), Path("none"), environment)

    for option in NOT_PASSED_ON:
        with pytest.raises(SettingError, match=f"^{option} is not handed on to python -m ingest"):
            run_days([date(2026, 11, 20)], stages(), [f"{option}=2026-11-19"])
    with pytest.raises(SettingError, match="BOARD_URL is no web address"):
        run_days([date(2026, 11, 20)], stages(BOARD_URL="board.example.com"))
    monkeypatch.setenv("GROUNDSWELL_WATCHLIST", "none.yml")
    with pytest.raises(WatchlistError, match="names none"):
        run_days([date(2026, 11, 20)], stages())


def test_a_day_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POCKETBASE_URL=\n")
    finished = subprocess.run(
        [sys.executable, "-m", "groundswell", "day"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 2
    assert finished.stderr.startswith("ERROR: dbt_project.yml is not in this folder")
    (tmp_path / ".env").write_text("s3cret without a name\n")
    finished = subprocess.run(
        [sys.executable, "-m", "groundswell", "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (2, "ERROR: .env, line 1: write it as NAME=value\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_day_that_is_told_to_end_ends_its_command(
    project: Project, loopback: Loopback, number: signal.Signals, status: int
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def wait(_: Request) -> Answer:
        asked.set()
        answered.wait(120)
        return Answer({"hits": [], "nbHits": 0})

    loopback.answer = wait
    command = [sys.executable, "-m", "groundswell", "day", "--date", DAY, "--", "--source", "hackernews"]
    command = heeding(number, command)
    settings = project.environment(UNSET | {"HACKERNEWS_API_URL": loopback.url})
    with subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as day:
        assert asked.wait(120)
        # The signal goes to this process alone, as from a service manager or `kill`.
        day.send_signal(number)
        assert day.wait(120) == status
    answered.set()
    # Nothing holds the database any more.
    assert project.query("select count(*) from bronze.raw_items") == [(0,)]


def test_the_doctor(built: Project, pocketbase: Server, tmp_path: Path) -> None:
    well = groundswell(built, "doctor", **pocketbase.settings)
    assert well.status == 0, well.output
    assert re.search(f"days with posts: {DAY}; built: +{DAY}", " ".join(well.output.split()))
    assert f"{pocketbase.url} lets us in" in well.output
    # What is not set is no fault, and half of a key is named.
    assert "missing" not in well.output
    assert re.search(r"^ GITHUB_TOKEN +not set +30 searches a minute instead of 10", well.output, re.MULTILINE)
    half = groundswell(built, "doctor", REDDIT_CLIENT_ID="id")
    assert half.status == 0
    assert re.search(r"^ REDDIT_CLIENT_SECRET +not set +posts from Reddit", half.output, re.MULTILINE)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("create schema bronze; create table bronze.raw_items (payload json)")
    foreign = groundswell(built, "doctor", GROUNDSWELL_DB=str(other))
    assert foreign.status == 1
    assert "is the database of another program" in " ".join(foreign.output.split())
    ill = groundswell(built, "doctor", GITHUB_TOKEN="s3cret", **NOWHERE)
    assert ill.status == 1
    [line] = [line for line in ill.output.splitlines() if "broken" in line]
    assert "PocketBase at http://127.0.0.1:9 can not be" in line
    assert "s3cret" not in ill.output
    absurd = groundswell(
        built, "doctor",
        GROUNDSWELL_DB="a" * 300, POCKETBASE_URL="", ALERT_URLS="bogus://s3cret", GROUNDSWELL_WATCHLIST="none.yml",
        GROUNDSWELL_RUNS_KEPT="many",
    )  # fmt: skip
    broken = [line.split()[0] for line in absurd.output.splitlines() if " broken " in line]
    assert broken == ["files", "database", "collection", "watchlist", "alerts"]
    assert "s3cret" not in absurd.output
    assert "GROUNDSWELL_RUNS_KEPT is a whole number, 0 or more" in " ".join(absurd.output.split())


def test_the_address_of_the_board(project: Project, pocketbase: Server) -> None:
    assert groundswell(project, "board", **pocketbase.settings) == Finished(0, f"{pocketbase.url}\n")
    away = groundswell(project, "board", **NOWHERE)
    assert away.status == 1
    assert away.output.startswith("ERROR: no board answers at http://127.0.0.1:9: ")


def test_a_day_that_was_never_built_is_not_pushed(built: Project, pocketbase: Server) -> None:
    finished = groundswell(built, "push", "--date", "2026-11-19", **pocketbase.settings)
    assert finished.status == 1
    assert finished.output.startswith("ERROR: 2026-11-19 was never built: ")
    assert finished.output.endswith(f"built days: {DAY}\n")


def test_a_command_names_itself_as_it_was_typed(project: Project) -> None:
    for typed in (["groundswell", "push"], ["groundswell", "serve"], ["sync"], ["sync", "serve"]):
        finished = project.run(sys.executable, "-m", *typed, "--nope")
        assert finished.status == 2
        assert f"Try 'python -m {' '.join(typed)} --help' for help." in finished.output


def test_the_report_fits_a_screen(
    built: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DB", str(built.database))
    show_report(date.fromisoformat(DAY), Built(notes=["a [red]\x1b[31m note"] * 10), Console(width=100))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 120
    assert "a [red] [31m note" in lines
    assert "(3 more lines in the log)" in lines
    show_report(date.fromisoformat(DAY), Built(notes=["a note"] * 8), Console(width=100))
    assert "(1 more line in the log)" in capsys.readouterr().out.splitlines()
    header = [line.split() for line in lines if "voices" in line and "trend" in line]
    assert header == [["#", "problem", "voices", "voices", "trend", "seen", "posts"]]
    assert live_counts(date.fromisoformat(DAY)) == "20 problems, 10 issues and 18 themes"
    assert live_counts(date(2026, 11, 19)) == "20 problems, 0 issues and 18 themes"


def test_a_report_that_can_not_be_shown_leaves_the_day_done(
    built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = built.copy_to(tmp_path)
    monkeypatch.setenv("GROUNDSWELL_DB", str(copy.database))
    outcome = Outcome()
    with copy.held() as number, what_is_done_stays("the report can not be shown", outcome):
        show_report(date.fromisoformat(DAY), Built(), Console())
    assert (outcome.code, len(outcome.faults)) == (Exit.DONE, 1)
    assert outcome.faults[0].startswith("the report can not be shown: ")
    assert f"process {number} is using it" in outcome.faults[0]


def test_the_sentence_of_an_error() -> None:
    assert sentence("Encountered an error:\nDatabase Error\n  Runtime Error\n    it is held") == "it is held"
    said = "  Runtime Error in model x (models/x.py)\n  Python model failed:\n  a.b.ModelError: no key\n "
    assert sentence(said) == "no key"
    assert sentence("  Compilation Error in model x (x.sql)\n  no day\n\n  > in macro m (m.sql)") == "no day"
    said = "Encountered an error while running operation: Compilation Error in macro name_days (macros/name_days.sql)"
    assert sentence(f"{said}\n  no day\n  \n  > in macro require_day (macros/require_day.sql)") == "no day"
    line = {"info": {"name": "RunningOperationCaughtError", "msg": f"{said}\n  no day", "level": "error"}, "data": {}}
    reader = Reader()
    reader.read(json.dumps(line))
    assert reader.built.reason() == "no day"
    assert sentence("Got 1 result, configured to fail if != 0") == "Got 1 result, configured to fail if != 0"
    assert sentence("") == ""
    assert printable("a\x1b]0;b\x07\nc") == "a ]0;b  c"


def test_what_a_failed_build_means() -> None:
    assert not Built().push_failed
    assert not Built().only_tests_failed
    assert Built({"live_issues": "away", "live_themes": "away"}).push_failed
    assert not Built({"live_issues": "away", "issues": "broken"}).push_failed
    assert Built({"a_test": "Got 1 result"}, {"a_test"}).only_tests_failed
    assert not Built({"a_test": "Got 1 result", "issues": "broken"}, {"a_test"}).only_tests_failed
    assert Built({"": "no profile"}).reason() == "no profile"
    assert Built({"issues": "broken", "a_test": "Got 1 result"}).reason() == "issues: broken (and 1 more)"
