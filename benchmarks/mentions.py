"""Measures the precision of mentions on posts that were judged by hand: python -m benchmarks.mentions DATABASE.

training/mentions.tsv says of each post and name whether the post mentions what training/watchlist.yml means. DATABASE
must hold these posts, built by dbt.
"""

import csv
import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich import print as show

from groundswell.database import connect, existing_path, table
from groundswell.watchlist import VARIABLE, load_watchlist, mentions_in

FOLDER = Path(__file__).parents[1] / "training"


def main(database: Annotated[Path, typer.Argument(help="A database with the judged posts.")]) -> None:
    """Print how many of the judged mentions are found, how many of those are right, and the time."""
    os.environ[VARIABLE] = str(FOLDER / "watchlist.yml")
    watchlist = load_watchlist()
    with (FOLDER / "mentions.tsv").open(newline="") as file:
        judged = {
            (row["url_hash"], row["name"]): row["is_right"] == "yes" for row in csv.DictReader(file, delimiter="\t")
        }
    with connect(existing_path(str(database)), read_only=True) as connection:
        started = time.perf_counter()
        posts = connection.execute(
            f"select url_hash, title, body from {table('silver', 'redactions')}"
            " where regexp_matches(title || chr(10) || body, $spellings)",
            {"spellings": watchlist.prefilter},
        ).fetchall()
        found = {(url_hash, match.name) for url_hash, match in mentions_in(watchlist, posts)}
        seconds = time.perf_counter() - started
    kept = judged.keys() & found
    right = sum(judged[key] for key in kept)
    show(f"{len(judged)} judged mentions: {sum(judged.values())} are right, {sum(judged.values()) / len(judged):.3f}")
    show(f"{len(kept)} of them are found today: {right} are right, {right / max(len(kept), 1):.3f}")
    show(f"{len(found):,} mentions in {len(posts):,} posts with a spelling, in {seconds:.1f} s")


if __name__ == "__main__":
    typer.run(main)
