"""What the project's commands import, for tests/support/forked.py: its server imports this module once.

An import computes nothing, so no library has started its pool of threads when the server forks. openvino is left out:
its import starts a thread, which the forked process would miss. So are the project's own modules: a command imports
these as a new interpreter would, with the settings of that command.
"""

import gc
import os

# LiteLLM fetches its prices over the network at import; groundswell.llm.model sets this for the same reason.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import cmarkgfm  # noqa: F401
import datasketch  # noqa: F401
import dbt.adapters.duckdb.impl
import dbt.cli.main
import dbt.task.build  # noqa: F401
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

# No forked process collects, or copies, the pages of these libraries: https://docs.python.org/3/library/gc.html#gc.freeze
gc.collect()
gc.freeze()
