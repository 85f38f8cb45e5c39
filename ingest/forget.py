"""python -m ingest forget: erases posts for good, from bronze to the board.

1. One transaction deletes the posts and what was computed from them or quotes them, and keeps their hashes in
   bronze.forgotten. No collection, replay or file brings a post back whose hash is there.
2. The database is copied into a new file that takes the place of the old one, because DuckDB keeps deleted bytes in its
   file until it needs their blocks.
3. `python -m sync forgotten` takes the posts off the board.

bronze.forgotten notes the steps that are done. A command that was killed goes on when it is run again.
"""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from groundswell.choices import one_of
from groundswell.clock import now
from groundswell.database import database_path, transaction, write_errors
from groundswell.days import parse_day
from groundswell.errors import GroundswellError
from groundswell.words import count
from ingest.errors import IngestError
from ingest.item import hash_author, match_url, normalise_url
from ingest.sources import sources
from ingest.store import open_store

log = logging.getLogger("groundswell.ingest")

GONE = "(select url_hash from temp.gone)"
# Columns with the hash of a post. A row goes with each of its posts.
KEYS = ("url_hash", "other_url_hash", "duplicate_of")
# Columns with lists of what a label or a choice of titles quotes, each with the hash of its post.
QUOTES = ("quotes", "titles", "sentences", "samples")
# A text of at least so many characters that a label and a post share is taken from the post.
SHARED = 12
# The ledgers of the board, with the columns of the ids of issues, problems and themes.
LEDGERS = {"live_issues": "issue_id", "live_problems": "problem_id", "live_themes": "theme_id"}
FOLLOWERS = {*LEDGERS, "theme_posts"}
# The columns of a label that may share a text.
TEXTS = ("title", "canonical_title", "description", "central_title")
# The name under which the copy is attached: no database of a person is called so.
COPY = "groundswell_forget_copy"
# DuckDB's memory while the file is written anew.
REWRITE_MEMORY = "200MB"
ERASED = "erased: a post was forgotten"

# Temporary tables: the topics, problems, themes, texts, words and addresses of the forgotten posts.
SCOPE = {
    "gone_topics": "select cluster_date, cluster_id, url_hash from {cluster_assignments} where url_hash in {gone}",
    "gone_problems": """
        select problem_id, url_hash from {problem_assignments} where url_hash in {gone} and problem_id is not null
        union select problem_id, url_hash from {problem_candidates} where url_hash in {gone}
    """,
    "gone_themes": "select distinct theme_id, url_hash from {theme_assignments} where url_hash in {gone}",
    # Two posts may have one text, and one vector.
    "gone_texts": """
        select content_hash from (
            select content_hash, url_hash from {texts} union select sha256(title), url_hash from {texts}
        )
        where content_hash is not null
        group by all
        having bool_and(url_hash in {gone})
    """,
    "gone_words": """
        select url_hash, title, concat_ws(chr(10), title, body) as words from bronze.raw_items where url_hash in {gone}
        union all
        select url_hash, redacted_title, concat_ws(chr(10), title, redacted_title, excerpt, text, redacted_body)
        from {documents}
        where url_hash in {gone}
    """,
    "gone_keys": """
        select url_hash, sha256(coalesce(match_url, url)) as match_hash from bronze.raw_items where url_hash in {gone}
    """,
    "gone_addresses": """
        select
            url,
            regexp_replace(url, '^https?://[^/]+', '') as path,
            nullif(regexp_extract(url, '[0-9]{{6,}}'), '') as number,
        from bronze.raw_items
        where url_hash in {gone}
    """,
}
# The tables of a build that SCOPE reads, with the columns that it needs.
BUILT = {
    "cluster_assignments": "cluster_date date, cluster_id integer, url_hash text",
    "problem_assignments": "problem_id text, url_hash text",
    "problem_candidates": "problem_id text, url_hash text",
    "theme_assignments": "theme_id text, url_hash text",
    "texts": "content_hash text, url_hash text, title text",
    "documents": "url_hash text, title text, redacted_title text, excerpt text, text text, redacted_body text",
}


@dataclass(frozen=True)
class Wanted:
    """The posts to forget: those with these addresses, of this author (source and hash), or written before a day."""

    urls: Sequence[str] = ()
    author: tuple[str, str] | None = None
    before: date | None = None


@dataclass(frozen=True)
class Erased:
    """What was erased: posts, and rows that were deleted or changed. days: the days that are to be built again."""

    posts: int
    rows: int
    days: list[date]


