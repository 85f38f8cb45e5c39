"""python -m ingest: collects days of posts into bronze.raw_items, then exits, so that dbt can open the database."""

import atexit
import gc
import logging
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from groundswell.choices import one_of
from groundswell.days import FirstDay, LastDay, days_between, parse_day, refuse_days_to_come
from groundswell.environment import load_env_file, require_addresses
from groundswell.errors import GOES_ON, GroundswellError, ended_by_signals
from ingest.errors import IngestError
from ingest.files import Wanted, import_files, parse_columns
from ingest.forget import forget
from ingest.limits import Limits
from ingest.report import Report, as_json, closing_table, days_of_files, tell
from ingest.settings import Sections, load_settings, why_off
from ingest.sources import sources
from ingest.store import open_plan, open_store

if TYPE_CHECKING:
    from ingest.collect import Run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
log = logging.getLogger("groundswell.ingest")

# Recorded responses with invented posts: one folder for each day.
SAMPLE = Path(__file__).with_name("sample")

# The addresses of the services, which the sources read from the environment.
ADDRESSES = (
    "GITHUB_API_URL",
    "STACKEXCHANGE_API_URL",
    "REDDIT_AUTH_URL",
    "REDDIT_API_URL",
    "HACKERNEWS_API_URL",
    "LOBSTERS_API_URL",
)


def parse_file_columns(text: str) -> dict[str, str]:
    """The columns of a table by field. Raises typer.BadParameter."""
    try:
        return parse_columns(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.callback()
def main() -> None:
    """Collect public posts, and what belongs to that. All commands read .env in this folder; the environment wins."""
    set_up_logging(Console(stderr=True))
    try:
        load_env_file()
    except GroundswellError as error:
        raise fail(error) from None


@app.command(
    "collect",
    epilog="Other commands: check tries each source with one request; forget erases posts for good."
    " Each has its own --help.",
)
def collect_posts(
    day: Annotated[
        date | None,
        typer.Option(
            "--date", parser=parse_day, metavar="D", help="UTC day to collect, as 2026-11-20. Default: yesterday."
        ),
    ] = None,
    first: FirstDay = None,
    last: LastDay = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            parser=one_of(sources()),
            metavar=f"[{'|'.join(sources())}]",
            help="Collect from this source only; may be repeated.",
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again also for what is finished; nothing is deleted.")
    ] = False,
    archive: Annotated[
        Path | None, typer.Option("--archive", metavar="DIR", help="Keep every raw response there, compressed.")
    ] = None,
    replay_dir: Annotated[
        Path | None, typer.Option("--replay", metavar="DIR", help="Read recorded responses, DIR/[DAY/]<source>/*.json.")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Replay a bundled day: 2026-11-12, 17 or 20.")] = False,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="F", help="Import posts from files of many formats, packed or not; - is standard input."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[F]...", help="More files, after --file F.")] = None,
    columns: Annotated[
        dict[str, str] | None,
        typer.Option(
            parser=parse_file_columns,
            metavar="FIELD=COLUMN,…",
            help="With --file: the columns of a table, as title=headline.",
        ),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="With --file: the order of 05/06/2026, where the file does not tell it."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be asked and how long it would take; ask nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the closing table as JSON.")] = False,
    new_salt: Annotated[
        bool, typer.Option("--new-salt", help="Hash authors with another AUTHOR_SALT than before, which is lost.")
    ] = False,
) -> None:
    """Collect public posts of a day, or of several, into bronze.raw_items.

    Without --file, --replay or --sample the services are asked for what ingest/sources.yml lists. The same command
    again goes on where the last run ended, and does not repeat what is finished.
    """
    console = Console(stderr=True)
    if sample and replay_dir:
        raise typer.BadParameter("--sample replays the bundled folder, --replay another one: give one of them")
    if sample:
        replay_dir = sample_folder(days_between(day, first, last))
    if file and (replay_dir or first or last):
        raise typer.BadParameter("--file goes with none of --replay, --from and --to")
    if day_first is not None and not file:
        raise typer.BadParameter("--day-first and --month-first go with --file F")
    if (more or columns) and not file:
        commands = ", ".join(command_names())
        raise typer.BadParameter(
            f"{more[0]} is no command ({commands}); names of files go with --file F"
            if more
            else "--columns goes with --file F"
        )
    if (file or replay_dir) and (archive or refresh or dry_run):
        raise typer.BadParameter("--archive, --refresh and --dry-run are for the services: not with --file or --replay")
    try:
        if file:
            with open_store(new_salt=new_salt, days=[day] if day else []) as connection:
                wanted = Wanted(day, source or [], columns, day_first)
                reports = import_files(connection, [*file, *(more or [])], wanted, console)
        else:
            # Importing files needs nothing of this, and would take 50 ms to load it.
            from ingest.collect import Run, replay

            days = days_between(day, first, last)
            if replay_dir:
                names = list(dict.fromkeys(source or sources()))
                with open_store(new_salt=new_salt, names=names, days=days) as connection:
                    reports = replay(connection, names, replay_dir, days)
            else:
                refuse_days_to_come(days)
                require_addresses(ADDRESSES)
                settings = load_settings()
                names = list(dict.fromkeys(source or sources_on(settings)))
                run = Run(names, days, settings, Limits.from_environment(), refresh, archive)
                if dry_run:
                    show_plan(run, json=json)
                    return
                reports = collect_days(run, console, new_salt=new_salt)
    except GroundswellError as error:
        raise fail(error) from None
    except KeyboardInterrupt:
        log.error(GOES_ON)
        raise typer.Exit(130) from None
    for report in reports:
        if report.off and source:
            report.errors.append(f"asked for with --source, but {report.off}")
            report.off = None
    tell(reports)
    # Without a terminal rich assumes 80 columns, which is too narrow for the table.
    if json:
        typer.echo(as_json(reports))
    else:
        Console(width=max(Console().width, 130)).print(closing_table(reports, of_files=bool(file)))
        if days_of_posts := days_of_files(reports):
            typer.echo(days_of_posts)
    if any(report.failed for report in reports):
        raise typer.Exit(1)


