"""What a run keeps: posts however odd, what could not be read, nobody's name, and raw answers that can be replayed."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DAY, Project
from tests.support.services import (
    Post,
    Services,
    make_posts,
    source_of,
    to_hit,
    to_issue,
    to_question,
    to_submission,
    unprocessable,
)
from tests.unit.test_collect import (
    DATE,
    KEYS,
    QUERIES,
    assert_sound,
    assert_stored,
    collect,
    collect_and_kill,
    only,
    posts_of,
    statuses,
    table,
)

NAME = "zaphod-quux"
NOON = posts_of(hackernews=1)[0].created_at // 86_400 * 86_400 + 43_200
REPLAYED = ("bronze.raw_items", "bronze.rejected_items", "bronze.ingest_windows")
ABSENT = object()


def nested(depth: int) -> Any:
    """An object in an object in an object, so many levels deep."""
    entry: Any = NAME
    for _ in range(depth):
        entry = {"a": entry}
    return entry


def an_entry(source: str, /, **changes: Any) -> dict[str, Any]:
    """A post as its service gives it, with every field that names its author, and with changes."""
    post = Post(source, QUERIES[source][0], 77, "Es brennt", "Text", NOON, author=NAME)
    person = {"login": NAME, "display_name": NAME}
    match source:
        case "github":
            entry = to_issue(post) | {"assignee": person, "closed_by": person, "milestone": {"creator": person}}
        case "stackoverflow":
            entry = to_question(post, "withbody") | {"last_editor": person}
        case "reddit":
            entry = to_submission(post, raw=True) | {"author_fullname": NAME, "approved_by": NAME}
        case _:
            entry = to_hit(post) | {"_highlightResult": {"author": {"value": f"<em>{NAME}</em>"}}}
    entry = {key: value for key, value in (entry | changes).items() if value is not ABSENT}
    return {"kind": "t3", "data": entry} if source == "reddit" else entry


def broken_entries(source: str) -> list[Any]:
    """What no post can be made of, each in another way."""
    key, moment, count = {
        "github": ("html_url", "created_at", "comments"),
        "stackoverflow": ("question_id", "creation_date", "score"),
        "reddit": ("permalink", "created_utc", "num_comments"),
        "hackernews": ("objectID", "created_at", "points"),
    }[source]
    times = ["2199-01-01T00:00:00Z", "1969-12-31T23:59:59Z", 7_258_118_400, -1, 1e300, float("nan"), "at noon"]
    flaws: list[dict[str, Any]] = [
        *({key: value} for value in (ABSENT, None, ["text"], nested(900))),
        *({moment: value} for value in (ABSENT, None, {}, *times)),
        *({count: value} for value in ("many", 2**70, 0.5)),
        *({"title": value} for value in (5, ["text"], nested(300))),
    ]
    return [None, "text", 7, [], *(an_entry(source, created_at_i=ABSENT, **flaw) for flaw in flaws)]


def adding(services: Services, entries: dict[str, list[Any]]) -> Callable[[Request], Answer | None]:
    """Answers with more entries than the services hold, to the first two queries of each."""

    def answer(request: Request) -> Answer | None:
        source = source_of(request.path)
        asked = f"{request.path} {request.query}"
        extra = entries.get(source, [])
        if not extra or not any(query in asked for query in QUERIES[source][:2]):
            return None
        truth = services.truth(request)
        page = truth.body.get("data", truth.body)
        next(value for value in page.values() if isinstance(value, list)).extend(extra)
        return truth

    return answer


def kept_text(project: Project) -> str:
    """All that bronze holds, as text."""
    tables = project.query("select table_name from duckdb_tables() where schema_name = 'bronze'")
    return "\n".join(
        row for (name,) in tables for (row,) in project.query(f"select entry::text from bronze.{name} as entry")
    )


def contents(project: Project) -> dict[str, tuple[int, Any]]:
    """What an archive can give back."""
    everything = project.contents()
    return {name: everything[name] for name in REPLAYED}


def replayed(project: Project, folder: Path) -> dict[str, tuple[int, Any]]:
    """The same of a new database that the archive has been replayed into, without any key."""
    copy = Project(project.database.with_name("replayed.duckdb"), project.settings, project.parsed)
    finished = copy.ingest("--date", DAY, "--replay", str(folder))
    assert "Traceback" not in finished.output, finished.output
    return contents(copy)


def test_broken_entries_are_kept_apart_once_and_without_names(project: Project, loopback: Loopback) -> None:
    posts = posts_of(github=20, stackoverflow=60, reddit=60, hackernews=20)
    services = Services(posts)
    broken = {source: broken_entries(source) for source in QUERIES}
    services.before = adding(services, broken)
    loopback.answer = services
    for more in ([], ["--refresh"]):
        finished = collect(project, loopback, "--json", *more)
        assert finished.status == 1
        assert {source: row["rejected"] for source, row in table(finished).items()} == {
            source: len(broken[source]) * len(QUERIES[source][:2]) for source in broken
        }
        assert_stored(project, posts)
        assert dict(
            project.query("select source, count(distinct entry_hash) from bronze.rejected_items group by all")
        ) == {source: len(entries) for source, entries in broken.items()}
        assert project.query("select count(*) from bronze.rejected_items") == [(sum(map(len, broken.values())),)]
    # Nested without end, the name stands under no key that tells what it is.
    rows = project.query("select entry from bronze.rejected_items where not contains(entry, repeat('{\"a\": ', 50))")
    assert not [entry for (entry,) in rows if NAME in entry]


def test_odd_posts_are_stored_right_and_once(project: Project, loopback: Loopback) -> None:
    address = "https://github.com/acme/till/issues/"
    odd = {
        "github": [
            an_entry("github", html_url=f"{address}1", body="ä" * 2**20),
            an_entry("github", html_url=f"{address}2", body=None, title=ABSENT, user=None),
            an_entry("github", html_url=f"{address}3", title="half a \ud83d pair, \x00", body=" \n"),
            *(an_entry("github", html_url=f"{address}{spelling}") for spelling in ("4", "4?a=1", "./4?b=2#issue-4")),
            an_entry("github", html_url="HTTP://www.GitHub.com:80/acme/till/issues/4"),
        ],
        "stackoverflow": [
            an_entry("stackoverflow", title="Why is &quot;a &amp;lt; b&quot; &#39;true&#39;?", body="<p>1 &lt; 2</p>")
        ],
        "reddit": [an_entry("reddit", title="1 &lt; 2 &amp; 3", selftext="", author="[deleted]")],
        "hackernews": [an_entry("hackernews", title=None, story_text=""), an_entry("hackernews", story_text=ABSENT)],
    }
    services = Services()
    services.before = adding(services, odd)
    loopback.answer = services
    assert collect(project, loopback).status == 0
    reddit = project.query("select url, title, body from bronze.raw_items where source = 'reddit'")
    assert [row[1:] for row in reddit] == [("1 &lt; 2 &amp; 3", None)]
    assert project.query(
        "select url, title, length(body), left(body, 12) from bronze.raw_items where source != 'reddit' order by url"
    ) == [
        (f"{address}1", "Es brennt", 2**20, "ä" * 12),
        (f"{address}3", "half a ? pair, ", None, None),
        (f"{address}4", "Es brennt", 4, "Text"),
        ("https://news.ycombinator.com/item?id=77", "Es brennt", None, None),
        ("https://stackoverflow.com/questions/77", "Why is \"a &lt; b\" 'true'?", 15, "<p>1 &lt; 2<"),
    ]


def test_an_author_is_a_hash_that_takes_the_salt_to_make(project: Project, loopback: Loopback) -> None:
    posts = [
        replace(post, author=f"{NAME}-{number // 2}")
        for source in QUERIES
        for number, post in enumerate(make_posts(source, QUERIES[source], DATE, 6))
    ]
    loopback.answer = Services(posts)

    def hashes(*arguments: str, **settings: str) -> dict[str, str | None]:
        finished = collect(project, loopback, "--refresh", *arguments, **settings)
        assert NAME not in finished.output + kept_text(project)
        return dict(project.query("select url, author_hash from bronze.raw_items"))

    assert set(hashes().values()) == {None}
    salted = hashes(AUTHOR_SALT="a salt")
    assert all(len(digest or "") == 64 and int(digest or "", 16) for digest in salted.values())
    # Two posts each, and nobody is the same person at two services.
    assert sorted(list(salted.values()).count(digest) for digest in set(salted.values())) == [2] * (len(posts) // 2)
    assert all(salted[one.url] == salted[two.url] for one in posts for two in posts if one.author == two.author
               and one.source == two.source)  # fmt: skip
    assert hashes(*only("github")) == salted
    another = hashes(*only("github"), "--new-salt", AUTHOR_SALT="another salt")
    assert {url for url in salted if another[url] != salted[url]} == {post.url for post in posts[:6]}


def test_an_archive_gives_the_same_tables_again(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    project.settings["AUTHOR_SALT"] = "a salt"
    archive = ("--archive", str(tmp_path / "archive"))
    counts = {"github": 1_200, "stackoverflow": 300, "reddit": 1_100, "hackernews": 1_100}
    posts = [post for source, count in counts.items() for post in make_posts(source, QUERIES[source][:1], DATE, count)]
    posts[::400] = [replace(post, comments=2**70) for post in posts[::400]]
    loopback.answer = services = Services(posts, faults=0.1, retry_after=0)
    collect(project, loopback, *archive)
    assert set(statuses(project)) == {"complete", "truncated"}
    loopback.answer = Services(
        [replace(post, body="Edited.", votes=post.votes + 1) if post.number % 3 else post for post in posts[::2]],
        faults=0.1, retry_after=0, seed=1,
    )  # fmt: skip
    collect(project, loopback, *archive, "--refresh", *only("github", "hackernews", "reddit"))
    assert_sound(project)
    assert sum(services.faults.values()) > 2
    assert project.query("select count(*) > 5 from bronze.rejected_items") == [(True,)]
    assert replayed(project, tmp_path / "archive") == contents(project)


def test_an_archive_of_runs_that_were_killed_gives_the_same_tables(
    project: Project, loopback: Loopback, tmp_path: Path
) -> None:
    posts = [*make_posts("github", QUERIES["github"][:1], DATE, 500), *posts_of(hackernews=900)]
    archive = tmp_path / "archive"
    loopback.answer = Services(posts)
    for source, number in (("hackernews", 1), ("github", 1), ("github", 5)):

        def due(source: str = source, number: int = number) -> bool:
            """The answer is in the archive and, a moment later, its posts will be in the table."""
            return len([*archive.glob(f"{source}/*.json.gz")]) >= number

        collect_and_kill(project, loopback, due, "--archive", str(archive), *only(source))
    assert collect(project, loopback, "--archive", str(archive), *only("github", "hackernews")).status == 0
    assert_stored(project, posts)
    assert replayed(project, archive) == contents(project)


def test_an_archive_of_a_run_that_failed_half_way_gives_the_same_tables(
    project: Project, loopback: Loopback, tmp_path: Path
) -> None:
    query = QUERIES["github"][0]
    services = Services(make_posts("github", [query], DATE, 450))
    archive = ("--archive", str(tmp_path / "archive"))
    gone: list[Post] = []

    def fail(request: Request) -> Answer | None:
        """A post goes before page 2 comes, so the window is read anew; then page 3 fails for good."""
        page = request.query["page"] if query in request.query["q"] else ""
        if gone and page == "3":
            return Answer("", 500)
        if page == "2" and not gone:
            gone.append(services.posts["github", query].pop(0))
        return replace(services.truth(request), delay=0.3) if page == "3" else None

    services.before = fail
    loopback.answer = services
    assert collect(project, loopback, *only("github"), *archive).status == 1
    services.before = None
    assert collect(project, loopback, *only("github"), *archive).status == 0
    assert statuses(project) == {"complete": 2}
    assert replayed(project, tmp_path / "archive") == contents(project)


def test_a_page_that_comes_when_its_window_is_read_anew_is_replayed_as_what_it_is(
    project: Project, loopback: Loopback, tmp_path: Path
) -> None:
    query = QUERIES["github"][0]
    services = Services(make_posts("github", [query], DATE, 450))
    asked: list[str] = []

    def late(request: Request) -> Answer | None:
        """The search times out at page 3, and page 4 comes late both times."""
        asked.append(request.query["page"] if query in request.query["q"] else "")
        if asked[-1] == "3" and asked.count("3") == 1:
            return services.spoil("incomplete", request)
        if asked[-1] == "4":
            return replace(services.truth(request), delay=1 if asked.count("4") == 1 else 2)
        return None

    services.before = late
    loopback.answer = services
    assert collect(project, loopback, *only("github"), "--archive", str(tmp_path / "archive")).status == 0
    assert asked.count("4") == 2
    assert replayed(project, tmp_path / "archive") == contents(project)


def test_with_a_key_a_busy_second_is_read_to_its_end_and_replayed_without_the_key(
    project: Project, loopback: Loopback, tmp_path: Path
) -> None:
    posts = make_posts("stackoverflow", QUERIES["stackoverflow"], DATE, 2_760, hot=2_700)
    loopback.answer = Services(posts)
    archive = ("--archive", str(tmp_path / "archive"))
    settings = {"STACKEXCHANGE_KEY": "se-s3cret", "INGEST_WINDOW_SECONDS": "0.3"}
    finished = collect(project, loopback, *only("stackoverflow"), *archive, **settings)
    assert finished.status == 0, finished.output
    assert_stored(project, posts)
    assert statuses(project) == {"complete": 6}
    assert replayed(project, tmp_path / "archive") == contents(project)


def test_no_key_is_kept_or_told_whatever_a_service_repeats(
    project: Project, loopback: Loopback, tmp_path: Path
) -> None:
    # As Stack Exchange writes its keys: what is escaped in an address is still a key.
    keys = {name: f"{name[:2]}-s3cret*((" for name in ("GITHUB_TOKEN", "STACKEXCHANGE_KEY", "REDDIT_CLIENT_SECRET")}
    basic = base64.b64encode(f"{KEYS['REDDIT_CLIENT_ID']}:{keys['REDDIT_CLIENT_SECRET']}".encode()).decode()

    def repeat(request: Request) -> Answer | None:
        sent = request.headers.get("authorization", "")
        match source_of(request.path):
            case "github":
                return replace(unprocessable(f"no search for {sent}"), headers={"x-you-sent": sent})
            case "stackoverflow":
                where = f"https://api.example.com{request.path}?{urlencode(request.query)}"
                return Answer({"moved": where}, 302, {"location": where})
            case "reddit":
                return Answer({"message": f"no token for {sent}", "error": 400}, 400)
        return None

    loopback.answer = Services(posts_of(hackernews=3), before=repeat)
    finished = collect(project, loopback, "--archive", str(tmp_path / "archive"), **keys, AUTHOR_SALT="salt-s3cret")
    assert finished.status == 1
    files = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} >= {"github", "stackoverflow", "hackernews"}
    told = {
        "output": finished.output,
        "tables": kept_text(project),
        **{
            path.name: (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
            for path in files
        },
    }
    assert "REDDIT" in finished.output
    leaks = [
        (name, line) for name, text in told.items() for line in text.splitlines() if "s3cret" in line or basic in line
    ]
    assert leaks == []


def test_no_depth_of_nesting_ends_a_run(project: Project, tmp_path: Path) -> None:
    # Somewhere among these lies the deepest that Python reads, and a little less deep what it can still write.
    depths = range(900, 1_000)
    folder = tmp_path / "replay" / "hackernews"
    folder.mkdir(parents=True)
    deep = {depth: '{"a":' * depth + "1" + "}" * depth for depth in depths}
    address = "https://news.ycombinator.com/item?id=1"
    post = json.dumps({"source": "hackernews", "url": address, "title": "It broke", "created_at": NOON})
    lines = tmp_path / "posts.jsonl"
    lines.write_text("\n".join([*(f'{{"source": "github", "url": {text}}}' for text in deep.values()), post]))
    for depth, text in deep.items():
        (folder / f"{depth}.json").write_text(f'{{"hits": [{{"title": "x", "objectID": {text}}}]}}')
    for arguments in (["--file", str(lines)], ["--replay", str(tmp_path / "replay"), "--date", DAY]):
        finished = project.ingest(*arguments)
        assert "Traceback" not in finished.output, finished.output
        assert finished.status == 1
    assert project.query("select count(*) from bronze.raw_items") == [(1,)]
