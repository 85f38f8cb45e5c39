"""python -m sync demo: it ends its server when it is told to end, and takes a free port."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from sync.server import free_address
from tests.support import project


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_server_ends_with_the_demo(tmp_path: Path, number: signal.Signals, status: int) -> None:
    # The demo gets as far as its first build, which waits for a project that nobody writes.
    os.mkfifo(tmp_path / "dbt_project.yml")
    address = project.free_address()
    command = project.heeding(number, [sys.executable, "-m", "sync", "demo", "--http", address])
    environment = {name: value for name, value in os.environ.items() if name not in project.SETTINGS}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        assert demo.stdout.readline().startswith("2026-11-12 collect  80 new posts, 0 updated, 0 known; ")
        httpx.get(f"http://{address}/api/health").raise_for_status()
        below = psutil.Process(demo.pid).children(recursive=True)
        assert any("pocketbase" in process.name() for process in below)
        # More than one can come, as from make, which hands on what its whole group gets.
        while demo.poll() is None:
            demo.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                demo.wait(0.1)
        assert demo.returncode == status
    assert not psutil.wait_procs(below, timeout=120)[1]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/api/health")


def test_a_port_that_is_taken_gives_way_to_a_free_one() -> None:
    address = project.free_address()
    assert free_address(address) == address
    host, _, port = address.partition(":")
    with socket.create_server((host, int(port))):
        other = free_address(address)
        assert other != address
        assert other.startswith(f"{host}:")
