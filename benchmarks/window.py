"""Measures the two models that group the complaints of a window, apart from all others: python -m benchmarks.window.

`make` writes a database with the silver tables that they read, all posts on one day: texts and vectors are mixed as in
benchmarks.scale, each post is a complaint or a weak one, and no post is a program's. `group` runs problem_assignments
and near_complaints on it, each in a process of its own, with the memory and the thread that a build gives DuckDB.
"""

import hashlib
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer
import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.scale import TEXTS_AT_ONCE, between_posts, encode, mixed_posts, posts_of
from groundswell.vectors import Vectors, from_vectors
from tests.support.models import load
from tests.support.project import DAY, ROOT

CONFIG: dict[str, Any] = {"memory_limit": "1GB", "threads": 1}
MODELS = ("problem_assignments", "near_complaints")
SEEDS = ("pair_weights", "problem_tiers", "copy_limits")
# As many letters of a post are encoded.
LETTERS = 2_000
# Three of five posts complain, the others weakly. Each author has written two posts.
TABLES = f"""
    create table silver.documents as
    select
        url_hash, content_hash, null::varchar as duplicate_of, date '{DAY}' as collection_date,
        case when number % 5 < 3 then 0.6 else 0.3 end as complaint_score, false as addresses_model,
    from temp.made;
    create table silver.titles as select url_hash, title_hash as content_hash from temp.made where title <> '';
    create table silver.texts as select url_hash, title, text from temp.made;
    create table silver.posts as
    select
        url_hash, 'author ' || number // 2 as author_hash, date '{DAY}' as collection_date,
        timestamp '{DAY}' + to_milliseconds(number * 86_400_000 // (select count(*) from temp.made)) as posted_at,
    from temp.made;
    create table silver.wordings as
    with words as (select url_hash, regexp_extract_all(lower(text), '[\\pL\\pM]+') as words from temp.made)
    select
        url_hash,
        list_transform(
            list_zip(words[:-3], words[2:-2], words[3:]),
            lambda three: md5_number_lower(concat_ws(' ', three[1], three[2], three[3]))
        ) as sequences,
    from words;
    create table silver.program_posts (url_hash text, frame text, differing_words text, as_of_date date);
    create table silver.corrected_posts (url_hash text, problem_id text, correction_id bigint, as_of_date date);
    create table silver.pair_opinions (content_hash_a text, content_hash_b text, is_same boolean);
"""

app = typer.Typer(add_completion=False)
Database = Annotated[Path, typer.Argument()]


class Node:
    """What a Python model sees of dbt: the tables of the database, and the vars of the project."""

    is_incremental = False

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self.session, self.config = session, self
        self.values = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"] | {"run_date": DAY}

    def __call__(self, **_: Any) -> None:
        """Take what a model says of its table."""

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table."""
        return self.session.table(name if name in MODELS else f"silver.{name}")

    def meta_get(self, name: str) -> Any:
        """A setting."""
        return self.values[name]


def sha(text: str) -> str:
    """The hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


@app.command()
def make(
    database: Database,
    files: Annotated[list[Path], typer.Option("--file", help="Files of posts that the complaints are mixed of.")],
    complaints: Annotated[int, typer.Option(help="How many there are.")] = 30_000,
) -> None:
    """Make a database of mixed complaints."""
    posts = posts_of(files)
    fill(database, complaints, posts, encode([f"{post.title}. {post.body}"[:LETTERS] for post in posts]))


def fill(database: Path, complaints: int, posts: list[Any], known: Vectors) -> None:
    """Make a database of so many mixes of posts, whose vectors are known."""
    mixed = np.empty((complaints, 3), np.int64)
    with duckdb.connect(str(database), config=CONFIG) as connection:
        connection.execute("create schema silver")
        for seed in SEEDS:
            [file] = (ROOT / "seeds").rglob(f"{seed}.csv")
            connection.execute(f"create table silver.{seed} as from read_csv('{file}')")
        connection.execute(
            "create temp table made"
            " (number bigint, url_hash text, title text, text text, content_hash text, title_hash text)"
        )
        supply = enumerate(mixed_posts(posts, complaints, 0.12))
        for _ in range(0, complaints, TEXTS_AT_ONCE):
            rows = []
            for number, (chosen, title, body) in islice(supply, TEXTS_AT_ONCE):
                mixed[number] = chosen
                text = f"{title}\n\n{body}"[:LETTERS]
                rows.append((number, sha(str(number)), title, text, sha(text), sha(title)))
            names = ("number", "url_hash", "title", "text", "content_hash", "title_hash")
            batch = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
            connection.execute("insert into temp.made from batch")
        connection.execute(TABLES)
        connection.execute("create table silver.embeddings (content_hash text, model text, embedding float[384])")
        hashes = connection.execute(
            "select value, min(number) from (unpivot temp.made on content_hash, title_hash) group by value order by 1"
        ).fetchall()
        vectors = between_posts(known, mixed)
        for start in range(0, len(hashes), TEXTS_AT_ONCE):
            names, numbers = zip(*hashes[start : start + TEXTS_AT_ONCE], strict=True)
            batch = pa.table({"name": names, "vector": from_vectors(vectors(list(numbers)))})  # noqa: F841
            connection.execute("insert into silver.embeddings select name, 'all-MiniLM-L6-v2', vector from batch")


def grouped(database: Path, model: str, folder: Path) -> tuple[int, float, float]:
    """Run a model, and write its rows to a folder; the number of rows, CPU seconds, and MB of the process."""
    with duckdb.connect(str(database), read_only=True, config={**CONFIG, "temp_directory": str(folder)}) as session:
        node = Node(session)
        for earlier in folder.glob("*.parquet"):
            session.execute(f"create temp view {earlier.stem} as from read_parquet('{earlier}')")
        started = time.process_time()
        rows = load(model).model(node, session)
        seconds = time.process_time() - started
    pq.write_table(rows, folder / f"{model}.parquet")
    return rows.num_rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@app.command()
def group(database: Database) -> None:
    """Group the complaints of a database: rows, CPU seconds and the most memory of each model."""
    with duckdb.connect(str(database), read_only=True) as connection:
        [(count,)] = connection.execute("select count(*) from silver.texts").fetchall()
    title = f"{count:,} complaints of one day"
    table = Table("model", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("rows", "CPU seconds", "memory, MB"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows, seconds, megabytes = pool.submit(grouped, database, model, Path(folder)).result()
            table.add_row(model, f"{rows:,}", f"{seconds:.1f}", f"{megabytes:,.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    app()
