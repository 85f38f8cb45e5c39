"""Where the lake is, and how a connection of DuckDB gets it: settings, secrets, extensions, and what can be wrong."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb

from groundswell.environment import SettingError
from groundswell.errors import adding
from groundswell.lake import LakeError

if TYPE_CHECKING:
    import psycopg

ALIAS = "lake"
PREFIX = "ducklake:"
# Versions of DuckLake's tables in the catalog. DuckLake's extension would write to none of the others.
VERSIONS = ("1.0",)
# Postgres' clock orders the snapshots and ours the posts: an hour apart, a day would end an hour early.
CLOCKS_APART = timedelta(minutes=5)
# A machine that is away must not hold up a worker for ever. Seconds, but milliseconds for tcp_user_timeout.
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
# DuckDB writes a secret as name=value;name=value, and quotes nothing.
SECRET_NAMES = {
    "ducklake": ("data_path", "metadata_path", "metadata_schema", "metadata_parameters", "metadata_catalog"),
    "postgres": ("dbname", "host", "password", "passfile", "port", "user"),
}
HIDDEN = "***"
# Letters of another program's message.
LONGEST_REASON = 400


@dataclass(frozen=True)
class Lake:
    """Where the lake is.

    kind: postgres, sqlite or duckdb. catalog: libpq's parameters without the password, or the path of a file.
    data: a folder, or an address such as s3://bucket/prefix; None: where the catalog says. schema: of the catalog's
    tables in Postgres; None: the default one.
    """

    kind: str
    catalog: str
    data: str | None = None
    schema: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def conninfo(self) -> str:
        """The parameters of libpq with the password. Keep them out of messages."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo(self.catalog, **({"password": self.password} if self.password else {}))

    @property
    def shown(self) -> str:
        """The lake's name in messages."""
        if self.kind != "postgres":
            return self.catalog
        from psycopg.conninfo import conninfo_to_dict

        parts = conninfo_to_dict(self.catalog)
        return f"Postgres {parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def lake(environment: Mapping[str, str] = os.environ) -> Lake | None:
    """The lake of the settings; None if GROUNDSWELL_LAKE is unset or empty.

    Raises SettingError for an address that is none, and LakeError if a package or the secret is missing.
    """
    address = environment.get("GROUNDSWELL_LAKE", "").strip()
    if not address:
        return None
    data = environment.get("GROUNDSWELL_LAKE_DATA", "").strip() or None
    if not address.startswith(PREFIX) or address == PREFIX:
        # Never the value itself: it may hold a password.
        raise SettingError(
            "GROUNDSWELL_LAKE is no address of a lake: write ducklake:NAME for a secret of DuckDB, "
            "ducklake:postgres:dbname=... host=..., or ducklake:PATH for a file"
        )
    rest = address.removeprefix(PREFIX)
    schema = None
    # DuckLake's own rule for the name of a secret.
    if re.fullmatch(r"\w+", rest, re.ASCII):
        secret = read_secret(rest, "ducklake")
        rest, schema = secret.get("metadata_path", ""), secret.get("metadata_schema")
        data = data or secret.get("data_path")
        # metadata_parameters={TYPE=postgres, SECRET=name}
        parameters = dict(re.findall(r"(\w+)=([^,}]*)", secret.get("metadata_parameters", "")))
        parameters = {name.lower(): value.strip() for name, value in parameters.items()}
        if "secret" in parameters:
            return postgres_lake(rest, data, schema, read_secret(parameters["secret"], "postgres"))
    if re.match(r"postgres(ql)?:", rest):
        return postgres_lake(rest, data, schema, {})
    kind, separator, path = rest.partition(":")
    if not separator or kind not in ("sqlite", "duckdb"):
        kind, path = "duckdb", rest
    return Lake(kind, str(Path(path).absolute()), absolute(data))


def require_lake() -> Lake:
    """The lake of the settings. Raises SettingError if there is none."""
    found = lake()
    if found is None:
        raise SettingError("GROUNDSWELL_LAKE is not set: there is no lake to look after")
    return found


