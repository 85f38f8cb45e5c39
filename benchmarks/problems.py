"""Measures how well complaints are grouped into problems, on one day and over many days.

The posts are messages to a bank with their intents, which are as narrow as problems, and titles of Stack Overflow with
their topics. They are in ../*/data/labelled (banking77-dev.tsv, stackoverflow20.tsv). Without these files, the posts of
topics.tsv are used.

Bug reports whose duplicates are known stand for a window in which most posts are alone: eclipse_duplicates.tsv,
firefox_duplicates.tsv, seamonkey_duplicates.tsv, hadoop_duplicates.tsv and own_words.tsv in the same folder. The
weights by which a file is grouped are fitted on the other trackers.
"""

import csv
import importlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.table import Table
from scipy.stats import binomtest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks import clusters
from benchmarks.clusters import Labelled, Labels, Placed, Shares
from groundswell import encoder
from groundswell.complaints import complaints_query, read_complaints, said_of, tickets_of
from groundswell.grouping.day import Settings, group_day
from groundswell.grouping.links import compared_vectors
from groundswell.grouping.window import Complaints, labels_of
from groundswell.pairs import REPORTS, Posts, candidates, mixed, possible_chances
from groundswell.verdicts import NO_VERDICTS, Verdicts
from tests.support.models import load
from tests.support.project import DAY, ROOT, least_chance, pair_weights, project_vars, read_seed
from training import FOLDER
from training.pairs import (
    FRESH,
    MATTERS,
    SCALE,
    Reports,
    encode_reports,
    fit_reports,
    read_reports,
    scaled,
    verdicts_on,
)

MIN_VOICES: int = project_vars()["problem_voices"]
TIER: str = project_vars()["problem_tier"]
# The trackers on which seed pair_weights is fitted.
FITTED_ON = ("firefox", "eclipse", "seamonkey")
TIERS = [row["tier"] for row in read_seed("problem_tiers")]
assignments: Any = load("problem_assignments")
SETTINGS = Settings(MIN_VOICES, least_chance(TIER), pair_weights())

Vectors = npt.NDArray[np.float32]

OURS = "ours"
BERTOPIC = "BERTopic"
# The distance at which average linkage stops.
LINKED = 0.45
# So many of the 20,000 titles are used.
TITLES = 5_000
WINDOW = 14

DAYS = 10
SEEDS = 3

# The long run. COMPLAINTS: complaints of a day. CENTRES: invented problems. HEARD: the shortest and the longest life of
# a centre, in days. STRANGERS: the share of complaints without a centre.
LONG_RUN = 60
SHOWN = (15, 30, 45, 60)
# The seconds of a day are the mean of so many days that end with this day.
TIMED = 5
COMPLAINTS = 450
CENTRES = 300
HEARD = (5, 40)
STRANGERS = 0.4
# Two complaints of the same day and centre have a cosine of 1 / (1 + NOISE ** 2). A centre moves by DRIFT each day.
NOISE = 0.55
DRIFT = 0.1

TABLES = """
    create table documents as
    select
        url_hash,
        url_hash as content_hash,
        null::text as duplicate_of,
        1.0 as complaint_score,
        posted_on as collection_date,
    from complaints;
    create table titles (url_hash text, content_hash text);
    create table texts as select url_hash, '' as title, text from complaints;
    create table embeddings as select url_hash as content_hash, 'MiniLM' as model, embedding from complaints;
    create table posts as select url_hash, null::text as author_hash, posted_on as posted_at from complaints;
    create table corrected_posts (correction_id bigint, url_hash text, problem_id text, as_of_date date);
    create table pair_opinions (content_hash_a text, content_hash_b text, is_same boolean);
    create table program_posts (url_hash text, frame text, differing_words text, as_of_date date);
    create table wordings (url_hash text, sequences ubigint[]);
    create table problem_assignments as from nothing;
"""
STANDING = """
    select coalesce(problem_id, '') from problem_assignments
    qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
    order by url_hash
"""
SWITCHES = """
    with moves as (
        select problem_id, lag(problem_id ignore nulls) over (partition by url_hash order by as_of_date) as before
        from problem_assignments
    )
    select count(*) from moves where problem_id <> before
"""


# The limits between which the chances of fresh pairs are counted: those of the tiers are among them.
CHANCES = (0, 0.1, 0.14, 0.2, 0.25, 0.3, 0.5, 0.75, 1)

