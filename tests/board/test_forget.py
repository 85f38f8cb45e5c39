"""python -m ingest forget: a post leaves the tables, the bytes of both files and the board, and does not come back."""

import json
import secrets
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ingest.forget import QUOTES
from tests.support.project import DAY, SAMPLE, Project, free_address, serve

AUTHOR = "a" * 30 + "0123456789" + "b" * 24
# Traces of the quoted post in tables that the sample day leaves empty, or without a language model's work.
TRACES = [
    "update bronze.raw_items set author_hash = $author where url_hash = $gone",
    "update gold.issue_label_attempts set labeler = 'a/model', cost_usd = 0.25",
    "update gold.problem_label_attempts set labeler = 'a/model', cost_usd = 0.25, strays = [$gone, $other]",
    """
    insert into bronze.corrections by name
    select 1 as correction_id, 'pin' as kind, 'p' as problem_id, [$gone] as posts, [$other] as kept_posts,
        date '2026-11-20' as as_of_date, now()::timestamp as corrected_at
    union all by name
    select 2 as correction_id, 'undo' as kind, 1 as undoes, now()::timestamp as corrected_at
    """,
    """
    insert into bronze.rejected_items by name
    select unnest(['1', '2']) as entry_hash, 'github' as source, 'q' as query, 'no time' as reason,
        unnest(['{"html_url": "' || $url || '", "title": 7}', '{"html_url": "https://a.example/1"}']) as entry,
        now()::timestamp as collected_at
    """,
    """
    insert into silver.opinion_attempts by name
    select 'o' as attempt_id, 'a/model' as labeler, 'labelled' as status, [$text, 'other'] as content_hashes,
        [{'content_hash': $text, 'complains': true}, {'content_hash': 'other', 'complains': true}] as opinions,
        date '2026-11-20' as collection_date, now()::timestamp as attempted_at
    """,
    """
    insert into silver.pair_attempts by name
    select 'p' as attempt_id, 'a/model' as labeler, 'labelled' as status, [$text || '-f', 'e-f'] as pair_hashes,
        [{'pair_hash': $text || '-f', 'is_same': true}, {'pair_hash': 'e-f', 'is_same': true}] as opinions,
        date '2026-11-20' as collection_date, now()::timestamp as attempted_at
    """,
    "create table gold.problem_label_attempts__journal as from gold.problem_label_attempts",
    "create table silver.embeddings__journal as from silver.embeddings",
    "create table main.texts__dbt_tmp1 as from silver.texts",
]


def found(words: list[str], *files: Path) -> list[tuple[str, str]]:
    """Which words the bytes of which files hold."""
    return [
        (word, file.name) for file in files if file.exists() for word in words if word.encode() in file.read_bytes()
    ]


def tables_with(project: Project, words: list[str]) -> set[str]:
    """The tables with a row that holds one of the words."""
    is_there = " or ".join(f"contains(it::text, '{word}')" for word in words)
    with duckdb.connect(str(project.database)) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not temporary"
        ).fetchall()
        return {
            name
            for (name,) in names
            if connection.execute(f"select 1 from {name} as it where {is_there} limit 1").fetchall()
        }


