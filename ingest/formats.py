"""The formats of posts in files: how an entry is told, and how it becomes a post.

Each format is one declaration. Where a dump holds what a service's API gives, the source's own to_item reads it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson

from ingest.errors import IngestError
from ingest.item import Item, known_source
from ingest.sources import feeds, github, hackernews, lobsters, reddit, source_at, sources, stackoverflow

Entry = Mapping[str, Any]
NESTED = (dict, list)
# A post, the fields of one that nobody has checked, or a word for what the entry is instead, as in "comments": such
# entries are counted and skipped.
Post = Item | Entry | str


@dataclass(frozen=True)
class Format:
    """A format.

    label: its name for people.
    knows: whether an entry is of this format, from the names of its fields.
    to_post: an entry as a post. Raises ValidationError, or ValueError, KeyError, TypeError or AttributeError.
    kept: the fields that are kept of a rejected entry, at any depth. None of them names a person.
    columns: of a table, the columns that are read; None for all.
    time: of a table, the column of the time.
    address: of a table that does not say its sources, the column of the address, which does.
    """

    label: str
    knows: Callable[[Entry], bool]
    to_post: Callable[[Entry], Post]
    kept: frozenset[str]
    columns: frozenset[str] | None = None
    time: str | None = None
    address: str | None = None


def impersonal(entry: Any, kept: frozenset[str]) -> Any:
    """What may be kept of an entry: the fields of its format, at any depth, and no list of texts."""
    if isinstance(entry, dict):
        return {
            name: impersonal(value, kept) if isinstance(value, NESTED) else value
            for name, value in entry.items()
            if name in kept
        }
    if isinstance(entry, list):
        return [impersonal(value, kept) for value in entry if isinstance(value, dict)]
    return entry


def read(post: Item | None, otherwise: str) -> Post:
    """A post that a source has read; otherwise what the entry is instead."""
    return otherwise if post is None else post


# --- posts as python -m ingest stores them -----------------------------------------------------------------------

OWN_FIELDS = frozenset({"source", "url", "title", "body", "created_at", "comment_count", "vote_count"})


def knows_own(entry: Entry) -> bool:
    """A source and another field of a post."""
    return "source" in entry and ("url" in entry or "created_at" in entry)


def source_named(value: Any) -> Any:
    """The source that a text names in people's spelling, as Hacker News or GitHub; any other value as it is."""
    if not isinstance(value, str) or value in sources():
        return value
    return name if (name := folded(value)) in sources() else value


def own_post(entry: Entry) -> Post:
    """The entry, as it is. One of another source is not looked at further."""
    source = entry.get("source")
    if isinstance(source, str) and source not in sources():
        try:
            return {**entry, "source": known_source(source_named(source))}
        except ValueError as error:
            raise ValueError(f"source: {error}") from None
    return entry


# --- tables ------------------------------------------------------------------------------------------------------

# Names of columns that say what they hold, in lower case, without what is no letter or digit. The first that a table
# has is taken. They were seen in dumps of Kaggle, BigQuery and Hugging Face, and in exports of pandas.
COLUMNS: Mapping[str, Sequence[str]] = {
    "source": ("source", "site", "platform"),
    "url": (
        "url", "permalink", "htmlurl", "weburl", "link", "posturl", "issueurl", "fulllink", "address", "href", "uri",
    ),
    "title": ("title", "headline", "subject", "posttitle", "issuetitle", "heading", "summary"),
    "body": (
        "body", "selftext", "text", "content", "description", "bodytext", "posttext", "issuebody", "message", "post",
        "review", "contenthtml", "contenttext",
    ),
    "author": ("author", "username", "user", "by", "login", "authorname", "postedby", "owner", "poster"),
    "created_at": (
        "createdat", "createdutc", "created", "creationdate", "publishedat", "published", "postedat", "timestamp",
        "datetime", "date", "time", "posttime", "datepublished",
    ),
    "comment_count": (
        "commentcount", "numcomments", "comments", "commentscount", "commsnum", "descendants", "answercount", "replies",
        "replycount", "usernotescount",
    ),
    "vote_count": (
        "votecount", "score", "points", "numpoints", "votes", "upvotes", "ups", "likes", "reactions", "likecount",
    ),
}  # fmt: skip


