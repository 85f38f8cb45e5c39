"""The wheel works without the repository: it is installed in a bare environment, and its commands run elsewhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.support.project import DAY, ROOT, SETTINGS, free_address

PACKAGES = ("groundswell", "ingest", "sync")
# What setuptools reads beside the packages.
FILES = ("pyproject.toml", "README.md", "LICENSE", "dbt_groundswell.py")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel installed, and with this environment's packages but not the repository on its path."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, because setuptools leaves its build folder in the source tree.
    source = folder / "source"
    source.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    shutil.rmtree(source)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    [site_packages] = environment.glob("lib/python*/site-packages")
    run(*pip, "install", "--no-deps", "--target", str(site_packages), str(wheel))
    # Python adds the folder to its path, but does not process the .pth files inside, the editable install's among them.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "python"


def run(*command: str, folder: Path | None = None, **settings: str) -> str:
    """The output of a command that succeeds in a folder, without a developer's settings."""
    finished = subprocess.run(
        command, cwd=folder, env=clean_environment(**settings), capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment without a developer's settings; the programs of this environment are on the PATH."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*SETTINGS, "PYTHONPATH")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return inherited | {"PATH": path, "NO_COLOR": "1"} | settings


@pytest.fixture
def board(python: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a board that `python -m sync serve` of the wheel runs."""
    address = free_address()
    command = (str(python), "-m", "sync", "serve", "--http", address, "--dir", str(tmp_path / "pb_data"))
    with subprocess.Popen(
        command, cwd=tmp_path, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(f"http://{address}/api/health", server)
            yield f"http://{address}"
        finally:
            server.terminate()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return once an address answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url, timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def test_the_wheel_has_every_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {
        ".".join(file.relative_to(ROOT).parent.parts)
        for name in PACKAGES
        for file in (ROOT / name).rglob("__init__.py")
    }
    assert set(settings["tool"]["setuptools"]["packages"]) == found


def test_the_packages_come_from_the_wheel(python: Path, tmp_path: Path) -> None:
    program = f"import {', '.join(PACKAGES)}; print({', '.join(f'{name}.__file__' for name in PACKAGES)}, sep='\\n')"
    paths = run(str(python), "-c", program, folder=tmp_path).split()
    assert [path for path in paths if not path.startswith(str(python.parents[1]))] == []


def test_the_wheel_serves_the_board(board: str) -> None:
    page = httpx.get(f"{board}/")
    assert page.status_code == 200
    assert "Groundswell" in page.text
    for name in ("board.js", "words.js", "board.css", "issues.html", "themes.html"):
        assert httpx.get(f"{board}/{name}").status_code == 200, name
    for collection in ("issues", "issue_evidence", "problems", "problem_posts", "themes", "theme_posts", "sources"):
        answer = httpx.get(f"{board}/api/collections/{collection}/records")
        assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_the_wheel_replays_the_sample(python: Path, tmp_path: Path) -> None:
    database = tmp_path / "elsewhere.duckdb"
    run(
        str(python), "-m", "ingest", "--date", DAY, "--sample", folder=tmp_path, GROUNDSWELL_DB=str(database)
    )  # fmt: skip
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select count(*) from bronze.raw_items").fetchall() == [(198,)]
