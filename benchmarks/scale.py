"""Measures days of growing size with ready embeddings: the silver layer, and all models up to gold.

For the silver layer, each post mixes sentences of several posts of the sample day, and the embeddings are random
vectors around as many centres as the sample has posts. For all models, each post mixes sentences of three posts of
files, with one word in eight replaced so that no two posts have equal lines, and its vector is a weighted mean of those
of the three posts: an encoder gives a text of three sentences about such a vector. Encoding itself is extrapolated.
"""

import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.stages import Stages, read_stages
from groundswell import encoder
from groundswell.vectors import Vectors, from_vectors
from tests.support.project import DAY, SAMPLE, Finished, Project

SIZES = (2_000, 20_000, 200_000)
# The days for all models. The largest one takes hours: option --most leaves larger days out.
DAYS = (6_000, 60_000, 600_000)
# What the embeddings need; fill_cache makes the embeddings in between.
BEFORE = ("posts", "plain_texts", "redactions", "texts", "titles")
SILVER = ("path:models/silver/posts", "path:models/silver/topics")
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
# Models that use less than this share of the seconds of the largest day are one row.
LEAST_SHARE = 0.01
WORD = re.compile(r"\b[a-z]{4,12}\b")
TEXTS_AT_ONCE = 10_000


class Post(NamedTuple):
    """A post that others are mixed of."""

    source: str
    title: str
    body: str


class Day(NamedTuple):
    """What the build of a day used: by model, the most GB of its process, the seconds of encoding, MB of the file."""

    stages: Stages
    memory: float
    encoding: float
    size: float


def sample_posts(folder: Path) -> list[Post]:
    """The posts of the sample day as plain texts; a body holds all, with the title."""
    project = Project(folder / "sample.duckdb")
    for finished in (
        project.ingest("--date", DAY, "--replay", str(SAMPLE)),
        build_models(project, "resource_type:seed", *BEFORE),
    ):
        assert finished.status == 0, finished.output
    texts = project.query("select text from silver.texts order by url_hash")
    return [Post(SOURCES[number % 4], "", text) for number, (text,) in enumerate(texts)]


def posts_of(files: Sequence[Path]) -> list[Post]:
    """The posts of files of JSON lines, as they were collected."""
    # Not splitlines: a post may hold a line separator (U+2028), which JSON does not escape.
    rows = [json.loads(line) for file in files for line in file.read_text().split("\n") if line]
    return [Post(row["source"], row["title"] or "", row["body"] or "") for row in rows]


def build_models(project: Project, *models: str) -> Finished:
    """Run these models for the day, without their tests."""
    return project.build(DAY, "--select", *models, data_tests=False)


def mixed_posts(posts: Sequence[Post], count: int, varied: float = 0.0) -> Iterator[tuple[list[int], str, str]]:
    """Yield the indices of three posts, and a title and a body of their sentences, `count` times.

    varied: the share of words that other words of titles replace.
    """
    chance = random.Random(1)
    words = [word for post in posts for word in WORD.findall(post.title)] or [""]

    def vary(text: str) -> str:
        return WORD.sub(lambda word: chance.choice(words) if chance.random() < varied else word[0], text)

    for _ in range(count):
        chosen = chance.sample(range(len(posts)), 3)
        parts = [part for each in chosen for part in (posts[each].title, posts[each].body) if part]
        sentences = [sentence for part in parts for sentence in part.split(". ")]
        title, *body = map(vary, chance.sample(sentences, min(len(sentences), 8)))
        yield chosen, " ".join(title.split())[:150], "\n\n".join(body)


def write_posts(file: Path, posts: Sequence[Post], count: int, varied: float = 0.0) -> np.ndarray[tuple[int, int]]:
    """Write a file of `count` posts of the day, as of mixed_posts; returns the indices of their posts (count, 3)."""
    midnight = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    mixed = np.empty((count, 3), dtype=np.int64)
    with file.open("w") as lines:
        for number, (chosen, title, body) in enumerate(mixed_posts(posts, count, varied)):
            mixed[number] = chosen
            post = {
                "source": posts[chosen[0]].source,
                "url": f"https://example.com/{number}",
                "title": title,
                "body": body,
                "created_at": (midnight + timedelta(seconds=number * 86_000 / count)).isoformat(),
            }
            lines.write(json.dumps(post) + "\n")
    return mixed


