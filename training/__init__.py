"""Posts labelled by hand, on which the built-in labeller is fitted and measured. GUIDE.md has the rules for labels.

For real posts, the files hold only the url_hash and the labels. Whoever has the posts can repeat the measurements.
"""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from tests.support.project import ROOT, read_seed

FOLDER = Path(__file__).parent
# The files of labels: those on which complaints are measured; files with labels of all fields; files of real posts;
# posts near the gate, which are harder than others, so they are measured alone; the file whose held-out half is a
# random sample; and the file whose posts were read twice.
MEASURED = ("posts.tsv", "sample.tsv", "complaints.tsv")
ALL_FIELDS = ("posts.tsv", "sample.tsv")
REAL = ("posts.tsv", "complaints.tsv", "gate.tsv")
GATE = ("gate.tsv",)
RANDOM = ("complaints.tsv",)
TWICE = ("posts.tsv",)
COMPLAINT_SIGNALS = ROOT / "seeds" / "complaint_signals.csv"
COMPLAINT_DIRECTIONS = ROOT / "seeds" / "complaint_directions.csv"
CATEGORIES = tuple(sorted({row["category"] for row in read_seed("categories")}))
IMPACTS = ("low", "medium", "high")
# The sources of the labelled posts. A post of another source gets the mean of their weights (silver.post_signals).
SOURCES = ("github", "hackernews", "reddit", "stackoverflow")

Names = npt.NDArray[np.str_]
Bools = npt.NDArray[np.bool_]


class LabelledPosts(NamedTuple):
    """Labelled posts: labels by people (n,), unit vectors (n, 384), and complaint signals (n, number of signals)."""

    url_hash: Names
    category: Names
    would_pay: Bools
    impact: Names
    complains: Bools
    sources: Names
    vectors: npt.NDArray[np.float32]
    signals: Bools

    def held_out(self) -> "LabelledPosts":
        """The held-out half, on which nothing was fitted: posts whose url_hash starts with an odd digit."""
        return self.take(np.array([int(url_hash[0], 16) % 2 == 1 for url_hash in self.url_hash], dtype=np.bool_))

    def fitted_on(self) -> "LabelledPosts":
        """The half on which the weights are fitted."""
        return self.take(~np.isin(self.url_hash, self.held_out().url_hash))

    def take(self, which: Bools) -> "LabelledPosts":
        """The posts that `which` (n,) marks."""
        return LabelledPosts._make(column[which] for column in self)


def read_labels(files: tuple[str, ...] = MEASURED) -> dict[str, dict[str, str]]:
    """Read the rows of files of labels: {url_hash: row}."""
    rows: dict[str, dict[str, str]] = {}
    for name in files:
        with (FOLDER / name).open() as lines:
            rows |= {row["url_hash"]: row for row in csv.DictReader(lines, delimiter="\t")}
    return rows


def read_signals() -> list[dict[str, str]]:
    """Read the rows of seed complaint_signals."""
    with COMPLAINT_SIGNALS.open() as lines:
        return list(csv.DictReader(lines))


def read_phrases() -> list[tuple[str, str]]:
    """Read the invented phrases for each category: (category, phrase)."""
    with (FOLDER / "phrases.tsv").open() as lines:
        return [(row["category"], row["phrase"]) for row in csv.DictReader(lines, delimiter="\t")]


def signals_of(signals: list[dict[str, str]]) -> tuple[str, dict[str, str]]:
    """A SQL list of whether each signal matches a post with a title and a text, and the parameters of the query."""
    found = ", ".join(f"regexp_matches({row['part']}, ${row['signal']}, 'i')" for row in signals)
    return f"[{found}]", {row["signal"]: row["pattern"] for row in signals}


def text_of(title: str, body: str) -> str:
    """The text of a post as the project joins it: a title that ends a sentence takes no full stop."""
    return f"{title}{' ' if title.endswith(('.', '!', '?', '…')) else '. '}{body}".strip()


class Invented(NamedTuple):
    """Invented posts: texts (n), sources (n,), whether they complain (n,), and signals (n, number of signals)."""

    texts: list[str]
    sources: Names
    complains: Bools
    signals: Bools


def read_invented(name: str) -> Invented:
    """Read invented posts: voices.tsv, or matters.tsv, where all complain."""
    with (FOLDER / name).open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    titles = [row["title"] for row in rows]
    texts = [text_of(row["title"], row.get("body") or row.get("description") or "") for row in rows]
    found, parameters = signals_of(read_signals())
    signals = duckdb.execute(
        f"select {found} from (select unnest($titles::text[]) as title, unnest($texts::text[]) as text)",
        parameters | {"titles": titles, "texts": texts},
    ).fetchall()
    return Invented(
        texts,
        np.array([row["source"] for row in rows]),
        np.array([row.get("complains", "yes") == "yes" for row in rows]),
        np.array([row[0] for row in signals]),
    )


def labelled_posts(database: Path, files: tuple[str, ...] = MEASURED) -> LabelledPosts:
    """Read the labelled posts that a built database holds, ordered by url_hash."""
    labels = read_labels(files)
    found, parameters = signals_of(read_signals())
    with duckdb.connect(str(database), read_only=True) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            f"""
            select url_hash, source, embedding, {found}
            from silver.documents
            inner join silver.embeddings using (content_hash)
            where model = 'all-MiniLM-L6-v2' and url_hash in (select unnest($known::text[]))
            order by url_hash
            """,
            parameters | {"known": list(labels)},
        ).fetchall()
    labelled = [labels[row[0]] for row in rows]
    return LabelledPosts(
        np.array([row[0] for row in rows]),
        np.array([row.get("category", "") for row in labelled]),
        np.array([row.get("would_pay") == "yes" for row in labelled]),
        np.array([row.get("impact", "") for row in labelled]),
        np.array([row["complains"] == "yes" for row in labelled]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows], dtype=np.float32),
        np.array([row[3] for row in rows]),
    )
