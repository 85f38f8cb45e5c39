"""Converts embeddings between Arrow and numpy."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# Of all vectors of the project.
DIMENSIONS = 384

Vectors = npt.NDArray[np.float32]


def to_vectors(column: pa.ChunkedArray | pa.Array) -> Vectors:
    """Convert a column of FLOAT[d] to a float32 array (n, d) without the nulls."""
    chunk = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    vectors: Vectors = chunk.flatten().to_numpy().reshape(-1, chunk.type.list_size)
    return vectors


def title_vectors(texts: Vectors, titles: pa.ChunkedArray | pa.Array) -> Vectors:
    """The vectors (n, d) of n titles, a column of FLOAT[d]; the vector of the text, (n, d), stands for a null."""
    vectors = texts.copy()
    vectors[np.asarray(titles.is_valid())] = to_vectors(titles)
    return vectors


def read_vectors(batches: pa.RecordBatchReader | Iterable[pa.RecordBatch], column: str, rows: int) -> Vectors:
    """Read a column of FLOAT[d] from batches with `rows` rows in total into a float32 array (n, d).

    Each batch is copied into the array, so that the column is never in memory twice.
    """
    vectors: Vectors | None = None
    filled = 0
    for batch in batches:
        part = to_vectors(batch[column])
        if vectors is None:
            vectors = np.empty((rows, part.shape[1]), dtype=np.float32)
        vectors[filled : filled + len(part)] = part
        filled += len(part)
    return np.empty((0, 0), dtype=np.float32) if vectors is None else vectors


def from_vectors(vectors: Vectors) -> pa.FixedSizeListArray:
    """Convert a float32 array (n, d) to an Arrow column of FLOAT[d] without a copy."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1), type=pa.float32()), vectors.shape[1])
