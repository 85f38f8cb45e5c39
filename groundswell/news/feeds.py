"""Atom feeds of problems: one of all, and one for each saved filter of filters.yml."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from groundswell.database import table
from groundswell.errors import GroundswellError
from groundswell.news.digest import environment
from groundswell.news.ledger import SOURCES
from groundswell.news.problems import shown_problems, with_quotes
from groundswell.words import count
from groundswell.yaml_file import first_mistake, read_yaml

FILE = Path("filters.yml")
# The entries of a feed, the problems that were heard of last.
MOST = 100
TIERS = ("emerging", "likely", "certain")
# What the words of a key stand for, and the column that has all of them.
KNOWN = {
    "categories": ("category", f"select distinct category from {table('silver', 'categories')} order by all"),
    "sources": ("source", f"select name from {SOURCES} order by all"),
    "names": ("watched name", f"select name from {table('silver', 'watchlist')} order by all"),
}
NO_LETTERS = re.compile(r"[\W_]+")
# What XML can not hold.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class FilterError(GroundswellError):
    """The saved filters can not be read."""


class Filter(BaseModel):
    """A saved filter: a problem passes if it meets every condition that is there, and of a list at least one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    categories: Words | None = None
    sources: Words | None = None
    # Names of the watchlist.
    names: Words | None = None
    # Words in title, description or quotes, in any case.
    words: Words | None = None
    tier: Literal["emerging", "likely", "certain"] = "emerging"
    least_voices: Annotated[int, Field(ge=0)] = 0

    def passes(self, problem: dict[str, Any]) -> bool:
        """Whether a problem with its quotes passes."""
        text = " ".join([problem["title"], problem["description"], *(quote["text"] for quote in problem["quotes"])])
        return (
            problem["voices"] >= self.least_voices
            and TIERS.index(problem["tier"]) >= TIERS.index(self.tier)
            and (self.categories is None or problem["category"] in self.categories)
            and (self.sources is None or not set(self.sources).isdisjoint(problem["sources"]))
            and (self.names is None or not set(self.names).isdisjoint(problem["names"]))
            and (self.words is None or any(word.lower() in text.lower() for word in self.words))
        )

    @property
    def file(self) -> str:
        """The name of the feed's file."""
        return NO_LETTERS.sub("-", self.name.lower()).strip("-") + ".atom"


FILTERS = TypeAdapter(tuple[Filter, ...])
ALL = Filter(name="Problems")


def load_filters(path: Path = FILE) -> list[Filter]:
    """The filter that all problems pass, and the saved ones. Raises FilterError or YamlFileError with one line."""
    if not path.exists():
        return [ALL]
    try:
        filters = [ALL, *FILTERS.validate_python(read_yaml(path) or ())]
    except ValidationError as error:
        raise FilterError(f"{path}: {first_mistake(error)}. docs/alerts.md shows how a filter is written") from None
    files = [each.file for each in filters]
    if twice := [each.name for each in filters if each.file == ".atom" or files.count(each.file) > 1]:
        raise FilterError(f"{path}: the filter {twice[-1]!r} needs another name: each feed has a file of that name")
    return filters


def require_known(connection: duckdb.DuckDBPyConnection, filters: list[Filter]) -> None:
    """Raise FilterError for a category, source or watched name that does not exist: nothing would ever pass."""
    for key, (what, query) in KNOWN.items():
        known = [name for (name,) in connection.execute(query).fetchall()]
        for saved in filters:
            if unknown := [word for word in getattr(saved, key) or () if word not in known]:
                raise FilterError(
                    f"{FILE}: the filter {saved.name!r} asks for the {what} {unknown[0]!r}, and there is"
                    f" {'only ' + ', '.join(known) if known else 'none'}"
                )


def write_feeds(connection: duckdb.DuckDBPyConnection, folder: Path, filters: list[Filter]) -> dict[Path, int]:
    """Write a feed for each filter into a folder; returns the files and their numbers of entries."""
    problems = [with_quotes(connection, problem) for problem in shown_problems(connection)]
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for saved in filters:
        passed = sorted(
            (problem for problem in problems if saved.passes(problem)),
            key=lambda problem: (problem["last_seen"], problem["demand_score"], problem["problem_id"]),
            reverse=True,
        )[:MOST]
        path = folder / saved.file
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(feed(saved, passed))
        unfinished.replace(path)
        written[path] = len(passed)
    return written


def feed(saved: Filter, problems: list[dict[str, Any]]) -> bytes:
    """An Atom feed. The same problems give the same bytes."""
    from feedgen.feed import FeedGenerator

    template = environment().get_template("problem.html.j2")
    generator = FeedGenerator()
    generator.id(f"urn:groundswell:feed:{saved.file.removesuffix('.atom')}")
    generator.title(f"Groundswell: {clean(saved.name)}")
    generator.author({"name": "Groundswell"})
    generator.updated(at_midnight(max((problem["last_seen"] for problem in problems), default=date(1970, 1, 1))))
    for problem in problems:
        entry = generator.add_entry(order="append")
        entry.id(f"urn:groundswell:problem:{problem['problem_id']}")
        entry.title(clean(problem["title"]))
        entry.published(at_midnight(problem["first_seen"]))
        entry.updated(at_midnight(problem["last_seen"]))
        if link := problem["link"] or next((quote["url"] for quote in problem["quotes"]), ""):
            entry.link(href=clean(link), rel="alternate")
        entry.summary(clean(f"{count(problem['voices'], 'person', 'people')}: {problem['description']}"))
        entry.content(clean(template.render(problem=problem)), type="html")
        entry.category(term=problem["category"])
    made: bytes = generator.atom_str(pretty=True)
    return made


def at_midnight(day: date) -> datetime:
    """The beginning of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def clean(text: str) -> str:
    """A text without characters that XML can not hold."""
    return CONTROL.sub("", text)
