"""The digest: what happened in the seven days that end with the latest day, as HTML, Markdown and plain text."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from groundswell.news.ledger import rows
from groundswell.news.problems import FIGURES, NAMES, latest_day, shown_problems, with_quotes
from groundswell.news.words import address, in_one_line, plain
from groundswell.words import count

# The most problems of a section.
MOST = 10
FIGURE_WORDS = {
    "posts": "posts",
    "complaints": "complaints",
    "voices": "people with a problem",
    "problems_opened": "new problems",
    "problems_reopened": "problems that came back",
    "problems_silent": "problems that went silent",
    "own_mentions": "posts that name your product",
}
# Characters with a meaning in Markdown: anywhere, in addresses, or at the beginning of a line (lists).
MARKDOWN = re.compile(r"[\\`*_{}\[\]()#!|<>~&]|:(?=//)|(?i:(?<=www))[.]|^[+=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")


def markdown(text: object) -> str:
    """A text in one line that Markdown shows as it is."""
    return MARKDOWN.sub(lambda match: f"\\{match.group()}", in_one_line(str(text)))


def markdown_link(url: str) -> str:
    """A web address as a link of Markdown, whatever characters it has."""
    return f"<{url.replace('<', '%3C').replace('>', '%3E')}>"


def percent(share: float | None) -> str:
    """A share in percent."""
    return "–" if share is None else f"{share:.0%}"


def environment() -> Environment:
    """Templates. Those of HTML escape all that they are given."""
    made = Environment(
        loader=PackageLoader("groundswell.news"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "md": markdown,
        "md_link": markdown_link,
        "plain": plain,
        "post_address": address,
        "percent": percent,
    }
    made.globals["count"] = count
    return made


def digest(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the digest says. A problem stands in one section only."""
    day = latest_day(connection)
    start = day - timedelta(days=6)
    problems = shown_problems(connection)

    def is_new(problem: dict[str, Any]) -> bool:
        return bool(problem["opened_date"] and problem["opened_date"] >= start and not problem["is_split"])

    def is_back(problem: dict[str, Any]) -> bool:
        return bool(problem["reopened_date"] and problem["reopened_date"] >= start)

    kinds = [
        ("New this week", is_new),
        ("Back again", is_back),
        ("Growing", lambda problem: problem["trend"] == "growing"),
        ("What else hurts most", lambda _: True),
    ]
    sections: list[dict[str, Any]] = []
    left = problems
    for title, belongs in kinds:
        found = [problem for problem in left if belongs(problem)]
        left = [problem for problem in left if not belongs(problem)]
        if found:
            chosen = [with_quotes(connection, problem) for problem in found[:MOST]]
            sections.append({"title": title, "problems": chosen, "more": len(found) - len(chosen)})
    figures = rows(connection, f"select * from {FIGURES} order by position")
    names = rows(connection, f"select * from {NAMES} where posts > 0 order by position")
    return {
        "day": day,
        "start": start,
        "figures": [figure | {"words": FIGURE_WORDS[figure["figure"]]} for figure in figures],
        "days_this_week": figures[0]["days_this_week"] if figures else 0,
        "days_last_week": figures[0]["days_last_week"] if figures else 0,
        "sections": sections,
        "names": names,
    }


def title_of(content: dict[str, Any]) -> str:
    """The title of a digest."""
    return f"The week to {content['day']}"


def rendered(content: dict[str, Any]) -> dict[str, str]:
    """The digest as `html`, `md` and `txt`."""
    templates = environment()
    return {
        kind: templates.get_template(f"digest.{kind}.j2").render(title=title_of(content), **content)
        for kind in ("html", "md", "txt")
    }


def write(texts: dict[str, str], folder: Path, day: date) -> list[Path]:
    """Write HTML and Markdown into a folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind in ("html", "md"):
        path = folder / f"{day}.{kind}"
        path.write_text(texts[kind], encoding="utf-8")
        files.append(path)
    return files
