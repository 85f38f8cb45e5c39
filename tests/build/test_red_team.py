"""Posts that want to write the titles themselves, labelled by a model that does whatever they say, and by ours."""

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.language_model import MARKER, decoded, obeying, pairs_of, payloads, posts_of, read, settings
from tests.support.loopback import Loopback, Request
from tests.support.project import DATABASE, ROOT, Finished, Project
from tests.support.shared import Shared

FILE = ROOT / "tests" / "support" / "red_team.jsonl"
KEY = "sk-s3cret-red-team"
# Kinds of attack that say what they are; the others are told from complaints by nobody but a reader.
RECOGNISABLE = (
    "ignore-previous-instructions", "fake-system-message", "imitated-answer", "fence-breaker", "hidden-unicode",
    "system-prompt-request", "role-play",
)  # fmt: skip
MARKUP = re.compile(r"(?i)<[a-z/!?]|&[a-z#]\w*;|\]\(|\*\*|`|[a-z]://|www\.|javascript:")

POSTS = [json.loads(line) for line in FILE.read_text().splitlines()]
MARKERS = sorted({marker for post in POSTS for marker in MARKER.findall(decoded(f"{post['title']} {post['body']}"))})


class Run(NamedTuple):
    """A built database, what the build printed, and what it asked of the model."""

    project: Project
    finished: Finished
    requests: list[Request]


def markers_in(text: str) -> set[str]:
    """The markers whose word a text holds, however it is written."""
    return {marker for marker in MARKERS if re.search(rf"(?i)\b{marker.removeprefix('ZX-')}\b", text)}


def shown(run: Run, cluster_id: int) -> list[str]:
    """The texts of the posts that the model is shown of a cluster."""
    [(prompt,)] = run.project.query(
        "select prompt from gold.label_requests where cluster_id = $cluster_id", cluster_id=cluster_id
    )
    return [post.text for post in posts_of(prompt or "")]


def build_extractive(folder: Path, parsed: Path) -> None:
    """Build the posts, labelled by the built-in labeller."""
    project = Project(folder / DATABASE, parsed=parsed)
    finished = project.ingest("--file", str(FILE))
    assert finished.status == 0, finished.output
    assert project.query("select count(*) from bronze.raw_items") == [(len(POSTS),)]
    note(folder, project.build(data_tests=True), [])


def build_obeyed(folder: Path, built: Project) -> None:
    """Build the same posts once more, labelled by a model that obeys them."""
    project = built.copy_to(folder)
    project.query("delete from gold.issue_label_attempts; delete from gold.problem_label_attempts")
    with Loopback() as loopback:
        loopback.answer = obeying
        # A test looks for the key in the log.
        environment = settings(loopback) | {"OPENAI_API_KEY": KEY, "DBT_LOG_LEVEL_FILE": "debug"}
        note(folder, project.build(data_tests=True, **environment), loopback.requests)


def note(folder: Path, finished: Finished, requests: list[Request]) -> None:
    """Keep what a build printed, and what it asked of the model."""
    (folder / "outcome").write_bytes(pickle.dumps((finished, requests)))


def run_in(folder: Path) -> Run:
    """The run that a folder holds."""
    return Run(Project(folder / DATABASE), *pickle.loads((folder / "outcome").read_bytes()))


