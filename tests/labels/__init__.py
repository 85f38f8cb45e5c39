"""Posts labelled by hand, to fit and to judge the built-in labeller with; GUIDE.md says how they are labelled.

Of real posts only the url_hash and the labels are kept here: whoever has the posts can repeat what the README says.
"""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parent
CATEGORIES = ("ai", "compliance", "devtools", "ecommerce", "finance", "healthtech", "logistics", "other")
IMPACTS = ("low", "medium", "high")
SOURCES = ("github", "hackernews", "reddit", "stackoverflow")

Names = npt.NDArray[np.str_]


class Posts(NamedTuple):
    """Labelled posts: what people say of them (n,), and unit vectors (n, 384)."""

    url_hash: Names
    category: Names
    would_pay: npt.NDArray[np.bool_]
    impact: Names
    complains: npt.NDArray[np.bool_]
    sources: Names
    vectors: npt.NDArray[np.float32]

    def held_back(self) -> npt.NDArray[np.bool_]:
        """Which half nothing was fitted on (n,): the posts whose url_hash begins with an odd digit."""
        return np.array([int(url_hash[0], 16) % 2 == 1 for url_hash in self.url_hash])


def read_labels() -> dict[str, dict[str, str]]:
    """The rows of the files of labels, real posts and bundled ones, by url_hash."""
    rows: dict[str, dict[str, str]] = {}
    for name in ("posts.tsv", "sample.tsv"):
        with (FOLDER / name).open() as lines:
            rows |= {row["url_hash"]: row for row in csv.DictReader(lines, delimiter="\t")}
    return rows


def read_phrases() -> list[tuple[str, str]]:
    """Invented texts of each category: (category, text)."""
    with (FOLDER / "phrases.tsv").open() as lines:
        return [(row["category"], row["phrase"]) for row in csv.DictReader(lines, delimiter="\t")]


def labelled_posts(database: Path) -> Posts:
    """The labelled posts that a built database holds, in the order of their url_hash."""
    labels = read_labels()
    with duckdb.connect(str(database), read_only=True) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            """
            select url_hash, source, embedding
            from silver.documents
            inner join silver.embeddings using (content_hash)
            where model = 'all-MiniLM-L6-v2' and url_hash in (select unnest($known::text[]))
            order by url_hash
            """,
            {"known": list(labels)},
        ).fetchall()
    found = [labels[row[0]] for row in rows]
    return Posts(
        np.array([row[0] for row in rows]),
        np.array([row["category"] for row in found]),
        np.array([row["would_pay"] == "yes" for row in found]),
        np.array([row["impact"] for row in found]),
        np.array([row["complains"] == "yes" for row in found]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows], dtype=np.float32),
    )
