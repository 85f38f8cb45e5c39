"""How fast texts become vectors: our encoder against sentence-transformers at its defaults, in one run."""

import time
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sentence_transformers import SentenceTransformer

from tests.support.models import load

embeddings: Any = load("embeddings")

TEXTS = 400
ROUNDS = 3


def operations(transformer: Any, texts: list[str]) -> float:
    """Multiplications and additions that the network needs for texts, padding not counted."""
    config = transformer[0].auto_model.config
    hidden, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    ids = transformer.tokenizer(texts, truncation=True, max_length=transformer.max_seq_length)["input_ids"]
    lengths = np.array([len(text) for text in ids], dtype=np.float64)
    # Four projections, two layers of the perceptron, scores and their weighted sum; two operations each.
    per_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * hidden * lengths
    return float(layers * (lengths * per_token).sum())


def peak() -> float:
    """Operations per second of this machine in fp32, by PyTorch's product of two large matrices."""
    matrix = torch.rand((2_048, 2_048))
    best = np.inf
    for _ in range(10):
        started = time.perf_counter()
        torch.mm(matrix, matrix)
        best = min(best, time.perf_counter() - started)
    return 2 * 2_048**3 / best


def measure_encoding(texts: list[str]) -> Table:
    """Documents per second of both, the ratio, the cosines between them, and the share of the limit."""
    texts = [texts[index] for index in np.linspace(0, len(texts) - 1, min(TEXTS, len(texts))).astype(int)]
    encode, used = embeddings.load_encoder(embeddings.BUNDLED, "auto")
    transformer = SentenceTransformer(str(embeddings.model_folder(embeddings.BUNDLED)), device="cpu")
    plain, ours = [], []
    # In turn, since others use the machine as well.
    for _ in range(ROUNDS):
        started = time.perf_counter()
        expected = transformer.encode(texts, normalize_embeddings=True)
        plain.append(len(texts) / (time.perf_counter() - started))
        started = time.perf_counter()
        vectors = encode(texts)
        ours.append(len(texts) / (time.perf_counter() - started))
    limit = peak() * len(texts) / operations(transformer, texts)
    cosines = (vectors * expected).sum(axis=1)
    title = (
        f"{len(texts):,} posts; cosine of ours to fp32: mean {cosines.mean():.5f}, least {cosines.min():.4f};"
        f" arithmetic limit in fp32 {limit:.0f} posts/s"
    )
    table = Table("encoder", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("posts/s, median", "best", "ratio", "share of the fp32 limit"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, rates in (("SentenceTransformer.encode", plain), (f"ours ({used})", ours)):
        table.add_row(
            name,
            f"{np.median(rates):.1f}",
            f"{max(rates):.1f}",
            f"{np.median(rates) / np.median(plain):.2f}",
            f"{np.median(rates) / limit:.0%}",
        )
    return table