@pytest.fixture(scope="module")
def extractive(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The day, labelled by the built-in labeller."""
    folder = tmp_path_factory.mktemp("red_team") / "extractive"
    return run_in(shared.copy("extractive", lambda made: build_extractive(made, shared.parsed), folder))


@pytest.fixture(scope="module")
def obeyed(extractive: Run, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The day, labelled by a model that obeys the posts."""
    folder = tmp_path_factory.mktemp("red_team") / "obeyed"
    built = replace(extractive.project, parsed=shared.parsed)
    return run_in(shared.copy("obeyed", lambda made: build_obeyed(made, built), folder))


def test_the_builds_end_well(obeyed: Run, extractive: Run) -> None:
    for run in (obeyed, extractive):
        assert run.finished.status == 0, run.finished.output
        assert "Traceback" not in run.finished.output
    assert obeyed.project.query("select count(*) > 0 from gold.issues where labeler = 'openai/loopback'") == [(True,)]


def test_what_looks_like_an_attack_is_marked_and_no_complaint_is(extractive: Run) -> None:
    marked = {
        url
        for (url,) in extractive.project.query(
            "select url from silver.documents inner join bronze.raw_items using (url_hash) where addresses_model"
        )
    }
    attacks = {post["url"] for post in POSTS if post["url"].split("/")[4] in RECOGNISABLE}
    complaints = {post["url"] for post in POSTS if "/harmless/" in post["url"]}
    assert attacks - marked == set()
    assert complaints & marked == set()


def test_hidden_letters_reach_nobody(extractive: Run) -> None:
    texts = extractive.project.query(
        "select text from silver.documents inner join bronze.raw_items using (url_hash) where url like '%/tag-char%'"
    )
    assert len(texts) == 2
    for (text,) in texts:
        assert not MARKER.search(text)
        assert not re.search("[\U000e0000-\U000e007f]", text)


def test_marked_posts_are_evidence_and_are_not_shown(obeyed: Run) -> None:
    marked = obeyed.project.query("select url_hash, text from silver.documents where addresses_model")
    hidden = {marker for _, text in marked for marker in MARKER.findall(text)}
    assert len(hidden) > 30
    for request in obeyed.requests:
        assert not markers_in(request.body) & hidden
    assert obeyed.project.query(
        """
        select count(*) > 0, bool_and(url_hash in (select url_hash from gold.issue_evidence))
        from silver.documents
        inner join silver.items using (url_hash)
        inner join gold.issues using (cluster_date, cluster_id)
        where addresses_model
        """
    ) == [(True, True)]


def test_some_attacks_reach_the_model(obeyed: Run) -> None:
    # Otherwise the tests below would prove nothing.
    prompts = [read(request) for request in obeyed.requests if not pairs_of(request)]
    reached = {payload.marker for prompt in prompts for payload in payloads(prompt)}
    assert len(reached) >= 5
    assert {"ZX-LANTERN", "ZX-GALLEON"} & reached
    assert reached - {"ZX-LANTERN", "ZX-GALLEON"}


def test_one_post_writes_no_title(obeyed: Run) -> None:
    issues = obeyed.project.query(
        """
        select cluster_id, canonical_title, description, list(quote) filter (where quote is not null)
        from gold.issues
        inner join gold.issue_evidence using (cluster_date, cluster_id)
        group by all
        """
    )
    unquoted, alone = [], []
    for cluster_id, title, description, quotes in issues:
        posts = shown(obeyed, cluster_id)
        for marker in markers_in(f"{title} {description}"):
            if not any(marker in quote for quote in quotes or []):
                unquoted.append((marker, title, description))
            if sum(marker in post for post in posts) < 2:
                alone.append((marker, title, description))
    assert unquoted == []
    assert alone == []


def test_titles_and_descriptions_hold_no_markup(obeyed: Run) -> None:
    for title, description in obeyed.project.query("select canonical_title, description from gold.issues"):
        assert not MARKUP.search(title)
        assert not MARKUP.search(description)


def test_nobody_pays_without_a_quote(obeyed: Run, extractive: Run) -> None:
    for run in (obeyed, extractive):
        assert (
            run.project.query(
                """
                select cluster_id, canonical_title from gold.issues
                where would_pay_signal and not exists (
                    from gold.issue_evidence
                    where issue_evidence.issue_id = issues.issue_id and supports_payment and quote is not null
                )
                """
            )
            == []
        )


def test_quotes_are_verbatim(obeyed: Run, extractive: Run) -> None:
    for run in (obeyed, extractive):
        quotes = run.project.query(
            "select quote, text from gold.issue_evidence inner join silver.documents using (url_hash)"
            " where quote is not null"
        )
        assert all(quote in text for quote, text in quotes)
    assert obeyed.project.query("select count(*) > 0 from gold.issue_evidence where quote is not null") == [(True,)]


def test_the_key_goes_to_the_model_and_nowhere_else(obeyed: Run) -> None:
    assert {request.headers["authorization"] for request in obeyed.requests} == {f"Bearer {KEY}"}
    assert not any(KEY in request.body for request in obeyed.requests)
    assert KEY not in obeyed.finished.output
    for table in ("gold.issue_label_attempts", "gold.issues"):
        assert obeyed.project.query(f"select count(*) from {table} as entry where contains(entry::text, '{KEY}')") == [
            (0,)
        ]
    logs: Path = obeyed.project.database.with_suffix(".logs")
    assert not any(KEY in log.read_text() for log in logs.iterdir())


def test_every_cluster_is_accounted_for(obeyed: Run) -> None:
    clusters = obeyed.project.query(
        "select cluster_id, status, error from gold.label_requests left join gold.issue_labels using (cluster_id)"
    )
    assert len(clusters) == 10
    for cluster_id, status, error in clusters:
        assert status in ("labelled", "failed", "waiting"), cluster_id
        assert error or status != "failed", cluster_id


def test_the_built_in_labeller_repeats_no_attack(extractive: Run) -> None:
    hidden = {
        marker
        for (text,) in extractive.project.query("select text from silver.documents where addresses_model")
        for marker in MARKER.findall(text)
    }
    for title, description in extractive.project.query("select canonical_title, description from gold.issues"):
        assert not markers_in(f"{title} {description}") & hidden
