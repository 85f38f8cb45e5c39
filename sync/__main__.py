"""python -m sync: pushes a day to PocketBase, compares both, makes tokens, runs the bundled server and the demo."""

import logging
import os
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console

from groundswell.clock import yesterday
from groundswell.database import open_shared
from groundswell.days import built_days, in_words, parse_day
from groundswell.environment import load_env_file
from groundswell.errors import TYPED, GroundswellError, ended_by_signals
from groundswell.words import count
from sync.check import differences
from sync.client import signed_in
from sync.demo import demo as run_demo
from sync.errors import SyncError
from sync.forgotten import take_off_board
from sync.plan import PARTS
from sync.push import clear_emptied_days, push
from sync.server import check_port, command, settings, usual_address
from sync.small import publish_small
from sync.sources import publish_sources
from sync.tokens import make_token

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
log = logging.getLogger("groundswell.sync")

# This many differences are listed. All are counted.
SHOWN = 20


@app.callback(invoke_without_command=True)
def sync(
    context: typer.Context,
    day: Annotated[
        date | None, typer.Option("--date", parser=parse_day, metavar="D", help="UTC day to push. Default: yesterday.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: compare gold and the server, and fail if they differ.")
    ] = False,
) -> None:
    """Push a built day's issues, the problems and the themes to the PocketBase at POCKETBASE_URL.

    All commands read .env in this folder; the environment wins. The demo reads no setting.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # httpx logs every request.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if context.invoked_subcommand == "demo":
        return
    try:
        load_env_file()
    except GroundswellError as error:
        raise fail(str(error)) from None
    if context.invoked_subcommand:
        return
    day = day or yesterday()
    try:
        url = address()
        with open_shared() as connection:
            require_built(connection, day)
            with signed_in(url) as client:
                if check:
                    report(list(differences(connection, client, day)), day, url)
                    return
                if gone := take_off_board(connection, client):
                    log.info("%s", gone)
                publish_sources(connection, client)
                publish_small(connection, client)
                clear_emptied_days(connection, client)
                for part in PARTS.values():
                    log.info("%s", push(connection, client, part, day).message(day, url))
    except GroundswellError as error:
        raise fail(str(error)) from None


def address() -> str:
    """The address in POCKETBASE_URL. Raises SyncError if it is not set."""
    url = os.environ.get("POCKETBASE_URL")
    if not url:
        raise SyncError("POCKETBASE_URL is not set: say where PocketBase is, for example http://127.0.0.1:8090")
    return url


def require_built(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Raise SyncError if no build has written a day. The error names the days at hand."""
    days = built_days(connection)
    if day not in days:
        raise SyncError(
            f"{day} was never built: python -m groundswell build --date {day} builds and pushes it;"
            f" built days: {in_words(days)}"
        )


def report(found: list[str], day: date, url: str) -> None:
    """Log the differences between gold and the server. Raises SyncError if there are any."""
    if not found:
        log.info("%s holds the issues of %s, the problems and the themes as gold does", url, day)
        return
    for line in found[:SHOWN]:
        log.info("%s", line)
    differing = count(len(found), "record differs", "records differ")
    raise SyncError(f"{differing} between gold and {url}: python -m sync --date {day} mends them")


@app.command()
def reach() -> None:
    """Sign in at POCKETBASE_URL and change nothing. The exit code is 1 if a push could not begin."""
    try:
        url = address()
        with signed_in(url):
            log.info("%s lets us in", url)
    except GroundswellError as error:
        raise fail(str(error)) from None


@app.command()
def forgotten() -> None:
    """Take forgotten posts off the board. python -m ingest forget erased them; every push does this, too."""
    try:
        with open_shared() as connection, signed_in(address()) as client:
            log.info("%s", take_off_board(connection, client) or "no forgotten post is left to be taken off the board")
    except GroundswellError as error:
        raise fail(str(error)) from None


@app.command()
def token(
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until the token expires.")] = 365,
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke all earlier tokens.")] = False,
) -> None:
    """Print a token that may write the board and nothing else. It is for POCKETBASE_TOKEN.

    It needs the superuser's POCKETBASE_EMAIL and POCKETBASE_PASSWORD. A push with the token does not.
    """
    try:
        with signed_in(address()) as client:
            typer.echo(make_token(client, days, revoke))
    except GroundswellError as error:
        raise fail(str(error)) from None


@app.command()
def serve(
    http: Annotated[
        str | None,
        typer.Option(
            "--http", metavar="HOST:PORT", help="Address to listen on. Default: that of POCKETBASE_URL, or port 8090."
        ),
    ] = None,
    data: Annotated[Path, typer.Option("--dir", help="Folder of the server's data.")] = Path("pb_data"),
    proxy_header: Annotated[
        str | None,
        typer.Option(
            "--proxy-header",
            metavar="NAME",
            help="Header in which a proxy before the server writes a visitor's address, as X-Forwarded-For.",
        ),
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Serve PocketBase's dashboard where others can reach it.")
    ] = False,
) -> None:
    """Run the bundled PocketBase with the board, until Ctrl-C.

    It listens where POCKETBASE_URL is, if that is on this machine, and otherwise on port 8090. If POCKETBASE_EMAIL and
    POCKETBASE_PASSWORD are set, the first start creates this superuser.
    """
    http = http or usual_address()
    try:
        check_port(http)
        program = command(http, data)
    except GroundswellError as error:
        raise fail(str(error)) from None
    os.environ.update(settings(http, proxy_header, dashboard=dashboard))
    # The server replaces this process, so that it gets the signals and its log is visible.
    os.execv(program[0], program)  # noqa: S606


@app.command()
def demo(
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Address to listen on. Default: port 8090, or a free one."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all that the commands print.")] = False,
) -> None:
    """Build and push the bundled days, and show the result. That is the problems and the issues of the last day."""
    try:
        run_demo(http, Console(), is_verbose=verbose)
    except GroundswellError as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(message: str) -> typer.Exit:
    """Log an error in one line; returns the exception for the caller to raise."""
    log.error("ERROR: %s", message)
    return typer.Exit(1)


if __name__ == "__main__":
    with ended_by_signals():
        # Commands that this one starts have a name of their own.
        app(prog_name=os.environ.pop(TYPED, "python -m sync"))
