"""The current time. Every time is in UTC and has no zone, because DuckDB's TIMESTAMP has none."""

from datetime import UTC, date, datetime, timedelta


def now() -> datetime:
    """The current time, UTC, without a zone, to the microsecond."""
    return datetime.now(UTC).replace(tzinfo=None)


def this_second() -> datetime:
    """The current time, UTC, without a zone, cut to the whole second."""
    return now().replace(microsecond=0)


def today() -> date:
    """The current day in UTC."""
    return now().date()


def yesterday() -> date:
    """The day before today, in UTC: the last one that is over."""
    return today() - timedelta(days=1)