def test_a_forgotten_post_is_nowhere_and_does_not_come_back(built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    quoted = """
        select posts.url_hash, posts.url, posts.title, regexp_extract(body, '[^\\n]{30,}'), content_hash
        from bronze.raw_items as posts inner join silver.texts using (url_hash)
        where posts.title in (select title from gold.problems) and posts.source = 'github' and body is not null
        order by posts.url_hash limit 1
    """
    [(gone, url, title, line, text)] = project.query(quoted)
    # Posts of problems that do not quote them, of another topic. The search texts of the problems have their titles.
    [(other, other_url, other_title), (_, unquoted_url, unquoted_title)] = project.query(
        """
        select url_hash, url, posts.title
        from bronze.raw_items as posts inner join silver.cluster_assignments using (url_hash)
        where length(posts.title) > 30 and posts.title not in (select title from gold.problems) and cluster_id not in (
            select cluster_id from silver.cluster_assignments where url_hash = $gone
        ) and url_hash in (
            select post.url_hash
            from gold.problem_posts as post inner join gold.problems as problem using (problem_id)
            where not list_contains(list_transform(problem.quotes, lambda claim: claim['url_hash']), post.url_hash)
        )
        order by url_hash desc limit 2
        """,
        gone=gone,
    )
    for statement in TRACES:
        names = {"author": AUTHOR, "gone": gone, "other": other, "url": url, "text": text}
        project.query(statement, **{name: value for name, value in names.items() if f"${name}" in statement})
    words, kept = [title, line, AUTHOR, f'"{url}"', text], [other_title, other]
    assert tables_with(project, [gone, text]) > {
        "silver.embeddings__journal",
        "silver.pair_attempts",
        "silver.summaries",
    }
    data = tmp_path / "pb"
    files = [data / "data.db", data / "data.db-wal", data / "auxiliary.db", data / "auxiliary.db-wal"]
    with serve(data, free_address(), secrets.token_hex()) as server:
        assert project.run(sys.executable, "-m", "sync", "--date", DAY, **server.settings).status == 0
        assert {word for word, _ in found([title, line], *files)} == {title, line}
        assert {word for word, _ in found(words, project.database)} >= {title, line, AUTHOR, text}

        # Another spelling of the address.
        spelled = url.replace("https://github.com", "http://www.GitHub.com") + "?a=b#c"
        forget = ("forget", "--url", spelled, "--url", unquoted_url)
        assert found([unquoted_title], data / "data.db", data / "data.db-wal")
        finished = project.ingest(*forget, **server.settings)
        assert finished.status == 0, finished.output
        assert "2 posts are forgotten" in finished.output
        assert f"python -m groundswell build --date DAY: {DAY}" in finished.output
        assert "its file is written anew" in finished.output
        assert not found([*words, unquoted_title], project.database, *files)
        assert tables_with(project, [gone, text, title, url]) == {"bronze.forgotten"}
        assert not list(tmp_path.glob("*.wal")) + list(tmp_path.glob("*.forget"))
        # What a model was paid stays known; what it said of other posts stays.
        attempts = "from gold.problem_label_attempts where labeler = 'a/model'"
        blank = f"{attempts} and status = 'unanswered' and canonical_title is null and quotes is null"
        [(blanked, cost)] = project.query(f"select count(*), sum(cost_usd) {blank}")
        [(all_attempts, all_cost)] = project.query(f"select count(*), sum(cost_usd) {attempts}")
        assert (0 < blanked < all_attempts, cost, all_cost) == (True, blanked / 4, all_attempts / 4)
        assert project.query(f"select distinct strays {attempts}") == [([other],)]
        assert project.query("select posts, kept_posts from bronze.corrections order by correction_id limit 1") == [
            ([], [other])
        ]
        assert project.query("select entry_hash from bronze.rejected_items") == [("2",)]
        assert project.query("select content_hashes, len(opinions) from silver.opinion_attempts") == [(["other"], 1)]
        assert project.query("select pair_hashes, len(opinions) from silver.pair_attempts") == [(["e-f"], 1)]
        project.query("delete from silver.opinion_attempts")
        project.query("delete from silver.pair_attempts")
        project.query("drop table gold.problem_label_attempts__journal")
        project.query("drop table silver.embeddings__journal")

        # Neither a replay nor a file brings it back. Once more, there is nothing to do.
        assert project.ingest("--date", DAY, "--replay", str(SAMPLE)).status == 0
        line_of_file = {"source": "github", "url": url, "title": title, "body": line, "created_at": f"{DAY}T10:00:00Z"}
        posts = tmp_path / "posts.jsonl"
        posts.write_text(json.dumps(line_of_file) + "\n")
        assert project.ingest("--file", str(posts)).status == 0
        assert not project.query("select 1 from bronze.raw_items where url_hash = $gone", gone=gone)
        assert not found(words, project.database)
        again = project.ingest(*forget)
        assert (again.status, "nothing is left" in again.output) == (0, True)

        # Where the board is away, the next push finishes the work.
        assert project.ingest("forget", "--url", other_url).status == 0
        assert not found(kept[:1], project.database)
        assert found(kept[:1], *files)
        finished = Project(project.database, server.settings, project.parsed).build()
        assert finished.status == 0, finished.output
        assert not found([*words, *kept[:1]], project.database, *files)
        assert project.query(
            "select bool_and(rewritten_at is not null and left_board_at is not null) from bronze.forgotten"
        )
        check = project.run(sys.executable, "-m", "sync", "--check", "--date", DAY, **server.settings)
        assert check.status == 0, check.output
    assert tables_with(project, [gone, other, title, url]) == {"bronze.forgotten"}
    assert project.query("select count(*) from gold.issues")[0][0] == 10


def test_a_sentence_goes_with_its_post(built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    lists = "select distinct column_name from duckdb_columns() where data_type like 'STRUCT(%url_hash%)[]'"
    assert {column for (column,) in project.query(lists)} <= set(QUOTES)
    # The post of a sentence that describes a problem, and whose title does not.
    [(gone, url)] = project.query(
        """
        select said.url_hash, posts.url
        from silver.problem_titles, unnest(sentences) as sentences (said)
        inner join bronze.raw_items as posts on said.url_hash = posts.url_hash
        where not list_contains(list_transform(titles, lambda each: each.url_hash), said.url_hash)
        order by all limit 1
        """
    )
    assert project.ingest("forget", "--url", url).status == 0
    assert tables_with(project, [gone]) == {"bronze.forgotten"}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--url", "https://github.com/o/r/issues/404"], 1, "ERROR: no post has the address https://github.com/o/r/issues/404"),
        (["--url", "nonsense"], 2, "Invalid value for '--url': nonsense: not an http or https address"),
        (["--author", "somebody", "--source", "github"], 1, "ERROR: AUTHOR_SALT is not set"),
        (["--author", "somebody", "--source", "gitlab"], 2, "Invalid value for '--source': 'gitlab' is not one of"),
        (["--before", "2026-01-01"], 0, "no post was written before 2026-01-01"),
        (["--author", "somebody"], 2, "say what to forget"),
        ([], 2, "say what to forget"),
    ],
)  # fmt: skip
def test_what_can_not_be_forgotten_is_one_line(arguments: list[str], status: int, says: str, project: Project) -> None:
    missing = project.ingest("forget", *arguments)
    assert not project.database.exists()
    assert missing.status == (status or 1)
    assert project.ingest("--date", DAY, "--replay", str(SAMPLE)).status == 0
    finished = project.ingest("forget", *arguments)
    assert (finished.status, says in " ".join(finished.output.split())) == (status, True), finished.output
    assert "Traceback" not in finished.output


