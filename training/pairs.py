"""Fits the weights of a pair's chance to be the same problem and writes seed pair_weights.

python -m training.pairs --reports FILE ... --intents FILE ... --databases FILE ... --crowds FILE ...

--reports: bug reports whose duplicates are known, as TSV with the columns group, title and description. --intents:
short messages with an intent each, as lines of intent and text. The project holds no such file, because most of them
may not be copied: docs/measurements/problems.md says where they are from. --databases: built databases with posts of
pairs.tsv. --crowds: built databases with days of any posts.
The invented posts of matters.tsv, in which four people each report one problem in their own words, count as reports.

Method: logistic regression on the candidates of groundswell.pairs. One regression learns from bug reports, each file on
its own. Of a group of two, one report is left out, so that a file holds lone reports too. Bug reports of one tracker
are another ground than public posts, so its chance is then calibrated on the pairs that were read (Platt 1999,
Probabilistic Outputs for Support Vector Machines). Another regression learns from these pairs alone; they are few, so
it has few features. The third one learns what one problem in different words looks like: from all candidates of the
invented posts, from those of the bug reports that are not duplicates, and from those of windows of public posts, in
which hardly any pair is the same problem. Each of the three weighs as much. So it is silent about what looks alike in a
tracker, or in a crowd. On dense ground, the chance depends on the mean similarity of a message to its community, and is
fitted on the share of the community that has the intent of the message.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import typer
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from groundswell import encoder
from groundswell.grouping.communities import communities, is_dense_ground
from groundswell.grouping.day import mean_similarities
from groundswell.grouping.links import nearest_pairs
from groundswell.pairs import (
    BIAS,
    DENSE,
    FEATURES,
    OWN_WORDS,
    PUBLIC,
    REPORTS,
    Candidates,
    Posts,
    Weights,
    candidates,
    regression,
)
from groundswell.vectors import title_vectors, to_vectors
from tests.support.project import ROOT, project_vars
from training import FOLDER, text_of

SEED = ROOT / "seeds" / "pair_weights.csv"
# Pairs of real complaints, and whether they say the same: training/GUIDE.md. Nothing is fitted on the fresh ones.
READ = FOLDER / "pairs.tsv"
FRESH = FOLDER / "fresh_pairs.tsv"
# Invented problems, each told by four people: training/GUIDE.md.
MATTERS = FOLDER / "matters.tsv"
# The features of the regression that learns from the pairs that were read.
PUBLIC_FEATURES = ("similarity", "title_similarity", "text_words", "title_words")
# The log-odds that are added to the chance of one problem in different words. Fitted on half of the invented problems,
# the regression pulls 2 % of the lone posts of the other half into problems, at F1 0.688; with 1.2, 4 % at 0.704.
SHIFT = 0.7
# The most characters of a text, as in silver.texts.
LONGEST = 2000

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


COMPLAINTS = """
    select documents.url_hash, texts.text, texts.title, vectors.embedding, title_vectors.embedding as title_embedding
    from silver.documents as documents
    inner join silver.posts as posts using (url_hash)
    inner join silver.texts as texts using (url_hash)
    inner join silver.embeddings as vectors on documents.content_hash = vectors.content_hash
    left join silver.titles as titles using (url_hash)
    left join silver.embeddings as title_vectors on titles.content_hash = title_vectors.content_hash
    where documents.duplicate_of is null and documents.complaint_score >= $threshold
    order by posts.posted_at, documents.url_hash
