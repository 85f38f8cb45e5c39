"""training/pairs.py: what a pair's chance is fitted on."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.special import logit

from groundswell.pairs import BIAS, FEATURES, Candidates, Posts, candidates, regression
from groundswell.vectors import from_vectors
from tests.support.project import pair_weights, read_seed
from training import FOLDER
from training import pairs as training_pairs
from training.pairs import (
    Reports,
    Scale,
    fit_dense,
    fit_own_words,
    fit_reports,
    fit_scale,
    read_reports,
    scaled,
    verdicts_on,
)


def invented(groups: list[int], spread: float, seed: int) -> Reports:
    """Reports around the centre of their group, without a word in common."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(groups) + 1, 384))
    vectors = centres[groups] + spread * random.normal(size=(len(groups), 384))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    texts = [f"w{number}" for number in range(len(groups))]
    return Reports(Posts(texts, texts, unit, unit), np.array(groups))


def test_the_seed_has_a_weight_for_each_feature() -> None:
    weights = pair_weights()
    assert set(weights) == {"reports", "public", "own_words", "dense"}
    assert set(weights["reports"]) == set(weights["own_words"]) == {*FEATURES, BIAS}
    assert set(weights["public"]) == {*training_pairs.PUBLIC_FEATURES, BIAS}
    assert set(weights["dense"]) == {"similarity", BIAS}


def test_a_surer_tier_asks_for_more() -> None:
    limits = {row["tier"]: float(row["least_chance"]) for row in read_seed("problem_tiers")}
    assert limits["certain"] > limits["likely"] > limits["emerging"] > 0


def test_of_two_duplicates_one_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "reports.tsv"
    rows = ["1\ta\tIt crashes\tAt the start", "1\tb\tCrash\t", "2\tc\tSlow\tIt is slow", *["3\td\tHelp\tHelp"] * 3]
    file.write_text("\n".join(["group\tid\ttitle\tdescription", *rows]))
    reports = read_reports(file)
    assert list(reports.posts.texts[:2]) == ["It crashes. At the start", "Slow. It is slow"]
    assert reports.group.tolist() == [0, 1, 2, 2, 2]
    assert reports.posts.text_vectors.shape == (5, 384)


def test_duplicates_get_a_higher_chance_than_others() -> None:
    fitted = fit_reports([invented([number // 3 for number in range(90)] + list(range(30, 90)), 0.9, 1)])
    unseen = invented([number // 3 for number in range(60)] + list(range(20, 80)), 0.9, 2)
    found = candidates(unseen.posts)
    chance = regression(found.features, fitted)
    same = unseen.group[found.a] == unseen.group[found.b]
    assert chance[same].mean() > 0.9
    assert chance[~same].mean() < 0.05


def test_own_words_have_a_chance_and_lone_reports_have_none() -> None:
    groups = [number // 4 for number in range(80)] + list(range(20, 60))
    reports = invented(list(range(120)), 0.9, 2)
    crowd = invented(list(range(120)), 0.9, 4)
    fitted = fit_own_words(invented(groups, 0.9, 1), [reports], [crowd.posts])
    unseen = invented(groups, 0.9, 3)
    found = candidates(unseen.posts)
    chance = regression(found.features, fitted)
    same = unseen.group[found.a] == unseen.group[found.b]
    assert chance[same].mean() > 0.8
    assert chance[~same].mean() < 0.05
    for lone in (reports, crowd):
        assert regression(candidates(lone.posts).features, fitted).mean() < 0.05


def test_a_scale_moves_chances_and_keeps_their_order() -> None:
    features = np.random.default_rng(1).normal(size=(50, len(FEATURES)))
    weights = pair_weights()["reports"]
    before = regression(features, weights)
    after = regression(features, scaled(weights, Scale(0.5, -1)))
    assert np.allclose(logit(after), 0.5 * logit(before) - 1)
    assert (np.argsort(after) == np.argsort(before)).all()


def test_the_scale_is_fitted_on_the_pairs_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Forty posts in twenty pairs; of the pairs of near posts every other one says the same.
    random = np.random.default_rng(1)
    centres = np.repeat(random.normal(size=(20, 384)), 2, axis=0)
    vectors = (centres + 0.3 * random.normal(size=(40, 384))).astype(np.float32)
    rows = pa.table(
        {
            "url_hash": [f"u{number:02}" for number in range(40)],
            "embedding": from_vectors(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)),
        }
    )
    database = tmp_path / "built.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.register("rows", rows)
        connection.execute(
            "create schema silver;"
            "create table silver.documents as select url_hash, url_hash as content_hash, null as duplicate_of,"
            " 0.9 as complaint_score from rows;"
            "create table silver.posts as select url_hash, timestamp '2026-11-20' as posted_at from rows;"
            "create table silver.texts as select url_hash, url_hash as text, '' as title from rows;"
            "create table silver.titles (url_hash text, content_hash text);"
            "create table silver.embeddings as select url_hash as content_hash, embedding from rows"
        )
    read = tmp_path / "pairs.tsv"
    lines = [f"u{2 * pair + 1:02}\tu{2 * pair:02}\t{('same', 'close')[pair % 2]}" for pair in range(20)]
    read.write_text("\n".join(["url_hash\tother_url_hash\tverdict", *lines, "u00\tmissing\tsame"]))
    monkeypatch.setattr(training_pairs, "READ", read)
    found, same = training_pairs.read_pairs(database)
    assert len(found.a) == 20
    assert sorted(zip(found.a.tolist(), same.tolist(), strict=True)) == [
        (2 * pair, pair % 2 == 0) for pair in range(20)
    ]
    weights = pair_weights()["reports"]
    fitted = scaled(weights, fit_scale(weights, found.features, same))
    assert abs(regression(found.features, fitted).mean() - 0.5) < 0.01


def test_nothing_is_fitted_on_a_fresh_pair() -> None:
    known, fresh = ((FOLDER / name).read_text().splitlines()[1:] for name in ("pairs.tsv", "fresh_pairs.tsv"))
    pairs = [[frozenset(line.split("\t")[:2]) for line in lines] for lines in (known, fresh)]
    assert all(len(set(each)) == len(each) for each in pairs)
    assert not set(pairs[0]) & set(pairs[1])
    assert {line.split("\t")[2] for line in known + fresh} == {"same", "close", "different"}


def test_a_verdict_holds_in_either_order(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("url_hash\tother_url_hash\tverdict\nx\ty\tsame\nz\tx\tclose\n")
    found = Candidates(np.array([0, 0, 1]), np.array([1, 2, 2]), np.zeros((3, len(FEATURES))))
    assert verdicts_on(found, ["y", "x", "z"], file).tolist() == ["same", "", "close"]


def test_on_dense_ground_a_chance_grows_with_similarity() -> None:
    # Forty close messages of one intent, and forty looser ones of two intents.
    random = np.random.default_rng(1)
    centres = np.repeat(random.normal(size=(2, 384)), 40, axis=0)
    vectors = centres + np.repeat([0.2, 0.5], 40)[:, None] * random.normal(size=(80, 384))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    texts = [f"w{number}" for number in range(80)]
    weights = fit_dense([Reports(Posts(texts, texts, unit, unit), np.array([0] * 40 + [1, 2] * 20))])
    assert set(weights) == {"similarity", BIAS}
    assert weights["similarity"] > 0
