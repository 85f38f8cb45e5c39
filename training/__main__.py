"""Fits the weights of the built-in labeller and writes its seeds.

The seeds are answer_weights, source_weights, complaint_signals and complaint_directions.

python -m training DATABASE ..., with databases in which the days of the labelled posts are built.

Method: logistic regression on the embedding and the source of a post. Category and impact are fitted on the labelled
posts that are not held out, the category also on the invented phrases. Rare labels weigh more: all posts of a label
with n posts together weigh n to the power of 0.3. The complaint score is also fitted on the signals of seed
complaint_signals. A machine with a kernel of degree 2 lets all of these count together: an essay on Hacker News speaks
another way than one on Reddit. Its quadratic part is a matrix, of which the DIRECTIONS eigenvectors with the largest
eigenvalues are kept, so the weights hold no post. It is fitted on real posts and on invented ones (voices.tsv, half of
which complain, and matters.tsv, which all do), so that people who complain without the words for it are heard too. What
its sums are worth in log-odds is learned from real posts that they were not fitted on. A second fit without the
embedding, on real posts alone, serves other embedding models. All these choices were made by cross-validation within
the fitted half.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from groundswell import encoder
from groundswell.vectors import DIMENSIONS
from tests.support.project import ROOT
from training import (
    ALL_FIELDS,
    COMPLAINT_DIRECTIONS,
    COMPLAINT_SIGNALS,
    REAL,
    SOURCES,
    Bools,
    LabelledPosts,
    Names,
    labelled_posts,
    read_invented,
    read_phrases,
    read_signals,
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
# The penalty of the machine for complaints, the number of directions that are kept, and the files of invented posts.
PENALTY = 0.5
DIRECTIONS = 48
INVENTED = ("voices.tsv", "matters.tsv")

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


def seed_rows(
    field: str, answers: Sequence[str], biases: Floats, weights: Floats, dimensions: int = DIMENSIONS
) -> Weights:
    """The rows of the seeds for one field: for each of n answers a bias (n,) and weights (n, number of features)."""
    of_sources = slice(dimensions, dimensions + len(SOURCES))
    return Weights(
        [
            {"field": field, "answer": answer, "bias": f"{bias:.4f}", "weights": listed(row[:dimensions])}
            for answer, bias, row in zip(answers, biases, weights, strict=True)
        ],
        [
            {
                "field": field,
                "answer": answer,
                "has_embedding": str(dimensions > 0).lower(),
                "source": source,
                "weight": f"{SCALE * weight:.4f}",
            }
            for answer, row in zip(answers, weights, strict=True)
            for source, weight in zip(SOURCES, row[of_sources], strict=True)
        ],
    )


def regression_rows(field: str, regression: LogisticRegression, dimensions: int = DIMENSIONS) -> Weights:
    """The rows of the seeds for a regression. A field with two answers has weights for the second answer only."""
    answers = regression.classes_[-len(regression.coef_) :]
    return seed_rows(field, answers, regression.intercept_, regression.coef_, dimensions)


def listed(weights: Floats) -> str:
    """Weights (n,) as a list in SQL, or nothing if there are none."""
    return f"[{', '.join(f'{weight:.3f}' for weight in weights)}]" if len(weights) else ""


def mapped(names: Iterable[str], weights: Floats) -> str:
    """Weights (n,) of named features as a map in SQL."""
    return f"{{{', '.join(f'{name}={SCALE * weight:.4f}' for name, weight in zip(names, weights, strict=True))}}}"


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
    return regression_rows("category", category).plus(regression_rows("impact", impact))


class Quadratic(NamedTuple):
    """A sum for a row x (m,): bias + linear (m,) x + the sum of values (k,) times (x directions (m, k))^2."""

    bias: float
    linear: Floats
    values: Floats
    directions: Floats

    def of(self, rows: Floats) -> Floats:
        """The sums (n,) of n rows (n, m)."""
        return self.bias + rows @ self.linear + (rows @ self.directions) ** 2 @ self.values

    def scaled(self, scale: float, shift: float) -> "Quadratic":
        """The same with sums that are so many times as large, and a shift."""
        return Quadratic(scale * self.bias + shift, scale * self.linear, scale * self.values, self.directions)


def fit_sums(rows: Floats, answers: Bools) -> Quadratic:
    """Fit sums that are positive for yes: n rows of features (n, m), answers (n,)."""
    machine = SVC(C=PENALTY, kernel="poly", degree=2, gamma=1.0, coef0=1.0)
    machine.fit(rows, answers)
    # The kernel of two rows is (x z + 1)^2 = (x z)^2 + 2 x z + 1.
    support, dual = machine.support_vectors_, machine.dual_coef_[0]
    values, directions = np.linalg.eigh((support.T * dual) @ support)
    largest = np.argsort(-np.abs(values))[:DIRECTIONS]
    return Quadratic(machine.intercept_[0] + dual.sum(), 2 * dual @ support, values[largest], directions[:, largest])


def fit_quadratic(rows: Floats, answers: Bools, is_real: Bools) -> Quadratic:
    """Fit log-odds of yes, as for fit_sums. is_real (n,): the rows whose share of yes the log-odds shall match."""
    # The sums become log-odds by what they are worth on real posts that they were not fitted on.
    unseen = np.empty(len(rows))
    for others, these in StratifiedKFold(3, shuffle=True, random_state=0).split(rows, answers):
        unseen[these] = fit_sums(rows[others], answers[others]).of(rows[these])
    odds = LogisticRegression(C=100).fit(unseen[is_real, None], answers[is_real])
    return fit_sums(rows, answers).scaled(odds.coef_[0, 0], odds.intercept_[0])


def fit_complaints(posts: LabelledPosts) -> tuple[Weights, Rows, Rows]:
    """Fit the weights of the complaint score, with and without an embedding.

    The second and the third are the rows of seed complaint_signals and of seed complaint_directions.
    """
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    real = np.hstack([features(posts.vectors, posts.sources), SCALE * posts.signals])
    rows, answers = [real], [posts.complains]
    for name in INVENTED:
        texts, sources, complains, found = read_invented(name)
        rows.append(np.hstack([features(encode(texts), sources), SCALE * found]))
        answers.append(complains)
    every = np.concatenate(answers)
    beside = fit_quadratic(np.vstack(rows), every, np.arange(len(every)) < len(real))
    alone = fit(real[:, DIMENSIONS:], np.where(posts.complains, "yes", "no"), np.ones(len(real)), rarity=0)
    of_signals = DIMENSIONS + len(SOURCES)
    names = [row["signal"] for row in read_signals()]
    signals = [
        row | {"weight": f"{SCALE * weight:.4f}", "weight_alone": f"{SCALE * weight_alone:.4f}"}
        for row, weight, weight_alone in zip(
            read_signals(), beside.linear[of_signals:], alone.coef_[0, len(SOURCES) :], strict=True
        )
    ]
    directions = [
        {
            "direction": str(number),
            "weight": f"{value:.4f}",
            "weights": listed(direction[:DIMENSIONS]),
            "sources": mapped(SOURCES, direction[DIMENSIONS:of_signals]),
            "signals": mapped(names, direction[of_signals:]),
        }
        for number, (value, direction) in enumerate(zip(beside.values, beside.directions.T, strict=True), 1)
    ]
    fitted = seed_rows("complains", ["yes"], np.array([beside.bias]), beside.linear[None, :])
    return fitted.plus(regression_rows("complains", alone, dimensions=0)), signals, directions


def read_halves(databases: list[Path], files: tuple[str, ...]) -> LabelledPosts:
    """Read the labelled posts of some files that are not held out."""
    found = [posts for database in databases if len((posts := labelled_posts(database, files)).url_hash)]
    return LabelledPosts._make(map(np.concatenate, zip(*(posts.fitted_on() for posts in found), strict=True)))


def fit_all(databases: list[Path]) -> dict[Path, Rows]:
    """Fit all weights. Returns the rows of each seed."""
    weights = fit_labels(read_halves(databases, ALL_FIELDS))
    # The bundled posts complain more often than real posts, and would distort the probability.
    complaint_weights, signals, directions = fit_complaints(read_halves(databases, REAL))
    answers, sources = weights.plus(complaint_weights)
    return {
        ANSWER_WEIGHTS: answers,
        SOURCE_WEIGHTS: sources,
        COMPLAINT_SIGNALS: signals,
        COMPLAINT_DIRECTIONS: directions,
    }


def main(databases: Annotated[list[Path], typer.Argument(help="Databases with the labelled posts, built.")]) -> None:
    """Fit the weights and write the seeds."""
    for seed, rows in fit_all(databases).items():
        with seed.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    typer.run(main)
