"""Spares the commands of dbt that only look what nobody reads: another manifest.json, and the graph for macros."""

import json
from collections import UserDict
from functools import cached_property
from pathlib import Path
from typing import Any

from dbt.constants import MANIFEST_FILE_NAME, PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags

LOOKS = {"list", "ls", "show"}

write_manifest = Manifest.write
build_graph = Manifest.build_flat_graph


def is_current(manifest: Path) -> bool:
    """Whether a manifest.json is whole, and newer than the parsed project beside it.

    dbt writes the parsed project anew after each change of a file, a var (except `date`), the target or a setting.
    """
    try:
        if manifest.stat().st_mtime_ns <= manifest.with_name(PARTIAL_PARSE_FILE_NAME).stat().st_mtime_ns:
            return False
        # A command that was killed leaves half a file.
        json.loads(manifest.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


def write_if_changed(manifest: Manifest, path: str) -> None:
    """Write the file as dbt does, unless the command only looks and the file is current."""
    flags = get_flags()
    # A user may name another kept project.
    is_kept_here = not getattr(flags, "PARTIAL_PARSE_FILE_PATH", None)
    if not (flags.WHICH in LOOKS and is_kept_here and Path(path).name == MANIFEST_FILE_NAME and is_current(Path(path))):
        write_manifest(manifest, path)


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


def spare_looks() -> None:
    """Call it before dbt reads the project."""
    Manifest.write = write_if_changed
    Manifest.build_flat_graph = build_graph_if_read
