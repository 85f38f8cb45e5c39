"""groundswell/ray_pool.py: encoding on the nodes of a real Ray cluster, in a network namespace of its own."""

import importlib.util
import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from groundswell.encoder import BUNDLED, EmbeddingError
from groundswell.encoders import open_encoder
from groundswell.ray_pool import Facts, unlike
from tests.support.project import ROOT

LOOPBACK = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
needs_ray = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed: pip install ray")


@pytest.fixture(scope="module")
def said() -> Any:
    """What tests.support.ray_nodes prints."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("without unshare and ip, Ray would listen on all addresses of this machine")
    if subprocess.run([*LOOPBACK, "true"], capture_output=True).returncode:
        pytest.skip("this user can make no network namespace, and Ray would listen on all addresses of this machine")
    command = [*LOOPBACK, sys.executable, "-m", "tests.support.ray_nodes"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return json.loads(finished.stdout.splitlines()[-1])


@needs_ray
def test_two_nodes_encode_as_this_machine(said: Any) -> None:
    assert said["nodes"] == 2
    assert said["names"]
    assert said["identical"]
    local, on_nodes = said["used"]
    assert local == on_nodes


@needs_ray
def test_a_killed_process_and_a_killed_node_lose_nothing(said: Any) -> None:
    assert said["names after kills"]
    assert said["identical after kills"]
    assert said["left"] == 1


@needs_ray
def test_a_process_that_computes_otherwise_is_refused(said: Any) -> None:
    assert "one node computes on CPU, fp64" in said["otherwise"]


@needs_ray
def test_a_cluster_that_is_away(said: Any) -> None:
    assert "no connection to the cluster at RAY_ADDRESS 127.0.0.1:" in said["away"]
    assert "\n" not in said["away"]


@needs_ray
@pytest.mark.parametrize("address", ["", "local"])
def test_ray_starts_no_cluster_of_its_own(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(EmbeddingError, match="RAY_ADDRESS names no cluster"), open_encoder("ray", BUNDLED, "auto"):
        pass


def test_other_engines_are_refused() -> None:
    with pytest.raises(EmbeddingError, match="local or ray, not 'dask'"), open_encoder("dask", BUNDLED, "auto"):
        pass


def test_other_weights_are_refused() -> None:
    assert "SHA-256 a and b" in str(unlike(Facts("CPU, bf16", "a"), Facts("CPU, bf16", "b")))
