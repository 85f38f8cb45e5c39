"""Measures the quality of the built-in labeller on posts labelled by hand, and the speed of calls to language models.

Quality is measured on the held-out half of the labelled posts (package training).
"""

import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sklearn.metrics import confusion_matrix, precision_recall_curve, precision_recall_fscore_support

from groundswell.llm.budget import Budget
from groundswell.llm.calls import Calls, Question
from groundswell.llm.labels import Grounds, label_of, label_question
from groundswell.llm.model import Model
from groundswell.llm.pace import Pace
from tests.support import language_model
from tests.support.loopback import Loopback, Request
from tests.support.models import load
from tests.support.project import DAY, SAMPLE, Project, project_vars
from training import (
    ALL_FIELDS,
    CATEGORIES,
    GATE,
    IMPACTS,
    MEASURED,
    RANDOM,
    TWICE,
    Bools,
    LabelledPosts,
    labelled_posts,
    read_labels,
)

issue_label_attempts: Any = load("issue_label_attempts")

# Slots of a server, its seconds for an answer, the clusters to label, and by how much all times are shortened.
SERVERS = [*((1, seconds, 40, 10) for seconds in (6, 10, 15, 20, 30)), (8, 2, 40, 1), (8, 2, 200, 1)]
# The value of var complaint_threshold, and the recall at which precision is reported.
THRESHOLD = 0.5
RECALL = 0.7
BINS = 10
# Sets of held-out posts for complaints.
DRAWN = {"all": MEASURED, "random": RANDOM, "near the gate": GATE}
# Values of var second_opinion_margin, and the factor by which an opinion changes the odds (macro updated_probability).
MARGINS = (0.0, 0.1, 0.2, 0.3)
ODDS = project_vars()["opinion_accuracy"] / (1 - project_vars()["opinion_accuracy"])

Floats = npt.NDArray[np.float64]


def built_sample(folder: Path) -> Project:
    """Build the bundled sample day."""
    project = Project(folder / "sample.duckdb")
    for finished in (project.ingest("--date", DAY, "--replay", str(SAMPLE)), project.build()):
        if finished.status:
            sys.exit(finished.output)
    return project


def answers(database: Path, url_hashes: list[str]) -> list[tuple[str, str, bool]]:
    """The built-in labeller's answers for posts, in the given order: category, impact or "", and whether it pays."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select url_hash, category, coalesce(impact_level, ''), payment_quote is not null from silver.post_signals"
        ).fetchall()
    by_post = {url_hash: (category, impact, pays) for url_hash, category, impact, pays in rows}
    return [by_post[url_hash] for url_hash in url_hashes]


def measure_quality(database: Path) -> Table:
    """Measure precision, recall and F1 of each label on held-out posts, and the confusion matrix of the categories."""
    posts = labelled_posts(database, ALL_FIELDS).held_out()
    read = answers(database, list(posts.url_hash))
    title = f"The built-in labeller on {len(read):,} held-out posts of {database.name}, labelled by hand"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("label", no_wrap=True)
    # The right part of the table is the confusion matrix.
    for column in ("prec.", "recall", "F1", "posts", *(category[:5] for category in CATEGORIES)):
        table.add_column(column, justify="right", no_wrap=True)
    categories, impacts, pays = (np.array(column) for column in zip(*read, strict=True))
    fields = [
        (CATEGORIES, posts.category, categories),
        (IMPACTS, posts.impact, impacts),
        (("would pay",), np.where(posts.would_pay, "would pay", ""), np.where(pays, "would pay", "")),
    ]
    for names, truth, found in fields:
        scores = np.array(precision_recall_fscore_support(truth, found, labels=names, zero_division=0.0))
        taken = confusion_matrix(truth, found, labels=CATEGORIES) if names is CATEGORIES else None
        for row, name in enumerate(names):
            counts = [str(count) for count in taken[row]] if taken is not None else []
            table.add_row(name, *(f"{score:.2f}" for score in scores[:3, row]), f"{scores[3, row]:.0f}", *counts)
        if len(names) > 1:
            table.add_row("  macro", *(f"{score:.2f}" for score in scores[:3].mean(axis=1)), f"{len(truth):,}")
            table.add_section()
    return table


def complaint_scores(database: Path, posts: LabelledPosts) -> Floats:
    """The complaint_score of each post (n,), from silver.documents."""
    with duckdb.connect(str(database), read_only=True) as connection:
        scores = dict(connection.execute("select url_hash, complaint_score::double from silver.documents").fetchall())
    return np.array([scores[url_hash] for url_hash in posts.url_hash])


def complaint_quality(truth: Bools, scores: Floats) -> tuple[float, float, float]:
    """The best precision at a recall of at least RECALL, and the precision and the recall at THRESHOLD."""
    precision, recall, _ = precision_recall_curve(truth, scores)
    found = scores >= THRESHOLD
    return precision[recall >= RECALL].max(), truth[found].mean(), found[truth].mean()


def measure_complaints(database: Path, drawn: str = "all") -> Table:
    """Measure the share of complaints by score on held-out posts. drawn: which of them."""
    posts = labelled_posts(database, DRAWN[drawn]).held_out()
    scores = complaint_scores(database, posts)
    title = f"Complaints among {len(scores):,} held-out posts of {database.name} ({drawn})"
    table = Table("complaint_score", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("mean", "complain", "posts"):
        table.add_column(column, justify="right")
    bins = np.minimum(scores * BINS, BINS - 1).astype(int)
    for number in np.unique(bins):
        chosen = bins == number
        shares = (scores[chosen].mean(), posts.complains[chosen].mean())
        table.add_row(f"from {number / BINS:.1f}", *(f"{share:.2f}" for share in shares), f"{chosen.sum():,}")
    table.add_section()
    names = (f"precision at recall {RECALL}", f"precision at score {THRESHOLD}", f"recall at score {THRESHOLD}")
    for name, share in zip(names, complaint_quality(posts.complains, scores), strict=True):
        table.add_row(name, "", f"{share:.3f}", "")
    return table


def measure_second_opinions(database: Path) -> Table:
    """Measure how second opinions change precision and recall of complaints.

    The first reading of the posts, by a language model, stands for the second opinions. The labels are from the second
    reading, whose reader did not see the first reading.
    """
    labels = read_labels(TWICE)
    posts = labelled_posts(database, TWICE).held_out()
    scores = complaint_scores(database, posts)
    says_yes = np.array([labels[url_hash]["first_complains"] == "yes" for url_hash in posts.url_hash])
    title = f"Second opinions on {len(scores):,} held-out posts of {database.name} that were read twice"
    table = Table("second_opinion_margin", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("asked about", "precision", "recall", f"precision at recall {RECALL}"):
        table.add_column(column, justify="right")
    for margin in MARGINS:
        is_unsure = np.abs(scores - THRESHOLD) < margin
        odds = scores / (1 - scores) * np.where(says_yes, ODDS, 1 / ODDS)
        best, precision, recall = complaint_quality(posts.complains, np.where(is_unsure, odds / (1 + odds), scores))
        table.add_row(f"{margin}", f"{is_unsure.mean():.0%}", *(f"{share:.2f}" for share in (precision, recall, best)))
    return table


def on_sample(measure: Callable[[Path], Table]) -> Table:
    """Build the bundled sample day and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(built_sample(Path(folder)).database)


