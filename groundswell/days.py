"""A UTC day on the command line."""

from datetime import UTC, date, datetime

import typer


def parse_day(text: str) -> date:
    """The day that a text writes as YYYY-MM-DD. Raises typer.BadParameter."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write it as 2026-11-20") from None