def unit(vectors: np.ndarray[tuple[int, int]]) -> Vectors:
    """Vectors (n, d) of unit length."""
    found: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found


def around_centres(topics: int, noise: float = 0.06) -> Callable[[list[int]], Vectors]:
    """Makes a vector near one of `topics` random centres for each post."""
    chance = np.random.default_rng(1)
    centres = unit(chance.normal(size=(topics, 384)))

    def make(posts: list[int]) -> Vectors:
        return unit(centres[chance.integers(topics, size=len(posts))] + noise * chance.normal(size=(len(posts), 384)))

    return make


def between_posts(
    known: Vectors, mixed: np.ndarray[tuple[int, int]], noise: float = 0.012
) -> Callable[[list[int]], Vectors]:
    """Makes a weighted mean of the vectors (m, 384) of the posts of which a post is mixed (n, 3), with some noise."""
    chance = np.random.default_rng(1)

    def make(posts: list[int]) -> Vectors:
        weights = chance.dirichlet((3, 2, 2), size=len(posts)).astype(np.float32)
        means = (known[mixed[posts]] * weights[..., None]).sum(axis=1)
        return unit(means + noise * chance.normal(size=means.shape))

    return make


def fill_cache(database: Path, make: Callable[[list[int]], Vectors]) -> None:
    """Give every text and title of the database, and every category, an embedding."""
    with duckdb.connect(str(database), config={"memory_limit": "1GB"}) as connection:
        connection.execute(
            "create table silver.embeddings"
            " (content_hash text, model text, embedding float[384], computed_on text, embedding_date date)"
        )
        rows = connection.sql(
            """
            with wanted as (
                select content_hash, url_hash from silver.texts
                union all
                select content_hash, url_hash from silver.titles
            )
            select content_hash, min(regexp_extract(url, '[0-9]+$')::int)
            from wanted inner join silver.posts using (url_hash)
            group by content_hash
            union all
            select distinct sha256(description), 0 from silver.categories
            order by 1
            """
        ).fetchall()
        for start in range(0, len(rows), TEXTS_AT_ONCE):
            hashes, posts = zip(*rows[start : start + TEXTS_AT_ONCE], strict=True)
            batch = pa.table({"h": hashes, "v": from_vectors(make(list(posts)))})  # noqa: F841
            connection.execute(
                f"insert into silver.embeddings select h, 'all-MiniLM-L6-v2', v, 'benchmark', date '{DAY}' from batch"
            )


def encode(texts: list[str]) -> Vectors:
    """The vectors of texts (n, 384)."""
    work, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    return work(texts)


def encoding_seconds(project: Project, count: int) -> float:
    """The seconds to encode `count` posts, extrapolated from a thousand posts."""
    texts = [text for (text,) in project.query("select text from silver.texts order by url_hash limit 1000")]
    started = time.perf_counter()
    encode(texts)
    return (time.perf_counter() - started) * count / len(texts)


def prepare(project: Project, file: Path, make: Callable[[list[int]], Vectors]) -> None:
    """Fill a database with the posts of a file and with embeddings of all texts."""
    for finished in (
        project.ingest("--file", str(file)),
        build_models(project, "resource_type:seed", *BEFORE),
    ):
        assert finished.status == 0, finished.output
    fill_cache(project.database, make)


def measured_build(project: Project, *selected: str) -> Day:
    """Build a day in one process that notes what each model uses."""
    # One process runs all models, as in a user's build: memory that one model leaves is there for the next model.
    for model in ("plain_texts", "redactions", "texts"):
        project.query(f"drop table silver.{model}")
    noted = project.database.with_suffix(".jsonl")
    command = ("--quiet", "build", "--vars", f"date: {DAY}", "--exclude-resource-type", "test", "unit_test", *selected)
    built = project.run(sys.executable, "-m", "benchmarks.stages", str(noted), *command)
    assert built.status == 0, built.output
    stages = read_stages(noted)
    memory = max(most for _, _, most in stages.values())
    return Day(stages, memory / 1_000, 0.0, project.database.stat().st_size / 1e6)


