"""silver.documents.complaint_score: who has a problem, against posts labelled by hand and the seeds' own arithmetic."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.labels import complaint_quality, complaint_scores
from groundswell import encoder
from tests.support.project import DATABASE, DAY, Project, read_seed
from tests.support.shared import Shared
from training import SOURCES, Invented, labelled_posts, read_invented, read_signals
from training.__main__ import fit_complaints

COMPLAINTS = [
    ("github", "App crashes when I rotate the phone", "It crashes every time since the update."),
    ("github", "[Bug]: export to CSV loses the last row", "Expected 100 rows, got 99. We can't use it."),
    ("stackoverflow", "How do I stop my Docker build from failing?", "I get an error and can not figure out why."),
    ("reddit", "My landlord's payment portal keeps charging me twice", "I am so frustrated, support never answers."),
    ("reddit", "Why is it impossible to cancel this subscription?", "I have tried for weeks and I am stuck."),
    ("hackernews", "Ask HN: How do you deal with invoices?", "We waste hours every month, it is slow and painful."),
]
OTHERS = [
    ("github", "Bump version to 2.4.1", "Release notes for 2.4.1."),
    ("github", "Section 4.2: editorial changes to the draft", "This section of the specification now cites RFC 9000."),
    ("hackernews", "Show HN: A free tool that draws maps", "Launched today, open source, sign up on the page."),
    ("hackernews", "The history of the bicycle", "An essay on two centuries of wheels."),
    ("reddit", "Weekly newsletter: the best books of the year", "Our new issue is now available."),
    ("reddit", "Announcing our new podcast", "The first episode is released today."),
]
ABSURD = [
    ("github", "<br>", "---"),
    ("reddit", "🔥🔥🔥", "🔥" * 500),
    ("reddit", "\u202e\u200b", "\x00"),
    ("stackoverflow", "?" * 300, "?"),
    ("hackernews", "It broke", "I can't. " * 120_000),
]


def build(project: Project, folder: Path, posts: list[tuple[str, str, str]], variables: str = "") -> None:
    """Build documents of posts of the day: source, title and body; the first has the url https://example.com/0."""
    file = folder / "posts.jsonl"
    with file.open("w") as lines:
        for number, (source, title, body) in enumerate(posts):
            url = f"https://example.com/{number}"
            post = {"source": source, "url": url, "title": title, "body": body, "created_at": f"{DAY}T12:00:00Z"}
            lines.write(json.dumps(post) + "\n")
    project.ingest("--file", str(file))
    selection = ("--select", "resource_type:seed", "+documents", "--indirect-selection", "buildable")
    finished = project.build(DAY, *selection, variables=variables)
    assert finished.status == 0, finished.output


