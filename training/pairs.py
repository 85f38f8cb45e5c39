"""Fits the weights of a pair's chance to be the same problem and writes seed pair_weights.

python -m training.pairs --reports FILE ... --intents FILE ...

--reports: bug reports whose duplicates are known, as TSV with the columns group, title and description. --intents:
short messages with an intent each, as lines of intent and text. The project holds no such file, because most of them
may not be copied: docs/measurements.md says where they are from.

Method: logistic regression on the candidates of groundswell.pairs, each file on its own. Of a group of two, one report
is left out, so that a file holds lone reports too. On dense ground, the chance depends on the mean similarity of a
message to its community, and is fitted on the share of the community that has the intent of the message.
"""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from groundswell.pairs import BIAS, FEATURES, Candidates, Posts, candidates
from tests.support.models import load
from tests.support.project import ROOT

assignments: Any = load("problem_assignments")
embeddings: Any = load("embeddings")

SEED = ROOT / "seeds" / "pair_weights.csv"
# The most characters of a text, as in silver.texts.
LONGEST = 2000

Labels = npt.NDArray[np.int64]


class Reports(NamedTuple):
    """n posts with the group of each post (n,): posts of a group report the same problem."""

    posts: Posts
    group: Labels


def encode_reports(titles: list[str], bodies: list[str], groups: list[str]) -> Reports:
    """Encode posts as the project does."""
    encode, _ = embeddings.load_encoder(embeddings.BUNDLED, "auto")
    texts = [
        f"{title}{' ' if title.endswith(('.', '!', '?', '…')) else '. '}{body}".strip()[:LONGEST]
        for title, body in zip(titles, bodies, strict=True)
    ]
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
    encode, _ = embeddings.load_encoder(embeddings.BUNDLED, "auto")
    texts = [text for _, text in rows]
    vectors = encode(texts)
    return Reports(Posts(texts, texts, vectors, vectors), np.unique([name for name, _ in rows], return_inverse=True)[1])


def are_same(reports: Reports, found: Candidates) -> npt.NDArray[np.bool_]:
    """Whether the posts of each candidate (m,) are of one group."""
    same: npt.NDArray[np.bool_] = reports.group[found.a] == reports.group[found.b]
    return same


def fit_sparse(files: list[Reports]) -> dict[str, float]:
    """Fit the weights of the features on all candidates of the files."""
    found = [candidates(reports.posts) for reports in files]
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3_000))
    regression.fit(
        np.vstack([each.features for each in found]),
        np.concatenate([are_same(reports, each) for reports, each in zip(files, found, strict=True)]),
    )
    scaler, logistic = regression[0], regression[1]
    weights = logistic.coef_[0] / scaler.scale_
    return dict(zip(FEATURES, weights.tolist(), strict=True)) | {
        BIAS: float(logistic.intercept_[0] - weights @ scaler.mean_)
    }


def fit_dense(files: list[Reports]) -> dict[str, float]:
    """Fit the chance that a message and another one of its community have one intent."""
    rows, shares = [], []
    for reports in files:
        vectors = reports.posts.text_vectors
        pairs = assignments.nearest_pairs(vectors)
        community = assignments.communities(vectors, pairs, np.arange(len(vectors)))
        kept = assignments.is_dense_ground(pairs, community) & (np.bincount(community)[community] > 1)
        _, both = np.unique(np.stack([community, reports.group]), axis=1, return_inverse=True)
        others = np.bincount(community)[community] - 1
        rows.append(assignments.mean_similarities(community, vectors)[kept])
        shares.append(((np.bincount(both)[both] - 1) / np.maximum(others, 1))[kept])
    similarity, share = np.concatenate(rows), np.concatenate(shares)
    # Each message counts as same by its share, and as different by the rest.
    regression = LogisticRegression(C=1e6)
    regression.fit(
        np.tile(similarity, 2)[:, None],
        np.repeat([True, False], len(similarity)),
        sample_weight=np.concatenate([share, 1 - share]),
    )
    return {"similarity": float(regression.coef_[0, 0]), BIAS: float(regression.intercept_[0])}


def main(
    reports: Annotated[list[Path], typer.Option(help="TSV files of bug reports: group, title, description.")],
    intents: Annotated[list[Path], typer.Option(help="Files of messages: intent, tab, text.")],
) -> None:
    """Fit the weights and write the seed."""
    grounds = {
        assignments.SPARSE_GROUND: fit_sparse([read_reports(file) for file in reports]),
        assignments.DENSE_GROUND: fit_dense([read_intents(file) for file in intents]),
    }
    with SEED.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ground", "feature", "weight"])
        for ground, weights in grounds.items():
            writer.writerows([ground, feature, f"{weight:.4f}"] for feature, weight in weights.items())


if __name__ == "__main__":
    typer.run(main)
