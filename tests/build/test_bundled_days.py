"""The three bundled days: which of the problems that were planted in them a build without a model finds.

bundled_days.tsv names the planted problem of each post. No other part of the project reads it.
"""

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import pytest

from sync.demo import DAYS
from tests.support.bundled import bundled_days
from tests.support.project import SAMPLE, Project
from tests.support.shared import Shared

PLANTED = Path(__file__).with_name("bundled_days.tsv")


@dataclass(frozen=True)
class Found:
    """A planted problem, and the problem of the build that holds it. purity: the share of posts that belong there."""

    problem_id: str
    title: str
    purity: float


@pytest.fixture(scope="module")
def days(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The three days, built; read only."""
    return bundled_days(shared, tmp_path_factory.mktemp("bundled") / "days")


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    """The planted problem of each post, by url. Every other post is noise."""
    with PLANTED.open(newline="") as file:
        return {row["url"]: row["problem"] for row in csv.DictReader(file, delimiter="\t")}


def posts_of_problems(days: Project) -> dict[str, list[tuple[str, str]]]:
    """Voice and url of each post, by problem."""
    posts = defaultdict(list)
    for problem_id, voice, url in days.query("select problem_id, voice::varchar, url from gold.problem_posts"):
        posts[problem_id].append((voice, url))
    return posts


@pytest.fixture(scope="module")
def found(days: Project, planted: dict[str, str]) -> dict[str, Found]:
    """The planted problems of which one problem holds three voices, and half of the posts that count as complaints."""
    complaints = days.query(
        "select url from silver.documents inner join silver.posts using (url_hash) where complaint_score >= 0.5"
    )
    complaints_of = Counter(planted[url] for (url,) in complaints if url in planted)
    titles = dict(days.query("select problem_id, title from gold.problems"))
    found: dict[str, Found] = {}
    for problem_id, posts in posts_of_problems(days).items():
        counts = Counter(planted[url] for _, url in posts if url in planted)
        for problem, count in counts.items():
            voices = {voice for voice, url in posts if planted.get(url) == problem}
            if 2 * count >= complaints_of[problem] and len(voices) >= 3:
                purity = count / len(posts)
                if problem not in found or purity > found[problem].purity:
                    found[problem] = Found(problem_id, titles.get(problem_id, ""), purity)
    return found


def test_the_truth_names_posts_of_the_sample(days: Project, planted: dict[str, str]) -> None:
    urls = {url for (url,) in days.query("select url from silver.posts")}
    assert set(planted) <= urls
    assert len(urls - set(planted)) > 40, "posts without a planted problem"
    assert {folder.name for folder in SAMPLE.parent.iterdir()} == set(DAYS)


def test_planted_problems_are_found(found: dict[str, Found]) -> None:
    assert len(found) >= 16
    assert mean(each.purity for each in found.values()) >= 0.9
    assert len({each.problem_id for each in found.values()}) == len(found)


def test_no_problem_is_made_of_noise(days: Project, planted: dict[str, str]) -> None:
    for problem_id, posts in posts_of_problems(days).items():
        noise = [url for _, url in posts if url not in planted]
        assert 2 * len(noise) < len(posts), (problem_id, noise)


def test_problems_grow_and_fade(days: Project, found: dict[str, Found]) -> None:
    trends = dict(days.query("select problem_id, trend from gold.problems"))
    trend_of = {problem: trends[each.problem_id] for problem, each in found.items()}
    # One or two people on the first day, many on the two later days.
    for problem in ("card challenge fails on phones", "no spending limit on an API key", "coding agent destroys work"):
        assert trend_of[problem] == "growing", problem
    # Most people on the first day, one or two later.
    for problem in ("note app crashes at launch", "label service answers 503", "backups are empty"):
        assert trend_of[problem] == "fading", problem
    assert trend_of["bank feed imported twice"] == "new"
    assert trend_of["killed without a word on memory"] == "steady"


def test_problems_come_from_one_source_or_from_all_and_some_are_paid_for(
    days: Project, found: dict[str, Found]
) -> None:
    rows = days.query("select problem_id, source_count, would_pay_signal from gold.problems")
    facts = {problem_id: (sources, pays) for problem_id, sources, pays in rows}
    assert facts[found["note app crashes at launch"].problem_id] == (1, False)
    assert facts[found["notes unreadable in dark mode"].problem_id] == (1, False)
    assert facts[found["label service answers 503"].problem_id] == (4, False)
    assert facts[found["no spending limit on an API key"].problem_id] == (4, True)


def test_an_old_problem_goes_on_over_the_three_days(days: Project, found: dict[str, Found]) -> None:
    events = days.query(
        "select event, event_date::text from gold.problem_events where problem_id = $problem order by event_date",
        problem=found["killed without a word on memory"].problem_id,
    )
    assert events == [("opened", DAYS[0]), ("continued", DAYS[1]), ("continued", DAYS[2])]