@app.command("check")
def check_sources() -> None:
    """Try each source that is on with one request, and say what is missing and where a key is made.

    The exit code is 1 if a source that is on does not work.
    """
    import asyncio

    from ingest.check import FAILS, check, check_table

    try:
        require_addresses(ADDRESSES)
        settings, limits = load_settings(), Limits.from_environment()
        with open_store() as connection:
            findings = asyncio.run(check(connection, settings, limits))
    except GroundswellError as error:
        raise fail(error) from None
    Console(width=max(Console().width, 100)).print(check_table(findings))
    if any(finding.state == FAILS for finding in findings):
        raise typer.Exit(1)


app.command("forget")(forget)


def fail(error: GroundswellError) -> typer.Exit:
    """Log an error, or several, one a line; returns the exception for the caller to raise."""
    for line in str(error).splitlines():
        log.error("%s", line)
    return typer.Exit(1)


def sources_on(settings: Sections) -> list[str]:
    """The sources that the settings do not leave out. Raises IngestError if there is none."""
    reasons = {name: why_off(settings, name) for name in sources()}
    names = [name for name, reason in reasons.items() if reason is None]
    if not names:
        raise IngestError("\n".join(["no source is on", *(f"{name}: {reason}" for name, reason in reasons.items())]))
    return names


def sample_folder(days: Sequence[date]) -> Path:
    """The folder of a bundled day. Raises typer.BadParameter."""
    bundled = sorted(folder.name for folder in SAMPLE.iterdir())
    if len(days) != 1 or str(days[0]) not in bundled:
        raise typer.BadParameter(f"--sample replays one of these days, with --date: {', '.join(bundled)}")
    return SAMPLE / str(days[0])


def set_up_logging(console: Console) -> None:
    """Log plain lines; on a terminal, which shows the live view, only warnings and errors."""
    if console.is_terminal:
        handler = RichHandler(console=console, show_time=False, show_path=False, markup=False, highlighter=None)
        logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    else:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    # httpx logs every URL with its query string, which can hold keys.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def collect_days(run: "Run", console: Console, *, new_salt: bool) -> list[Report]:
    """Collect days from the services; new_salt as in ingest.store.keep_salt. Raises IngestError."""
    import asyncio

    from ingest.collect import collect
    from ingest.view import View

    if run.archive:
        try:
            run.archive.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IngestError(f"--archive {run.archive} can not be written: {error.strerror}") from error
    view = View(console)

    async def watched() -> list[Report]:
        async with view.live():
            return await collect(connection, run, view.watch)

    with open_store(new_salt=new_salt, names=run.names, days=run.days) as connection:
        return asyncio.run(watched())


def show_plan(run: "Run", *, json: bool) -> None:
    """Print the estimate for a run. Raises IngestError."""
    from ingest.plan import estimate, estimate_table, estimates_as_json

    with open_plan() as connection:
        estimates = estimate(connection, run)
    if json:
        typer.echo(estimates_as_json(estimates))
    else:
        Console(width=max(Console().width, 100)).print(estimate_table(estimates))


def with_command(arguments: Sequence[str]) -> list[str]:
    """The arguments; without a command's name first, they are those of collect."""
    return [*arguments] if arguments and arguments[0] in command_names() else ["collect", *arguments]


def command_names() -> list[str]:
    """The names of the commands."""
    return [command.name or str(getattr(command.callback, "__name__", "")) for command in app.registered_commands]


if __name__ == "__main__":
    # When Python ends, it looks for garbage, which took 0.15 s. The system takes back all memory anyway.
    atexit.register(gc.freeze)
    with ended_by_signals():
        sys.exit(app(with_command(sys.argv[1:]), prog_name="python -m ingest"))
