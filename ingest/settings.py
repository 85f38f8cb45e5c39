"""What to collect: ingest/sources.yml, validated."""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest.errors import IngestError

SETTINGS_FILE = Path(__file__).with_name("sources.yml")


Entry = TypeVar("Entry")

# GitHub's limits (docs.github.com, "Troubleshooting search queries"); the collector adds the range of time.
QUERY_LENGTH = 256 - len(" created:2026-11-20T00:00:00Z..2026-11-20T23:59:59Z")
OPERATORS = 5


def search_query(query: str) -> str:
    """A search that GitHub will take, for issues, without dates. Raises ValueError."""
    words = query.split()
    if "is:issue" not in words and "type:issue" not in words:
        raise ValueError("a query must hold is:issue: GitHub refuses others, and pull requests are not collected")
    if any(word.lstrip("-").startswith("created:") for word in words):
        raise ValueError("leave created: out: the collector adds it")
    if len(query) > QUERY_LENGTH:
        raise ValueError(f"longer than {QUERY_LENGTH} characters, which leaves GitHub no room for the dates")
    if sum(word in ("AND", "OR", "NOT") for word in words) > OPERATORS:
        raise ValueError(f"more than {OPERATORS} of AND, OR and NOT, which GitHub refuses")
    return query


def tag(name: str) -> str:
    """One tag. Raises ValueError for several, which would mean all of them at once."""
    if not re.fullmatch(r"[\w#.+-]+", name):
        raise ValueError("one tag an entry, without white space or ;")
    return name.lower()


def subreddit(name: str) -> str:
    """The name of a subreddit. Raises ValueError."""
    if not re.fullmatch(r"\w{2,21}", name):
        raise ValueError("write the name alone, without r/: 2 to 21 letters, digits and _")
    return name


def distinct(entries: list[Entry]) -> list[Entry]:
    """Refuse an entry that stands twice."""
    if repeated := [entry for number, entry in enumerate(entries) if entry in entries[:number]]:
        raise ValueError(f"{repeated[0]} stands twice")
    return entries


Entries = Annotated[list[Entry], Field(min_length=1), AfterValidator(distinct)]


class Section(BaseModel):
    """A part of the file; a key it does not know is an error, so that no typo goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GitHubSettings(Section):
    """Search queries, in GitHub's search syntax, without dates."""

    queries: Entries[Annotated[str, AfterValidator(search_query)]]


class StackOverflowSettings(Section):
    """Tags: a question with any of them is collected."""

    tags: Entries[Annotated[str, AfterValidator(tag)]]


class RedditSettings(Section):
    """Names of subreddits, without r/."""

    subreddits: Entries[Annotated[str, AfterValidator(subreddit)]]


class HackerNewsSettings(Section):
    """Algolia's tags, one query each; story holds ask_hn and show_hn."""

    tags: Entries[Literal["story", "ask_hn", "show_hn", "job", "poll", "comment"]]


class Settings(Section):
    """The whole file."""

    github: GitHubSettings
    stackoverflow: StackOverflowSettings
    reddit: RedditSettings
    hackernews: HackerNewsSettings


def load_settings(path: Path = SETTINGS_FILE) -> Settings:
    """Read and validate the file. Raises IngestError that names the key."""
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise IngestError(f"{path} can not be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the file"
        raise IngestError(f"{path}: {key}: {problem['msg'].removeprefix('Value error, ')}") from error
