"""python -m groundswell alerts, digest and feeds: news for people, and what nobody wants to hear of."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from groundswell.choices import did_you_mean
from groundswell.database import database_path, open_shared
from groundswell.errors import GroundswellError
from groundswell.news import ledger
from groundswell.news.addresses import AddressError, Message, addresses, require_packages
from groundswell.news.alerts import deliver, messages, tell
from groundswell.news.digest import digest, rendered, title_of, write
from groundswell.news.feeds import load_filters, require_known, write_feeds
from groundswell.news.words import plain
from groundswell.words import count

ALERT_URLS = "ALERT_URLS"
DIGEST_URLS = "DIGEST_URLS"
log = logging.getLogger("groundswell")
alerts = typer.Typer(invoke_without_command=True)

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="A problem_id, a source, or a watched name.")]


class NewsError(GroundswellError):
    """News that could not be sent, or a subject that does not exist."""


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `python -m groundswell`."""
    app.add_typer(alerts, name="alerts")
    app.command("digest")(write_digest)
    app.command("feeds")(write_all_feeds)


@contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """The project's database with the tables of messages. An error becomes one line, and exit status 1."""
    try:
        with open_shared() as connection:
            if not ledger.has_news(connection):
                raise NewsError(f"{database_path()} has no news: build a day first, python -m groundswell day")
            ledger.create_tables(connection)
            yield connection
    except GroundswellError as error:
        log.error("ERROR: %s", error)
        raise typer.Exit(1) from None


@alerts.callback()
def send(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
) -> None:
    """Send the alerts of the latest build to ALERT_URLS. Each address gets each alert once."""
    if context.invoked_subcommand:
        return
    with opened() as connection:
        places = addresses(ALERT_URLS)
        if dry_run or not places:
            name = places[0].name if places else ""
            found = list(messages(connection, name, ledger.due(connection, name)))
            for _, _, message in found:
                log.info("%s\n%s\n", message.title, message.text)
            reason = "nothing is sent" if places else f"{ALERT_URLS} is not set: nothing is sent"
            log.info("%s; %s", reason, waiting(len(found)))
            return
        failures: list[str] = []
        for place in places:
            told = tell(connection, place)
            again = (
                f", {told.repeated} of them again, since a run was killed while it sent them" if told.repeated else ""
            )
            log.info("%s: %s sent%s", place.name, count(told.sent, "message", "messages"), again)
            failures += told.failures
        if failures:
            raise NewsError(
                f"{count(len(failures), 'message', 'messages')} could not be sent, and the next run tries again:"
                f" {failures[0]}"
            )


def waiting(number: int) -> str:
    """How many messages wait."""
    return f"{count(number, 'message waits', 'messages wait')}"


@alerts.command("test")
def send_test() -> None:
    """Send a test message to each address in ALERT_URLS."""
    with opened():
        places = addresses(ALERT_URLS)
        if not places:
            raise NewsError(f"{ALERT_URLS} is not set: it holds the addresses, separated by blanks")
        failures = []
        for number, place in enumerate(places):
            message = Message(
                ledger.message_id(place.name, "test", [str(number)]),
                "test",
                "Groundswell can reach you",
                "Alerts arrive here.",
                {"text": "Alerts arrive here."},
            )
            try:
                place.send(message)
            except AddressError as error:
                failures.append(str(error))
            else:
                log.info("%s: took a message", place.name)
        if failures:
            raise NewsError("; ".join(failures))


@alerts.command()
def snooze(
    subject: Subject,
    days: Annotated[float, typer.Option(min=0.01, max=3660, help="For so many days.")] = 7,
) -> None:
    """Send no alerts about a subject for some days. A subject is a problem, a source or a watched name."""
    with opened() as connection:
        known(connection, subject)
        log.info(
            "Nothing is told of %s until %s", subject, f"{ledger.mute(connection, subject, days):%Y-%m-%d %H:%M} UTC"
        )


