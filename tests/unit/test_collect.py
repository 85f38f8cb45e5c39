"""python -m ingest against the four services on loopback: nothing asked too fast, nothing lost, nothing twice."""

import json
import os
import random
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ingest.settings import load_settings
from ingest.sources import sources
from ingest.window import Window
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DATABASE, DAY, DBT, ROOT, Finished, Project
from tests.support.services import (
    Post,
    Services,
    addresses,
    arrivals,
    make_posts,
    most_in_span,
    source_of,
    unprocessable,
)
from tests.support.shared import Shared

DATE = date.fromisoformat(DAY)
SETTINGS = load_settings()
QUERIES: dict[str, Sequence[str]] = {
    "github": SETTINGS["github"].queries,
    "stackoverflow": SETTINGS["stackoverflow"].tags,
    "reddit": SETTINGS["reddit"].subreddits,
    "hackernews": SETTINGS["hackernews"].tags,
}
ALLOWANCES = {"github": 30, "stackoverflow": 30, "reddit": 60, "hackernews": 100}
KEYS = {"GITHUB_TOKEN": "gh-s3cret", "REDDIT_CLIENT_ID": "application", "REDDIT_CLIENT_SECRET": "rd-s3cret"}
DATA_TESTS = ("no_service_is_asked_too_fast", "nothing_is_missing_without_a_reason", "windows_cover_the_day")
# Long enough that neither the processor nor a whole second in a header limits anything.
SPAN = 8.0


def posts_of(day: date = DATE, seed: int = 0, **counts: int) -> list[Post]:
    """So many posts of each source."""
    return [
        post for source, count in counts.items() for post in make_posts(source, QUERIES[source], day, count, seed=seed)
    ]


def only(*sources: str) -> list[str]:
    """The options for some sources alone."""
    return [word for source in sources for word in ("--source", source)]


def collect(project: Project, loopback: Loopback, *arguments: str, **settings: str) -> Finished:
    """Collect from the loopback services: DAY, unless the arguments say otherwise."""
    days = [] if "--from" in arguments else ["--date", DAY]
    finished = project.ingest(*days, *arguments, **addresses(loopback.url), **(KEYS | settings))
    assert "Traceback" not in finished.output, finished.output
    return finished


def collect_and_kill(project: Project, loopback: Loopback, due: Callable[[], bool], *arguments: str) -> None:
    """Collect DAY, and kill the process as soon as it is due."""
    pid, over = project.database.with_suffix(".pid"), threading.Event()

    def watch() -> None:
        while not due():
            if over.wait(0.001):
                return
        os.kill(int(pid.read_text()), signal.SIGKILL)

    watcher = threading.Thread(target=watch)
    watcher.start()
    ingest = (sys.executable, "-m", "ingest", "--date", DAY, *arguments)
    finished = project.run(
        "sh", "-c", 'echo $$ > "$0"; exec "$@"', f"{pid}", *ingest, **addresses(loopback.url), **KEYS
    )
    over.set()
    watcher.join()
    assert finished.status == -signal.SIGKILL, finished.output


def table(finished: Finished) -> dict[str, dict[str, Any]]:
    """The closing table that --json prints, by source."""
    document = json.loads(finished.output[finished.output.index("{\n") :])
    return {source["source"]: source for source in document["sources"]}


def assert_stored(project: Project, posts: Iterable[Post]) -> None:
    """Exactly these posts are in the table, each once and as its service gives it."""
    rows = project.query(
        "select url, source, title, body, epoch(created_at)::bigint, comment_count, vote_count from bronze.raw_items"
    )
    wanted = {
        (post.url, post.source, post.title, post.body, post.created_at, post.comments, post.votes) for post in posts
    }
    found = set(rows)
    assert (list(wanted - found)[:3], list(found - wanted)[:3], len(rows)) == ([], [], len(wanted))


