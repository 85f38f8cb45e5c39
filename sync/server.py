"""Runs the bundled PocketBase server with Groundswell's collections and the board."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from groundswell.environment import USUAL_ADDRESS, address_fault, host_and_port
from groundswell.errors import adding
from sync.errors import SyncError

HERE = Path(__file__).parent
# A first start makes all collections, which takes long on a busy machine.
START_SECONDS = 60
STOP_SECONDS = 10


def binary() -> str:
    """The path of the server's program, beside this Python or on the PATH. Raises SyncError if it is not installed."""
    found = shutil.which("pocketbase", path=str(Path(sys.executable).parent)) or shutil.which("pocketbase")
    if not found:
        raise SyncError(f"the PocketBase server is not installed: {adding('bundled')}")
    return found


def command(address: str, data: Path) -> list[str]:
    """The server's command line for an address (host:port) and a data folder."""
    return [
        binary(),
        "serve",
        f"--http={address}",
        f"--dir={data}",
        f"--migrationsDir={HERE / 'pb_migrations'}",
        f"--hooksDir={HERE / 'pb_hooks'}",
        f"--publicDir={HERE / 'pb_public'}",
        # Edits in the dashboard must not become migrations here, and a missing page must not show the board.
        "--automigrate=false",
        "--indexFallback=false",
        "--hooksWatch=false",
    ]


def settings(address: str, proxy_header: str | None = None, *, dashboard: bool = False) -> dict[str, str]:
    """The environment of a server: what sync/pb_hooks/guests.pb.js reads.

    proxy_header: the header in which a proxy before the server writes the address of a visitor.
    dashboard: whether PocketBase's dashboard is served where others can reach it.
    """
    is_near = address.rpartition(":")[0] in ("127.0.0.1", "localhost", "[::1]") and not proxy_header
    return {
        "GROUNDSWELL_PROXY_HEADER": proxy_header or "",
        "GROUNDSWELL_DASHBOARD": "on" if dashboard or is_near else "off",
    }


def usual_address() -> str:
    """Where the server listens unless it is told: at POCKETBASE_URL if that is here, otherwise at USUAL_ADDRESS."""
    url = os.environ.get("POCKETBASE_URL", "").strip()
    parts = urlsplit("" if address_fault("POCKETBASE_URL", url) else url)
    is_here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port
    return f"127.0.0.1:{parts.port}" if is_here else USUAL_ADDRESS


def check_port(address: str) -> None:
    """Raise SyncError if the address (host:port) is in use or invalid."""
    try:
        host, port = host_and_port(address)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, ValueError, OverflowError) as error:
        raise SyncError(f"{address} can not be listened on ({error}): choose another with --http") from error


def free_address(address: str) -> str:
    """The address (host:port), or one with a free port on the same host if that one is in use."""
    host = address.rpartition(":")[0]
    try:
        check_port(address)
    except SyncError:
        with socket.socket() as probe:
            probe.bind((host, 0))
            return f"{host}:{probe.getsockname()[1]}"
    return address


@contextmanager
def running(address: str, data: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run the server for the length of a with block; yields its URL when it answers. Raises SyncError."""
    check_port(address)
    server = subprocess.Popen(
        command(address, data),
        env={**os.environ, **settings(address), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Ctrl-C would reach a server of the same group. Only the end of the with block stops the server.
        start_new_session=True,
    )
    url = f"http://{address}"
    try:
        wait_until_healthy(server, url)
        yield url
    finally:
        server.terminate()
        try:
            server.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


def wait_until_healthy(server: subprocess.Popen[str], url: str) -> None:
    """Return when the server answers. Raises SyncError if it ends, or does not answer in time."""
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=1) as client:
        while time.monotonic() < deadline:
            if server.poll() is not None:
                _, complaint = server.communicate()
                raise SyncError(f"PocketBase did not start: {' '.join(complaint.split())[-500:]}")
            try:
                if client.get(f"{url}/api/health").is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
    raise SyncError(f"PocketBase at {url} did not answer within {START_SECONDS} seconds: try again")