@pytest.mark.parametrize(
    "whose", [["--author", "whimbrel-x", "--source", "github"], ["--before", "2026-11-21"]], ids=["author", "before"]
)
def test_a_command_that_was_killed_leaves_no_bytes_to_the_next_one(
    built: Project, tmp_path: Path, whose: list[str]
) -> None:
    # The posts are deleted before the file is written anew: the next command finds none, and the file has them still.
    project = built.copy_to(tmp_path)
    assert project.ingest("--date", "2026-11-12", "--sample", AUTHOR_SALT="pepper").status == 0
    title = "select title from bronze.raw_items where url = 'https://github.com/podwatch/charts/issues/44'"
    [(words,)] = project.query(title)
    copy = project.database.with_name(f"{project.database.name}.forget")
    command = (sys.executable, "-m", "ingest", "forget", *whose)
    run, output = project.start(*command, AUTHOR_SALT="pepper")
    while run.is_alive() and not copy.exists():
        time.sleep(0.001)
    run.kill()
    run.join()
    assert copy.exists(), output.read_text()
    assert found([words], project.database)
    assert not project.query(title)
    again = project.ingest("forget", *whose, AUTHOR_SALT="pepper")
    assert again.status == 0, again.output
    assert f"{project.database} is written anew, without the posts that were forgotten before" in again.output
    assert not found([words], project.database)
    assert not list(tmp_path.glob("*.forget*"))


@pytest.mark.parametrize("ending", [".forget", ".forget.wal"])
def test_a_folder_in_the_place_of_the_copy_is_told_before_anything_is_erased(project: Project, ending: str) -> None:
    assert project.ingest("--date", DAY, "--sample").status == 0
    before = project.contents()
    folder = project.database.with_name(project.database.name + ending)
    folder.mkdir()
    finished = project.ingest("forget", "--before", "2027-01-01")
    assert (finished.status, finished.output.count("\n")) == (1, 1), finished.output
    assert f"ERROR: {folder} is a folder, and the database is written anew under this name" in finished.output
    assert project.contents() == before


def test_posts_of_an_author_and_of_old_days_are_forgotten(project: Project) -> None:
    salt = {"AUTHOR_SALT": "pepper"}
    for day in ("2026-11-12", DAY):
        assert project.ingest("--date", day, "--sample", **salt).status == 0
    [(author_hash,)] = project.query(
        "select author_hash from bronze.raw_items where url = 'https://github.com/podwatch/charts/issues/44'"
    )
    of_author = "select count(*) from bronze.raw_items where author_hash = $author"
    assert project.query(of_author, author=author_hash) != [(0,)]
    # Upper and lower case are the same.
    assert project.ingest("forget", "--author", "Whimbrel-X", "--source", "github", **salt).status == 0
    assert not found([author_hash], project.database)
    finished = project.ingest("forget", "--before", DAY)
    assert finished.status == 0, finished.output
    assert project.query("select distinct collection_date::text from bronze.raw_items") == [(DAY,)]
    assert project.ingest("--date", "2026-11-12", "--sample", **salt).status == 0
    assert project.query("select distinct collection_date::text from bronze.raw_items") == [(DAY,)]


def test_a_post_is_forgotten_under_every_spelling_of_its_address(project: Project, tmp_path: Path) -> None:
    spellings = [
        "https://www.reddit.com/r/saas/comments/1abc/invoices_vanish/",
        "https://redd.it/1abc",
        "https://old.reddit.com/comments/1abc",
    ]
    posts = tmp_path / "posts.jsonl"

    def take_in(number: int) -> None:
        """Import a post under one of its addresses."""
        post = {"source": "reddit", "url": spellings[number % 3], "title": "Lost", "created_at": f"{DAY}T08:00:00Z"}
        posts.write_text(json.dumps(post))
        assert project.ingest("--file", str(posts)).status == 0

    for number in range(3):
        project.database.unlink(missing_ok=True)
        take_in(number)
        assert project.query("select count(*) from bronze.raw_items") == [(1,)]
        assert project.ingest("forget", "--url", spellings[(number + 1) % 3]).status == 0
        take_in(number + 2)
        assert project.query("select count(*) from bronze.raw_items") == [(0,)]