def found_by(project: Project, data_test: str) -> list[tuple[Any, ...]]:
    """What one of dbt's data tests finds, without the seconds that dbt takes to start."""
    sql = (ROOT / "tests" / "dbt" / f"{data_test}.sql").read_text()
    return project.query(re.sub(r"\{\{ source\('(\w+)', '(\w+)'\) \}\}", r"\1.\2", sql))


def assert_sound(project: Project) -> None:
    """Every day is covered, nothing is missing without a reason, and nobody was asked too fast."""
    assert {name: found_by(project, name)[:3] for name in DATA_TESTS} == {name: [] for name in DATA_TESTS}


def statuses(project: Project) -> dict[str, int]:
    return dict(project.query("select status, count(*) from bronze.ingest_windows group by all"))


class Busy(NamedTuple):
    """A run that had to wait for its allowances, and what the services saw of it."""

    project: Project
    services: Services
    requests: list[Request]
    posts: list[Post]


@pytest.fixture(scope="module")
def busy(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    """Two spans of work and a little for each source: many days with few posts, of which two report many more."""
    days = [DATE - timedelta(days=number) for number in range(11)]
    posts = [post for day in days for post in posts_of(day, github=6, stackoverflow=12, reddit=144, hackernews=20)]

    def boast(request: Request) -> Answer | None:
        """Whole days of these two must be cut into slices."""
        if source_of(request.path) == "github" and re.search(r"T00:00:00Z\.\..*T23:59:59Z", request.query["q"]):
            return Answer({"total_count": 1_500, "incomplete_results": False, "items": []})
        if source_of(request.path) == "hackernews":
            start, end = map(int, re.findall(r"\d{9,}", request.query["numericFilters"]))
            if end - start == 86_400:
                return Answer({"hits": [], "nbHits": 14_400})
        return None

    kinds = ("500", "cut", "not-json", "reset", "empty")
    services = Services(posts, limits=ALLOWANCES, span=SPAN, faults=0.03, kinds=kinds, before=boast)
    project = Project(tmp_path_factory.mktemp("busy") / DATABASE, parsed=shared.parsed)
    with Loopback() as loopback:
        loopback.answer = services
        span = ("--from", f"{days[-1]}", "--to", f"{days[0]}")
        finished = collect(project, loopback, *span, INGEST_WINDOW_SECONDS=f"{SPAN}")
        assert finished.status == 0, finished.output
        yield Busy(project, services, loopback.requests, posts)


def test_no_service_is_asked_too_fast(busy: Busy) -> None:
    assert sum(busy.services.faults.values()) > 5
    assert not busy.services.violations
    for source, allowance in ALLOWANCES.items():
        times = arrivals(busy.requests, source)
        assert most_in_span(times, SPAN) <= allowance
        batches = (len(times) - 1) // allowance
        assert batches == 2, f"{source}: {len(times)}"
    assert_stored(busy.project, busy.posts)
    assert_sound(busy.project)


def test_without_a_token_github_is_asked_a_third_as_often_by_two_runs_in_a_row(
    project: Project, loopback: Loopback
) -> None:
    loopback.answer = services = Services(limits={"github": 10}, span=SPAN)
    settings = {"GITHUB_TOKEN": "", "INGEST_WINDOW_SECONDS": f"{SPAN}"}
    for days, asked in ((3, 6), (6, 12)):
        first = DATE - timedelta(days=days - 1)
        finished = collect(project, loopback, "--from", f"{first}", "--to", DAY, *only("github"), **settings)
        assert finished.status == 0, finished.output
        assert len(loopback.requests) == asked
    assert most_in_span(arrivals(loopback.requests, "github"), SPAN) == 10
    assert not services.violations
    assert_sound(project)


def test_dbt_sees_what_is_wrong_with_a_collection(busy: Busy, tmp_path: Path) -> None:
    project = busy.project.copy_to(tmp_path)

    def dbt(*command: str) -> Finished:
        return project.run(DBT, *command, "--vars", f"date: {DAY}")

    tests = ("test", "--select", *DATA_TESTS)
    freshness = ("source", "freshness", "--select", "source:bronze.raw_items")
    finished = dbt(*tests)
    assert finished.status == 0, finished.output
    finished = dbt(*freshness)
    assert finished.status == 0, finished.output
    assert "PASS freshness of bronze.raw_items" in finished.output

    burst = """
        insert into bronze.ingest_requests by name
        select 1_000_000 + range as request_id, 'github' as source, '' as url, 30 as allowance, 60.0 as span_seconds,
            now() at time zone 'UTC' + interval 1 day as requested_at
        from range({})"""
    project.query(burst.format(30))
    assert not found_by(project, "no_service_is_asked_too_fast")
    window = "source = 'stackoverflow' and query = 'python' and collection_date"
    windows = "update bronze.ingest_windows set"
    for statement in (
        # One request more than the allowance of 30.
        burst.format(1),
        # A run that was killed between two pages.
        f"{windows} status = 'pending', reported_total = fetched + 1 where {window} = '{DAY}'",
        # A gap, and an overlap.
        f"{windows} window_end = window_end - interval 1 second where {window} = '{DATE - timedelta(1)}'",
        f"{windows} window_end = window_end + interval 1 second where {window} = '{DATE - timedelta(2)}'",
        "update bronze.raw_items set collected_at = now() at time zone 'UTC' - interval 8 day",
    ):
        project.query(statement)
    finished = dbt(*tests)
    assert finished.status == 1, finished.output
    failures = {name: int(rows) for rows, name in re.findall(r" FAIL (\d+) (\w+)", finished.output)}
    assert failures.keys() == set(DATA_TESTS), finished.output
    finished = dbt(*freshness)
    assert finished.status == 1, finished.output
    assert "ERROR STALE freshness of bronze.raw_items" in finished.output
    project.query("update bronze.ingest_windows set error = 'the service gave less' where status = 'pending'")
    assert not found_by(project, "nothing_is_missing_without_a_reason")
    assert len(found_by(project, "windows_cover_the_day")) == 2


def test_a_day_that_is_larger_than_any_answer_is_collected_whole(project: Project, loopback: Loopback) -> None:
    posts = [
        post
        for source, count in {"github": 2_600, "stackoverflow": 6_000, "reddit": 1_400, "hackernews": 3_300}.items()
        for post in make_posts(source, QUERIES[source][:1], DATE, count)
    ]
    loopback.answer = Services(posts)
    finished = collect(project, loopback, INGEST_WINDOW_SECONDS="0.3")
    listed = [post for post in posts if post.source == "reddit"][-1_000:]
    seen_from = listed[0].created_at + 1
    assert_stored(project, [post for post in posts if post.source != "reddit"] + listed)
    assert_sound(project)

    # What Reddit did not show is a window of its own, and all that is not complete.
    reason = "Reddit lists no more than the newest 1,000 posts"
    [truncated] = project.query(
        "select query, epoch(window_end)::bigint, fetched, error from bronze.ingest_windows where status != 'complete'"
    )
    assert truncated == (QUERIES["reddit"][0], seen_from, 0, reason)
    assert finished.status == 1
    assert len(re.findall(f"ERROR: reddit: .* is truncated: {reason}", finished.output)) == 1
    assert project.query(
        """select source, sum(reported_total), sum(fetched), sum(stored) from bronze.ingest_windows
           where source in ('github', 'hackernews') group by all order by all"""
    ) == [("github", 2_600, 2_600, 2_600), ("hackernews", 3_300, 3_300, 3_300)]


def test_of_a_second_with_too_many_posts_is_told_how_many_are_missing(project: Project, loopback: Loopback) -> None:
    hot = {"github": 8_000, "stackoverflow": 2_700, "hackernews": 8_000}
    posts = [
        post
        for source, count in hot.items()
        for post in make_posts(source, QUERIES[source], DATE, count + 60, hot=count)
    ]
    loopback.answer = Services(posts)
    finished = collect(project, loopback, *only(*hot), INGEST_WINDOW_SECONDS="0.3")
    truncated = project.query(
        """select source, epoch(window_end - window_start), reported_total, fetched, stored, error
           from bronze.ingest_windows where status != 'complete' order by all"""
    )
    of = "posts of this second"
    assert truncated == [
        ("github", 1, 8_000, 1_000, 1_000, f"GitHub gives 1,000 of the 8,000 {of}"),
        ("hackernews", 1, 8_000, 1_000, 1_000, f"Algolia gives 1,000 of the 8,000 {of}"),
        ("stackoverflow", 1, None, 2_500, 2_500,
         "Stack Exchange gives 2,500 questions of this second without STACKEXCHANGE_KEY"),
    ]  # fmt: skip
    assert finished.status == 1
    assert finished.output.count(" is truncated: ") == 3
    assert project.query("select source, count(*) from bronze.raw_items group by all order by all") == [
        ("github", 1_060), ("hackernews", 1_060), ("stackoverflow", 2_560),
    ]  # fmt: skip
    assert_sound(project)


def test_a_search_that_times_out_is_asked_again_and_then_in_halves(project: Project, loopback: Loopback) -> None:
    query = QUERIES["github"][0]
    posts = make_posts("github", [query], DATE, 300)
    services = Services(posts)
    noon = f"{DAY}T12:00:00Z"
    patient = [True]

    def time_out(request: Request) -> Answer | None:
        """Once at all; then whenever noon is asked for."""
        if query not in request.query["q"]:
            return None
        start, end = request.query["q"].split("created:")[1].split("..")
        if not patient and not start <= noon <= end:
            return None
        patient.clear()
        answer = services.truth(request)
        half = answer.body["items"][: len(answer.body["items"]) // 2]
        return replace(answer, body=answer.body | {"incomplete_results": True, "items": half})

    services.before = lambda request: time_out(request) if patient else None
    loopback.answer = services
    assert collect(project, loopback, *only("github")).status == 0
    assert_stored(project, posts)
    assert statuses(project) == {"complete": 2}
    assert len([request for request in loopback.requests if query in request.query["q"]]) == 1 + 3

    services.before = time_out
    finished = collect(project, loopback, *only("github"), "--refresh")
    assert finished.status == 1
    assert project.query(
        """select hour(window_end - window_start) = 0, window_start <= $noon and window_end > $noon, error
           from bronze.ingest_windows where status = 'truncated'""",
        noon=f"{DAY} 12:00:00",
    ) == [(True, True, "GitHub's search timed out (incomplete_results)")]
    assert statuses(project)["complete"] == 1 + 6
    assert_sound(project)


@pytest.mark.parametrize(("source", "moods"), [("github", ""), ("github", "incomplete"), ("stackoverflow", "")])
def test_a_post_that_goes_while_pages_are_turned_takes_no_other_with_it(
    project: Project, loopback: Loopback, source: str, moods: str
) -> None:
    query = QUERIES[source][0]
    posts = make_posts(source, [query], DATE, 450)
    services = Services(posts)
    left = moods.split()
    gone: list[Post] = []

    def lose_one(request: Request) -> Answer | None:
        """The first search may time out; the first post goes before the second page is read."""
        if left and query in request.query["q"]:
            return services.spoil(left.pop(), request)
        # Stack Exchange is asked on from the last question's second, not by number.
        second_page = request.query["page"] == "2" or int(request.query.get("fromdate", 0)) % 86_400
        if second_page and not gone:
            gone.append(services.posts[source, query].pop(0))
        return None

    services.before = lose_one
    loopback.answer = services
    assert collect(project, loopback, *only(source)).status == 0
    assert gone
    assert_stored(project, posts)
    assert_sound(project)


def test_a_run_that_is_killed_goes_on_where_it_was(
    project: Project, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in addresses(loopback.url).items():
        monkeypatch.setenv(name, value)
    posts = posts_of(github=2_000, stackoverflow=1_500, reddit=780, hackernews=1_200)
    loopback.answer = Services(posts)
    dice = random.Random(4)
    kills: list[tuple[int, set[str]]] = []

    def due() -> bool:
        """A moment after a request, some way into the run."""
        return len(loopback.requests) >= number and dice.random() < 0.1

    for _ in range(6):
        number = len(loopback.requests) + dice.randrange(1, 9)
        collect_and_kill(project, loopback, due)
        kills.append((last_request(project), open_addresses(project)))
    finished = collect(project, loopback)
    assert finished.status == 0, finished.output
    assert_stored(project, posts)
    assert_sound(project)

    # Asked twice was only what the tables did not hold yet when the run was killed.
    asked = project.query("select request_id, url from bronze.ingest_requests where url not like '%access_token'")
    for last, still_open in kills:
        before, after = ({url for number, url in asked if (number > last) == later} for later in (False, True))
        assert before & after <= still_open
    requests = len(loopback.requests)
    assert collect(project, loopback).status == 0
    assert len(loopback.requests) == requests


def last_request(project: Project) -> int:
    [(number,)] = project.query("select max(request_id) from bronze.ingest_requests")
    return int(number)


def open_addresses(project: Project) -> set[str]:
    """What the table of windows still wants to ask for."""
    rows = project.query(
        "select source, query, window_start, window_end, unnest(pages_left) as page from bronze.ingest_windows"
    )
    return {
        sources()[name].request(Window(name, query, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)), page).address
        for name, query, start, end, page in rows
    }


def test_a_refresh_updates_and_deletes_nothing(project: Project, loopback: Loopback) -> None:
    posts = posts_of(github=40, stackoverflow=60, reddit=60, hackernews=40)
    loopback.answer = Services(posts)
    assert collect(project, loopback).status == 0
    gone, edited, others = posts[::10], posts[1::10], [post for at, post in enumerate(posts) if at % 10 > 1]
    # At Reddit nobody can edit a title.
    edited = [
        replace(post, title=post.title if post.source == "reddit" else f"{post.title} [solved]", body="Edited.")
        for post in edited[::2]
    ] + [replace(post, comments=post.comments + 1, votes=-3) for post in edited[1::2]]
    new = posts_of(seed=1, github=4, stackoverflow=12, reddit=12, hackernews=2)
    loopback.answer = Services([*edited, *others, *new])

    requests = len(loopback.requests)
    assert collect(project, loopback).status == 0
    assert len(loopback.requests) == requests
    [(before,)] = project.query("select max(collected_at) from bronze.raw_items")
    rows = table(collect(project, loopback, "--refresh", "--json"))
    assert_stored(project, [*gone, *edited, *others, *new])
    assert {source: (row["new"], row["updated"], row["known"]) for source, row in rows.items()} == {
        "github": (4, 4, 32), "stackoverflow": (12, 6, 48), "reddit": (12, 6, 48), "hackernews": (2, 4, 32),
    }  # fmt: skip
    changed = project.query("select count(*) from bronze.raw_items where collected_at > $before", before=before)
    assert changed == [(len(edited) + len(new),)]


def test_a_day_that_was_read_before_it_was_over_is_read_again(project: Project, loopback: Loopback) -> None:
    busiest = QUERIES["reddit"][0]
    posts = [*posts_of(github=40, hackernews=40), *make_posts("reddit", [busiest], DATE, 700)]
    noon = posts[0].created_at // 86_400 * 86_400 + 43_200
    sources = only("github", "reddit", "hackernews")

    def fail_late(request: Request) -> Answer | None:
        return Answer("", 500) if busiest in request.path and "after" in request.query else None

    # Reddit fails between two pages, and the other two are read to the end, all at noon.
    loopback.answer = Services([post for post in posts if post.created_at < noon], before=fail_late)
    assert collect(project, loopback, *sources).status == 1
    project.query(f"update bronze.ingest_windows set finished_at = '{DAY} 12:00:00' where source != 'github'")
    before = len(loopback.requests)
    loopback.answer = Services(posts)
    assert collect(project, loopback, *sources).status == 0
    assert "github" not in {source_of(request.path) for request in loopback.requests[before:]}
    assert_stored(project, [post for post in posts if post.source != "github" or post.created_at < noon])


def test_what_fails_stops_no_other_and_is_made_up_for(project: Project, loopback: Loopback) -> None:
    posts = posts_of(github=20, stackoverflow=660, reddit=18, hackernews=20)
    hidden, unpopular = QUERIES["reddit"][0], QUERIES["stackoverflow"][0]

    def misbehave(request: Request) -> Answer | None:
        """A token is not accepted, the second page of a tag never comes, and a subreddit is gone."""
        if source_of(request.path) == "github":
            return Answer({"message": "Bad credentials"}, 401)
        if request.query.get("tagged") == unpopular and int(request.query["fromdate"]) % 86_400:
            return Answer("<html>Oops</html>", 500)
        if request.path == f"/r/{hidden}/new":
            return Answer({"message": "Not Found", "reason": "banned", "error": 404}, 404)
        return None

    loopback.answer = services = Services(posts, before=misbehave)
    finished = collect(project, loopback)
    assert finished.status == 1
    assert "ERROR: github ended with 2 windows to go: GitHub does not accept GITHUB_TOKEN" in finished.output
    assert re.search(r"ERROR: stackoverflow ended .*answered 500: an HTML page, 5 times in a row", finished.output)
    assert f"ERROR: reddit: {hidden}, {DAY}: Reddit does not show the subreddit (404: banned" in finished.output
    left = project.query(
        "select source, query, error from bronze.ingest_windows where status != 'complete' order by source"
    )
    assert {(source, query) for source, query, _ in left} >= {
        *(("github", query) for query in QUERIES["github"]), ("stackoverflow", unpopular), ("reddit", hidden),
    }  # fmt: skip
    assert not {source for source, query, _ in left if query != hidden} & {"reddit", "hackernews"}
    assert all(error for *_, error in left)
    assert set(statuses(project)) == {"complete", "failed"}

    def refuse(request: Request) -> Answer | None:
        """Now GitHub does not take one of the two queries."""
        return unprocessable("Validation failed") if "label:bug" in request.query.get("q", "") else None

    services.before = refuse
    finished = collect(project, loopback)
    assert finished.status == 1
    assert "GitHub does not take the query (422: Validation failed): correct it" in finished.output
    assert statuses(project)["failed"] == 1
    services.before = None
    assert collect(project, loopback).status == 0
    assert_stored(project, posts)
    assert_sound(project)


@pytest.mark.parametrize(("seconds", "says"), [("3600", r" (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC"), ("9" * 13, "")])
def test_a_pause_that_is_too_long_ends_its_source_only(
    project: Project, loopback: Loopback, seconds: str, says: str
) -> None:
    posts = posts_of(github=4, stackoverflow=12, hackernews=40)
    message = f"too many requests from this IP, more requests available in {seconds} seconds"

    def spent(request: Request) -> Answer | None:
        match source_of(request.path):
            case "github":
                return Answer({"message": "You have exceeded a limit"}, 403, {"retry-after": seconds})
            case "stackoverflow":
                return Answer({"error_id": 502, "error_message": message, "error_name": "throttle_violation"}, 400)
        return None

    loopback.answer = services = Services(posts, before=spent)
    sources = only("github", "stackoverflow", "hackernews")
    finished = collect(project, loopback, *sources, INGEST_MAX_WAIT_SECONDS="2")
    assert finished.status == 1
    for source in ("github", "stackoverflow"):
        assert re.search(f"ERROR: {source} ended with .*: resume after{says}", finished.output), finished.output
        assert len(arrivals(loopback.requests, source)) <= len(QUERIES[source])
    services.before = None
    assert collect(project, loopback, *sources).status == 0
    assert_stored(project, posts)


def test_a_service_that_is_down_is_asked_again_when_it_says(project: Project, loopback: Loopback) -> None:
    posts = posts_of(hackernews=40)
    services = Services(posts)
    down_until: list[float] = []

    def down(request: Request) -> Answer | None:
        down_until.append(down_until[0] if down_until else request.at + 2)
        return Answer("<html>Maintenance</html>", 503, {"retry-after": "2"}) if request.at < down_until[0] else None

    services.before = down
    loopback.answer = services
    finished = collect(project, loopback, *only("hackernews"))
    assert finished.status == 0, finished.output
    assert len(loopback.requests) == 2


def test_words_that_no_database_holds_end_no_run(project: Project, loopback: Loopback) -> None:
    posts = posts_of(hackernews=40)

    def refuse(request: Request) -> Answer | None:
        return unprocessable("half a \ud83d pair, and \x00") if source_of(request.path) == "github" else None

    loopback.answer = Services(posts, before=refuse)
    finished = collect(project, loopback, *only("github", "hackernews"))
    assert finished.status == 1
    assert "GitHub does not take the query (422: half a" in finished.output
    assert_stored(project, posts)


def test_an_expired_token_is_renewed(project: Project, loopback: Loopback) -> None:
    posts = posts_of(reddit=1_200)
    services = Services(posts)

    def expire(request: Request) -> None:
        if len(loopback.requests) == 6:
            services.expire_tokens()

    services.before = expire
    loopback.answer = services
    finished = collect(project, loopback, *only("reddit"))
    assert finished.status == 0, finished.output
    assert services.issued == 2
    assert_stored(project, posts)


def test_days_are_planned_and_collected(project: Project, loopback: Loopback) -> None:
    days = [DATE - timedelta(days=number) for number in (2, 1, 0)]
    posts = [post for day in days for post in posts_of(day, github=210, stackoverflow=18, reddit=18, hackernews=9)]
    loopback.answer = Services(posts)

    def plan(first: date, last: date) -> dict[str, tuple[int, int, int]]:
        finished = collect(project, loopback, "--from", f"{first}", "--to", f"{last}", "--dry-run", "--json")
        assert finished.status == 0, finished.output
        return {name: (row["windows"], row["known"], row["requests"]) for name, row in table(finished).items()}

    # Nothing is known yet: a request a window, at the least.
    windows = {"github": 2, "stackoverflow": 6, "reddit": 6, "hackernews": 1}
    assert plan(DATE, DATE) == {name: (count, 0, count) for name, count in windows.items()}
    assert not loopback.requests

    finished = collect(project, loopback, "--from", f"{days[0]}", "--to", f"{days[-1]}", "--json")
    assert finished.status == 0, finished.output
    assert_stored(project, posts)
    assert_sound(project)
    rows = table(finished)
    assert {name: (row["windows"], row["failed"]) for name, row in rows.items()} == {
        name: (3 * count, 0) for name, count in windows.items()
    }
    assert sum(row["requests"] for row in rows.values()) == len(loopback.requests)
    assert sum(row["new"] for row in rows.values()) == len(posts)
    assert (rows["github"]["reported"], rows["github"]["fetched"], rows["reddit"]["reported"]) == (630, 630, None)

    # GitHub's days take two pages a query.
    pages = {"github": 4, "stackoverflow": 6, "reddit": 6, "hackernews": 1}
    assert plan(days[0] - timedelta(days=1), DATE) == {name: (windows[name],) * 2 + (pages[name],) for name in windows}
    finished = collect(project, loopback, "--dry-run")
    assert "nothing, all is finished" in finished.output


def test_fifty_thousand_posts_and_a_fault_in_twenty_requests(project: Project, loopback: Loopback) -> None:
    posts = posts_of(github=15_000, stackoverflow=14_700, reddit=4_800, hackernews=15_500)
    assert len(posts) == 50_000
    loopback.answer = services = Services(posts, faults=0.05, retry_after=0)
    settings = {"STACKEXCHANGE_KEY": "se-s3cret", "INGEST_WINDOW_SECONDS": "0.5"}
    finished = collect(project, loopback, **settings)
    assert finished.status == 0, finished.output
    assert_stored(project, posts)
    assert_sound(project)
    assert sum(services.faults.values()) > 10
