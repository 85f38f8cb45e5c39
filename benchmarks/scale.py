"""Measures the silver layer on days of growing size: posts per second and memory, with ready embeddings.

Each post mixes sentences of several posts of the sample day. The embeddings are random vectors around as many centres
as the sample has posts. The time of encoding is measured on a thousand posts and extrapolated.
"""

import json
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.table import Table

from groundswell import encoder
from tests.support.project import DAY, SAMPLE, Finished, Project

SIZES = (2_000, 20_000, 200_000)
# The models before the embeddings, and the models from the embeddings on; fill_cache makes the embeddings in between.
BEFORE = ("plain_texts", "redactions", "duplicates", "texts")
AFTER = (
    "embeddings", "post_signals", "documents", "cluster_assignments", "items", "map_positions", "summaries", "clusters",
)  # fmt: skip
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")


def sample_texts(folder: Path) -> list[str]:
    """The texts of the sample day."""
    project = Project(folder / "sample.duckdb")
    for finished in (
        project.ingest("--date", DAY, "--replay", str(SAMPLE)),
        build_models(project, "resource_type:seed", *BEFORE),
    ):
        assert finished.status == 0, finished.output
    return [text for (text,) in project.query("select text from silver.texts order by url_hash")]


def build_models(project: Project, *models: str) -> Finished:
    """Run these models for the day, without their tests."""
    return project.build(DAY, "--select", *models, data_tests=False)


def write_posts(file: Path, texts: list[str], count: int) -> None:
    """Write a file of `count` posts of the day; each post mixes sentences of three texts."""
    chance = random.Random(1)
    midnight = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    with file.open("w") as lines:
        for number in range(count):
            sentences = [sentence for text in chance.sample(texts, 3) for sentence in text.split(". ")]
            title, *body = chance.sample(sentences, min(len(sentences), 8))
            post = {
                "source": SOURCES[number % 4],
                "url": f"https://example.com/{number}",
                "title": title,
                "body": "\n\n".join(body),
                "created_at": (midnight + timedelta(seconds=number * 86_000 / count)).isoformat(),
            }
            lines.write(json.dumps(post) + "\n")


def fill_cache(database: Path, topics: int, noise: float = 0.06) -> None:
    """Give every text of the database an embedding: a unit vector near one of `topics` random centres."""
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(topics, 384))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create table silver.embeddings"
            " (content_hash text, model text, embedding float[384], computed_on text, embedding_date date)"
        )
        hashes = connection.sql(
            "select content_hash from silver.texts union select sha256(description) from silver.categories order by 1"
        ).fetchall()
        for start in range(0, len(hashes), 10_000):
            batch = [content_hash for (content_hash,) in hashes[start : start + 10_000]]
            vectors = centres[chance.integers(topics, size=len(batch))] + noise * chance.normal(size=(len(batch), 384))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            flat = pa.array(vectors.astype(np.float32).reshape(-1))
            rows = pa.table({"h": batch, "v": pa.FixedSizeListArray.from_arrays(flat, 384)})  # noqa: F841
            connection.execute(
                f"insert into silver.embeddings select h, 'all-MiniLM-L6-v2', v, 'benchmark', date '{DAY}' from rows"
            )


def encoding_seconds(project: Project, count: int) -> float:
    """The seconds to encode `count` posts, extrapolated from a thousand posts."""
    texts = [text for (text,) in project.query("select text from silver.texts order by url_hash limit 1000")]
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    started = time.perf_counter()
    encode(texts)
    return (time.perf_counter() - started) * count / len(texts)


def run(texts: list[str], count: int, folder: Path) -> tuple[dict[str, float], float, float]:
    """Build a day of `count` posts. Returns seconds by model, seconds of encoding, and GB of the largest process."""
    project = Project(folder / f"scale{count}.duckdb")
    write_posts(folder / "posts.jsonl", texts, count)
    for finished in (
        project.ingest("--file", str(folder / "posts.jsonl")),
        build_models(project, "resource_type:seed", *BEFORE),
    ):
        assert finished.status == 0, finished.output
    encoding = encoding_seconds(project, count)
    fill_cache(project.database, len(texts))
    # One process runs all models, as in a user's build: memory that one model leaves is there for the next model.
    for model in BEFORE:
        project.query(f"drop table silver.{model}")
    finished = build_models(project, *BEFORE, *AFTER)
    assert finished.status == 0, finished.output
    project.database.unlink()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    return project.stage_seconds(), encoding, memory


def measure_scale() -> Table:
    """Measure, for each size, seconds per 1,000 posts of each model, posts per second of the layer, and memory."""
    with tempfile.TemporaryDirectory() as name:
        texts = sample_texts(Path(name))
        runs = {count: run(texts, count, Path(name)) for count in SIZES}
    title = "The silver layer at growing sizes, vectors from the cache"
    table = Table("seconds per 1,000 posts", title=title, title_justify="left", box=SIMPLE_HEAD)
    for count in SIZES:
        table.add_column(f"{count:,} posts", justify="right", no_wrap=True)
    for model in (*BEFORE, *AFTER):
        table.add_row(model, *(f"{taken[model] / count * 1_000:.3f}" for count, (taken, _, _) in runs.items()))
    table.add_row("encoding", *(f"{encoding / count * 1_000:.3f}" for count, (_, encoding, _) in runs.items()))
    totals = {count: (sum(taken.values()), encoding) for count, (taken, encoding, _) in runs.items()}
    table.add_row("posts per second", *(f"{count / taken:,.0f}" for count, (taken, _) in totals.items()))
    table.add_row("  with encoding", *(f"{count / sum(both):,.0f}" for count, both in totals.items()))
    table.add_row("largest process, GB", *(f"{memory:.1f}" for _, _, memory in runs.values()))
    return table