def postgres_lake(address: str, data: str | None, schema: str | None, secret: Mapping[str, str]) -> Lake:
    """A lake with its catalog in Postgres: postgres:dbname=..., or postgres://..., with what a secret adds."""
    require_package("psycopg")
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    # A web address keeps its scheme, libpq's parameters lose DuckLake's.
    plain = address if "://" in address.partition("=")[0] else re.sub(r"^postgres(ql)?:", "", address)
    # DuckLake's own spelling: postgres:postgresql://...
    plain = re.sub(r"^postgres(ql)?:(?=postgres(ql)?://)", "", plain)
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(plain).items()} | dict(secret)
    except psycopg.Error:
        # Its message holds the address.
        raise SettingError(
            "GROUNDSWELL_LAKE is no address of Postgres: write ducklake:postgres:dbname=... host=... user=..."
        ) from None
    password = parts.pop("password", None)
    return Lake("postgres", make_conninfo(**(PATIENCE | parts)), absolute(data), schema, password)


def read_secret(name: str, kind: str) -> dict[str, str]:
    """The parameters of a persistent secret of DuckDB, passwords included. Raises LakeError if there is none."""
    with duckdb.connect(config={"allow_unredacted_secrets": True}) as connection:
        load_extension(connection, "ducklake")
        load_extension(connection, "postgres_scanner")
        query = "select secret_string, type from duckdb_secrets(redact = false) where name = ?"
        found = connection.execute(query, [name]).fetchone()
    if not found or found[1] != kind:
        what = f"is one of type {found[1]}" if found else "does not exist"
        raise LakeError(
            f"secret {name} of DuckDB {what}, and the lake needs one of type {kind}: create persistent secret {name} "
            f"(type {kind}, ...), or write the lake's address into GROUNDSWELL_LAKE"
        )
    names = "|".join((*SECRET_NAMES[kind], "encrypted", "serializable", "scope"))
    parts = [part.partition("=") for part in re.split(rf";(?=(?:{names})(?:=|;))", found[0])]
    return {key: value for key, _, value in parts if key in SECRET_NAMES[kind]}


def absolute(data: str | None) -> str | None:
    """The data path as DuckLake keeps it: a folder from the root on, with a slash at the end."""
    if data is None:
        return None
    return (data if is_remote(data) else str(Path(data).absolute())).rstrip("/") + "/"


def is_remote(path: str) -> bool:
    """Whether a path is an address of an object store."""
    return bool(re.match(r"\w+://", path))


def attach(connection: duckdb.DuckDBPyConnection, lake: Lake, *, read_only: bool = False) -> None:
    """Attach the lake to a connection under the name lake. A lake that does not exist yet is made, if not read_only.

    Raises LakeError, in one line: the catalog, the folder or the bucket is not there, a password or key is refused, an
    extension is missing, the lake has a version or a data path that do not fit, or the clocks are apart.
    """
    load_extension(connection, "ducklake")
    if extension := {"postgres": "postgres_scanner", "sqlite": "sqlite_scanner"}.get(lake.kind):
        load_extension(connection, extension)
    known = examine(lake)
    if known is not None:
        attach_data(connection, lake, known or lake.data, read_only=read_only)
        return
    refuse_new_lake(lake, read_only=read_only)
    # Not at the top: the locks need this file.
    from groundswell.lake.locks import lock

    with lock(lake, "setup"):
        # Another worker may have made it meanwhile.
        known = examine(lake)
        attach_data(connection, lake, known or lake.data, read_only=read_only, is_new=known is None)


def attach_data(
    connection: duckdb.DuckDBPyConnection, lake: Lake, data: str | None, *, read_only: bool, is_new: bool = False
) -> None:
    """Attach a lake whose catalog was examined. data: None if the catalog alone knows it."""
    if data:
        open_data(connection, lake, data, read_only=read_only, is_new=is_new)
    options = {"data_path": data, "metadata_schema": lake.schema}
    written = [f"{name} {literal(value)}" for name, value in options.items() if value]
    # Rows go to files only. DuckLake would put ten rows and fewer into the catalog, which is no faster for a day.
    written += ["read_only"] if read_only else ["data_inlining_row_limit 0"]
    path = {"postgres": f"postgres:{lake.catalog}", "sqlite": f"sqlite:{lake.catalog}"}.get(lake.kind, lake.catalog)
    with lake_errors(lake):
        if lake.password:
            # Not in the address, which duckdb_databases() shows.
            connection.execute(
                f"create or replace temporary secret groundswell_catalog (type postgres, password"
                f" {literal(lake.password)})"
            )
            written.append("meta_secret 'groundswell_catalog'")
        connection.execute(f"attach {literal(PREFIX + path)} as {ALIAS} ({', '.join(written)})")
        if is_new:
            # A quarter smaller than with snappy, which DuckLake takes by default.
            connection.execute(f"call {ALIAS}.set_option('parquet_compression', 'zstd')").fetchall()


