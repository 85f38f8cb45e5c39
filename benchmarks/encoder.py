"""Compares the speed of our encoder with sentence-transformers at its defaults, in one run."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sentence_transformers import SentenceTransformer

from groundswell import encoder
from groundswell.vectors import Vectors

TEXTS = 400
ROUNDS = 3


def operations(transformer: Any, texts: list[str]) -> float:
    """The multiplications and additions of the network for texts, without padding."""
    config = transformer[0].auto_model.config
    hidden, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    ids = transformer.tokenizer(texts, truncation=True, max_length=transformer.max_seq_length)["input_ids"]
    lengths = np.array([len(text) for text in ids], dtype=np.float64)
    # Four projections, two layers of the perceptron, the attention scores and their weighted sum. Each product needs
    # two operations.
    per_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * hidden * lengths
    return float(layers * (lengths * per_token).sum())


def peak() -> float:
    """The fp32 operations per second of this machine, measured with PyTorch's product of two large matrices."""
    matrix = torch.rand((2_048, 2_048))
    best = np.inf
    for _ in range(10):
        started = time.perf_counter()
        torch.mm(matrix, matrix)
        best = min(best, time.perf_counter() - started)
    return 2 * 2_048**3 / best


def measure_encoding(texts: list[str]) -> Table:
    """Measure texts per second of both encoders, their ratio, the cosines, and the share of the arithmetic limit."""
    texts = [texts[index] for index in np.linspace(0, len(texts) - 1, min(TEXTS, len(texts))).astype(int)]
    encoders = dict(native_encoders())
    transformer = SentenceTransformer(str(encoder.model_folder(encoder.BUNDLED)), device="cpu")
    ways: dict[str, encoder.Encode] = {
        "SentenceTransformer.encode": lambda chosen: transformer.encode(chosen, normalize_embeddings=True),
        **{f"ours ({used})": encode for used, encode in encoders.items()},
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, Vectors] = {}
    peaks = []
    # The encoders take turns, because other programs use the machine too.
    for _ in range(ROUNDS):
        for name, encode in ways.items():
            started = time.perf_counter()
            vectors[name] = encode(texts)
            rates[name].append(len(texts) / (time.perf_counter() - started))
        peaks.append(peak())
    limit = float(np.median(peaks)) * len(texts) / operations(transformer, texts)
    plain = "SentenceTransformer.encode"
    title = f"{len(texts):,} posts; arithmetic limit in fp32 {limit:.0f} posts/s"
    table = Table("encoder", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("posts/s, median", "best", "ratio", "share of the fp32 limit", "cosine to fp32", "least"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, reached in rates.items():
        cosines = (vectors[name] * vectors[plain]).sum(axis=1)
        table.add_row(
            name,
            f"{np.median(reached):.1f}",
            f"{max(reached):.1f}",
            f"{np.median(reached) / np.median(rates[plain]):.2f}",
            f"{np.median(reached) / limit:.0%}",
            f"{cosines.mean():.5f}",
            f"{cosines.min():.4f}",
        )
    return table


def native_encoders() -> Iterator[tuple[str, encoder.Encode]]:
    """The device with its precision, and the encoder, for each precision that this machine has."""
    for precision in ("fp32", "int8", "bf16"):
        with suppress(encoder.EmbeddingError):
            encode, used = encoder.load_encoder(encoder.BUNDLED, precision)
            yield used, encode