"""


class Scale(NamedTuple):
    """What the logit of a chance is multiplied by, and what is added to it."""

    slope: float
    shift: float


# The scale of seed pair_weights, for benchmarks that fit weights of their own.
SCALE = Scale(0.448, -1.261)


class Reports(NamedTuple):
    """n posts with the group of each post (n,): posts of a group report the same problem."""

    posts: Posts
    group: Labels


def encode_reports(titles: list[str], bodies: list[str], groups: list[str]) -> Reports:
    """Encode posts as the project does."""
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    texts = [text_of(title, body)[:LONGEST] for title, body in zip(titles, bodies, strict=True)]
    posts = Posts(texts, titles, encode(texts), encode(titles))
    return Reports(posts, np.unique(groups, return_inverse=True)[1])


def read_reports(file: Path) -> Reports:
    """Read bug reports, without one report of each group of two."""
    csv.field_size_limit(sys.maxsize)
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter="\t"))
    _, first, group = np.unique([row["group"] for row in rows], return_index=True, return_inverse=True)
    is_first = np.isin(np.arange(len(rows)), first)
    kept = np.flatnonzero(is_first | (np.bincount(group)[group] != 2))
    return encode_reports(
        [rows[row]["title"] for row in kept],
        [rows[row]["description"] or "" for row in kept],
        [rows[row]["group"] for row in kept],
    )


def read_intents(file: Path) -> Reports:
    """Read short messages, which have no titles."""
    rows = [line.split("\t", 1) for line in file.read_text().splitlines()]
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    texts = [text for _, text in rows]
    vectors = encode(texts)
    return Reports(Posts(texts, texts, vectors, vectors), np.unique([name for name, _ in rows], return_inverse=True)[1])


def are_same(reports: Reports, found: Candidates) -> npt.NDArray[np.bool_]:
    """Whether the posts of each candidate (m,) are of one group."""
    same: npt.NDArray[np.bool_] = reports.group[found.a] == reports.group[found.b]
    return same


def fit(
    features: Sequence[str], rows: Floats, same: npt.NDArray[np.bool_], counts: Floats | None = None
) -> dict[str, float]:
    """Fit the weights of some features on m pairs: rows of all features (m, 7), and whether they say the same (m,).

    counts: how much each pair counts (m,); without it, all count the same.
    """
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3_000))
    columns = [FEATURES.index(feature) for feature in features]
    fitted.fit(rows[:, columns], same, logisticregression__sample_weight=counts)
    scaler, logistic = fitted[0], fitted[1]
    weights = logistic.coef_[0] / scaler.scale_
    return dict(zip(features, weights.tolist(), strict=True)) | {
        BIAS: float(logistic.intercept_[0] - weights @ scaler.mean_)
    }


def fit_reports(files: list[Reports]) -> dict[str, float]:
    """Fit the weights of all features on all candidates of the files."""
    found = [candidates(reports.posts) for reports in files]
    same = [are_same(reports, each) for reports, each in zip(files, found, strict=True)]
    return fit(FEATURES, np.vstack([each.features for each in found]), np.concatenate(same))


def fit_own_words(matters: Reports, trackers: list[Reports], crowds: list[Posts]) -> dict[str, float]:
    """Fit the weights for one problem in different words.

    matters: invented posts. trackers: bug reports, of which the pairs that are no duplicates count. crowds: windows of
    public posts, in which hardly any pair is the same problem.
    """
    found = candidates(matters.posts)
    of_trackers = [(reports, candidates(reports.posts)) for reports in trackers]
    rows = [
        found.features,
        np.vstack([pairs.features[~are_same(reports, pairs)] for reports, pairs in of_trackers]),
        np.vstack([candidates(posts).features for posts in crowds]),
    ]
    counts = [len(each) for each in rows]
    weights = fit(
        FEATURES,
        np.vstack(rows),
        np.concatenate([are_same(matters, found), np.zeros(sum(counts[1:]), dtype=bool)]),
        np.repeat([counts[0] / count for count in counts], counts),
    )
    return weights | {BIAS: weights[BIAS] + SHIFT}


def read_posts(database: Path) -> tuple[Posts, list[str]]:
    """The complaints of a built database, and the url_hash of each."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(COMPLAINTS, {"threshold": project_vars()["complaint_threshold"]}).to_arrow_table()
    texts = to_vectors(rows["embedding"])
    words, names = rows["text"].to_pylist(), rows["title"].to_pylist()
    titles = [name or text for name, text in zip(names, words, strict=True)]
    posts = Posts(words, titles, texts, title_vectors(texts, rows["title_embedding"]))
    return posts, rows["url_hash"].to_pylist()


def read_crowds(database: Path, size: int) -> list[Posts]:
    """The complaints of a built database in random windows of `size` posts."""
    posts, url_hash = read_posts(database)
    order = np.argsort(url_hash)
    windows = [order[top : top + size] for top in range(0, len(order) - size + 1, size)]
    return [
        Posts(
            [posts.texts[index] for index in window],
            [posts.titles[index] for index in window],
            posts.text_vectors[window],
            posts.title_vectors[window],
        )
        for window in windows
    ]


