"""Measures the map of a day: python -m benchmarks.maps --database DATABASE, with a built database for each day.

Trustworthiness (Venna and Kaski 2001) and the share of the ten nearest posts that are among the ten nearest dots say
whether neighbours stay neighbours. The topics are clusters of the vectors; AMI compares them with clusters of the dots.
"""

import time
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import numpy.typing as npt
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from sklearn.cluster import KMeans
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.neighbors import NearestNeighbors

from groundswell.vectors import Vectors, to_vectors
from tests.support.models import load

map_positions: Any = load("map_positions")
Floats = npt.NDArray[np.float64]

NEIGHBOURS = 10
# Dots that are closer than this share of the map cover each other: 4 pixels of 800.
COVERED = 0.005
MEASURES = ("CPU seconds", "trustworthiness", "same neighbours", "AMI", "neighbours of the same topic", "covered")


def positions(vectors: Vectors) -> Floats:
    """The positions (n, 2), 0 to 1, of the posts of a day (n, d), as the model gives them."""
    anchors, others = vectors[: map_positions.ANCHORS], vectors[map_positions.ANCHORS :]
    places = map_positions.laid_out(anchors)
    if not len(others):
        return np.asarray(places)
    return np.vstack([places, map_positions.amid_neighbours(others, anchors, places)])


def neighbours(points: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The distances to the nearest other points, and their numbers, (n, NEIGHBOURS) each."""
    distances, numbers = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points).kneighbors()
    return distances, numbers


def quality(vectors: Vectors) -> list[float]:
    """The values of MEASURES for the posts of a day (n, d)."""
    started = time.process_time()
    places = positions(vectors)
    seconds = time.process_time() - started
    _, alike = neighbours(vectors)
    distances, near = neighbours(places)
    topics, heaps = (
        KMeans(max(10, len(vectors) // 100), n_init=3, random_state=0).fit_predict(points)
        for points in (vectors, places)
    )
    return [
        seconds,
        trustworthiness(vectors, places, n_neighbors=NEIGHBOURS),
        float(np.mean([np.isin(one, other).mean() for one, other in zip(near, alike, strict=True)])),
        adjusted_mutual_info_score(topics, heaps),
        float((topics[near] == topics[:, None]).mean()),
        float((distances[:, 0] < COVERED).mean()),
    ]


def main(databases: Annotated[list[Path], typer.Option("--database", help="Built databases.")]) -> None:
    """Print the quality of the map of each day, and the mean of all days."""
    table = Table("day", title="The map", title_justify="left", box=SIMPLE_HEAD)
    for measure in MEASURES:
        table.add_column(measure, justify="right")
    rows: dict[str, list[float]] = {}
    for database in databases:
        with duckdb.connect(str(database), read_only=True) as connection:
            days = connection.execute(
                "select distinct cluster_date::varchar from silver.items where embedding is not null order by 1"
            ).fetchall()
            for (day,) in days:
                found = connection.execute(
                    "select embedding from silver.items"
                    " where cluster_date = $day::date and embedding is not null order by url_hash",
                    {"day": day},
                ).to_arrow_table()
                rows[day] = quality(to_vectors(found["embedding"]))
    rows["mean"] = np.mean(list(rows.values()), axis=0).tolist()
    for day, values in rows.items():
        table.add_row(day, *(f"{value:.3f}" for value in values))
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