def run(posts: list[Post], count: int, folder: Path) -> Day:
    """Build the silver layer of a day of `count` posts."""
    project = Project(folder / f"scale{count}" / "groundswell.duckdb", seconds=86_400)
    project.database.parent.mkdir()
    write_posts(folder / "posts.jsonl", posts, count)
    prepare(project, folder / "posts.jsonl", around_centres(len(posts)))
    encoding = encoding_seconds(project, count) if count == min(SIZES) else 0.0
    day = measured_build(project, "--select", *SILVER)
    project.database.unlink()
    return day._replace(encoding=encoding)


def measure_scale() -> Table:
    """Measure, for each size, seconds per 1,000 posts of each model, posts per second of the layer, and memory."""
    with tempfile.TemporaryDirectory() as name:
        posts = sample_posts(Path(name))
        days = {count: run(posts, count, Path(name)) for count in SIZES}
    title = "The silver layer at growing sizes, vectors from the cache"
    table = Table("seconds of the processor per 1,000 posts", title=title, title_justify="left", box=SIMPLE_HEAD)
    for count in SIZES:
        table.add_column(f"{count:,} posts", justify="right", no_wrap=True)
    for model in days[min(SIZES)].stages:
        table.add_row(model, *(f"{day.stages[model][1] / count * 1_000:.3f}" for count, day in days.items()))
    table.add_row("encoding 1,000 posts, s", f"{days[min(SIZES)].encoding / min(SIZES) * 1_000:.1f}")
    for name, part in (("posts per second", 0), ("posts per second of the processor", 1)):
        sums = {count: sum(stage[part] for stage in day.stages.values()) for count, day in days.items()}
        table.add_row(name, *(f"{count / taken:,.0f}" for count, taken in sums.items()))
    table.add_row("the process, GB", *(f"{day.memory:.1f}" for day in days.values()))
    return table


def measure_growth(files: Sequence[Path], most: int) -> Table:
    """Measure all models on days of mixed posts of files, up to days of `most` posts."""
    posts = posts_of(files)
    known = encode([f"{post.title}. {post.body}"[:2_000] for post in posts])
    counts = [count for count in DAYS if count <= most]
    days = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            project = Project(Path(name) / "groundswell.duckdb", seconds=86_400)
            file = Path(name) / "posts.jsonl"
            mixed = write_posts(file, posts, count, varied=0.12)
            prepare(project, file, between_posts(known, mixed))
            file.unlink()
            days[count] = measured_build(project)
    title = "A day with vectors at hand, seconds of the processor by model"
    table = Table("model", title=title, title_justify="left", box=SIMPLE_HEAD)
    for count in counts:
        table.add_column(f"{count:,} posts", justify="right", no_wrap=True)
    used = {count: {model: stage[1] for model, stage in day.stages.items()} for count, day in days.items()}
    largest = used[max(counts)]
    shown = [model for model, seconds in largest.items() if seconds >= LEAST_SHARE * sum(largest.values())]
    for model in sorted(shown, key=lambda model: -largest[model]):
        table.add_row(model, *(f"{used[count].get(model, 0):,.1f}" for count in counts))
    others = {
        count: sum(seconds for model, seconds in each.items() if model not in shown) for count, each in used.items()
    }
    table.add_row("the other models", *(f"{others[count]:,.1f}" for count in counts))
    table.add_row("all", *(f"{sum(used[count].values()):,.1f}" for count in counts))
    table.add_row("most memory of the process, GB", *(f"{days[count].memory:.1f}" for count in counts))
    table.add_row("database, MB", *(f"{days[count].size:,.0f}" for count in counts))
    return table
