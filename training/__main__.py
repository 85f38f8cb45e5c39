"""Fits the weights of the built-in labeller: seeds answer_weights, source_weights and complaint_signals.

python -m training DATABASE ..., where the databases hold the labelled posts, built.

Method: logistic regression on the embedding and the source of a post, on the half of the labelled posts that is not
held back and, for the category, on the invented phrases. For category and impact rare labels weigh more: a label of n
posts weighs as n to the power of 0.3. Whether a post complains is told from the signals of seed complaint_signals too,
and from real posts alone, all of the same weight, so that the score is a probability; it is fitted twice, the second
time without the embedding, for other embedding models. All this was chosen by cross-validation within that half.
"""

import csv
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression

from tests.support.models import load
from tests.support.project import ROOT
from training import (
    ALL_FIELDS,
    COMPLAINT_SIGNALS,
    REAL,
    SOURCES,
    LabelledPosts,
    Names,
    labelled_posts,
    read_phrases,
    read_signals,
)

embeddings: Any = load("embeddings")

ANSWER_WEIGHTS = ROOT / "seeds" / "answer_weights.csv"
SOURCE_WEIGHTS = ROOT / "seeds" / "source_weights.csv"
# How much a source or a signal counts beside an embedding of length 1, and a real post beside a phrase.
SCALE = 0.3
POST_WEIGHT = 2.0
RARITY = 0.7
C = 2.0

Floats = npt.NDArray[np.float64]
Rows = list[dict[str, str]]


def features(vectors: npt.NDArray[np.float32], sources: Names) -> Floats:
    """Embedding and source of n posts: (n, 384 + 4)."""
    return np.hstack([vectors, SCALE * (sources[:, None] == np.array(SOURCES))])


def fit(rows: Floats, labels: Names, weights: Floats, rarity: float = RARITY) -> LogisticRegression:
    """The regression on n rows with their labels and weights (n,)."""
    names, index = np.unique(labels, return_inverse=True)
    balanced = weights * np.bincount(index, weights)[index] ** -rarity
    regression = LogisticRegression(C=C, max_iter=3_000)
    regression.fit(rows, labels, sample_weight=balanced * len(rows) / balanced.sum())
    assert list(regression.classes_) == list(names)
    return regression


class Weights(NamedTuple):
    """Rows of seed answer_weights and of seed source_weights."""

    answers: Rows
    sources: Rows

    def plus(self, other: "Weights") -> "Weights":
        """The rows of both."""
        return Weights(self.answers + other.answers, self.sources + other.sources)


def seed_rows(field: str, regression: LogisticRegression, dimensions: int = embeddings.DIMENSIONS) -> Weights:
    """What each answer adds up from; of two answers only the second is fitted, against the first."""
    of_sources = slice(dimensions, dimensions + len(SOURCES))
    answers = regression.classes_[-len(regression.coef_) :]
    return Weights(
        [
            {
                "field": field,
                "answer": answer,
                "bias": f"{bias:.4f}",
                "weights": f"[{', '.join(f'{weight:.3f}' for weight in weights[:dimensions])}]" if dimensions else "",
            }
            for answer, bias, weights in zip(answers, regression.intercept_, regression.coef_, strict=True)
        ],
        [
            {
                "field": field,
                "answer": answer,
                "has_embedding": str(dimensions > 0).lower(),
                "source": source,
                "weight": f"{SCALE * weight:.4f}",
            }
            for answer, weights in zip(answers, regression.coef_, strict=True)
            for source, weight in zip(SOURCES, weights[of_sources], strict=True)
        ],
    )


def fit_labels(posts: LabelledPosts) -> Weights:
    """The weights of category and impact."""
    rows = features(posts.vectors, posts.sources)
    categories, texts = zip(*read_phrases(), strict=True)
    encode, _ = embeddings.load_encoder(embeddings.BUNDLED, "auto")
    # A phrase is of no source: a quarter of each.
    phrases = np.hstack([encode(list(texts)), np.full((len(texts), len(SOURCES)), SCALE / len(SOURCES))])
    category = fit(
        np.vstack([phrases, rows]),
        np.concatenate([categories, posts.category]),
        np.repeat([1.0, POST_WEIGHT], [len(texts), len(rows)]),
    )
    impact = fit(rows, posts.impact, np.ones(len(rows)))
    return seed_rows("category", category).plus(seed_rows("impact", impact))


def fit_complaints(posts: LabelledPosts) -> tuple[Weights, Rows]:
    """The weights of complaints, with and without an embedding, and the rows of seed complaint_signals."""
    rows = np.hstack([features(posts.vectors, posts.sources), SCALE * posts.signals])
    labels = np.where(posts.complains, "yes", "no")
    weights = np.ones(len(rows))
    beside, alone = (fit(part, labels, weights, rarity=0) for part in (rows, rows[:, embeddings.DIMENSIONS :]))
    signals = [
        row | {"weight": f"{SCALE * weight:.4f}", "weight_alone": f"{SCALE * weight_alone:.4f}"}
        for row, weight, weight_alone in zip(
            read_signals(),
            beside.coef_[0, embeddings.DIMENSIONS + len(SOURCES) :],
            alone.coef_[0, len(SOURCES) :],
            strict=True,
        )
    ]
    return seed_rows("complains", beside).plus(seed_rows("complains", alone, dimensions=0)), signals


def read_halves(databases: list[Path], files: tuple[str, ...]) -> LabelledPosts:
    """The half of the posts of files of labels that is not held back."""
    found = [posts for database in databases if len((posts := labelled_posts(database, files)).url_hash)]
    return LabelledPosts._make(map(np.concatenate, zip(*(posts.fitted_on() for posts in found), strict=True)))


def fit_all(databases: list[Path]) -> dict[Path, Rows]:
    """The rows of each seed."""
    weights = fit_labels(read_halves(databases, ALL_FIELDS))
    # What is invented complains more often than what is real.
    complaint_weights, signals = fit_complaints(read_halves(databases, REAL))
    answers, sources = weights.plus(complaint_weights)
    return {ANSWER_WEIGHTS: answers, SOURCE_WEIGHTS: sources, COMPLAINT_SIGNALS: signals}


def main(databases: Annotated[list[Path], typer.Argument(help="Databases with the labelled posts, built.")]) -> None:
    """Fit, and write the seeds."""
    for seed, rows in fit_all(databases).items():
        with seed.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    typer.run(main)