def folded(name: str) -> str:
    """The name of a column in lower case, without what is no letter or digit.

    Excel and Power BI call an attribute of XML Attribute:Id.
    """
    return re.sub(r"[\W_]", "", name.lower().removeprefix("attribute:"))


# Where an object that describes an account has what tells it from others; the first that it has is taken.
ACCOUNT_FIELDS = ("login", "username", "screen_name", "handle", "name", "display_name", "displayName", "id")


def name_in(account: Any) -> Any:
    """The name of an account that an object describes; anything else as it is."""
    return first(account, *ACCOUNT_FIELDS) if isinstance(account, dict) else account


def number_in(counted: Any) -> Any:
    """How many there are: a list has its length, an object of GraphQL its totalCount, one of GitHub its total_count.

    Anything else as it is.
    """
    if isinstance(counted, list):
        return len(counted)
    return counted.get("totalCount", counted.get("total_count", counted)) if isinstance(counted, dict) else counted


def first(entry: Entry, *names: str) -> Any:
    """The first of some fields that has a value."""
    return next((entry[name] for name in names if entry.get(name) is not None), None)


@dataclass(frozen=True)
class Mapped:
    """Which column holds which field of a post; a source that holds for all rows stands in `source`."""

    columns: Mapping[str, str]
    source: str | None = None

    def to_post(self, entry: Entry) -> Post:
        """A row as a post. The source is known by the address if no column holds it."""
        fields = {field: entry.get(column) for field, column in self.columns.items()}
        # JSON may hold the account of the author, and all comments.
        for field, read in (("author", name_in), ("comment_count", number_in), ("vote_count", number_in)):
            if field in fields:
                fields[field] = read(fields[field])
        if self.source:
            fields["source"] = self.source
        elif fields.get("source"):
            fields["source"] = source_named(fields["source"])
        else:
            fields["source"] = source_at(fields.get("url"))
            if fields["source"] is None:
                raise ValueError("source: no column, and the address is at no site of a source")
        return fields

    @property
    def label(self) -> str:
        """Which field is read from which column, as "title from 'headline'"."""
        pairs = [f"{field} from {column!r}" for field, column in self.columns.items() if field != column]
        same = [field for field, column in self.columns.items() if field == column]
        whole = [f"source {self.source}"] if self.source else [] if "source" in self.columns else ["source by address"]
        return ", ".join([*(["columns " + " ".join(same)] if same else []), *pairs, *whole])


def mapped(names: Sequence[str], chosen: Mapping[str, str]) -> Mapped:
    """Find the columns of a post by their names. Raises IngestError if a chosen column is missing."""
    known = {folded(name): name for name in reversed(names)}
    columns, source = dict[str, str](), None
    for field, candidates in COLUMNS.items():
        if (choice := chosen.get(field)) is not None:
            if choice in names:
                columns[field] = choice
            elif field == "source" and choice in sources():
                source = choice
            else:
                sourced = f", and no such source; there are {', '.join(sources())}" if field == "source" else ""
                raise IngestError(
                    f"--columns {field}={choice}: there is no such column; there are {', '.join(names)}{sourced}"
                )
        elif found := next((known[name] for name in candidates if name in known), None):
            columns[field] = found
    return Mapped(columns, source)


def has_any(wanted: frozenset[str], entry: Entry) -> bool:
    """Whether an entry has any of some fields, and not as an object."""
    return any(not isinstance(entry.get(name, {}), dict) for name in wanted)


def table(names: Sequence[str], chosen: Mapping[str, str]) -> Format | None:
    """The format of a table with these columns; None if it has no address, no time, or neither title nor text."""
    found = mapped(names, chosen)
    columns = found.columns
    if "url" not in columns or "created_at" not in columns or not {"title", "body"} & columns.keys():
        return None
    kept = frozenset(column for field, column in columns.items() if field != "author")
    # A file of JSON may hold entries with some of the columns only.
    wanted = frozenset({columns["url"], columns["created_at"]})
    return Format(
        found.label,
        partial(has_any, wanted),
        found.to_post,
        kept,
        frozenset(columns.values()),
        columns["created_at"],
        None if found.source or "source" in columns else columns["url"],
    )