# The pairs of training, with the vectors of both texts and of both titles. A text replaces a missing title.
READ_PAIRS = """
    with posts as (
        select
            url_hash,
            texts.embedding as text_vector,
            coalesce(titles.embedding::float[], texts.embedding::float[]) as title_vector,
            titles.embedding is not null as is_titled,
        from silver.documents
        inner join silver.embeddings as texts using (content_hash)
        left join silver.titles as titled using (url_hash)
        left join silver.embeddings as titles on titled.content_hash = titles.content_hash and titles.model = $model
        where texts.model = $model
    )
    select verdict = 'same', columns(one.* exclude (url_hash)), columns(other.* exclude (url_hash))
    from read_csv($pairs, delim = '\t', header = true) as pairs
    inner join posts as one on pairs.url_hash = one.url_hash
    inner join posts as other on pairs.other_url_hash = other.url_hash
"""


class Dbt:
    """Stands for dbt in a run of the model on one day; the tables are those of a connection."""

    is_incremental = True
    this = "problem_assignments"

    def __init__(self, session: duckdb.DuckDBPyConnection, day: date) -> None:
        self.session = session
        self.day = day
        self.config: Any = self

    def __call__(self, **settings: str) -> None: ...

    def meta_get(self, name: str) -> str:
        return {
            "run_date": str(self.day),
            "embedding_model": "MiniLM",
            "complaint_threshold": "0.5",
            "weak_complaint_threshold": str(project_vars()["weak_complaint_threshold"]),
            "problem_similarity": "0.7",
            "problem_window_days": str(WINDOW),
            "problem_memory_days": "90",
            "problem_voices": str(MIN_VOICES),
            "problem_tier": TIER,
            "opinion_accuracy": str(project_vars()["opinion_accuracy"]),
        }[name]

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.session.table(name)


class Built(NamedTuple):
    """The result of building days one by one: seconds and rows of the table for each day, and the end state."""

    seconds: list[float]
    rows: list[int]
    # The problem of each post (n,), and how often posts changed their problem.
    problems: Labels
    switches: int


def labelled(name: str) -> Path | None:
    """A file of labelled posts beside the repository; None if there is none."""
    return next(ROOT.parent.glob(f"*/data/labelled/{name}"), None)


@cache
def read_shuffled(file: Path, most: int | None = None) -> Labelled:
    """Read and encode at most `most` labelled posts of a file, in a random order that is the same in every run."""
    rows = np.array([line.split("\t", 1) for line in file.read_text().splitlines()])
    rows = np.random.default_rng(0).permutation(rows)[:most]
    texts = rows[:, 1].tolist()
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    return Labelled(texts, encode(texts), np.unique(rows[:, 0], return_inverse=True)[1])


def intents() -> Labelled:
    """Posts whose labels are as narrow as problems."""
    return read_shuffled(labelled("banking77-dev.tsv") or clusters.OURS)


def titles() -> Labelled | None:
    """Posts with topics that have nothing to do with the intents; None without the file."""
    file = labelled("stackoverflow20.tsv")
    return read_shuffled(file, TITLES) if file else None


def singled(found: Labels) -> tuple[Labels, Placed]:
    """Dissolve small groups. Returns the groups (n,), and which posts are in a group (n,).

    found: groups (n,); -1 means no group. A post without a group, or of a small group, gets a group of its own.
    """
    _, group, sizes = np.unique(found, return_inverse=True, return_counts=True)
    placed = (sizes[group] >= MIN_VOICES) & (found >= 0)
    return np.where(placed, group, len(sizes) + np.arange(len(found))), placed


def bcubed(truth: Labels, found: Labels) -> tuple[Shares, Shares]:
    """B-cubed precision and recall of each post (n,) (Bagga & Baldwin 1998, Algorithms for Scoring Coreference Chains).

    Precision: the share of the post's group that has its label. Recall: the share of its label that is in its group.
    """
    _, pair, together = np.unique(truth * (found.max() + 1) + found, return_inverse=True, return_counts=True)
    return together[pair] / np.bincount(found)[found], together[pair] / np.bincount(truth)[truth]


def mean_bcubed(truth: Labels, found: Labels) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 of groups (n,); a post outside of problems has a group of its own."""
    precision, recall = (float(each.mean()) for each in bcubed(truth, found))
    return precision, recall, 2 * precision * recall / (precision + recall)


def scores(truth: Labels, found: Labels) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 of groups (n,) after small groups are dissolved."""
    return mean_bcubed(truth, singled(found)[0])


