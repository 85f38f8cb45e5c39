"""Fits what the built-in labeller knows of categories and impact, and writes it to seeds/post_weights.csv.

python -m tests.labels DATABASE ..., where the databases hold the labelled posts, built.

Method: multinomial logistic regression on the embedding and the source of a post, on the half of the labelled posts
that is not held back and, for the category, on the invented phrases. Rare labels weigh more: a label of n posts weighs
as n to the power of 0.3. These numbers were chosen by cross-validation within that half.
"""

import csv
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression

from tests.conftest import ROOT
from tests.labels import SOURCES, Names, Posts, labelled_posts, read_phrases
from tests.models import load

embeddings: Any = load("silver/embeddings")

SEED = ROOT / "seeds" / "post_weights.csv"
# How much the source counts beside an embedding of length 1, and a real post beside a phrase.
SOURCE_SCALE = 0.3
POST_WEIGHT = 2.0
RARITY = 0.7
C = 2.0

Floats = npt.NDArray[np.float64]


def features(vectors: npt.NDArray[np.float32], sources: Names) -> Floats:
    """Embedding and source of n posts: (n, 384 + 4)."""
    return np.hstack([vectors, SOURCE_SCALE * (sources[:, None] == np.array(SOURCES))])


def fit(rows: Floats, labels: Names, weights: Floats) -> LogisticRegression:
    """The regression on n rows with their labels and weights (n,)."""
    names, index = np.unique(labels, return_inverse=True)
    balanced = weights * np.bincount(index, weights)[index] ** -RARITY
    regression = LogisticRegression(C=C, max_iter=3_000)
    regression.fit(rows, labels, sample_weight=balanced * len(rows) / balanced.sum())
    assert list(regression.classes_) == list(names)
    return regression


def seed_rows(field: str, regression: LogisticRegression) -> list[dict[str, str]]:
    """The rows of the seed: what each answer adds up from."""
    return [
        {
            "field": field,
            "answer": answer,
            "bias": f"{bias:.4f}",
            **{source: f"{SOURCE_SCALE * weight:.4f}" for source, weight in zip(SOURCES, weights[384:], strict=True)},
            "weights": "[" + ", ".join(f"{weight:.3f}" for weight in weights[:384]) + "]",
        }
        for answer, bias, weights in zip(regression.classes_, regression.intercept_, regression.coef_, strict=True)
    ]


def fit_all(days: list[Posts]) -> list[dict[str, str]]:
    """The rows of the seed from the half of the posts that is not held back."""
    half = ~np.concatenate([posts.held_back() for posts in days])
    rows = np.vstack([features(posts.vectors, posts.sources) for posts in days])[half]
    categories_of_posts = np.concatenate([posts.category for posts in days])[half]
    impacts = np.concatenate([posts.impact for posts in days])[half]
    categories, texts = zip(*read_phrases(), strict=True)
    encode, _ = embeddings.load_encoder(embeddings.BUNDLED, "auto")
    # A phrase is of no source: a quarter of each.
    phrases = np.hstack([encode(list(texts)), np.full((len(texts), len(SOURCES)), SOURCE_SCALE / len(SOURCES))])
    category = fit(
        np.vstack([phrases, rows]),
        np.concatenate([categories, categories_of_posts]),
        np.repeat([1.0, POST_WEIGHT], [len(texts), len(rows)]),
    )
    impact = fit(rows, impacts, np.ones(len(rows)))
    return seed_rows("category", category) + seed_rows("impact", impact)


def main(databases: Annotated[list[Path], typer.Argument(help="Databases with the labelled posts, built.")]) -> None:
    """Fit, and write the seed."""
    rows = fit_all([labelled_posts(database) for database in databases])
    with SEED.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    typer.run(main)