def verdicts_on(found: Candidates, url_hash: list[str], file: Path) -> npt.NDArray[np.str_]:
    """What a file of pairs says of each candidate (m,): same, close or different; "" for pairs that were not read.

    url_hash: that of each post.
    """
    with file.open(newline="") as opened:
        verdicts = {
            frozenset((row["url_hash"], row["other_url_hash"])): row["verdict"]
            for row in csv.DictReader(opened, delimiter="\t")
        }
    pairs = zip(found.a.tolist(), found.b.tolist(), strict=True)
    return np.array([verdicts.get(frozenset((url_hash[a], url_hash[b])), "") for a, b in pairs], dtype=np.str_)


def read_pairs(database: Path) -> tuple[Candidates, npt.NDArray[np.bool_]]:
    """The candidates among the complaints of a built database that were read, and whether they say the same (m,)."""
    posts, url_hash = read_posts(database)
    found = candidates(posts)
    said = verdicts_on(found, url_hash, READ)
    kept = np.flatnonzero(said != "")
    return Candidates(found.a[kept], found.b[kept], found.features[kept]), said[kept] == "same"


def fit_scale(weights: Weights, rows: Floats, same: npt.NDArray[np.bool_]) -> Scale:
    """Fit the scale by which the chance is that of the m pairs that were read: features (m, 7) and verdicts (m,)."""
    score = logit(regression(rows, weights))
    fitted = LogisticRegression(C=100)
    fitted.fit(score[:, None], same)
    return Scale(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def scaled(weights: Weights, scale: Scale) -> dict[str, float]:
    """The weights of the scaled chance: a scale of the logit is one of its weights."""
    return {feature: scale.slope * weight for feature, weight in weights.items()} | {
        BIAS: scale.slope * weights[BIAS] + scale.shift
    }


def fit_dense(files: list[Reports]) -> dict[str, float]:
    """Fit the chance that a message and another one of its community have one intent."""
    rows, shares = [], []
    for reports in files:
        vectors = reports.posts.text_vectors
        pairs = nearest_pairs(vectors)
        community = communities(vectors, pairs, np.arange(len(vectors)))
        kept = is_dense_ground(pairs, community) & (np.bincount(community)[community] > 1)
        _, both = np.unique(np.stack([community, reports.group]), axis=1, return_inverse=True)
        others = np.bincount(community)[community] - 1
        rows.append(mean_similarities(community, vectors)[kept])
        shares.append(((np.bincount(both)[both] - 1) / np.maximum(others, 1))[kept])
    similarity, share = np.concatenate(rows), np.concatenate(shares)
    # Each message counts as same by its share, and as different by the rest.
    fitted = LogisticRegression(C=1e6)
    fitted.fit(
        np.tile(similarity, 2)[:, None],
        np.repeat([True, False], len(similarity)),
        sample_weight=np.concatenate([share, 1 - share]),
    )
    return {"similarity": float(fitted.coef_[0, 0]), BIAS: float(fitted.intercept_[0])}


def main(
    reports: Annotated[list[Path], typer.Option(help="TSV files of bug reports: group, title, description.")],
    intents: Annotated[list[Path], typer.Option(help="Files of messages: intent, tab, text.")],
    databases: Annotated[list[Path], typer.Option(help="Built databases with posts of pairs.tsv.")],
    crowds: Annotated[list[Path], typer.Option(help="Built databases with days of any posts.")],
) -> None:
    """Fit the weights and write the seed."""
    read, verdicts = zip(*map(read_pairs, databases), strict=True)
    rows, same = np.vstack([each.features for each in read]), np.concatenate(verdicts)
    trackers, matters = [read_reports(file) for file in reports], read_reports(MATTERS)
    windows = [window for database in crowds for window in read_crowds(database, len(matters.group))]
    fitted = fit_reports([*trackers, matters])
    scale = fit_scale(fitted, rows, same)
    typer.echo(f"scaled by {scale.slope:.3f}, shifted by {scale.shift:.3f}")
    grounds = {
        REPORTS: scaled(fitted, scale),
        PUBLIC: fit(PUBLIC_FEATURES, rows, same),
        OWN_WORDS: fit_own_words(matters, trackers, windows),
        DENSE: fit_dense([read_intents(file) for file in intents]),
    }
    with SEED.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ground", "feature", "weight"])
        for ground, weights in grounds.items():
            writer.writerows([ground, feature, f"{weight:.4f}"] for feature, weight in weights.items())


if __name__ == "__main__":
    typer.run(main)