def group_at_once(said: Posts, settings: Any, verdicts: Verdicts = NO_VERDICTS) -> Any:
    """Our groups, with all posts on one day."""
    names = [f"{index:06}" for index in range(len(said.texts))]
    unknown = [""] * len(names)
    sizes = [0] * len(names)
    are_titled = np.array([title != text for title, text in zip(said.titles, said.texts, strict=True)], dtype=bool)
    vectors = compared_vectors(said.text_vectors, said.title_vectors[are_titled], are_titled)
    complaints = Complaints(names, unknown, unknown, unknown, unknown, sizes, vectors, said)
    complaints = complaints._replace(verdicts=verdicts)
    return group_day(complaints, DAY, settings)


def ours(posts: Labelled) -> Labels:
    """Our groups of posts without titles."""
    said = Posts(posts.texts, posts.texts, posts.vectors, posts.vectors)
    found: Labels = labels_of(group_at_once(said, SETTINGS).problem)
    return found


def k_means_clusters(posts: Labelled) -> Labels:
    """The clusters of silver.cluster_assignments."""
    found: Labels = clusters.clustering.cluster_day(posts.vectors)
    return found


def average_linkage(posts: Labelled) -> Labels:
    """The clusters by average linkage of all pairs."""
    linkage = AgglomerativeClustering(n_clusters=None, distance_threshold=LINKED, metric="cosine", linkage="average")
    found: Labels = linkage.fit_predict(posts.vectors)
    return found


def evoc(posts: Labelled) -> Labels:
    """The layer of EVoC with the best F1. Without the labels, nobody could choose this layer."""
    method = importlib.import_module("evoc").EVoC()
    method.fit_predict(posts.vectors)
    best: Labels = max(method.cluster_layers_, key=lambda layer: scores(posts.labels, layer)[2])
    return best


def bertopic(posts: Labelled) -> Labels:
    """The topics of BERTopic at its defaults."""
    return np.array(importlib.import_module("bertopic").BERTopic().fit_transform(posts.texts, posts.vectors)[0])


METHODS: dict[str, Callable[[Labelled], Labels]] = {
    OURS: ours,
    "k-means, k = n / 100": k_means_clusters,
    f"average linkage at distance {LINKED}": average_linkage,
    **({"EVoC, its best layer": evoc} if importlib.util.find_spec("evoc") else {}),
    **({BERTOPIC: bertopic} if importlib.util.find_spec("bertopic") else {}),
}