# --- GitHub ------------------------------------------------------------------------------------------------------

ISSUE_FIELDS = frozenset(
    {"html_url", "number", "title", "body", "created_at", "comments", "reactions", "total_count", "pull_request"}
)


def knows_event(entry: Entry) -> bool:
    """An event as GH Archive and GitHub's API of events give it."""
    return "payload" in entry and "type" in entry and ("repo" in entry or "repository" in entry)


def event_post(entry: Entry) -> Post:
    """The issue of an IssuesEvent that opened it. BigQuery's export holds the payload as text."""
    if entry["type"] != "IssuesEvent":
        return "other events"
    payload = entry["payload"]
    if isinstance(payload, str):
        payload = orjson.loads(payload)
    if payload.get("action") != "opened":
        return "issues that were not opened"
    issue = payload.get("issue")
    if not isinstance(issue, dict):
        return "events of before 2015 without an issue"
    issue = dict(issue)
    # What GitHub leaves out of events since October 2025 can be had from the event itself.
    if not issue.get("html_url") and issue.get("number"):
        issue["html_url"] = f"https://github.com/{entry['repo']['name']}/issues/{int(issue['number'])}"
    issue["user"] = issue.get("user") or entry.get("actor")
    issue["created_at"] = issue.get("created_at") or entry.get("created_at")
    return read(github.to_item(issue), "pull requests")


def knows_issue(entry: Entry) -> bool:
    """An issue as GitHub's API gives it."""
    return "html_url" in entry and "created_at" in entry and "number" in entry


def issue_post(entry: Entry) -> Post:
    """The issue."""
    return read(github.to_item(entry), "pull requests")


NODE_FIELDS = frozenset({"url", "number", "title", "body", "createdAt", "commentsCount"})


def knows_node(entry: Entry) -> bool:
    """An issue as GitHub's GraphQL API names its fields, and with it the command gh (gh issue list --json …)."""
    return "createdAt" in entry and isinstance(url := entry.get("url"), str) and source_at(url) == "github"


def node_post(entry: Entry) -> Post:
    """The issue."""
    login = (entry.get("author") or {}).get("login")
    groups = entry.get("reactionGroups")
    issue = {
        "html_url": entry["url"],
        "title": entry.get("title"),
        "body": entry.get("body"),
        # gh writes app/NAME for the program that the API calls NAME[bot].
        "user": {"login": re.sub("^app/(.+)", r"\1[bot]", login) if login else None},
        "created_at": entry["createdAt"],
        "comments": number_in(first(entry, "commentsCount", "comments")),
        "reactions": {
            "total_count": sum(number_in(group["users"]) or 0 for group in groups)
            if isinstance(groups, list)
            else number_in(entry.get("reactions"))
        },
    }
    return read(github.to_item(issue), "pull requests")


# --- Reddit ------------------------------------------------------------------------------------------------------

REDDIT_FIELDS = frozenset(
    {"id", "permalink", "title", "selftext", "body", "text", "created_utc", "num_comments", "score", "kind", "data"}
    | {"created", "date", "comms_num"}
    | {"removed_by_category", "_meta", "removal_type", "crosspost_parent_list"}
)


def knows_submission(entry: Entry) -> bool:
    """A post or comment of Pushshift or Arctic Shift: the data of Reddit's API.

    Or a row of a table that was made with PRAW, or that Reddit gives people of their own posts.
    """
    return ("created_utc" in entry and ("subreddit" in entry or "permalink" in entry or "selftext" in entry)) or (
        ("created" in entry or "date" in entry)
        and "id" in entry
        and "title" in entry
        and ("subreddit" in entry or "comms_num" in entry)
    )