def measure_calls() -> Table:
    """Measure how long servers with one slot and with eight take to label all clusters, and how many calls are lost.

    "Eight at once" is what a build did before the pace adapted. Servers with one slot are at home. The ideal is the
    limit by the server: its seconds for an answer, times the clusters, divided by its slots.
    """
    with tempfile.TemporaryDirectory() as folder:
        [row] = built_sample(Path(folder)).query(
            "select to_json(label_requests) from gold.label_requests order by core_size desc limit 1"
        )
        request = json.loads(row[0])
    grounds = Grounds(label_of(CATEGORIES), frozenset(), re.compile("pay"))
    title = "Labels from servers with one slot and with eight, with a timeout of 60 s"
    table = Table("slots", title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("pace")
    for column in ("seconds an answer", "clusters", "labelled", "calls lost", "seconds", "ideal", "ratio"):
        table.add_column(column, justify="right")
    for (slots, latency, clusters, scale), (name, pace) in product(SERVERS, PACES.items()):
        if slots == 1 and name != AT_HOME:
            continue
        questions = [
            label_question(
                each,
                issue_label_attempts.about_issue(each),
                grounds.answer,
                partial(issue_label_attempts.check_issue, request=each, grounds=grounds),
            )
            for n in range(1, clusters + 1)
            for each in [
                request | {"cluster_id": n, "prompt": request["prompt"].replace("Cluster 1:", f"Cluster {n}:")}
            ]
        ]
        kept, seconds = labelled(questions, grounds, slots, latency / scale, pace(8, 60 / scale))
        statuses = Counter(row["status"] for row in kept)
        ideal = latency * clusters / slots
        table.add_row(
            str(slots),
            name,
            f"{latency:g}",
            str(clusters),
            str(statuses["labelled"]),
            str(statuses["unanswered"]),
            f"{scale * seconds:.0f}",
            f"{ideal:.0f}",
            f"{scale * seconds / ideal:.2f}",
        )
    return table


class EightAtOnce(Pace):
    """All calls that may be in flight leave at once, whatever the server makes of it."""

    def allows(self, place: int) -> bool:
        """Whether a call may leave at this place."""
        return place <= self.most


AT_HOME = "adapts, at home"
PACES: dict[str, Callable[[int, float], Pace]] = {
    AT_HOME: Pace,
    "adapts, a provider": lambda most, timeout: Pace(most, timeout, first=most),
    "eight at once": EightAtOnce,
}


def labelled(
    questions: list[Question], grounds: Grounds, slots: int, latency: float, pace: Pace
) -> tuple[list[dict[str, Any]], float]:
    """The rows of all attempts and the seconds that the questions take with a server of so many slots.

    The server answers in the order of the questions, and does not notice if a client has gone away.
    """
    queue = threading.Semaphore(slots)

    def server(request: Request) -> Any:
        with queue:
            time.sleep(latency)
        return language_model.honest(request)

    kept: dict[str, Any] = {}
    with Loopback() as loopback:
        loopback.answer = server
        model = Model(
            "openai/gpt-4o-mini", f"{loopback.url}/v1", pace.timeout, answer_tokens=900, answer=grounds.answer
        )
        # The first estimate loads the tokenizer.
        model.estimate(questions[0].messages)
        started = time.perf_counter()
        calls = Calls([model], Budget(None, None), pace, lambda row: kept.update({row["attempt_id"]: dict(row)}))
        calls.put(questions, "clusters", "a label")
        return list(kept.values()), time.perf_counter() - started
