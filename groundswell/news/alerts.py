"""Sends alerts: one message for each problem or source, to each address in ALERT_URLS."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from groundswell.environment import require_addresses
from groundswell.news import ledger
from groundswell.news.addresses import Address, AddressError, Message
from groundswell.news.words import address as post_address
from groundswell.news.words import plain
from groundswell.words import count

# More problems than this become one list, so that nobody gets fifty messages at once.
MOST_CARDS = 10
# After so many failures an address is left alone until the next run: it can not be reached.
MOST_FAILURES = 3
TITLES = {
    "new": "New problem: {title}",
    "doubled": "Twice as many people: {title}",
    "back": "Back again: {title}",
    "named": "{name} in a new problem: {title}",
    "silent": "{title} went silent",
}


@dataclass(frozen=True)
class Told:
    """How many messages an address took, which it did not, and how many a killed run may have sent before."""

    sent: int = 0
    failures: tuple[str, ...] = ()
    repeated: int = 0


def board_link(problem: str) -> str:
    """The address of a problem on the board; "" if BOARD_URL and POCKETBASE_URL are not set. Raises SettingError."""
    require_addresses(["BOARD_URL", "POCKETBASE_URL"])
    board = os.environ.get("BOARD_URL") or os.environ.get("POCKETBASE_URL") or ""
    return f"{board.rstrip('/')}/?problem={problem}" if board else ""


def card(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Title, text and data of one problem or source."""
    first, problem = row["alerts"][0], row["problem_id"]
    title = TITLES[first["kind"]].format(title=plain(row["title"] or row["subject"], 120), name=first["name"])
    lines = [f"{'; '.join(alert['detail'] for alert in row['alerts'])}."]
    data = {
        "problem_id": problem,
        "source": None if problem else row["subject"],
        "title": row["title"],
        "alerts": row["alerts"],
    }
    if problem:
        people, sources = count(row["voices"], "person", "people"), count(row["source_count"], "source", "sources")
        lines.append(f"{people} from {sources}; {row['tier']}.")
        found = ledger.quotes(connection, problem)
        lines += [f"“{plain(quote['text'])}”\n{post_address(quote['url'])}" for quote in found]
        if link := board_link(problem):
            lines.append(link)
        facts = ("tier", "voices", "source_count", "trend", "demand_score")
        data |= {name: row[name] for name in facts} | {"quotes": found, "url": link or None}
    return title, "\n\n".join(lines), data


def messages(
    connection: duckdb.DuckDBPyConnection, address: str, due: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, list[str], Message]]:
    """The messages for an address: subject, alert_ids, message. A long list of problems ends in one message."""
    cards = due if len(due) <= MOST_CARDS else due[: MOST_CARDS - 1]
    for row in cards:
        title, text, data = card(connection, row)
        ids = [alert["alert_id"] for alert in row["alerts"]]
        yield row["subject"], ids, Message(ledger.message_id(address, "alert", ids), "alert", title, text, data)
    if rest := due[len(cards) :]:
        listed = [card(connection, row) for row in rest]
        ids = [alert["alert_id"] for row in rest for alert in row["alerts"]]
        title = f"{len(rest)} more problems"
        text = "\n".join(
            f"- {title} {board_link(row['problem_id'] or '')}".rstrip()
            for row, (title, _, _) in zip(rest, listed, strict=True)
        )
        data = {"problems": [data for _, _, data in listed]}
        yield "more", ids, Message(ledger.message_id(address, "alert", ids), "alert", title, text, data)


def tell(connection: duckdb.DuckDBPyConnection, address: Address) -> Told:
    """Send an address what it has not been told. A message that fails does not stop the others, three in all do."""
    sent, repeated, failures = 0, 0, []
    for subject, ids, message in messages(connection, address.name, ledger.due(connection, address.name)):
        was_killed, error = deliver(connection, address, message, subject, ids)
        repeated += was_killed
        if error:
            failures.append(error)
        else:
            sent += 1
        if len(failures) == MOST_FAILURES:
            break
    return Told(sent, tuple(failures), repeated)


def deliver(
    connection: duckdb.DuckDBPyConnection, address: Address, message: Message, subject: str, ids: Sequence[str]
) -> tuple[bool, str]:
    """Send a message, with a row in the ledger before and after.

    Returns whether an earlier run was killed while it sent the same message, and what went wrong, or "".
    """
    was_killed = ledger.begin(connection, message.message_id, address.name, message.kind, subject, ids)
    try:
        address.send(message)
    except AddressError as error:
        ledger.end(connection, message.message_id, str(error))
        return was_killed, str(error)
    ledger.end(connection, message.message_id)
    return was_killed, ""