def examine(lake: Lake) -> str | None:
    """The data path of the lake, "" if only DuckLake can tell it; None if there is no lake yet. Raises LakeError."""
    return examine_catalog(lake) if lake.kind == "postgres" else examine_file(lake)


def examine_catalog(lake: Lake) -> str | None:
    """As examine, for a catalog in Postgres, which is asked before DuckDB: psycopg's messages hold no password."""
    with connect_catalog(lake, "attach") as catalog:
        moment = value_of(catalog, "select now()")
        ours = datetime.now(UTC)
        if abs(moment - ours) > CLOCKS_APART:
            raise LakeError(
                f"the clocks are apart: {lake.shown} says {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, this machine"
                f" {ours:%Y-%m-%d %H:%M:%S}; set the wrong one right"
            )
        table = f"{quote_name(lake.schema)}.ducklake_metadata" if lake.schema else "ducklake_metadata"
        if value_of(catalog, "select to_regclass(%s)", table) is None:
            return None
        known = dict(
            catalog.execute(
                f"select key, value from {table} where key in ('version', 'data_path') and scope is null".encode()
            ).fetchall()
        )
    refuse_version(lake, known.get("version", "unknown"))
    if lake.data and lake.data != known.get("data_path"):
        raise LakeError(mismatch(lake, known.get("data_path", "")))
    return str(known["data_path"])


def refuse_new_lake(lake: Lake, *, read_only: bool) -> None:
    """Raise LakeError if there is no lake yet, and it can not be made."""
    if read_only:
        raise LakeError(
            f"there is no lake in {lake.shown} yet: the first command that collects posts makes it (python -m ingest)"
        )
    if not lake.data:
        raise LakeError(
            f"there is no lake in {lake.shown} yet, and GROUNDSWELL_LAKE_DATA does not say where its data shall be: set"
            " it to a folder or to s3://BUCKET/PREFIX"
        )


def examine_file(lake: Lake) -> str | None:
    """As examine, for a catalog that is a file. Raises LakeError if the file can be neither opened nor made."""
    path = Path(lake.catalog)
    if not path.parent.is_dir():
        raise LakeError(f"folder {path.parent} of the lake's catalog is not there: mount it, or make it")
    return (lake.data or "") if path.exists() else None


def refuse_version(lake: Lake, version: str) -> None:
    """Raise LakeError for a catalog of another version of DuckLake."""
    if version in VERSIONS:
        return
    numbers = [tuple(map(int, re.findall(r"\d+", text))) for text in (version, VERSIONS[-1])]
    is_newer = numbers[0] > numbers[1]
    advice = (
        "install a newer Groundswell"
        if is_newer
        else "migrate it once, while no worker runs: attach it in DuckDB with automatic_migration"
    )
    raise LakeError(
        f"the lake in {lake.shown} has version {version} of DuckLake, and this Groundswell knows"
        f" {', '.join(VERSIONS)}: {advice}"
    )


def mismatch(lake: Lake, known: str) -> str:
    """The message for a data path that is not the lake's."""
    return (
        f"the lake in {lake.shown} has its data in {known}, and GROUNDSWELL_LAKE_DATA or the secret says {lake.data}:"
        " leave the setting out, or use another catalog"
    )


