"""python -m groundswell: corrections of the problems that the builds find, backups of the database, and news."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.backup import back_up, restore
from groundswell.corrections import Corrections
from groundswell.database import connect, database_path, existing_path
from groundswell.errors import GroundswellError
from groundswell.news import commands as news

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True)
correct = typer.Typer(no_args_is_help=True)
app.add_typer(correct, name="correct")
news.register(app)
log = logging.getLogger("groundswell")

Problem = Annotated[str, typer.Argument(metavar="PROBLEM", help="A problem_id of gold.problems.")]
Post = Annotated[str, typer.Argument(metavar="POST", help="Url or url_hash of a post.")]
Posts = Annotated[list[str], typer.Argument(metavar="POST...", help="Urls or url_hashes of posts.")]


@app.callback()
def main() -> None:
    """Groundswell's commands for people."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The backup becomes a new folder in it.")] = Path(
        "backups"
    ),
) -> None:
    """Write a backup of the database, while no other command runs."""
    with errors_in_one_line():
        log.info("%s holds %s", back_up(folder), database_path())


@app.command("restore")
def restore_backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that backup made.")],
) -> None:
    """Make the database from a backup. A database that exists is not overwritten."""
    with errors_in_one_line():
        log.info(
            "%s is as %s has it. The next dbt build describes its tables and columns again", restore(folder), folder
        )


@correct.callback()
def corrections() -> None:
    """Correct the problems that the builds find. The next build applies the corrections."""


@correct.command()
def merge(
    problem: Problem, other: Annotated[str, typer.Argument(metavar="OTHER", help="The problem that joins it.")]
) -> None:
    """Say that two problems are one; the first one keeps its id."""
    with opened() as store:
        tell(store, store.merge(problem, other), f"problem {other} is one with {problem}")


@correct.command()
def split(problem: Problem, posts: Posts) -> None:
    """Say that some posts of a problem are another problem."""
    with opened() as store:
        tell(store, store.split(problem, posts), f"{len(set(posts))} posts leave problem {problem}")


@correct.command()
def pin(problem: Problem, post: Post) -> None:
    """Say that a post belongs to a problem."""
    with opened() as store:
        tell(store, store.pin(problem, post), f"{post} belongs to problem {problem}")


@correct.command()
def rename(problem: Problem, title: Annotated[str, typer.Argument(metavar="TITLE", help="Plain text.")]) -> None:
    """Give a problem another title."""
    with opened() as store:
        tell(store, store.rename(problem, title), f"problem {problem} has a new title")


@correct.command()
def dismiss(problem: Problem) -> None:
    """Say that a problem is none: it is no longer published."""
    with opened() as store:
        tell(store, store.dismiss(problem), f"problem {problem} is dismissed")


@correct.command()
def undo(correction: Annotated[int, typer.Argument(metavar="ID", help="Number of a correction.")]) -> None:
    """Take a correction back."""
    with opened() as store:
        number = store.undo(correction)
        log.info("Correction %d takes back %d. To apply it, build %s", number, correction, build(store, correction))


@correct.command("list")
def show() -> None:
    """Print all corrections."""
    with opened() as store:
        found = store.all()
    if not found:
        log.info("No corrections in %s", database_path())
        return
    columns = Table("id", "time (UTC)", "kind", "problem", "with", "posts", "title", "state")
    for number, moment, kind, problem, other, posts, title, undoes, is_undone in found:
        state = f"undoes {undoes}" if undoes else "undone" if is_undone else ""
        cells = (number, f"{moment:%Y-%m-%d %H:%M}", kind, problem, other, len(posts or []) or "", title, state)
        # A title is shown as it is, not as markup.
        columns.add_row(*(Text(str("" if cell is None else cell)) for cell in cells))
    # Without a terminal rich assumes 80 columns, which is too narrow for the table.
    Console(width=max(Console().width, 150)).print(columns)


@contextmanager
def opened() -> Iterator[Corrections]:
    """The corrections of the project's database. An error becomes one line, and exit status 1."""
    with errors_in_one_line(), connect(existing_path()) as connection:
        yield Corrections(connection)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn an error inside a with block into one line, and exit status 1."""
    try:
        yield
    except GroundswellError as error:
        log.error("ERROR: %s", error)
        raise typer.Exit(1) from None


def tell(store: Corrections, correction: int, what: str) -> None:
    """Say which correction was made, and how to apply it and to take it back."""
    log.info("Correction %d: %s. To apply it, build %s", correction, what, build(store, correction))


def build(store: Corrections, correction: int) -> str:
    """The command that builds the day of a correction."""
    day = store.day_of(correction)
    return f"{day} again: dbt build --vars 'date: {day}'"


if __name__ == "__main__":
    app(prog_name="python -m groundswell")
