"""Where texts are encoded: on this machine, or on the nodes of a Ray cluster (var embed_engine)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from groundswell.encoder import EmbeddingError, load_encoder
from groundswell.vectors import Vectors

# Batches of names and texts, and the same batches in the same order as names and unit vectors (n, 384).
EncodeBatches = Callable[[Iterable[tuple[list[str], list[str]]]], Iterator[tuple[list[str], Vectors]]]


@contextmanager
def open_encoder(engine: str, name: str, precision: str) -> Iterator[tuple[EncodeBatches, str]]:
    """Load a model. Gives a function that encodes batches, and the device with its precision.

    engine: local or ray. Raises EmbeddingError if the model, the precision or the cluster can not be used.
    """
    if engine == "local":
        encode, used = load_encoder(name, precision)
        yield lambda batches: ((names, encode(texts)) for names, texts in batches), used
    elif engine == "ray":
        # Only who asks for Ray has it, and its import takes a second.
        from groundswell.ray_pool import open_pool

        with open_pool(name, precision) as (encode_batches, used):
            yield encode_batches, used
    else:
        raise EmbeddingError(f"embed_engine is local or ray, not {engine!r}")