def open_data(connection: duckdb.DuckDBPyConnection, lake: Lake, data: str, *, read_only: bool, is_new: bool) -> None:
    """Give the connection the keys of the object store, and look whether the data can be reached.

    Raises LakeError if not: DuckLake would make a folder that is not there, in the place where a disk is to be mounted.
    A new lake must not have the data path of another one, whose files upkeep would take for orphans.
    """
    if not is_remote(data):
        folder = Path(data)
        if not folder.is_dir():
            raise LakeError(f"folder {folder} of the lake's data is not there: mount it, or make it: mkdir -p {folder}")
        if not read_only and not os.access(folder, os.W_OK | os.X_OK):
            raise LakeError(f"folder {folder} of the lake's data can not be written by this user")
    else:
        load_extension(connection, "httpfs")
    with lake_errors(lake):
        if data.startswith("s3://") and os.environ.get("AWS_ACCESS_KEY_ID"):
            connection.execute(f"create or replace temporary secret groundswell_s3 ({', '.join(s3_parameters(data))})")
        # One request to an object store: nothing has the second name.
        pattern = "**/*.parquet" if is_new else "groundswell-is-here-*"
        # All of it: DuckDB keeps the transaction of a result open that was not read to its end, and Postgres its own.
        found = connection.execute("select file from glob(?) limit 1", [data + pattern]).fetchall()
    if found and is_new:
        raise LakeError(
            f"{data} holds files of another lake, as {found[0][0]}: set GROUNDSWELL_LAKE_DATA to an empty place, or"
            " GROUNDSWELL_LAKE to the catalog of those files"
        )


def s3_parameters(data: str) -> Iterator[str]:
    """The parameters of a secret of type s3, from the variables that Amazon's programs read."""
    yield "type s3"
    yield f"scope {literal('/'.join(data.split('/')[:3]))}"
    variables = {
        "key_id": "AWS_ACCESS_KEY_ID",
        "secret": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
        "region": "AWS_REGION",
    }
    for name, variable in variables.items():
        if value := os.environ.get(variable):
            yield f"{name} {literal(value)}"
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        scheme, separator, host = endpoint.rstrip("/").rpartition("://")
        yield f"endpoint {literal(host)}"
        yield f"use_ssl {str(not separator or scheme == 'https').lower()}"
        # Servers of one's own have no name for each bucket.
        yield "url_style 'path'"


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension of DuckDB: from its wheel, or where DuckDB has installed it, or from DuckDB's site.

    Raises LakeError if it is nowhere.
    """
    if wheel := wheel_of(name):
        with extension_errors(name):
            connection.execute(f"load {literal(str(wheel))}")
        return
    try:
        connection.execute(f"load {name}")
    except duckdb.Error:
        with extension_errors(name):
            connection.execute(f"install {name}")
            connection.execute(f"load {name}")


def wheel_of(name: str) -> Path | None:
    """The extension's file for this version of DuckDB in the package duckdb_extension_NAME; None if there is none."""
    spec = find_spec(f"duckdb_extension_{name}")
    folders = (spec.submodule_search_locations if spec else None) or []
    found = [Path(folder, "extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension") for folder in folders]
    return next(filter(Path.is_file, found), None)


@contextmanager
def extension_errors(name: str) -> Iterator[None]:
    """Turn an error inside a with block into a LakeError about an extension."""
    try:
        yield
    except duckdb.Error as error:
        raise LakeError(
            f"DuckDB's extension {name} can not be loaded ({str(error).splitlines()[0]}): {adding('lake')}"
        ) from None


def require_package(name: str) -> None:
    """Raise LakeError if a package of the extra is not installed."""
    if find_spec(name) is None:
        raise LakeError(f"the lake needs package {name}, which is not installed: {adding('lake')}")


def connect_catalog(lake: Lake, purpose: str) -> "psycopg.Connection[Any]":
    """A connection of its own to the catalog's Postgres, with autocommit. Raises LakeError if there is none."""
    require_package("psycopg")
    import psycopg
    from psycopg.conninfo import make_conninfo

    try:
        # Postgres keeps 63 bytes of the name.
        return psycopg.connect(
            make_conninfo(lake.conninfo, application_name=f"groundswell {purpose}"[:63]), autocommit=True
        )
    except psycopg.Error as error:
        raise LakeError(
            f"the lake's {lake.shown} can not be used ({one_line(lake, str(error))}): look whether it runs, and"
            " whether GROUNDSWELL_LAKE has the right address and password"
        ) from None


def value_of(catalog: "psycopg.Connection[Any]", query: str, *parameters: object) -> Any:
    """The single value that a query returns; None if it returns no row."""
    row = catalog.execute(query.encode(), parameters).fetchone()
    return row[0] if row else None


