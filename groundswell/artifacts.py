"""Spares the commands of dbt what nobody reads.

Those that only look get no other manifest.json, and no graph for macros unless one reads it. Those that build write
manifest.json at their end alone, not before their first node as well. graph_summary.json, with
which the developers of dbt look for faults, has no nodes: making it took 3 % of `dbt show`. The module of a behavior
flag is found without reading the source files of all callers: that took 1 %. The JSON schemas of dbt's classes, which
only check values, name no defaults: mashumaro made a class for each default, 8 % of a first build.
"""

import json
import sys
from collections import UserDict
from dataclasses import MISSING
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from dbt.compilation import Linker
from dbt.constants import MANIFEST_FILE_NAME, PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags
from dbt.task.runnable import GraphRunnableTask
from dbt_common import behavior_flags
from mashumaro.jsonschema import schema

LOOKS = {"list", "ls", "show"}
# dbt writes manifest.json twice: when it has read the project, and with what nodes have compiled.
WRITES_TWICE = {"build", "run", "seed", "test"}

run_task = GraphRunnableTask.run
write_manifest = Manifest.write
build_graph = Manifest.build_flat_graph


def is_current(manifest: Path) -> bool:
    """Whether a manifest.json is whole, and newer than the parsed project beside it.

    dbt writes the parsed project anew after each change of a file, a var (except `date`), the target or a setting.
    """
    try:
        written, parsed = (file.stat().st_mtime_ns for file in (manifest, manifest.with_name(PARTIAL_PARSE_FILE_NAME)))
    except FileNotFoundError:
        return False
    return written > parsed and is_whole(manifest, written)


@cache
def is_whole(manifest: Path, _written: int) -> bool:
    """Whether a file of JSON is whole. A killed command leaves half a file.

    dbt asks twice, so the answer is kept for as long as the file has the same time of writing.
    """
    try:
        json.loads(manifest.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


# What is written when the nodes have run, by path.
unwritten: dict[str, Manifest] = {}


def write_if_changed(manifest: Manifest, path: str) -> None:
    """Write the file as dbt does, unless dbt writes it again, or the command only looks and the file is current."""
    flags = get_flags()
    if flags.WHICH in WRITES_TWICE and path not in unwritten:
        unwritten[path] = manifest
        return
    unwritten.pop(path, None)
    # A user may name another kept project.
    is_kept_here = not getattr(flags, "PARTIAL_PARSE_FILE_PATH", None)
    if not (flags.WHICH in LOOKS and is_kept_here and Path(path).name == MANIFEST_FILE_NAME and is_current(Path(path))):
        write_manifest(manifest, path)


def run_and_write(task: GraphRunnableTask) -> Any:
    """Run nodes as dbt does. If that fails before dbt writes the manifest again, write the one of before."""
    try:
        return run_task(task)
    finally:
        for path, manifest in [*unwritten.items()]:
            manifest.write(path)


class Graph(UserDict[str, Any]):
    """What a macro reads as `graph`, built when one reads it."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @cached_property
    def data(self) -> Any:  # type: ignore[override]
        """The parts of the graph by their names, as dbt makes them."""
        build_graph(self.manifest)
        return self.manifest.flat_graph


def build_graph_if_read(manifest: Manifest) -> None:
    """Build the graph as dbt does, or, if the command only looks, when a macro reads it."""
    if get_flags().WHICH in LOOKS:
        manifest.flat_graph = Graph(manifest)
    else:
        build_graph(manifest)


def summarize_nothing(_linker: Linker, _manifest: Manifest) -> dict[int, dict[str, Any]]:
    """What dbt writes to graph_summary.json of the nodes."""
    return {}


def source_of_flag() -> str:
    """The module that makes a behavior flag, which dbt names in warnings: the first caller outside of dbt's module."""
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] == behavior_flags.__name__ and frame.f_back:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def no_default(*_: Any) -> Any:
    """What a JSON schema says of the default of a field: nothing. A check of a value does not read it."""
    return MISSING


def spare_unread() -> None:
    """Call it before dbt reads the project."""
    schema._default = no_default  # type: ignore[assignment]
    behavior_flags.BehaviorFlagRendered._default_source = staticmethod(source_of_flag)  # type: ignore[method-assign]
    Linker.get_graph_summary = summarize_nothing
    GraphRunnableTask.run = run_and_write
    Manifest.write = write_if_changed
    Manifest.build_flat_graph = build_graph_if_read