def submission_post(entry: Entry) -> Post:
    """The post, if it has not been deleted or removed since."""
    # Tables of Kaggle give a comment the title Comment, and no address.
    if "body" in entry and ("title" not in entry or (entry["title"] == "Comment" and not entry.get("url"))):
        return "comments"
    meta = entry.get("_meta")
    # Arctic Shift keeps the first text of a post that was deleted later, and says so.
    if isinstance(meta, dict) and (meta.get("removal_type") or meta.get("was_deleted_later")):
        return "posts that are gone or advertise"
    link = entry.get("permalink")
    if not isinstance(link, str) or not link.startswith("/"):
        # Old dumps lack it; exports have it with the host. Tables of PRAW's objects have the full name, as t3_abc.
        path = urlsplit(link).path if isinstance(link, str) else ""
        number = str(entry["id"] or "").removeprefix("t3_")
        if not number.isalnum():
            raise ValueError("id: not the number of a post")
        place = f"/r/{entry['subreddit']}" if entry.get("subreddit") else ""
        entry = {**entry, "permalink": path or f"{place}/comments/{number}/"}
    if "selftext" not in entry:
        entry = {**entry, "selftext": first(entry, "body", "text")}
    if "created_utc" not in entry:
        comments, created = first(entry, "num_comments", "comms_num"), first(entry, "created", "date")
        entry = {**entry, "created_utc": created, "num_comments": comments}
    return read(reddit.to_item({"kind": "t3", "data": entry}), "posts that are gone or advertise")


def knows_thing(entry: Entry) -> bool:
    """An entry of a listing of Reddit's API."""
    return entry.get("kind") in ("t1", "t3", "more") and "data" in entry


def thing_post(entry: Entry) -> Post:
    """The post."""
    return read(reddit.to_item(entry), "posts that are gone or advertise" if entry["kind"] == "t3" else "comments")


# --- Stack Exchange ----------------------------------------------------------------------------------------------

QUESTION_FIELDS = frozenset({"Id", "PostTypeId", "CreationDate", "Title", "Body", "Score", "AnswerCount"})
QUESTION = "1"


def knows_row(entry: Entry) -> bool:
    """A row of Posts.xml, or of a table with its columns: Kaggle's, the Data Explorer's or BigQuery's."""
    return ("posttypeid" in entry or "PostTypeId" in entry or "post_type_id" in entry) or (
        ("creationdate" in entry or "creation_date" in entry)
        and "title" in entry
        and "id" in entry
        and "score" in entry
    )


def row_post(site: str, entry: Entry) -> Post:
    """The row of a site, if it is a question: the collector asks for no others. Names are folded."""
    row = entry if "creationdate" in entry else {folded(name): value for name, value in entry.items()}
    if str(row.get("posttypeid") or QUESTION) != QUESTION:
        return "answers and other posts"
    return {
        "source": "stackoverflow",
        "url": f"https://{site}/questions/{number_of(row['id'])}",
        "title": row.get("title"),
        "body": row.get("body"),
        # The owner of a deleted account has a name without a number, or neither.
        "author": str(row.get("owneruserid") or row.get("ownerdisplayname") or ""),
        "created_at": row["creationdate"],
        "comment_count": row.get("answercount"),
        "vote_count": row.get("score"),
    }


def number_of(value: Any) -> int:
    """A number that names a post. Raises ValueError that does not quote the value."""
    try:
        # pandas writes 7.0 for 7 if a number of the column is missing.
        number = int(value.removesuffix(".0") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("id: not a number") from None
    if not 0 <= number < 1 << 63 or (isinstance(value, float) and number != value):
        raise ValueError("id: not a number of a post")
    return number


def knows_question(entry: Entry) -> bool:
    """A question as the Stack Exchange API gives it."""
    return "question_id" in entry and "creation_date" in entry and "answer_id" not in entry


def question_post(entry: Entry) -> Post:
    """The question."""
    return read(stackoverflow.to_item(entry), "")


STACK_OVERFLOW = "stackoverflow.com"
# The dumps do not say which site they are of. Their files and folders are named after it.
SITE = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:stackexchange|stackoverflow|superuser|serverfault|askubuntu|stackapps)\.com|mathoverflow\.net"
)


def site_of(names: Iterable[str]) -> str | None:
    """The Stack Exchange site that a file, its folder or its archive is named after; None if none is named."""
    found = [match.group() for name in names if (match := SITE.search(name.lower()))]
    return found[-1] if found else None


# --- Hacker News -------------------------------------------------------------------------------------------------

