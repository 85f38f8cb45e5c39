"""Runs dbt and the project's modules in processes that are forked from one that has imported their libraries.

Starting Python and importing dbt, torch and LiteLLM takes eight seconds of CPU time, and the tests run some two
hundred commands. The fork server of multiprocessing imports the libraries once. Each command then runs in a process
of its own: with its own environment, working directory, output and exit status. It can be killed like any other.

The server takes fifteen seconds of CPU time to start. The process that starts the workers of pytest-xdist starts it for
all of them.
"""

import atexit
import gc
import logging
import multiprocessing
import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

# Libraries read variables with these prefixes when they are imported: a command that sets one needs a new interpreter.
READ_AT_IMPORT = ("PYTHON", "HF_")
# Except for these: the fork server has imported its libraries with one, and `perform` does what the other says.
UNDERSTOOD = ("HF_HUB_OFFLINE", "PYTHONPATH")

context = multiprocessing.get_context("forkserver")
PRELOADED = ["__main__", "tests.support.libraries", __name__]
# Where a worker finds the address of the shared server.
ADDRESS = "GROUNDSWELL_FORK_SERVER"


def can_run(command: Sequence[str], settings: Mapping[str, str]) -> bool:
    """Whether a forked process runs this command just as a new interpreter does."""
    is_known = is_dbt(command) or command[:2] == (sys.executable, "-m")
    return is_known and not any(name.startswith(READ_AT_IMPORT) and name not in UNDERSTOOD for name in settings)


def is_dbt(command: Sequence[str]) -> bool:
    """Whether this is a command of dbt."""
    return Path(command[0]).name == "dbt"


def start(target: Callable[..., object], *arguments: object) -> ForkServerProcess:
    """Call a function in a forked process. It ends with this process at the latest."""
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def share_server() -> None:
    """Start the server for the processes that this process starts. It ends with this process.

    multiprocessing has no public way to share a server, and from Python 3.14 on asks for a key: workers of that version
    start a server each.
    """
    if sys.version_info < (3, 14):
        context.set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()
        server: Any = forkserver._forkserver
        os.environ[ADDRESS] = server._forkserver_address


def join_server() -> None:
    """Let this process use the server that `share_server` has started, if there is one."""
    if address := os.environ.get(ADDRESS):
        server: Any = forkserver._forkserver
        server._forkserver_address = address
        # Each request passes one end of a pipe that tells a server when the last of its users has ended: not this one.
        server._forkserver_alive_fd = os.pipe()[1]
        server.ensure_running = resource_tracker.ensure_running


def run(
    command: tuple[str, ...],
    environment: dict[str, str],
    folder: Path,
    output: Path,
    manifest: Path | None,
    timeout: float,
) -> int:
    """Run a command in a folder and write what it prints to a file; returns its exit status, -9 for a killed process.

    manifest is a file that holds the parsed project; the first command that needs it writes it. Raises TimeoutError.
    """
    process = start(perform, command, environment, folder, output, manifest)
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"{' '.join(command)} ran for more than {timeout} s")
    return process.exitcode


def perform(
    command: tuple[str, ...], environment: dict[str, str], folder: Path, output: Path, manifest: Path | None
) -> None:
    """Turn the forked process into the command."""
    # The process is short-lived, and a tenth of its time went into collections.
    gc.disable()
    with output.open("wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    preferred = environment.get("PYTHONPATH")
    if preferred and preferred != os.environ.get("PYTHONPATH"):
        put_first(Path(preferred))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # A library of the fork server may have set up logging, which a command would then keep.
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    try:
        if is_dbt(command):
            sys.argv = list(command)
            run_dbt(manifest)
        else:
            # dbt's import gives the root logger a handler, which keeps logging.basicConfig from setting it up.
            logging.getLogger().handlers.clear()
            sys.argv = list(command[2:])
            runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    finally:
        # multiprocessing skips them, and dbt-duckdb closes its database in one of them.
        atexit._run_exitfuncs()


def put_first(folder: Path) -> None:
    """Import modules from a folder, also instead of those that the fork server has imported."""
    sys.path.insert(0, str(folder))
    replaced = {file.stem for file in folder.glob("*.py")}
    for name in [name for name in sys.modules if name.partition(".")[0] in replaced]:
        del sys.modules[name]


def run_dbt(kept: Path | None) -> None:
    """Run dbt's command line as its script does, and reuse the parsed project that an earlier command has kept."""
    from dbt.cli.main import cli
    from dbt.compilation import Linker

    # Their import parses the project: only a forked process has it already.
    from tests.support.libraries import read_manifest

    build_macro_contexts_once()
    obj: dict[str, Any] = {}
    parsed = Path(os.environ.get("DBT_TARGET_PATH", "target")) / "partial_parse.msgpack"
    if kept and kept.exists():
        obj["manifest"] = read_manifest(kept)
        # The command that has kept the project has found no cycle in it.
        Linker.find_cycles = no_cycles
    elif kept:
        # What dbt writes there is then what it has parsed now.
        parsed.unlink(missing_ok=True)
    try:
        cli(obj=obj)
    finally:
        if kept and not kept.exists() and parsed.exists():
            complete = kept.with_name(f"{kept.name}.{os.getpid()}")
            complete.write_bytes(parsed.read_bytes())
            complete.rename(kept)


def no_cycles(_linker: object) -> None:
    """Take the place of a search for cycles."""


def build_macro_contexts_once() -> None:
    """Let the macros of a package that the adapter calls share a context. dbt puts all macros into one at each call."""
    from dbt.cli import requires
    from dbt.context.providers import generate_runtime_macro_context

    contexts: dict[tuple[str, str | None], dict[str, Any]] = {}

    def context_of(macro: Any, config: Any, manifest: Any, package_name: str | None) -> dict[str, Any]:
        key = macro.package_name, package_name
        if key not in contexts:
            contexts[key] = generate_runtime_macro_context(macro, config, manifest, package_name)
        return contexts[key]

    requires.generate_runtime_macro_context = context_of
