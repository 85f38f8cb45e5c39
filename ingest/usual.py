"""Reads many posts at once whose fields all have their usual form, as ingest.item.Item would read each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.item import LARGEST_COUNT, USUAL_TIME, none_if_gone, usual_forms
from ingest.sources import sources

FIELDS = ("source", "url", "title", "body", "created_at", "comment_count", "vote_count", "author")
TEXTS = (str, type(None))
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (rows hold UTC without a zone)
# A time before this is not yet to come.
STARTED_AT = datetime.now(UTC).replace(tzinfo=None)


def usual_columns(posts: Sequence[Any]) -> tuple[list[int], list[list[Any]]]:
    """The places of the posts that are not usual; and the columns of NAMED_SCHEMA, which for these hold anything.

    posts: the fields of each; what is no dict is not usual.
    """
    known = sources()
    fields: list[Any] = [post if type(post) is dict else {} for post in posts]
    source, url, title, body, time, comments, votes, author = ([post.get(name) for post in fields] for name in FIELDS)
    forms = [
        usual_forms(url)
        if type(source) is type(url) is type(time) is str
        and type(title) in TEXTS
        and type(body) in TEXTS
        and type(author) in TEXTS
        and (comments is None or (type(comments) is int and -LARGEST_COUNT <= comments <= LARGEST_COUNT))
        and (votes is None or (type(votes) is int and -LARGEST_COUNT <= votes <= LARGEST_COUNT))
        and source in known
        and USUAL_TIME.fullmatch(time)
        else None
        for source, url, title, body, time, comments, votes, author in zip(
            source, url, title, body, time, comments, votes, author, strict=True
        )
    ]
    moments = [usual_moment(each) if form else None for form, each in zip(forms, time, strict=True)]
    odd = [place for place, moment in enumerate(moments) if moment is None]
    columns: list[list[Any]] = [
        source,
        [form and form[0] for form in forms],
        [form and form[1] for form in forms],
        [none_if_gone(text) for text in title],
        [none_if_gone(text) for text in body],
        moments,
        comments,
        votes,
        [none_if_gone(name) for name in author],
    ]
    return odd, columns


def usual_moment(time: str) -> datetime | None:
    """A time of the form USUAL_TIME in UTC; None if it does not exist, is before 1970 or yet to come."""
    try:
        moment = datetime.fromisoformat(time[:-1])
    except ValueError:
        return None
    return moment if EPOCH <= moment < STARTED_AT else None
