"""silver.post_signals: what the built-in labeller reads, against posts labelled by hand."""

import numpy as np
from sklearn.metrics import f1_score, precision_score

from benchmarks.labels import answers
from tests.support.project import Project
from training import ALL_FIELDS, CATEGORIES, labelled_posts, read_labels, read_phrases


def test_labels_are_those_of_the_guide() -> None:
    assert {row["complains"] for row in read_labels().values()} == {"yes", "no"}
    labels = read_labels(ALL_FIELDS).values()
    assert {row["category"] for row in labels} == {category for category, _ in read_phrases()} == set(CATEGORIES)
    assert {row["impact"] for row in labels} == {"low", "medium", "high"}
    assert {row["would_pay"] for row in labels} == {"yes", "no"}


def test_categories_agree_with_people_on_held_out_posts(built: Project) -> None:
    posts = labelled_posts(built.database).held_out()
    assert len(posts.url_hash) == 104
    categories = [category for category, _, _ in answers(built.database, list(posts.url_hash))]
    assert f1_score(posts.category, categories, average="macro") >= 0.7


def test_an_impact_that_is_said_is_right(built: Project) -> None:
    posts = labelled_posts(built.database).held_out()
    impacts = np.array([impact for _, impact, _ in answers(built.database, list(posts.url_hash))])
    assert set(impacts) == {"low", ""}
    said = impacts != ""
    assert said.sum() >= 10
    assert (impacts == posts.impact)[said].mean() >= 0.6


def test_who_is_said_to_pay_does(built: Project) -> None:
    # The patterns were written on other posts: none of these need be held back.
    posts = labelled_posts(built.database)
    pays = np.array([pays for _, _, pays in answers(built.database, list(posts.url_hash))])
    assert pays.sum() >= 10
    assert precision_score(posts.would_pay, pays) >= 0.7


def test_probabilities_add_up(built: Project) -> None:
    for field in ("category", "impact"):
        assert built.query(
            f"select count(*) from silver.post_signals"
            f" where abs(list_sum(map_values({field}_probabilities)) - 1) > 0.000001"
        ) == [(0,)]


def test_payment_quotes_are_verbatim(built: Project) -> None:
    [(quoted, found)] = built.query(
        "select count(payment_quote), count(*) filter (position(payment_quote in text) > 0)"
        " from silver.post_signals join silver.documents using (url_hash)"
    )
    assert quoted == found > 0