def parse_url(address: str) -> str:
    """An address that has a normal form. Raises typer.BadParameter."""
    try:
        normalise_url(address)
    except ValueError as error:
        raise typer.BadParameter(f"{address}: {error}") from None
    return address


def tables_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], set[str]]:
    """The columns of every table of the database, by schema and name."""
    rows = connection.execute(
        """
        select schema_name, table_name, list(column_name)
        from duckdb_columns() inner join duckdb_tables() using (database_oid, schema_name, table_name)
        where database_oid = (select database_oid from duckdb_databases() where database_name = current_database())
        group by all
        order by all
        """
    ).fetchall()
    return {(schema, name): set(columns) for schema, name, columns in rows}


def choose(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> list[str]:
    """Make table temp.gone with the hashes of the posts to forget; returns the addresses that no post has or had."""
    connection.execute("create or replace temp table gone (url_hash text)")
    named = " union all ".join(
        f'select url_hash from "{schema}"."{name}"'
        for (schema, name), columns in tables_of(connection).items()
        if "url_hash" in columns
    )
    unknown = []
    for url in wanted.urls:
        address = normalise_url(url)
        # A post may be stored under another spelling of its address, and a row of an early version may repeat it.
        found = connection.execute(
            f"""
            insert into temp.gone
            select url_hash from ({named}) where url_hash = sha256($address)
            union
            select url_hash from bronze.raw_items
            where coalesce(match_url, url) = $match_url or starts_with(match_url, 'repeats ' || $match_url || ' as ')
            union
            select url_hash from bronze.forgotten where match_hash = sha256($match_url)
            """,
            {"address": address, "match_url": match_url(address)},
        ).fetchall()
        if found == [(0,)]:
            unknown.append(url)
    if wanted.author:
        connection.execute(
            "insert into temp.gone select url_hash from bronze.raw_items where source = ? and author_hash = ?",
            wanted.author,
        )
    if wanted.before:
        connection.execute(
            "insert into temp.gone select url_hash from bronze.raw_items where collection_date < ?", [wanted.before]
        )
    return unknown


def erase(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> Erased:
    """Erase the posts of temp.gone from every table, and remember their hashes; the caller opens the transaction.

    Raises IngestError if version 0.1 built the database last.
    """
    tables = tables_of(connection)
    if ("gold", "label_attempts") in tables:
        raise IngestError(f"{database_path()} was built by version 0.1: build a day with this version first")
    names = {"gone": GONE}
    for name, definition in BUILT.items():
        names[name] = f"silver.{name}"
        if ("silver", name) not in tables:
            names[name] = f"temp.no_{name}"
            connection.execute(f"create or replace temp table no_{name} ({definition})")
    for name, query in SCOPE.items():
        connection.execute(f"create or replace temp table {name} as {query.format(**names)}")
    connection.execute("set variable gone = (select coalesce(list(url_hash), []) from temp.gone)")
    connection.execute("set variable gone_texts = (select coalesce(list(content_hash), []) from temp.gone_texts)")
    rows = 0
    # Tables that follow others come last.
    for (schema, name), columns in sorted(tables.items(), key=lambda table: table[0][1] in FOLLOWERS):
        if (schema, name) == ("bronze", "forgotten"):
            continue
        table = f'"{schema}"."{name}"'
        if "__dbt_tmp" in name:
            # What a killed build has left.
            connection.execute(f"drop table {table}")
            continue
        for statement in statements(table, name.removesuffix("__journal"), columns, wanted):
            [(count,)] = connection.execute(statement).fetchall()
            rows += int(count)
    [(posts,)] = connection.execute(
        """
        insert into bronze.forgotten by name
        select distinct
            url_hash,
            coalesce(match_hash, url_hash) as match_hash,
            $moment::timestamp as forgotten_at,
        from temp.gone left join temp.gone_keys using (url_hash)
        where url_hash not in (select url_hash from bronze.forgotten)
        """,
        {"moment": now()},
    ).fetchall()
    return Erased(int(posts), rows, days_to_build(connection, tables))


def days_to_build(connection: duckdb.DuckDBPyConnection, tables: dict[tuple[str, str], set[str]]) -> list[date]:
    """The days with posts whose topics were erased, by this command or by one that was killed, and not built again."""
    if not {("silver", "cluster_assignments"), ("silver", "clusters")} <= tables.keys():
        return []
    rows = connection.execute(
        """
        select distinct cluster_date
        from silver.cluster_assignments anti join silver.clusters using (cluster_date, cluster_id)
        order by all
        """
    ).fetchall()
    return [day for (day,) in rows]


def statements(table: str, name: str, columns: set[str], wanted: Wanted) -> Iterator[str]:
    """The statements that erase the posts from a table or from its journal; each returns a number of rows."""
    topics = "(cluster_date, cluster_id) in (select (cluster_date, cluster_id) from temp.gone_topics)"
    is_of_topic = {"cluster_date", "cluster_id"} <= columns
    if key := LEDGERS.get(name):
        # The ledgers of the board: the rows of what leaves it say so until it has left.
        yield (
            f"update {table} set action = 'delete', synced_at = null where action is distinct from 'delete'"
            f" and {key} not in (select {key} from gold.{name.removeprefix('live_')})"
        )
    elif name in ("opinion_attempts", "pair_attempts"):
        asked, key = ("content_hashes", "content_hash") if name == "opinion_attempts" else ("pair_hashes", "pair_hash")
        is_gone = "list_has_any(split({}, '-'), getvariable('gone_texts'))"
        yield f"""
            update {table}
            set {asked} = list_filter({asked}, lambda each: not {is_gone.format("each")}),
                opinions = list_filter(opinions, lambda each: not {is_gone.format(f"each.{key}")}),
                error = if(error is null, null, '{ERASED}')
            where len(list_filter({asked}, lambda each: {is_gone.format("each")})) > 0
        """
    elif name.endswith("label_attempts"):
        of_scope = topics if is_of_topic else "problem_id in (select problem_id from temp.gone_problems)"
        quoting = quotes(columns, "gone_topics" if is_of_topic else "gone_problems")
        # The built-in labeller makes its label again at no cost. The cost of a model's answer stays known.
        is_free = f"labeler = 'extractive' and {of_scope}"
        yield f"delete from {table} as it where {is_free if is_of_topic else f'{is_free} and ({quoting})'}"
        yield f"""
            update {table} as it
            set status = 'unanswered', error = '{ERASED}', canonical_title = null, category = null, description = null,
                impact_level = null, quotes = null, would_pay_signal = null
            where {of_scope} and ({quoting})
        """
        yield f"update {table} set error = '{ERASED}' where error != '{ERASED}' and {of_scope}"
        if "strays" in columns:
            yield without("strays", table)
    elif name == "corrections":
        yield without("posts", table)
        yield without("kept_posts", table)
        yield (
            f"update {table} as it set title = null where"
            f" exists (select 1 from temp.gone_words as gone where {shares('it.title')})"
        )
    else:
        if name == "documents":
            yield f"update {table} set duplicate_of = null where duplicate_of in {GONE}"
        if name == "problem_candidates":
            # The other posts of the problem are compared with the mean of all: the next build writes them anew.
            yield f"delete from {table} where problem_id in (select problem_id from temp.gone_problems)"
        for key in KEYS:
            if key in columns:
                yield f"delete from {table} where {key} in {GONE}"
        if name == "theme_posts":
            yield f"delete from {table} where theme_id not in (select theme_id from gold.themes)"
        if is_of_topic and name != "cluster_assignments":
            yield f"delete from {table} where {topics}"
        if "content_hash" in columns:
            yield f"delete from {table} where content_hash in (select content_hash from temp.gone_texts)"
        if "pair_hash" in columns:
            yield f"delete from {table} where list_has_any(split(pair_hash, '-'), getvariable('gone_texts'))"
        if name == "problem_searches":
            yield f"""
                delete from {table} where search_date in (
                    select it.search_date
                    from
                        {table} as it, unnest(it.nearest_groups) as groups (each),
                        unnest(each.titles) as titles (title), temp.gone_words as gone
                    where {shares("titles.title")}
                )
            """
        for key, scope in (("problem_id", "gone_problems"), ("theme_id", "gone_themes")):
            if key in columns and not columns & {"url_hash", "event"}:
                is_of_scope = f"{key} in (select {key} from temp.{scope})"
                yield f"delete from {table} as it where {is_of_scope} and ({quotes(columns, scope)})"
        if name == "rejected_items":
            yield f"delete from {table} where " + (
                f"collected_at < date '{wanted.before}'"
                if wanted.before
                else """exists (
                    select 1 from temp.gone_addresses
                    where contains(entry, url) or contains(entry, path) and length(path) > 11
                        or regexp_matches(entry, '(^|[^0-9])' || number || '([^0-9]|$)')
                )"""
            )


def without(column: str, table: str) -> str:
    """The statement that takes the forgotten posts out of a list of hashes."""
    is_kept = "not list_contains(getvariable('gone'), each)"
    return (
        f"update {table} set {column} = list_filter({column}, lambda each: {is_kept})"
        f" where list_has_any({column}, getvariable('gone'))"
    )


def shares(text: str) -> str:
    """The condition that a short text is taken from a post of temp.gone_words, or contains its title."""
    return (
        f"(length({text}) >= {SHARED} and contains(gone.words, rtrim({text}, '…')))"
        f" or (length(gone.title) >= {SHARED} and contains({text}, gone.title))"
    )


def quotes(columns: set[str], scope: str) -> str:
    """The condition that a row `it` about a topic, problem or theme quotes a forgotten post of it."""
    conditions = [
        f"list_has_any(list_transform(it.{column}, lambda each: each.url_hash), getvariable('gone'))"
        for column in QUOTES
        if column in columns
    ]
    keys = {
        "gone_topics": ("cluster_date", "cluster_id"),
        "gone_problems": ("problem_id",),
        "gone_themes": ("theme_id",),
    }
    belongs = " and ".join(f"scope.{key} = it.{key}" for key in keys[scope])
    words = [f"({shares(f'it.{column}')})" for column in TEXTS if column in columns]
    if words:
        conditions.append(
            f"exists (select 1 from temp.{scope} as scope inner join temp.gone_words as gone using (url_hash)"
            f" where {belongs} and ({' or '.join(words)}))"
        )
    return " or ".join(conditions) or "true"


def database_file() -> Path:
    """The file of the database, also if its path is a link."""
    return Path(os.path.realpath(database_path()))


def remains_of(file: Path) -> tuple[Path, Path]:
    """The copy of a database, and its log: what a killed command may have left beside the file."""
    return file.with_name(f"{file.name}.forget"), file.with_name(f"{file.name}.forget.wal")


def refuse_folders() -> None:
    """Raise IngestError if a folder has the name of the copy. Call it before posts are erased."""
    for path in remains_of(database_file()):
        if path.is_dir():
            raise IngestError(f"{path} is a folder, and the database is written anew under this name: move it away")


def rewrite(connection: duckdb.DuckDBPyConnection) -> None:
    """Put a copy of the database in the place of its file: the copy holds no deleted bytes. Raises DatabaseError.

    The file stays open until the copy has its name, so that no other process can write to the old one. A copy that a
    killed command has left beside the file is written anew.
    """
    file = database_file()
    remains = remains_of(file)
    copy = remains[0]
    try:
        for path in remains:
            path.unlink(missing_ok=True)
        with write_errors():
            # The log holds deleted rows, too. Once it is written to the file, it is empty and gone.
            connection.execute("checkpoint")
            # DuckDB compresses 120,000 rows at a time in each thread, beside this.
            connection.execute("set threads = 1")
            [(usual,)] = connection.execute("select current_setting('memory_limit')").fetchall()
            connection.execute(f"set memory_limit = '{REWRITE_MEMORY}'")
            try:
                copy_to(connection, copy)
            except duckdb.OutOfMemoryException:
                # DuckDB reads 2,048 rows at once. Their texts are too long for this limit.
                connection.rollback()
                # `reset memory_limit` would change what the setting says, and not the limit (duckdb/duckdb#22203).
                connection.execute(f"set memory_limit = '{usual}'")
                connection.execute(f"detach {COPY}")
                copy.unlink()
                copy_to(connection, copy)
            connection.execute(
                f"update {COPY}.bronze.forgotten set rewritten_at = $moment where rewritten_at is null",
                {"moment": now()},
            )
            connection.execute(f"detach {COPY}")
        shutil.copymode(file, copy)
        with copy.open("rb") as written:
            os.fsync(written.fileno())
        copy.replace(file)
    except OSError as error:
        raise IngestError(f"{file} can not be written anew: {error.strerror}") from error
    finally:
        for path in remains:
            path.unlink(missing_ok=True)


def copy_to(connection: duckdb.DuckDBPyConnection, copy: Path) -> None:
    """Copy the database into a new file, which stays attached as COPY."""
    [(name,)] = connection.execute("select current_database()").fetchall()
    connection.execute(f"attach {literal(str(copy))} as {COPY}")
    connection.execute(f"copy from database {identifier(name)} to {COPY}")


def clear_lake() -> None:
    """Delete what was erased from the files of the lake, with all earlier states. Raises LakeError."""
    from groundswell.lake.address import lake
    from groundswell.lake.upkeep import tidy

    if found := lake():
        tidy(found, timedelta(), erase_now=True)


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def leave_board() -> int:
    """Take the posts off the board, by another command; returns its exit status."""
    return subprocess.run([sys.executable, "-m", "sync", "forgotten"], check=False).returncode


def forget_posts(wanted: Wanted) -> tuple[list[str], bool]:
    """Erase posts from the tables and the file.

    Returns the addresses that no post has or had, and whether posts wait to be taken off the board.

    Raises IngestError or DatabaseError.
    """
    is_shared = bool(os.environ.get("GROUNDSWELL_LAKE"))
    if not is_shared and not Path(database_path()).is_file():
        raise IngestError(f"there is no database {database_path()}: GROUNDSWELL_DB names another one")
    refuse_folders()
    with open_store(built=True) as connection:
        with transaction(connection):
            unknown = choose(connection, wanted)
            is_found = connection.execute("select 1 from temp.gone").fetchone() is not None
            erased = erase(connection, wanted) if is_found else Erased(0, 0, [])
        # A command that was killed may have deleted posts, and left their bytes in the file.
        waiting = connection.execute("select 1 from bronze.forgotten where rewritten_at is null").fetchone()
        if waiting:
            rewrite(connection)
            if is_shared:
                # What is published says so, too.
                connection.execute(
                    "update bronze.forgotten set rewritten_at = $moment where rewritten_at is null", {"moment": now()}
                )
        on_board = board_waits(connection)
        days = erased.days if is_found else days_to_build(connection, tables_of(connection))
    if is_shared:
        # Also if nothing was found: a command that was killed may have left earlier states.
        clear_lake()
    if not is_found and not waiting:
        if wanted.before:
            # A daily command has nothing to do on most days: this is no error.
            typer.echo(f"no post was written before {wanted.before}: nothing is forgotten")
            return [], on_board
        found = f"has the address {', '.join(unknown)}" if wanted.urls else "of this author is there"
        raise IngestError(f"no post {found}: nothing is forgotten")
    if waiting and not erased.posts:
        typer.echo(f"{database_path()} is written anew, without the posts that were forgotten before")
    elif erased.posts:
        posts = count(erased.posts, "post is", "posts are")
        file = f"{database_path()} is written anew"
        typer.echo(f"{posts} forgotten: {count(erased.rows, 'row is', 'rows are')} deleted or blanked, and {file}")
    else:
        typer.echo(f"forgotten before: nothing is left in {database_path()}")
    if days:
        typer.echo(f"build again, with python -m groundswell build --date DAY: {', '.join(map(str, days))}")
    return unknown, on_board


def board_waits(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether forgotten posts wait to be taken off the board."""
    waiting = connection.execute("select 1 from bronze.forgotten where left_board_at is null").fetchone()
    return waiting is not None


def forget(
    url: Annotated[
        list[str] | None, typer.Option(parser=parse_url, metavar="U", help="Address of a post; may be repeated.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="NAME", help="All posts of this author; needs --source and AUTHOR_SALT.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(parser=one_of(sources()), metavar="S", help="The source of --author.")
    ] = None,
    before: Annotated[
        date | None,
        typer.Option(parser=parse_day, metavar="D", help="All posts that were written before this UTC day."),
    ] = None,
) -> None:
    """Erase posts for good: from all tables, from the bytes of the file, and from the board.

    Only their hashes are kept, so that they do not come back. Another try after a kill goes on where it ended.
    """
    if sum(map(bool, (url, author, before))) != 1 or bool(author) != bool(source):
        raise typer.BadParameter("say what to forget: --url U, or --author NAME with --source S, or --before D")
    try:
        wanted = Wanted(url or (), author_of(source, author) if source and author else None, before)
        unknown, on_board = forget_posts(wanted)
    except GroundswellError as error:
        log.error("%s", error)
        raise typer.Exit(1) from None
    failed = False
    if on_board and not os.environ.get("POCKETBASE_URL"):
        typer.echo("POCKETBASE_URL is not set: if a board has the posts, python -m sync forgotten takes them off")
    elif on_board and (failed := leave_board() != 0):
        log.error("the board still has the posts: the next push takes them off, and so does python -m sync forgotten")
    if unknown:
        log.error("no post has the address %s", ", ".join(unknown))
    if failed or unknown:
        raise typer.Exit(1)


def author_of(source: str, name: str) -> tuple[str, str]:
    """The source and the hash of an author. Raises IngestError."""
    author_hash = hash_author(source, name)
    if author_hash is None:
        raise IngestError("AUTHOR_SALT is not set: set the salt with which the posts were collected")
    return source, author_hash
