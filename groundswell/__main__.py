"""python -m groundswell: a day from the services to the board, its parts, corrections, backups, and news."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.backfill import backfill
from groundswell.backup import back_up, restore
from groundswell.choices import one_of
from groundswell.clock import yesterday
from groundswell.corrections import Corrections
from groundswell.database import database_path, open_shared
from groundswell.day import Outcome, require_project, run_days
from groundswell.days import FirstDay, LastDay, days_between, parse_day, refuse_days_to_come
from groundswell.disk import dbt_folders, require_folders
from groundswell.doctor import BROKEN, board_address, examine, finding_table
from groundswell.environment import SettingError, load_env_file
from groundswell.errors import GOES_ON, TYPED, GroundswellError, adding, ended_by_signals
from groundswell.export import Format, export
from groundswell.news import commands as news
from groundswell.published import TABLES
from groundswell.stages import DBT, LogFormat, Stages, end_on_signals
from groundswell.words import count
from groundswell.yaml_file import YamlFileError, read_yaml_text

# Typer makes one paragraph of an epilog.
MORE = (
    "The parts of a day have commands of their own: python -m ingest collects posts, imports files, tries keys (check)"
    " and erases posts for good (forget); python -m sync pushes, compares the board, and makes its tokens."
)

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True, epilog=MORE
)
correct = typer.Typer(no_args_is_help=True)
app.add_typer(correct, name="correct")
lake = typer.Typer(no_args_is_help=True)
app.add_typer(lake, name="lake")
log = logging.getLogger("groundswell")

# A command that hands all of its options on, --help included.
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all that the commands print.")]
Format_ = Annotated[
    LogFormat,
    typer.Option(
        "--log-format",
        parser=one_of(LogFormat),
        metavar="|".join(LogFormat),
        help="json: each line is one object, for schedulers.",
    ),
]
IngestOptions = Annotated[
    list[str] | None,
    typer.Argument(metavar="[OPTION...]", help="Other options are those of python -m ingest, as --file posts.jsonl."),
]
Problem = Annotated[
    str, typer.Argument(metavar="PROBLEM", help="A problem_id of gold.problems; its address on the board ends with it.")
]
Post = Annotated[str, typer.Argument(metavar="POST", help="Url or url_hash of a post.")]
Posts = Annotated[list[str], typer.Argument(metavar="POST...", help="Urls or url_hashes of posts.")]


@app.callback()
def main() -> None:
    """Groundswell's commands for people. They read .env in this folder; the environment wins."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with errors_in_one_line():
        load_env_file()


@app.command(context_settings={"ignore_unknown_options": True})
def day(
    date_: Annotated[
        date | None, typer.Option("--date", parser=parse_day, metavar="D", help="UTC day. Default: yesterday.")
    ] = None,
    first: FirstDay = None,
    last: LastDay = None,
    verbose: Verbose = False,
    log_format: Format_ = LogFormat.TEXT,
    options: IngestOptions = None,
) -> None:
    """Collect, build and push a day, and show its report.

    It is pushed if POCKETBASE_URL is set.

    Exit codes: 0 all is done; 1 the collection could not start; 2 a wrong option or setting; 3 done, but the collection
    is incomplete; 4 built, but not pushed; 5 no posts; 6 the build or a data test failed; 130 Ctrl-C.
    """
    with errors_in_one_line():
        days = days_between(date_, first, last)
    finish(days, log_format, verbose, lambda stages: run_days(days, stages, options or []))


@app.command("build", context_settings={"ignore_unknown_options": True})
def build_day(
    date_: Annotated[
        date | None, typer.Option("--date", parser=parse_day, metavar="D", help="UTC day. Default: yesterday.")
    ] = None,
    variables: Annotated[
        str,
        typer.Option(
            "--vars", metavar="YAML", show_default=False, help="Other vars of the project, as '{relabel: true}'."
        ),
    ] = "{}",
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OPTION...]", help="Other options are those of dbt build, as --select issues+."),
    ] = None,
) -> None:
    """Build a collected day, and push it if POCKETBASE_URL is set. This is dbt build, which does not read .env itself.

    The exit codes are those of dbt: 0 all is done; 1 a model or a data test failed; 2 a wrong option or setting.
    """
    with errors_in_one_line():
        require_project()
        # dbt ends without a word if its log has no folder.
        require_folders(*dbt_folders())
        command = [DBT, "build", *(options or []), "--vars", vars_with_day(date_, variables)]
    # Python still holds lines for a pipe, which would be lost.
    sys.stdout.flush()
    # dbt replaces this process, so that it gets the signals itself.
    os.execv(DBT, command)  # noqa: S606


