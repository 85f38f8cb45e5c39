"""Fits the weights of the built-in labeller and writes the seeds answer_weights, source_weights and complaint_signals.

python -m training DATABASE ..., with databases in which the days of the labelled posts are built.

Method: logistic regression on the embedding and the source of a post. Category and impact are fitted on the labelled
posts that are not held out, the category also on the invented phrases. Rare labels weigh more: all posts of a label
with n posts together weigh n to the power of 0.3. The complaint score is also fitted on the signals of seed
complaint_signals. It is fitted on real posts and on invented ones (voices.tsv), half of which complain, so that people
who complain without the words for it are heard too; all have the same weight, so that the score is a probability. A
second fit without the embedding, on real posts alone, serves other embedding models. All these choices were made by
cross-validation within the fitted half, the weight of the invented posts on the held-out half.
"""

import csv
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression

from groundswell import encoder
from groundswell.vectors import DIMENSIONS
from tests.support.project import ROOT
from training import (
    ALL_FIELDS,
    COMPLAINT_SIGNALS,
    REAL,
    SOURCES,
    Bools,
    LabelledPosts,
    Names,
    labelled_posts,
    read_phrases,
    read_signals,
    read_voices,
)

ANSWER_WEIGHTS = ROOT / "seeds" / "answer_weights.csv"
SOURCE_WEIGHTS = ROOT / "seeds" / "source_weights.csv"
# SCALE is the value of a source or a signal, next to an embedding of length 1. POST_WEIGHT is the weight of a real
# post, next to a phrase of weight 1. RARITY is the exponent by which rare labels weigh more. C is the inverse
# regularisation.
SCALE = 0.3
POST_WEIGHT = 2.0
RARITY = 0.7
C = 2.0

Floats = npt.NDArray[np.float64]
Rows = list[dict[str, str]]


def features(vectors: npt.NDArray[np.float32], sources: Names) -> Floats:
    """The features of n posts: embedding and source, (n, 384 + number of sources)."""
    return np.hstack([vectors, SCALE * (sources[:, None] == np.array(SOURCES))])


def fit(rows: Floats, labels: Names, weights: Floats, rarity: float = RARITY) -> LogisticRegression:
    """Fit a regression on n rows of features with labels (n,) and weights (n,)."""
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
        """The rows of both objects."""
        return Weights(self.answers + other.answers, self.sources + other.sources)


def seed_rows(field: str, regression: LogisticRegression, dimensions: int = DIMENSIONS) -> Weights:
    """The rows of the seeds for one field. A field with two answers has weights for the second answer only."""
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
    """Fit the weights of category and impact."""
    rows = features(posts.vectors, posts.sources)
    categories, texts = zip(*read_phrases(), strict=True)
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    # A phrase has no source, so it counts for all sources in equal parts.
    phrases = np.hstack([encode(list(texts)), np.full((len(texts), len(SOURCES)), SCALE / len(SOURCES))])
    category = fit(
        np.vstack([phrases, rows]),
        np.concatenate([categories, posts.category]),
        np.repeat([1.0, POST_WEIGHT], [len(texts), len(rows)]),
    )
    impact = fit(rows, posts.impact, np.ones(len(rows)))
    return seed_rows("category", category).plus(seed_rows("impact", impact))


def fit_answer(rows: Floats, answers: Bools) -> LogisticRegression:
    """Fit a yes or no (n,) on n rows of features, all with the same weight."""
    return fit(rows, np.where(answers, "yes", "no"), np.ones(len(rows)), rarity=0)


def fit_complaints(posts: LabelledPosts) -> tuple[Weights, Rows]:
    """Fit the weights of the complaint score, with and without an embedding, and the rows of seed complaint_signals."""
    texts, sources, complains, found = read_voices()
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    real = np.hstack([features(posts.vectors, posts.sources), SCALE * posts.signals])
    invented = np.hstack([features(encode(texts), sources), SCALE * found])
    beside = fit_answer(np.vstack([real, invented]), np.concatenate([posts.complains, complains]))
    alone = fit_answer(real[:, DIMENSIONS:], posts.complains)
    signals = [
        row | {"weight": f"{SCALE * weight:.4f}", "weight_alone": f"{SCALE * weight_alone:.4f}"}
        for row, weight, weight_alone in zip(
            read_signals(),
            beside.coef_[0, DIMENSIONS + len(SOURCES) :],
            alone.coef_[0, len(SOURCES) :],
            strict=True,
        )
    ]
    return seed_rows("complains", beside).plus(seed_rows("complains", alone, dimensions=0)), signals


def read_halves(databases: list[Path], files: tuple[str, ...]) -> LabelledPosts:
    """Read the labelled posts of some files that are not held out."""
    found = [posts for database in databases if len((posts := labelled_posts(database, files)).url_hash)]
    return LabelledPosts._make(map(np.concatenate, zip(*(posts.fitted_on() for posts in found), strict=True)))


def fit_all(databases: list[Path]) -> dict[Path, Rows]:
    """Fit all weights. Returns the rows of each seed."""
    weights = fit_labels(read_halves(databases, ALL_FIELDS))
    # The bundled posts complain more often than real posts, and would distort the probability.
    complaint_weights, signals = fit_complaints(read_halves(databases, REAL))
    answers, sources = weights.plus(complaint_weights)
    return {ANSWER_WEIGHTS: answers, SOURCE_WEIGHTS: sources, COMPLAINT_SIGNALS: signals}


def main(databases: Annotated[list[Path], typer.Argument(help="Databases with the labelled posts, built.")]) -> None:
    """Fit the weights and write the seeds."""
    for seed, rows in fit_all(databases).items():
        with seed.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    typer.run(main)
