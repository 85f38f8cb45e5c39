"""What a source declares: its name, its addresses, its settings, and how its API is read."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ingest.parsed import Parsed, Payload
from ingest.request import ApiRequest
from ingest.response import Quota, error_text, general_problem
from ingest.window import Window

# Sends a request outside the windows, such as one for a token, and reads the response.
Ask = Callable[[ApiRequest, Callable[[Payload], str]], Awaitable[str]]


class Section(BaseModel):
    """A section of ingest/sources.yml. An unknown key is an error, so that no typo goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True


Entry = TypeVar("Entry")


def distinct(entries: list[Entry]) -> list[Entry]:
    """The entries, if none of them stands twice. Raises ValueError."""
    if repeated := [entry for number, entry in enumerate(entries) if entry in entries[:number]]:
        raise ValueError(f"{repeated[0]} stands twice")
    return entries


# A list in a section: all entries are different. A list whose lines are all commented out is null: an empty list.
Entries = Annotated[
    list[Entry],
    Field(default_factory=list),
    BeforeValidator(lambda entries: [] if entries is None else entries),
    AfterValidator(distinct),
]

SectionType = TypeVar("SectionType", bound=Section)


# A rule for the part of an address after the host: a pattern that matches all of it, and what replaces
# it, with {1} for the first group.
Rule = tuple[re.Pattern[str], str]


@dataclass(frozen=True)
class Site:
    """The addresses of a source's posts: rules that give every spelling of an address the same form.

    host: the one spelling of the host.
    aliases: other hosts that show the same pages, without www.
    short_hosts: hosts of short addresses, with the path on `host` that theirs are below.
    parameters: the query parameters that identify a post; all others are dropped.
    spellings: the first rule that matches gives the address its normal form. A fragment that no rule keeps is dropped.
    shortest: the first rule that matches a normal form gives the form by which a post is found again. Only a site that
        has addresses with and without the title of a post needs such rules.
    usual: matches the part of most posts' addresses after the host, in normal form, and no other. It saves time.
    """

    host: str
    aliases: tuple[str, ...] = ()
    short_hosts: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    spellings: tuple[Rule, ...] = ()
    shortest: tuple[Rule, ...] = ()
    usual: re.Pattern[str] | None = None


def rule(pattern: str, form: str) -> Rule:
    """A rule whose pattern knows ASCII letters and digits only."""
    return re.compile(pattern, re.ASCII), form


async def no_headers(ask: Ask) -> dict[str, str]:  # noqa: ARG001
    """No headers: the service needs no credentials in them."""
    return {}


def no_quotas(response: httpx.Response, payload: Payload) -> list[Quota]:  # noqa: ARG001
    """No quotas: the service does not report any."""
    return []


def no_advice() -> str:
    """No advice: the service needs no key."""
    return ""


def no_program(author: str) -> bool:  # noqa: ARG001
    """No author is known to be a program."""
    return False


@dataclass(frozen=True)
class Source(Generic[SectionType]):
    """A service that posts are collected from. Everything special to it stands in its module of ingest/sources/.

    The functions are pure, except that they read the environment:

    allowance: requests that the service grants in 60 seconds.
    queries: what to collect each day, from the source's section of ingest/sources.yml.
        Raises IngestError if a credential is missing.
    request: the request for a page of a window.
    decode: the content of a response's body. Raises ValueError if the body is not in the format of the service.
    parse: reads this content. Raises StrangeResponseError if the response does not come from the service.
    advance: the windows that replace a window after a page, from the window with that page counted, the page,
        its content, and the window before. The window itself is among them if it goes on.
    headers: headers of every request, credentials included; it may send a request for a token first.
    quotas: how many more requests a response grants.
    problem: the error in a response: a TransientError, QueryRefusedError or IngestError; None if there is none.
    advice: what is missing and where it is had, for `python -m ingest check`; empty if nothing is.
    is_program: whether an author's name belongs to a program. Programs are hashed without AUTHOR_SALT.

    site: the addresses of its posts; None if they may lie on any host, and each query asks a host of its own.
    name, label: the name in the tables, and the name for people, as in seed sources.
    nobody: author names, in lower case, that the service writes where an account is gone.
    personal_fields: the fields of an entry that identify a person. Rejected entries are stored without them.
    suffix: ends the names of recorded responses.
    largest: the most bytes of a response that are read.
    secrets: the environment variables that hold secrets.
    login: the environment variables of a user and password that requests send as basic authentication.
    """

    name: str
    label: str
    section: type[SectionType]
    site: Site | None
    personal_fields: frozenset[str]
    allowance: Callable[[], int]
    queries: Callable[[SectionType], Sequence[str]]
    request: Callable[[Window, str], ApiRequest]
    parse: Callable[[Payload], Parsed]
    advance: Callable[[Window, str, Parsed, Window], Sequence[Window]]
    decode: Callable[[bytes], Payload] = json.loads
    suffix: str = "json"
    largest: int = 100_000_000
    headers: Callable[[Ask], Awaitable[dict[str, str]]] = no_headers
    quotas: Callable[[httpx.Response, Payload], list[Quota]] = no_quotas
    problem: Callable[[httpx.Response, Payload], Exception | None] | None = None
    advice: Callable[[], str] = no_advice
    is_program: Callable[[str], bool] = no_program
    nobody: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()
    login: tuple[str, str] | None = None

    @property
    def has_many_hosts(self) -> bool:
        """Whether each query asks a host of its own."""
        return self.site is None

    def problem_of(self, response: httpx.Response, payload: Payload) -> Exception | None:
        """The error in a response, None if there is none: what `problem` finds, or what the status code means."""
        if self.problem:
            return self.problem(response, payload)
        return general_problem(response, payload, self.label, error_text(response, payload, "message", "error"))