@app.command("backfill", context_settings={"ignore_unknown_options": True})
def fill(
    first: FirstDay = None,
    last: LastDay = None,
    collects: Annotated[bool, typer.Option("--collect", help="Collect each day first.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Build days, too, that nothing has changed.")] = False,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes over the lake; a file has one writer: 1.")] = 1,
    verbose: Verbose = False,
    log_format: Format_ = LogFormat.TEXT,
    options: IngestOptions = None,
) -> None:
    """Build many days in one process, then test and push them.

    A day that was built, and whose posts, code, settings and corrections are the same, stays. Exit codes as of `day`.
    """
    with errors_in_one_line():
        if not (first and last):
            raise SettingError("--from and --to name the days: --from 2026-11-01 --to 2026-11-30")
        if workers < 1:
            raise SettingError(f"--workers {workers}: 1 is the least")
        if workers > 1 and not os.environ.get("GROUNDSWELL_LAKE"):
            raise SettingError(
                f"--workers {workers}: {database_path()} is one file, which has one writer; with GROUNDSWELL_LAKE there"
                " may be several (docs/lake.md)"
            )
        if options and not collects:
            raise SettingError(f"{options[0]} is an option of python -m ingest, which runs with --collect only")
        days = days_between(None, first, last)
    finish(
        days,
        log_format,
        verbose,
        lambda stages: backfill(days, stages, collects=collects, again=again, workers=workers, options=options or []),
    )


def finish(days: list[date], log_format: LogFormat, verbose: bool, run: Callable[[Stages], Outcome]) -> NoReturn:
    """Run the stages of days, say what went wrong, and exit."""
    end_on_signals()
    stages = Stages(Console(), dbt_folders()[1], is_verbose=verbose, log_format=log_format)
    try:
        with errors_in_one_line(stages.fault):
            refuse_days_to_come(days)
            outcome = run(stages)
    except KeyboardInterrupt:
        stages.fault(GOES_ON)
        raise typer.Exit(130) from None
    for fault in outcome.faults:
        stages.fault(fault)
    raise typer.Exit(outcome.code)


@app.command(context_settings=PASSED_ON, add_help_option=False)
def push(context: typer.Context) -> None:
    """Push a built day, by default yesterday. This is python -m sync, with its options."""
    become("python -m groundswell push", "sync", *context.args)


@app.command(context_settings=PASSED_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """Run PocketBase with the board, until Ctrl-C. This is python -m sync serve, with its options."""
    become("python -m groundswell", "sync", "serve", *context.args)


@app.command()
def board() -> None:
    """Print the board's address, and open it in a browser. Without a terminal, only print it."""
    with errors_in_one_line():
        url = board_address()
    typer.echo(url)
    if sys.stdout.isatty():
        typer.launch(url)


@app.command()
def doctor() -> None:
    """Say in one table what a day needs and has. The exit code is 1 if something that a day needs is broken."""
    findings = examine()
    Console(width=max(Console().width, 100)).print(finding_table(findings))
    if any(finding.state == BROKEN for finding in findings):
        raise typer.Exit(1)


@app.command("export")
def export_tables(
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            parser=one_of(Format),
            metavar="|".join(Format),
            help="csv is for spreadsheets, the others for programs.",
        ),
    ],
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="One file a table is written there.")] = Path(
        "export"
    ),
    names: Annotated[
        list[str] | None,
        typer.Option("--table", parser=one_of(TABLES), metavar="NAME", help=f"Only this one of {', '.join(TABLES)}."),
    ] = None,
) -> None:
    """Write the published tables to files. The option --table names them all."""
    with errors_in_one_line():
        for file, rows in export(folder, form, names or list(TABLES)):
            log.info("%s: %s", file, count(rows, "row", "rows"))


@app.command()
def mcp(
    http: Annotated[
        str | None,
        typer.Option(
            "--http", metavar="HOST:PORT", help="Serve HTTP there, at /mcp, instead of standard input and output."
        ),
    ] = None,
) -> None:
    """Let a language model's program ask about the problems. It uses the Model Context Protocol, and only reads."""
    with errors_in_one_line():
        if find_spec("mcp") is None:
            raise SettingError(f"the MCP server is not installed: {adding('mcp')}")
        # Not at the top: package mcp is an extra.
        from groundswell.ask import serve_questions

        serve_questions(http)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The backup becomes a new folder in it.")] = Path(
        "backups"
    ),
) -> None:
    """Write a backup of the database. No other command may run meanwhile."""
    with errors_in_one_line():
        log.info("%s holds %s", back_up(folder), database_path())


@app.command("restore")
def restore_backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that backup made.")],
) -> None:
    """Make the database from a backup. A database that exists is not overwritten."""
    with errors_in_one_line():
        log.info(
            "%s is as %s has it. The next dbt build describes its tables and columns again", restore(folder), folder
        )


@correct.callback()
def corrections() -> None:
    """Correct the problems that the builds find. The next build applies the corrections."""


@correct.command()
def merge(
    problem: Problem, other: Annotated[str, typer.Argument(metavar="OTHER", help="The problem that joins it.")]
) -> None:
    """Say that two problems are one; the first one keeps its id."""
    with opened() as store:
        tell(store, store.merge(problem, other), f"problem {other} is one with {problem}")


@correct.command()
def split(problem: Problem, posts: Posts) -> None:
    """Say that some posts of a problem are another problem."""
    with opened() as store:
        tell(
            store,
            store.split(problem, posts),
            f"{count(len(set(posts)), 'post leaves', 'posts leave')} problem {problem}",
        )


