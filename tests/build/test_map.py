"""Where posts stand on the map of a day."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.support.models import load
from tests.support.project import DAY, Project

map_positions: Any = load("map_positions")


def unit_vectors(count: int, topics: int, seed: int = 1) -> tuple[Any, Any]:
    """Vectors (count, 384) around as many centres as there are topics, and which is whose."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(topics, 384))
    topic = np.arange(count) % topics
    vectors = centres[topic] + 0.7 * chance.normal(size=(count, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), topic


def test_what_says_alike_stands_together() -> None:
    vectors, topic = unit_vectors(300, 6)
    places = map_positions.laid_out(vectors)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (topic[distances.argmin(axis=1)] == topic).mean() > 0.95
    assert places.min() == 0
    assert places.max() == 1


def test_the_map_is_the_same_on_any_number_of_cores() -> None:
    vectors, _ = unit_vectors(300, 6)
    with threadpool_limits(1):
        places = map_positions.laid_out(vectors)
    with threadpool_limits(2):
        assert (map_positions.laid_out(vectors) == places).all()


def test_later_posts_stand_amid_those_they_are_like() -> None:
    vectors, topic = unit_vectors(300, 6)
    places = map_positions.laid_out(vectors[:200])
    later = map_positions.amid_neighbours(vectors[200:], vectors[:200], places)
    nearest = np.linalg.norm(later[:, None] - places[None], axis=2).argmin(axis=1)
    assert (topic[nearest] == topic[200:]).mean() > 0.95


@pytest.mark.parametrize(("count", "different"), [(1, 1), (2, 2), (9, 9), (11, 11), (50, 1), (50, 2), (50, 12)])
def test_any_number_of_posts_has_a_place(count: int, different: int) -> None:
    vectors, _ = unit_vectors(different, different)
    places = map_positions.laid_out(vectors[np.arange(count) % different])
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()
    assert len(np.unique(places, axis=0)) == different
    one = map_positions.amid_neighbours(vectors[:1], vectors, places[:different])
    assert ((one >= 0) & (one <= 1)).all()


def test_every_post_of_the_day_has_one_place(built: Project) -> None:
    placed = built.query(
        f"select count(*), count(distinct url_hash) from silver.map_positions where cluster_date = '{DAY}'"
    )
    assert placed == built.query("select count(*), count(*) from silver.items")


def test_a_post_keeps_its_place(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    before = copy.query("select * from silver.map_positions order by url_hash")
    late = [url_hash for (url_hash,) in copy.query("select url_hash from silver.map_positions order by 1 limit 5")]
    for url_hash in late:
        copy.query(f"delete from silver.map_positions where url_hash = '{url_hash}'")
    finished = copy.build(DAY, "--select", "map_positions")
    assert finished.status == 0, finished.output
    after = copy.query("select * from silver.map_positions order by url_hash")
    assert [row for row in after if row[0] not in late] == [row for row in before if row[0] not in late]
    assert [row[0] for row in after] == [row[0] for row in before]
    # The map is drawn the same from nothing.
    copy.query("delete from silver.map_positions")
    assert copy.build(DAY, "--select", "map_positions", data_tests=False).status == 0
    assert copy.query("select * from silver.map_positions order by url_hash") == before
