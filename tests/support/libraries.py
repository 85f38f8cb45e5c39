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
from types import CodeType
from typing import Any

# LiteLLM fetches its prices over the network at import; groundswell.llm.model sets these for the same reasons.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOG"] = "ERROR"
# No test reaches the hub of models.
os.environ["HF_HUB_OFFLINE"] = "1"

import cmarkgfm  # noqa: F401
import datasketch  # noqa: F401
import dbt.adapters.duckdb.impl
import dbt.adapters.factory
import dbt.cli.main
import dbt.parser.manifest
import dbt.task.build
import dbt_common.clients.jinja
import dbt_common.tests
import duckdb  # noqa: F401
import emoji  # noqa: F401
import graspologic_native  # noqa: F401
import httpx  # noqa: F401
import jinja2
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
import tabulate  # type: ignore[import-untyped]  # noqa: F401
import typer  # noqa: F401
import url_normalize  # noqa: F401
from dbt.contracts.graph.manifest import Manifest


def keep_templates() -> None:
    """Let Jinja keep the trees and the code of templates, by their text. dbt reads the trees, and changes none."""
    parse, compile_text = jinja2.Environment.parse, jinja2.Environment.compile
    trees: dict[tuple[object, ...], jinja2.nodes.Template] = {}
    codes: dict[tuple[object, ...], CodeType] = {}

    def parse_once(env: jinja2.Environment, source: str, name: str | None = None, filename: str | None = None) -> Any:
        key = type(env), source, name, filename
        if key not in trees:
            trees[key] = parse(env, source, name, filename)
        return trees[key]

    def compile_once(env: jinja2.Environment, source: Any, *options: Any, **more: Any) -> Any:
        if options or more or not isinstance(source, str):
            return compile_text(env, source, *options, **more)
        key = type(env), source
        if key not in codes:
            codes[key] = compile_text(env, source)
        return codes[key]

    jinja2.Environment.parse = parse_once  # type: ignore[method-assign, assignment]
    jinja2.Environment.compile = compile_once  # type: ignore[method-assign, assignment]


def read_manifest(file: Path) -> Manifest:
    """The parsed project that dbt has kept in a file."""
    manifest = Manifest.from_msgpack(file.read_bytes(), decoder=dbt.parser.manifest.extended_mashumuro_decoder)
    manifest.build_parent_and_child_maps()
    manifest.build_flat_graph()
    return manifest


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
        # The first manifest that dbt reads lets it write the code that reads one.
        manifest = read_manifest(Path(target) / "partial_parse.msgpack")
    # dbt compiles a macro at its first use, and keeps it by its text.
    for macro in manifest.macros.values():
        dbt_common.clients.jinja.template_cache.get_node_template(macro)


keep_templates()
# dbt then looks for its plugins once, and takes each macro's text apart once.
dbt_common.tests.enable_test_caching()
parse_once()
# No forked process collects, or copies, the pages of these libraries: https://docs.python.org/3/library/gc.html#gc.freeze
gc.collect()
gc.freeze()