@correct.command()
def pin(problem: Problem, post: Post) -> None:
    """Say that a post belongs to a problem."""
    with opened() as store:
        tell(store, store.pin(problem, post), f"{post} belongs to problem {problem}")


@correct.command()
def rename(problem: Problem, title: Annotated[str, typer.Argument(metavar="TITLE", help="Plain text.")]) -> None:
    """Give a problem another title."""
    with opened() as store:
        tell(store, store.rename(problem, title), f"problem {problem} has a new title")


@correct.command()
def dismiss(problem: Problem) -> None:
    """Say that a problem is none: it is no longer published."""
    with opened() as store:
        tell(store, store.dismiss(problem), f"problem {problem} is dismissed")


@correct.command()
def undo(correction: Annotated[int, typer.Argument(metavar="ID", help="Number of a correction.")]) -> None:
    """Take a correction back."""
    with opened() as store:
        number = store.undo(correction)
        log.info("Correction %d takes back %d. To apply it, build %s", number, correction, build(store, correction))


@correct.command("list")
def show() -> None:
    """Print all corrections."""
    with opened() as store:
        found = store.all()
    if not found:
        log.info("No corrections in %s", database_path())
        return
    columns = Table("id", "time (UTC)", "kind", "problem", "with", "posts", "title", "state")
    for number, moment, kind, problem, other, posts, title, undoes, is_undone in found:
        state = f"undoes {undoes}" if undoes else "undone" if is_undone else ""
        cells = (number, f"{moment:%Y-%m-%d %H:%M}", kind, problem, other, len(posts or []) or "", title, state)
        # A title is shown as it is, not as markup.
        columns.add_row(*(Text(str("" if cell is None else cell)) for cell in cells))
    # Without a terminal rich assumes 80 columns, which is too narrow for the table.
    Console(width=max(Console().width, 150)).print(columns)


@lake.callback()
def lake_commands() -> None:
    """Look after the lake, whose address GROUNDSWELL_LAKE holds."""


@lake.command()
def tidy(
    keep: Annotated[
        int, typer.Option("--keep", metavar="DAYS", min=0, help="Older snapshots are expired. Needed to look back.")
    ] = 7,
    erase_now: Annotated[
        bool, typer.Option("--erase-now", help="Keep the newest snapshot only: what was erased is gone at once.")
    ] = False,
) -> None:
    """Expire old snapshots, merge small files, delete unused ones. Killed workers leave unused files."""
    with errors_in_one_line():
        # Not at the top: the lake is an extra.
        from groundswell.lake.address import require_lake
        from groundswell.lake.upkeep import tidied_table, tidy

        done = tidy(require_lake(), timedelta(days=keep), erase_now=erase_now)
        Console(width=max(Console().width, 100)).print(tidied_table(done))
        log.info("%s", done.sentence)


@lake.command("status")
def lake_status() -> None:
    """Print what the lake holds, and who holds which lock. A table shows the rows, files and bytes of each table."""
    with errors_in_one_line():
        from groundswell.lake.address import require_lake
        from groundswell.lake.upkeep import status, status_table

        found = status(require_lake())
        Console(width=max(Console().width, 100)).print(status_table(found))
        for line in found.sentences:
            log.info("%s", line)


@contextmanager
def opened() -> Iterator[Corrections]:
    """The corrections of the project's database. An error becomes one line, and exit status 1."""
    with errors_in_one_line(), open_shared() as connection:
        yield Corrections(connection)


@contextmanager
def errors_in_one_line(tell: Callable[[str], None] | None = None) -> Iterator[None]:
    """Turn an error inside a with block into one line, and exit status 1; 2 for a wrong setting."""
    try:
        yield
    except GroundswellError as error:
        if tell:
            tell(f"ERROR: {error}")
        else:
            log.error("ERROR: %s", error)
        raise typer.Exit(2 if isinstance(error, SettingError) else 1) from None


def vars_with_day(day: date | None, variables: str) -> str:
    """What --vars of dbt gets, as JSON: the day (None: yesterday), and further vars in YAML. Raises SettingError."""
    try:
        given = read_yaml_text(variables, "--vars")
    except YamlFileError as error:
        raise SettingError(str(error)) from None
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise SettingError(f"--vars {variables!r} names no value: write it as '{{relabel: true}}'")
    if "date" in given:
        raise SettingError("--date D names the day, not --vars")
    return json.dumps({"date": str(day or yesterday()), **given}, default=str)


def become(name: str, *arguments: str) -> NoReturn:
    """Replace this process by python -m of these arguments, so that it gets the signals itself.

    name: what a person has typed, which its help and its messages about options name.
    """
    os.environ[TYPED] = name
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606


def tell(store: Corrections, correction: int, what: str) -> None:
    """Say which correction was made, and how to apply it and to take it back."""
    log.info("Correction %d: %s. To apply it, build %s", correction, what, build(store, correction))


def build(store: Corrections, correction: int) -> str:
    """The command that builds the day of a correction."""
    day = store.day_of(correction)
    return f"{day} again: python -m groundswell build --date {day}"


# Last, because the help lists commands in this order.
news.register(app)

if __name__ == "__main__":
    with ended_by_signals():
        app(prog_name="python -m groundswell")