STORY_FIELDS = frozenset(
    {"id", "type", "title", "text", "time", "timestamp", "created_at", "score", "points", "num_points", "descendants"}
    | {"num_comments", "comments", "dead", "deleted", "objectID", "story_text", "created_at_i"}
)
STORIES = ("story", "job", "poll", None, "")
# The numbers by which ClickHouse keeps the type of an item, and writes it to Parquet.
KINDS: Mapping[Any, str] = {1: "story", 2: "comment", 3: "poll", 4: "pollopt", 5: "job"}
# Columns of tables of Reddit's posts, which have a title, a score and a time as well.
NO_STORY = frozenset({"subreddit", "selftext", "permalink", "upvote_ratio", "created", "comms_num", "num_comments"})


def knows_item(entry: Entry) -> bool:
    """An item of Firebase, of BigQuery's table or of a data set made from them."""
    if "id" not in entry:
        return False
    made = "time" in entry or "timestamp" in entry
    return (
        ("type" in entry and (made or "by" in entry or "deleted" in entry))
        or (made and "title" in entry and "score" in entry and NO_STORY.isdisjoint(entry))
        or ("num_points" in entry and "num_comments" in entry)
        # An item of Algolia's API, with its comments.
        or ("created_at_i" in entry and "points" in entry)
    )


def true(value: Any) -> bool:
    """Whether a flag is set, in any spelling."""
    return value not in (None, False, 0, "", "0") and str(value).lower() not in ("false", "nan", "0.0")


def item_post(entry: Entry) -> Post:
    """The story, job or poll. Its address is its thread; `url` is the article's."""
    kind = entry.get("type")
    if KINDS.get(kind, kind) not in STORIES:
        return "comments and options of polls"
    if true(entry.get("dead")) or true(entry.get("deleted")):
        return "dead or deleted stories"
    when = next((entry[name] for name in ("time", "timestamp", "created_at") if entry.get(name) is not None), None)
    return {
        "source": "hackernews",
        "url": f"https://news.ycombinator.com/item?id={number_of(entry['id'])}",
        "title": entry.get("title"),
        "body": entry.get("text"),
        "author": entry.get("by") or entry.get("author"),
        "created_at": when,
        "comment_count": first(entry, "descendants", "num_comments", "comments"),
        "vote_count": first(entry, "score", "num_points", "points"),
    }


def knows_hit(entry: Entry) -> bool:
    """A hit of Algolia's search."""
    return "objectID" in entry


def hit_post(entry: Entry) -> Post:
    """The story; a comment is none here, as in the other dumps of Hacker News."""
    if entry.get("comment_text"):
        return "comments and options of polls"
    return read(hackernews.to_item(entry), "comments and options of polls")


# --- Lobsters ----------------------------------------------------------------------------------------------------

LOBSTERS_FIELDS = frozenset({"short_id", "title", "description", "created_at", "comment_count", "score"})


def knows_lobster(entry: Entry) -> bool:
    """A story as Lobsters' pages in JSON give it."""
    return "short_id" in entry and "comments_url" in entry


def lobster_post(entry: Entry) -> Post:
    """The story."""
    return read(lobsters.to_item(entry), "")


# --- feeds -------------------------------------------------------------------------------------------------------

FEED_FIELDS = frozenset({"source", "link", "title", "body", "date", "comments"})


def knows_feed(entry: Entry) -> bool:
    """An entry as ingest.sources.feeds reads it from RSS or Atom."""
    return entry.keys() >= FEED_FIELDS


def feed_post(entry: Entry) -> Post:
    """The entry."""
    return read(feeds.to_item(entry), "")


# -----------------------------------------------------------------------------------------------------------------


def formats(names: Iterable[str]) -> list[Format]:
    """All formats but tables, in the order in which they are tried; names are those of the file (see site_of)."""
    site = site_of(names)
    told = f"of {site}" if site else f"whose site no name tells: taken for {STACK_OVERFLOW}"
    questions = f"Stack Exchange posts {told}"
    return [
        Format("posts", knows_own, own_post, OWN_FIELDS),
        Format("GitHub events", knows_event, event_post, ISSUE_FIELDS | {"type", "payload", "action", "issue"}),
        Format("GitHub issues", knows_issue, issue_post, ISSUE_FIELDS),
        Format("GitHub issues", knows_node, node_post, NODE_FIELDS),
        Format("Reddit posts", knows_thing, thing_post, REDDIT_FIELDS),
        Format("Reddit posts", knows_submission, submission_post, REDDIT_FIELDS),
        Format("Stack Overflow questions", knows_question, question_post, frozenset({"question_id"}) | OWN_FIELDS),
        Format(
            questions,
            knows_row,
            partial(row_post, site or STACK_OVERFLOW),
            QUESTION_FIELDS | {folded(name) for name in QUESTION_FIELDS},
        ),
        Format("Lobsters stories", knows_lobster, lobster_post, LOBSTERS_FIELDS),
        Format("Hacker News stories", knows_hit, hit_post, STORY_FIELDS),
        Format("Hacker News stories", knows_item, item_post, STORY_FIELDS),
        Format("entries of a feed", knows_feed, feed_post, FEED_FIELDS),
    ]


