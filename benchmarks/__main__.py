"""Measures the speed of collecting and building, and the quality of clusters, labels and problems; prints tables.

Both sides of a ratio are measured in the same run, because single times differ from machine to machine.
"""

import resource
import sys
import tempfile
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import (
    board,
    clusters,
    collectors,
    encoder,
    files,
    forgery,
    labels,
    month,
    needles,
    neighbours,
    oracle,
    problems,
    scale,
    summaries,
    sync,
    visitors,
)
from groundswell.choices import one_of
from tests.support.project import DAY, SAMPLE, Project


class Subject(StrEnum):
    """A subject that can be measured."""

    COLLECTORS = "collectors"
    FILES = "files"
    BUILD = "build"
    ENCODER = "encoder"
    CLUSTERS = "clusters"
    SUMMARIES = "summaries"
    LABELS = "labels"
    PROBLEMS = "problems"
    ORACLE = "oracle"
    NEEDLES = "needles"
    NEIGHBOURS = "neighbours"
    FORGERY = "forgery"
    SCALE = "scale"
    GROWTH = "growth"
    SYNC = "sync"
    BOARD = "board"
    MONTH = "month"
    VISITORS = "visitors"


# What only runs if it is named.
LONG = (Subject.MONTH, Subject.NEIGHBOURS, Subject.GROWTH)


def day_of(posts: Path | None, folder: Path) -> tuple[Project, str]:
    """A database with the posts of a file (None: of the sample day), and the day with the most posts."""
    project = Project(folder / "bench.duckdb")
    ingested = project.ingest(*(["--file", str(posts)] if posts else ["--date", DAY, "--replay", str(SAMPLE)]))
    if ingested.status:
        sys.exit(ingested.output)
    [(day,)] = project.query(
        "select collection_date::text from bronze.raw_items group by all order by count(*) desc limit 1"
    )
    return project, day


def measure_build(posts: Path | None) -> Table:
    """Build a day twice in an empty database: the seconds of every stage, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        project, day = day_of(posts, Path(folder))
        builds = []
        for _ in range(2):
            built = project.build(day)
            if built.status:
                sys.exit(built.output)
            builds.append(project.stage_seconds())
        [(count,)] = project.query("select count(*) from silver.documents")
    first, second = builds
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    title = f"{count:,} posts of {day}; largest process {memory:,.0f} MB"
    table = Table("stage", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("first build, s", "share", "second build, s", "first / second"):
        table.add_column(column, justify="right", no_wrap=True)
    total = sum(first.values())
    for stage in [*first, "all"]:
        once, again = (build.get(stage, sum(build.values())) for build in builds)
        table.add_row(stage, f"{once:.2f}", f"{once / total:.0%}", f"{again:.2f}", f"{once / again:.1f}")
    if second.keys() != first.keys():
        sys.exit("the two builds ran different models")
    return table


def texts_of_day(posts: Path | None) -> list[str]:
    """The texts of a day."""
    with tempfile.TemporaryDirectory() as folder:
        project, day = day_of(posts, Path(folder))
        built = project.build(day, "--select", "+texts", data_tests=False)
        if built.status:
            sys.exit(built.output)
        texts = project.query("select text from silver.texts where text <> '' order by url_hash")
    return [text for (text,) in texts]


def measure_encoder(posts: Path | None) -> Table:
    """Measure the encoder on the texts of a day."""
    return encoder.measure_encoding(texts_of_day(posts))


def measure_neighbours(posts: Path | None) -> Table:
    """Measure the search of neighbours by vectors on the texts of a day."""
    return neighbours.measure_search(texts_of_day(posts))


def measure_words(posts: Path | None) -> Table:
    """Measure the search of neighbours by words on the texts of a day."""
    return neighbours.measure_words(texts_of_day(posts))


def main(
    subjects: Annotated[
        list[Subject] | None,
        typer.Argument(
            parser=one_of(Subject),
            metavar="[SUBJECT]...",
            help=f"Of {', '.join(Subject)}. Default: all but month, neighbours and growth, which take an hour.",
        ),
    ] = None,
    posts: Annotated[
        Path | None, typer.Option(help="File of posts, as for ingest --file. Default: the sample.")
    ] = None,
    labelled: Annotated[
        list[Path] | None, typer.Option(help="Files of lines label<TAB>text, for clusters. Default: topics.tsv.")
    ] = None,
    days: Annotated[
        list[Path] | None, typer.Option(help="Files of posts, a day each, for needles, month and growth.")
    ] = None,
    databases: Annotated[
        list[Path] | None,
        typer.Option(help="Built databases with labelled posts; for month, one with vectors of its posts."),
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another checkout of the project, for board.")] = None,
    most: Annotated[int, typer.Option(help="The posts of the largest day of growth.")] = 60_000,
    length: Annotated[int, typer.Option(help="The days of month.")] = 30,
) -> None:
    """Measure each subject and print its tables."""
    console = Console(width=max(Console().width, 120))
    measures: dict[Subject, list[Callable[[], Table]]] = {
        Subject.COLLECTORS: [collectors.measure_collectors],
        Subject.FILES: [partial(files.measure_files, posts)],
        Subject.BUILD: [partial(measure_build, posts)],
        Subject.ENCODER: [partial(measure_encoder, posts)],
        Subject.CLUSTERS: [partial(clusters.measure_clusters, file) for file in labelled or [clusters.OURS]],
        Subject.SUMMARIES: [summaries.measure_summaries],
        Subject.LABELS: [
            partial(labels.on_sample, labels.measure_quality),
            partial(labels.on_sample, labels.measure_complaints),
            *(
                partial(measure, database)
                for database in databases or []
                for measure in (
                    labels.measure_quality,
                    labels.measure_complaints,
                    partial(labels.measure_complaints, drawn="random"),
                    partial(labels.measure_complaints, drawn="near the gate"),
                    labels.measure_second_opinions,
                )
            ),
            labels.measure_calls,
        ],
        Subject.PROBLEMS: [
            *problems.MEASURES,
            *(
                partial(measure, database)
                for database in databases or []
                for measure in (problems.measure_pairs, problems.measure_chance)
            ),
        ],
        Subject.ORACLE: [*oracle.MEASURES],
        Subject.NEEDLES: [partial(needles.measure_needles, days or [])],
        Subject.NEIGHBOURS: [
            partial(measure_neighbours, posts),
            partial(measure_words, posts),
            neighbours.measure_problems,
        ],
        Subject.FORGERY: [forgery.measure],
        Subject.SCALE: [scale.measure_scale],
        Subject.GROWTH: [partial(scale.measure_growth, days or [], most)],
        Subject.SYNC: [sync.measure_sync],
        Subject.BOARD: [partial(board.measure_board, against)],
        Subject.MONTH: [partial(month.measure_month, days or [], length, databases[0] if databases else None)],
        Subject.VISITORS: [visitors.measure_visitors],
    }
    for subject in subjects or [each for each in Subject if each not in LONG]:
        for measure in measures[subject]:
            console.print(measure())


if __name__ == "__main__":
    typer.run(main)
