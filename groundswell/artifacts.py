"""Spares the commands of dbt that only look what nobody reads: another manifest.json, and the graph for macros."""

import json
from pathlib import Path

from dbt.constants import MANIFEST_FILE_NAME, PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags

LISTS = {"list", "ls"}
LOOKS = {*LISTS, "show"}

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


def build_graph_to_render(manifest: Manifest) -> None:
    """Build what a macro reads as `graph`, as dbt does, unless the command renders no macro: `dbt ls`."""
    if get_flags().WHICH not in LISTS:
        build_graph(manifest)


def spare_looks() -> None:
    """Call it before dbt reads the project."""
    Manifest.write = write_if_changed
    Manifest.build_flat_graph = build_graph_to_render
