"""The row of a post whose fields are all in their usual form, in a third of the time that Item needs.

A file of millions of posts holds little else. The rules are those of ingest.item: any field in another form sends the
post the long way, and a property test holds both ways equal.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ingest.item import LARGEST_COUNT, USUAL_TIME, Item, hash_author, match_url, none_if_gone, usual_form
from ingest.sources import sources
from ingest.store import row_of

# A row of ingest.store.ITEM_SCHEMA, and where its fields stand.
Row = tuple[Any, ...]
SOURCE, MATCH_URL, TITLE, BODY, CREATED_AT = 1, 3, 4, 5, 6
TEXTS = (str, type(None))
COUNTS = (int, type(None))


def row_from(fields: Mapping[str, Any]) -> Row:
    """The row of a post with these fields, of which it ignores others. Raises ValidationError."""
    return quick_row(fields) or row_of(Item.model_validate(fields))


def quick_row(fields: Mapping[str, Any]) -> Row | None:
    """The row of a post whose fields are in their usual form; None for any other."""
    get = fields.get
    source, url, created_at = get("source"), get("url"), get("created_at")
    title, body, author = get("title"), get("body"), get("author")
    comments, votes = get("comment_count"), get("vote_count")
    if type(source) is not str or type(url) is not str or type(created_at) is not str or source not in sources():
        return None
    if type(title) not in TEXTS or type(body) not in TEXTS or type(author) not in TEXTS:
        return None
    for count in (comments, votes):
        if type(count) not in COUNTS or (count is not None and not -LARGEST_COUNT <= count <= LARGEST_COUNT):
            return None
    address = usual_form(url)
    if address is None or not USUAL_TIME.fullmatch(created_at):
        return None
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError:
        return None
    if moment.year < 1970 or moment > datetime.now(UTC) + timedelta(days=1):
        return None
    return (
        sha256(address.encode()).hexdigest(),
        source,
        address,
        match_url(address),
        none_if_gone(title),
        none_if_gone(body),
        moment.replace(tzinfo=None),
        comments,
        votes,
        hash_author(source, name) if isinstance(name := none_if_gone(author), str) else None,
    )