def table(title: str, *columns: str) -> Table:
    """A table with words in the first column and numbers in the other columns."""
    made = Table(columns[0], title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in columns[1:]:
        made.add_column(column, justify="right", no_wrap=True)
    return made


def measure_groups() -> Table:
    """Compare the methods on the intents, with all posts on one day."""
    posts = intents()
    seconds: dict[str, float] = {}
    rows = []
    for name, method in METHODS.items():
        taken = []
        # EVoC and BERTopic compile code in their first run.
        for _ in range(2):
            started = time.perf_counter()
            found = method(posts)
            taken.append(time.perf_counter() - started)
        seconds[name] = min(taken)
        group, placed = singled(found)
        shares = (f"{share:.3f}" for share in scores(posts.labels, found))
        rows.append((name, *shares, f"{len(np.unique(group[placed]))}", f"{placed.mean():.0%}", f"{min(taken):.2f}"))
    ratio = (
        f"takes {seconds[BERTOPIC] / seconds[OURS]:.1f} times as long" if BERTOPIC in seconds else "is not installed"
    )
    made = table(
        f"One problem: {len(posts.labels):,} posts with {posts.labels.max() + 1} intents; {BERTOPIC} {ratio}",
        *("groups", "precision", "recall", "F1", "groups", "placed", "seconds"),
    )
    for row in rows:
        made.add_row(*row)
    return made


def measure_pairs(database: Path) -> Table:
    """Measure how well similarity separates pairs of complaints that say the same from other pairs."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(READ_PAIRS, {"model": encoder.BUNDLED, "pairs": str(FOLDER / "pairs.tsv")}).fetchall()
    same, *columns = (np.array(column) for column in zip(*rows, strict=True))
    posts = [
        (text, title, compared_vectors(text, title[is_titled], is_titled))
        for text, title, is_titled in (columns[:3], columns[3:])
    ]
    made = table(
        f"{len(same)} pairs of real complaints with a cosine from 0.6 on, {same.mean():.0%} of which say the same",
        *("similarity of", "area under the ROC curve", "average precision"),
    )
    for name, one, other in zip(("texts", "titles", "texts and titles"), *posts, strict=True):
        similarity = (one * other).sum(axis=1)
        scored = (f"{score(same, similarity):.3f}" for score in (roc_auc_score, average_precision_score))
        made.add_row(name, *scored)
    return made


def measure_chance(database: Path) -> Table:
    """Compare the chance of the pairs on which nothing was fitted with what their reader says of them."""
    variables = project_vars()
    made = table(
        "The chance of fresh pairs, and what their reader says",
        *("chance", "pairs", "said", "same", "at least", "at most", "close", "different"),
    )
    with duckdb.connect(str(database), read_only=True) as connection:
        documents, titles, embeddings, texts, programs = (
            connection.sql(f"from silver.{name}")
            for name in ("documents", "titles", "embeddings", "texts", "program_posts")
        )
        [(last,)] = documents.max("collection_date").fetchall()
        settings = {
            "last": str(last),
            "model": encoder.BUNDLED,
            "threshold": variables["complaint_threshold"],
            "weak_threshold": variables["weak_complaint_threshold"],
            "window": variables["problem_window_days"],
        }
        query = complaints_query(documents, titles, embeddings, texts, programs)
        complaints = read_complaints(connection, query, texts, embeddings, settings)
    found = candidates(said_of(complaints))
    said = verdicts_on(found, complaints["url_hash"].to_pylist(), FRESH)
    chance = possible_chances(found, pair_weights(), tickets_of(complaints))
    for low, high in pairwise(CHANCES):
        chosen = (said != "") & (chance >= low) & (chance < high)
        if count := int(chosen.sum()):
            shares = [float((said[chosen] == verdict).mean()) for verdict in ("same", "close", "different")]
            limits = binomtest(int((said[chosen] == "same").sum()), count).proportion_ci(method="wilson")
            numbers = (chance[chosen].mean(), shares[0], *limits, *shares[1:])
            made.add_row(f"{low} to {high}", f"{count}", *(f"{number:.2f}" for number in numbers))
    return made


def with_strangers(posts: Labelled, others: Labelled) -> tuple[Labelled, Placed]:
    """Half of the posts with as many strangers, each with a label of its own; and which posts are strangers (n,)."""
    half = len(posts.labels) // 2
    count = min(half, len(others.labels))
    labels = np.concatenate([posts.labels[:half], posts.labels.max() + 1 + np.arange(count)])
    vectors = np.concatenate([posts.vectors[:half], others.vectors[:count]])
    return Labelled(posts.texts[:half] + others.texts[:count], vectors, labels), np.arange(len(labels)) >= half


def measure_strangers() -> Table:
    """Compare the methods on the intents with as many strangers, which have nothing to do with any other post."""
    others = titles()
    made = table(
        "Strangers: half of these posts, and as many that are alone; recall and F1 are of the half",
        *("groups", "precision", "recall", "F1", "strangers in groups", "pulled in"),
    )
    if not others:
        made.title = f"{made.title}: none, for want of stackoverflow20.tsv"
        return made
    posts, stranger = with_strangers(intents(), others)
    for name, method in METHODS.items():
        found, placed = singled(method(posts))
        precision, _ = bcubed(posts.labels, found)
        _, recall, f1 = scores(posts.labels[~stranger], found[~stranger])
        among, pulled = stranger[placed].mean(), placed[stranger].mean()
        made.add_row(name, *(f"{share:.3f}" for share in (precision[placed].mean(), recall, f1, among, pulled)))
    return made


def deal(labels: Labels, seed: int) -> Labels:
    """Give each post a day (n,): a third of the labels starts late, a third ends early."""
    chance = np.random.default_rng(seed)
    days = np.empty(len(labels), dtype=np.int64)
    for place, label in enumerate(chance.permutation(np.unique(labels))):
        members = np.flatnonzero(labels == label)
        first = chance.integers(1, DAYS - 2) if place % 3 == 1 else 0
        last = chance.integers(3, DAYS) if place % 3 == 2 else DAYS
        days[members] = chance.integers(first, last, size=len(members))
    return days


def build_days(texts: Sequence[str], vectors: Vectors, days: Labels) -> Built:
    """Run the model day by day on n posts with texts, vectors (n, d) and days (n,)."""
    first = date.fromisoformat(DAY)
    dates = [first + timedelta(days=int(day)) for day in days]
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    names = [f"{index:06}" for index in range(len(days))]
    complaints = pa.table({"url_hash": names, "text": texts, "posted_on": dates, "embedding": embedding})  # noqa: F841
    nothing = assignments.SCHEMA.empty_table()  # noqa: F841
    seconds, rows = [], []
    with duckdb.connect() as session:
        session.execute(TABLES)
        for seed in ("pair_weights", "problem_tiers", "copy_limits"):
            session.execute(f"create table {seed} as from '{ROOT / 'seeds' / seed}.csv'")
        for day in sorted(set(dates)):
            started = time.perf_counter()
            added = assignments.model(Dbt(session, day), session)  # noqa: F841
            session.execute("insert into problem_assignments from added")
            seconds.append(time.perf_counter() - started)
            rows += [count for (count,) in session.execute("select count(*) from problem_assignments").fetchall()]
        problems = [problem for (problem,) in session.execute(STANDING).fetchall()]
        [(switches,)] = session.execute(SWITCHES).fetchall()
    return Built(seconds, rows, labels_of(problems), switches)


def alone(posts: Labelled, days: Labels) -> Labels:
    """The groups (n,) if each day is grouped without the days before."""
    found = np.empty(len(days), dtype=np.int64)
    for day in np.unique(days):
        chosen = days == day
        texts = [posts.texts[index] for index in np.flatnonzero(chosen)]
        found[chosen] = ours(Labelled(texts, posts.vectors[chosen], posts.labels[chosen])) + day * len(days)
    return found


def mean_and(extreme: Callable[[Sequence[float]], float], values: Sequence[float], digits: int = 3) -> str:
    """The mean of values, with the worst value in brackets."""
    return f"{np.mean(values):.{digits}f} ({extreme(values):.{digits}f})"


def measure_days() -> Table:
    """Compare three ways to group posts of DAYS days: day by day, each day alone, and all days at once."""
    sets = {"intents": intents(), "topics": titles()}
    counts = [f"{len(each.labels):,} posts with {each.labels.max() + 1} {name}" for name, each in sets.items() if each]
    made = table(
        f"Over {DAYS} days: {', '.join(counts)}; mean of {SEEDS} deals (the worst)",
        *("groups", "precision", "recall", "F1", "switches per problem", "per post"),
    )
    for name, posts in sets.items():
        if not posts:
            continue
        deals = [deal(posts.labels, seed) for seed in range(SEEDS)]
        built = [build_days(posts.texts, posts.vectors, days) for days in deals]
        groups = [len(np.unique(each.problems[singled(each.problems)[1]])) for each in built]
        switches = (
            [each.switches / count for each, count in zip(built, groups, strict=True)],
            [each.switches / len(posts.labels) for each in built],
        )
        ways = {
            "day by day": [scores(posts.labels, each.problems) for each in built],
            "each day alone": [scores(posts.labels, alone(posts, days)) for days in deals],
            "all at once": [scores(posts.labels, ours(posts))],
        }
        for way, shares in ways.items():
            moved = [mean_and(max, each, 2) for each in switches] if way == "day by day" else []
            made.add_row(f"{name}, {way}", *(mean_and(min, each) for each in zip(*shares, strict=True)), *moved)
    return made


def units(chance: np.random.Generator, count: int) -> Vectors:
    """Draw random unit vectors (count, 384)."""
    vectors = chance.normal(size=(count, 384)).astype(np.float32)
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def invent() -> tuple[Vectors, Labels, Labels]:
    """Invent the complaints of the long run: vectors (n, 384), labels (n,) and days (n,)."""
    chance = np.random.default_rng(0)
    centres = units(chance, CENTRES)
    first = chance.integers(-HEARD[1], LONG_RUN, size=CENTRES)
    last = first + chance.integers(*HEARD, size=CENTRES)
    vectors, labels = [], []
    for day in range(LONG_RUN):
        label = chance.choice(np.flatnonzero((first <= day) & (day <= last)), size=COMPLAINTS)
        stranger = chance.random(COMPLAINTS) < STRANGERS
        label[stranger] = CENTRES + day * COMPLAINTS + np.flatnonzero(stranger)
        noise = units(chance, COMPLAINTS)
        near = centres[np.where(stranger, 0, label)] + NOISE * noise
        vectors.append(np.where(stranger[:, None], noise, near / np.linalg.norm(near, axis=1, keepdims=True)))
        labels.append(label)
        centres += DRIFT * units(chance, CENTRES)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return np.concatenate(vectors), np.concatenate(labels), np.repeat(np.arange(LONG_RUN), COMPLAINTS)


def measure_long_run() -> Table:
    """Measure the seconds of one more day after many days."""
    vectors, labels, days = invent()
    # No two complaints share a word.
    built = build_days([str(index) for index in range(len(days))], vectors, days)
    made = table(
        f"{LONG_RUN} days of {COMPLAINTS} invented complaints, {STRANGERS:.0%} of them strangers; window {WINDOW} days;"
        f" B-cubed F1 at the end {scores(labels, built.problems)[2]:.3f}",
        *("day", "complaints so far", "of the window", "rows of the table", "seconds"),
    )
    for day in SHOWN:
        counts = (day * COMPLAINTS, min(day, WINDOW) * COMPLAINTS, built.rows[day - 1])
        made.add_row(str(day), *(f"{count:,}" for count in counts), f"{np.mean(built.seconds[day - TIMED : day]):.2f}")
    return made


def own_words(file: Path) -> Reports:
    """Complaints that four people tell in words of their own, among strangers."""
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter="\t"))
    return encode_reports(*([row[name] or "" for row in rows] for name in ("title", "body", "group")))


def linked(reports: Reports) -> Labels:
    """The groups (n,) by average linkage of all pairs."""
    vectors = mixed(reports.posts.text_vectors, reports.posts.title_vectors)
    return average_linkage(Labelled([], vectors, reports.group))


def read_trackers(names: Sequence[str] = FITTED_ON) -> dict[str, Reports]:
    """The reports of the trackers whose files are there."""
    return {name: read_reports(file) for name in names if (file := labelled(f"{name}_duplicates.tsv"))}


def fitted_without(name: str, trackers: dict[str, Reports]) -> dict[str, float]:
    """The weights of a pair's chance by bug reports, fitted on the other trackers and the invented matters."""
    others = [trackers[other] for other in FITTED_ON if other in trackers and other != name]
    return scaled(fit_reports([*others, read_reports(MATTERS)]), SCALE)


def measure_reports() -> Table:
    """Compare the tiers, and average linkage, on reports of which most are alone."""
    trackers = read_trackers((*FITTED_ON, "hadoop"))
    sets = dict(trackers)
    if file := labelled("own_words.tsv"):
        sets["own words"] = own_words(file)
    made = table(
        "One problem among strangers: bug reports, weights fitted on the other trackers",
        *("reports", "F1", "lone pulled in", "members placed", "problems", "agreement", "pairs that are the same"),
    )
    for name, reports in sets.items():
        weights = pair_weights() | {REPORTS: fitted_without(name, trackers)}
        ways = {tier: Settings(MIN_VOICES, least_chance(tier), weights) for tier in TIERS}
        found = {f"{name}, {tier}": group_at_once(reports.posts, settings) for tier, settings in ways.items()}
        for way, grouped in found.items():
            problems = np.array(grouped.problem)
            labels = labels_of(grouped.problem)
            placed = problems != ""
            agreement, same = agreements(reports.group[placed], labels[placed], np.array(grouped.chance)[placed])
            made.add_row(way, *placing(reports.group, labels, placed), f"{agreement:.0%}", f"{same:.0%}")
        groups = linked(reports)
        made.add_row(f"{name}, average linkage at {LINKED}", *placing(reports.group, *singled(groups)), "", "")
    return made


def agreements(truth: Labels, found: Labels, chance: Shares) -> tuple[float, float]:
    """The mean agreement of problems, and the mean share of their pairs that are the same problem.

    truth, found, chance: the group, the problem and the chance of each placed post (n,).
    """
    said, same = [], []
    for problem in np.unique(found):
        members = truth[found == problem]
        pairs = len(members) * (len(members) - 1)
        said.append(chance[found == problem].mean())
        same.append(((members[:, None] == members).sum() - len(members)) / pairs)
    return (float(np.mean(said)), float(np.mean(same))) if said else (0.0, 0.0)


def placing(truth: Labels, found: Labels, placed: Placed) -> list[str]:
    """B-cubed F1, the share of lone posts in a problem, the share of members in one, and the number of problems."""
    is_lone = np.bincount(truth)[truth] < MIN_VOICES
    shares = [float(placed[chosen].mean()) for chosen in (is_lone, ~is_lone)]
    problems = len(np.unique(found[placed]))
    return [
        f"{mean_bcubed(truth, found)[2]:.3f}",
        *(f"{share:.0%}" for share in shares),
        f"{problems}",
    ]


MEASURES = (measure_groups, measure_reports, measure_strangers, measure_days, measure_long_run)