# Where the pages of services hold their entries.
CONTAINERS = (
    ("hits",), ("items",), ("data", "children"), ("data", "repository", "issues", "nodes"), ("data", "search", "nodes"),
    ("data",),
)  # fmt: skip
# What has any of these fields is no page of posts, but perhaps a post with lists of its own.
PARTS_OF_POSTS = frozenset({"id", "url", "title", "body", "text", "created_at", "type", "kind"})
# What other programs put around an entry, by a field that tells them: GrimoireLab's Perceval and Elasticsearch.
WRAPPERS = {"backend_name": "data", "_source": "_source"}


def unfolded(entry: Any) -> Iterator[Any]:
    """The entries of a page of a service, the entry within what another program put around it; anything else as it is.

    pandas' to_json writes a table column by column, each with the numbers of the rows: its rows are the entries.
    """
    if not isinstance(entry, dict):
        yield entry
        return
    if table := rows_of_table(entry):
        yield from table
        return
    for path in CONTAINERS:
        found: Any = entry
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, list):
            yield from found
            return
    for field, inner in WRAPPERS.items():
        if field in entry and isinstance(entry.get(inner), dict):
            yield entry[inner]
            return
    columns = list(entry.values())
    numbers = columns[0].keys() if columns and isinstance(columns[0], dict) else []
    if (
        numbers
        and all(map(str.isdecimal, numbers))
        and all(isinstance(column, dict) and column.keys() == numbers for column in columns)
    ):
        yield from ({name: column[number] for name, column in entry.items()} for number in numbers)
        return
    yield from inner_list(entry) or (entry,)


def rows_of_table(entry: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of a table that has its columns once, as Datasette and pandas' to_json write it; None for anything else.

    A row that has another number of fields has only those for which there is a column.
    """
    columns, rows = entry.get("columns"), entry.get("rows", entry.get("data"))
    if not (isinstance(columns, list) and columns and all(isinstance(name, str) for name in columns)):
        return None
    if not (isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        return None
    return [dict(zip(columns, row, strict=False)) for row in rows]


def parts_of(entry: Any, known: Sequence[Format]) -> Iterable[Any]:
    """The entry itself if it is of one of these formats; otherwise what is in it (unfolded).

    Firebase exports entries by their numbers or keys.
    """
    if not isinstance(entry, dict) or is_known(entry, known):
        return (entry,)
    if entry and all(isinstance(value, dict) and is_known(value, known) for value in entry.values()):
        return entry.values()
    return unfolded(entry)


def is_known(entry: Entry, known: Sequence[Format]) -> bool:
    """Whether an entry is of one of these formats."""
    return any(form.knows(entry) for form in known)


def is_of_post(name: str, value: Any) -> bool:
    """Whether a field holds the address or the title of a post, by its name: a list beside it may hold its comments."""
    return isinstance(value, str) and (folded(name) in COLUMNS["url"] or folded(name) in COLUMNS["title"])


def inner_list(entry: Mapping[str, Any]) -> list[Any] | None:
    """The only list of objects in an object, also within its only inner object; None without one, and for a post."""
    while PARTS_OF_POSTS.isdisjoint(entry) and not any(map(is_of_post, entry, entry.values())):
        lists = [
            value
            for value in entry.values()
            if isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
        ]
        inner = [value for value in entry.values() if isinstance(value, dict)]
        if lists or len(inner) != 1:
            return lists[0] if len(lists) == 1 else None
        entry = inner[0]
    return None