@pytest.fixture(scope="module")
def scored(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Documents of all these posts; read only."""

    def make(folder: Path) -> None:
        build(Project(folder / DATABASE, parsed=shared.parsed), folder, COMPLAINTS + OTHERS + ABSURD)

    folder = shared.copy("complaints", make, tmp_path_factory.mktemp("complaints") / "complaints")
    return Project(folder / DATABASE, parsed=shared.parsed)


def scores(project: Project) -> list[float]:
    """The scores in the order of the posts."""
    rows = project.query(
        "select complaint_score::double from silver.documents join bronze.raw_items using (url_hash)"
        " order by split_part(url, '/', -1)::int"
    )
    return [score for (score,) in rows]


def mapped(text: str) -> dict[str, float]:
    """A map in SQL."""
    pairs = (part.split("=") for part in text.strip("{}").split(", "))
    return {name: float(weight) for name, weight in pairs}


def test_held_out_complaints_are_found(built: Project) -> None:
    posts = labelled_posts(built.database).held_out()
    assert len(posts.url_hash) == 104
    best, precision, recall = complaint_quality(posts.complains, complaint_scores(built.database, posts))
    assert best >= 0.9
    assert precision >= 0.9
    assert recall >= 0.7


def test_complaints_score_above_all_else(scored: Project) -> None:
    found = scores(scored)
    assert min(found[:6]) > 0.5 > max(found[6:12])


def test_absurd_posts_have_a_score(scored: Project) -> None:
    found = scores(scored)[12:]
    assert len(found) == len(ABSURD)
    assert all(0 <= score <= 1 for score in found)
    assert found[0] == 0
    assert scored.query("select count(*) from silver.documents where text = '' and complaint_score != 0") == [(0,)]


@pytest.mark.parametrize("alone", [False, True])
def test_scores_are_what_the_seeds_add_up_to(scored: Project, project: Project, tmp_path: Path, alone: bool) -> None:
    if alone:
        # The same network by another name: whoever fitted nothing on its vectors does not know what they mean.
        model = encoder.model_folder(encoder.BUNDLED)
        build(project, tmp_path, COMPLAINTS + OTHERS, variables=f", embedding_model: {model}")
    rows = (project if alone else scored).query(
        "select source, embedding, complaint_signals, post_signals.complaint_score::double"
        " from silver.post_signals join silver.documents using (url_hash) join silver.embeddings using (content_hash)"
    )
    [weights] = [
        row for row in read_seed("answer_weights") if row["field"] == "complains" and (not row["weights"]) == alone
    ]
    of_sources = {
        row["source"]: float(row["weight"])
        for row in read_seed("source_weights")
        if row["field"] == "complains" and (row["has_embedding"] == "false") == alone
    }
    signals = {row["signal"]: float(row["weight_alone" if alone else "weight"]) for row in read_signals()}
    directions = [] if alone else read_seed("complaint_directions")
    # Three of the absurd ones have no text, and no embedding.
    assert len(rows) == len(COMPLAINTS + OTHERS) + (0 if alone else len(ABSURD) - 3)
    for source, embedding, found, score in rows:
        total = float(weights["bias"]) + of_sources[source] + sum(signals[signal] for signal in found)
        if not alone:
            total += np.dot(embedding, json.loads(weights["weights"]))
        for direction in directions:
            named = mapped(direction["sources"]) | mapped(direction["signals"])
            reach = np.dot(embedding, json.loads(direction["weights"])) + sum(named[name] for name in [source, *found])
            total += float(direction["weight"]) * reach**2
        # The database multiplies in single precision.
        assert score == pytest.approx(1 / (1 + np.exp(-total)), abs=5e-5)


def test_signals_are_those_that_the_weights_were_fitted_on(built: Project) -> None:
    posts = labelled_posts(built.database)
    found = dict(built.query("select url_hash, complaint_signals from silver.post_signals"))
    names = [row["signal"] for row in read_signals()]
    for url_hash, shown in zip(posts.url_hash, posts.signals, strict=True):
        assert sorted(found[url_hash]) == sorted(np.array(names)[shown])


def test_the_seeds_are_of_the_shape_that_is_fitted(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = labelled_posts(built.database).fitted_on()
    # The shape does not depend on how many invented texts are encoded.
    monkeypatch.setattr(
        "training.__main__.read_invented", lambda name: Invented._make(column[::20] for column in read_invented(name))
    )
    weights, signals, directions = fit_complaints(labelled)
    for fitted, seed in zip(weights, ("answer_weights", "source_weights"), strict=True):
        rows = [row for row in read_seed(seed) if row["field"] == "complains"]
        assert [set(row) for row in fitted] == [set(row) for row in rows]
    assert [len(json.loads(row["weights"] or "[]")) for row in weights.answers] == [384, 0]
    assert {key for row in signals for key in row} == set(read_signals()[0])
    kept = read_seed("complaint_directions")
    assert [set(row) for row in directions] == [set(row) for row in kept]
    assert {len(json.loads(row["weights"])) for row in directions + kept} == {384}
    assert {row["source"] for row in weights.sources} == set(labelled.sources) == set(SOURCES)
