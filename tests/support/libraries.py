"""What the project's commands import, for tests/support/forked.py: its server imports this module once.

An import computes nothing, so no library has started its pool of threads when the server forks. openvino is left out:
its import starts a thread, which the forked process would miss. So are the project's own modules: a command imports
these as a new interpreter would, with the settings of that command. dbt parses the project once, since it keeps in
memory what it has found out about its own classes.
"""

import gc
import os
import tempfile
from pathlib import Path

# LiteLLM fetches its prices over the network at import; groundswell.llm.model sets these for the same reasons.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOG"] = "ERROR"

import cmarkgfm  # noqa: F401
import datasketch  # noqa: F401
import dbt.adapters.duckdb.impl
import dbt.adapters.factory
import dbt.cli.main
import dbt.task.build
import duckdb  # noqa: F401
import emoji  # noqa: F401
import graspologic_native  # noqa: F401
import httpx  # noqa: F401
import litellm  # noqa: F401
import lxml.html  # noqa: F401
import phonenumbers  # noqa: F401
import pocketbase  # noqa: F401
import pyarrow.compute  # noqa: F401
import pycld2  # noqa: F401
import rich.progress  # noqa: F401
import sentence_transformers  # noqa: F401
import sentencex  # noqa: F401
import sklearn.cluster
import sklearn.manifold  # noqa: F401
import sumy.summarizers.lex_rank  # noqa: F401
import typer  # noqa: F401
import url_normalize  # noqa: F401


def parse_once() -> None:
    """Parse the project, so that no forked process builds dbt's JSON schemas and serializers again.

    dbt's static parser is left out, because it starts threads. Raises RuntimeError if dbt can not parse the project.
    """
    root = Path(__file__).parents[2]
    options = ["--quiet", "--log-level-file", "none", "--no-partial-parse", "--no-static-parser"]
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as target:
        os.environ |= {"GROUNDSWELL_DB": ":memory:", "DBT_TARGET_PATH": target}
        folders = ["--project-dir", str(root), "--profiles-dir", str(root)]
        parsed = dbt.cli.main.dbtRunner().invoke([*options, "parse", *folders, "--vars", "date: 2026-11-20"])
    os.environ.clear()
    os.environ.update(before)
    dbt.adapters.factory.reset_adapters()
    if not parsed.success:
        raise RuntimeError(f"dbt can not parse the project: {parsed.exception}")


parse_once()
# No forked process collects, or copies, the pages of these libraries: https://docs.python.org/3/library/gc.html#gc.freeze
gc.collect()
gc.freeze()