@alerts.command()
def mute(subject: Subject) -> None:
    """Send no alerts about a subject until `unmute`. A subject is a problem, a source or a watched name."""
    with opened() as connection:
        known(connection, subject)
        ledger.mute(connection, subject, None)
        log.info("Nothing is told of %s: python -m groundswell alerts unmute %s ends that", subject, subject)


@alerts.command()
def unmute(subject: Subject) -> None:
    """Send alerts again about a subject that was snoozed or muted."""
    with opened() as connection:
        if subject not in {each["subject"] for each in ledger.mutes(connection)}:
            raise NewsError(f"{subject!r} is not muted: python -m groundswell alerts list shows what is")
        ledger.mute(connection, subject, 0)
        log.info("News of %s are told again", subject)


@alerts.command("list")
def show() -> None:
    """Print what is snoozed or muted, and the latest messages."""
    with opened() as connection:
        for row in ledger.mutes(connection):
            until = f"until {row['muted_until']:%Y-%m-%d %H:%M} UTC" if row["muted_until"] else "until unmute"
            log.info("muted %s: %s %s", until, row["subject"], plain(row["title"] or ""))
        for row in ledger.latest(connection):
            moment = row["sent_at"] or row["created_at"]
            log.info(
                "%s %s %s to %s%s", f"{moment:%Y-%m-%d %H:%M}", row["status"], row["subject"], row["address"],
                f": {row['error']}" if row["error"] else "",
            )  # fmt: skip


def known(connection: duckdb.DuckDBPyConnection, subject: str) -> None:
    """Raise NewsError if nothing has this name."""
    subjects = ledger.subjects(connection)
    if subject not in subjects:
        meant = did_you_mean(subject, subjects, "gold.problems, silver.sources and silver.watchlist have them")
        raise NewsError(f"no problem, source or watched name is called {subject!r}: {meant}")


def write_digest(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the files go.")] = Path(
        "target/digest"
    ),
    is_sent: Annotated[
        bool, typer.Option("--send", help="Send it to the addresses in DIGEST_URLS, or else in ALERT_URLS.")
    ] = False,
) -> None:
    """Write the digest of the latest week, as HTML and Markdown. The week ends with the latest day that was built."""
    with opened() as connection:
        content = digest(connection)
        texts = rendered(content)
        with file_errors(folder):
            log.info("%s", "\n".join(map(str, write(texts, folder, content["day"]))))
        if not is_sent:
            return
        places = addresses(DIGEST_URLS) or addresses(ALERT_URLS)
        if not places:
            raise NewsError(f"neither {DIGEST_URLS} nor {ALERT_URLS} is set: they hold the addresses")
        failures = []
        for place in places:
            day = str(content["day"])
            message = Message(
                ledger.message_id(place.name, "digest", [day]),
                "digest",
                title_of(content),
                texts["txt"],
                {"day": day, "html": texts["html"], "markdown": texts["md"]},
                texts["html"],
            )
            if ledger.is_sent(connection, message.message_id):
                log.info("%s: has it already", place.name)
                continue
            _, error = deliver(connection, place, message, day, [day])
            if error:
                failures.append(error)
            else:
                log.info("%s: took it", place.name)
        if failures:
            raise NewsError(f"{failures[0]}; run the command again")


def write_all_feeds(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the feeds go.")] = Path("target/feeds"),
) -> None:
    """Write Atom feeds of the problems. One has all of them; each saved filter of filters.yml has its own."""
    with opened() as connection:
        require_packages()
        filters = load_filters()
        require_known(connection, filters)
        with file_errors(folder):
            for path, entries in write_feeds(connection, folder, filters).items():
                log.info("%s: %s", path, count(entries, "problem", "problems"))


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the file system inside a with block into one line."""
    try:
        yield
    except OSError as error:
        raise NewsError(f"{folder} can not be written: {error.strerror}") from None