# What DuckDB says, and what a person should read. The first one that fits is taken.
FAULTS = (
    (
        r"No space left|[Dd]isk full|could not extend|File too large",
        "the lake is full ({reason}): nothing of this was stored; make room, and run the command again",
    ),
    (
        r"Unable to connect to Postgres|server closed the connection|terminating connection|connection to server"
        r"|Failed to execute query \"(BEGIN|COMMIT|ROLLBACK)",
        "the lake's {lake} went away ({reason}): run the command again when it is back",
    ),
    (
        r"does not match existing data path",
        "the lake in {lake} has its data elsewhere ({reason}): leave GROUNDSWELL_LAKE_DATA out",
    ),
    (
        r"catalog version|newer than the requested version",
        "the lake in {lake} has another version of DuckLake ({reason})",
    ),
    (
        r"HTTP 40[13]|Forbidden|AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId",
        "the object store refuses the key ({reason}): look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and at the"
        " bucket's rights and quota",
    ),
    (
        r"HTTP 404|NoSuchBucket",
        "the bucket or a file of the lake is not there ({reason}): look at GROUNDSWELL_LAKE_DATA and AWS_ENDPOINT_URL",
    ),
    (
        # An object store that is full says no more than 500.
        r"HTTP 5\d\d",
        "the object store is full or fails ({reason}): nothing of this was stored; look whether it has room, and run"
        " the command again",
    ),
    (
        r"Could not (establish )?connect|[Cc]onnection (refused|error)|IO Error: .*(GET|PUT|HEAD|POST)",
        "the object store can not be reached ({reason}): nothing of this was stored; run the command again when it is"
        " back",
    ),
    (
        r"[Cc]onflicting lock|database is locked",
        "another process uses the lake's catalog {lake} ({reason}): a file serves one process at a time",
    ),
    (
        r"[Cc]onflict",
        "another worker changed the lake at the same moment ({reason}): nothing of this was stored; run the command"
        " again",
    ),
)


@contextmanager
def lake_errors(lake: Lake) -> Iterator[None]:
    """Turn DuckDB's errors inside a with block into a LakeError of one line, without passwords and keys."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        message = next(
            (message for pattern, message in FAULTS if re.search(pattern, text)), "the lake {lake}: {reason}"
        )
        # None: a traceback would show DuckDB's own text.
        raise LakeError(message.format(lake=lake.shown, reason=one_line(lake, text))) from None


def one_line(lake: Lake, text: str) -> str:
    """What DuckDB or Postgres says, in one line, without passwords and keys."""
    cleared = text
    for secret in secrets_of(lake):
        cleared = cleared.replace(secret, HIDDEN)
    # A password that came from elsewhere.
    cleared = re.sub(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s\"';]+)", rf"\1{HIDDEN}", cleared, flags=re.IGNORECASE)
    cleared = re.sub(r"(://[^/@\s:]*):[^@\s]*@", rf"\1:{HIDDEN}@", cleared)
    # The address is long, and the message names the lake already.
    cleared = re.sub(r'Failed to attach DuckLake MetaData "[^"]*" at path \+ "[^"]*"', "", cleared)
    cleared = re.sub(r'Unable to connect to Postgres at "[^"]*": ', "", cleared)
    # A query of DuckLake follows, from which nobody learns anything.
    cleared = " ".join(cleared.partition("\nLINE ")[0].split())
    return cleared.rstrip(":. ")[:LONGEST_REASON] or "no reason was given"


def secrets_of(lake: Lake) -> Iterable[str]:
    """All ways in which a message may write the passwords and keys that we know, the longest first."""
    variables = ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    known = {lake.password or "", *(os.environ.get(name, "") for name in variables)} - {""}
    ways = {
        way
        for secret in known
        for way in (secret, quote(secret, safe=""), secret.replace("\\", "\\\\").replace("'", "\\'"), literal(secret))
    }
    return sorted(ways, key=len, reverse=True)


def literal(text: str) -> str:
    """A text as SQL writes it, where nothing can be bound."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str | None) -> str:
    """A name as SQL writes it."""
    return '"' + (name or "").replace('"', '""') + '"'
