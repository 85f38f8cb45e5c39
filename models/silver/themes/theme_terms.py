"""The words that name each theme, and the title that stands for its posts.

Grain: one row per theme_id.
Method: TF-IDF weights of words and of pairs of words over the complaints of the window and the posts of the themes. The
terms of a theme are those with the highest mean weight over its posts, as in class-based TF-IDF (Grootendorst 2022,
BERTopic: Neural topic modeling with a class-based TF-IDF procedure). The title is chosen as for problems
(groundswell.titles); words weigh by their rarity in the window.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from groundswell.relations import subquery
from groundswell.sentences import stem, stop_words
from groundswell.titles import named_groups

TERMS = 3
# A term is in so much of a theme's posts, and in at least two of all.
SHARE = 0.3
LEAST = 2
# Words in more than this share of the texts name nothing, unless there are only a few texts.
COMMON = 0.2
FEW = 200
# The title and the first sentences say what a post is about. Logs and code come later.
BEGINNING = 400
# A pair of words takes the place of one of them if it is in so much of the posts with the word.
PAIRED = 0.6
# A word begins with a letter and does not end with a dot: "c++" and "node.js", but not "3". Contractions are no words.
WORD = r"(?u)(?<![\w'’])[^\W\d_](?:[\w+#.-]*[\w+#])?(?![\w'’])"
# Longer words are addresses and the like.
LONGEST = 40

SCHEMA = pa.schema([("theme_id", pa.string()), ("terms", pa.list_(pa.string())), ("title", pa.string())])

TEXTS = """
    with members as (
        select theme_id, url_hash from {theme_members}
    ),
    complaints as (
        select url_hash from {documents}
        where
            complaint_score >= $threshold
            and collection_date > (select max(collection_date) from {documents}) - $window::int
    )
    select
        coalesce(members.theme_id, '') as theme_id,
        -- A text begins with its title, so that the words of the title count twice.
        concat_ws('. ', texts.title, left(texts.text, $beginning)) as text,
    from {texts} as texts
    left join members using (url_hash)
    where members.url_hash is not null or texts.url_hash in (select url_hash from complaints)
    order by texts.url_hash
"""


def stems(term: str) -> set[str]:
    """The stems of a term's words, and of the words written as one: "dev tools" repeats "devtools"."""
    words = term.split()
    return {stem()(word) for word in [*words, "".join(words)]}


def chosen(ranked: Sequence[tuple[str, int]]) -> list[str]:
    """The first TERMS terms, of which none repeats a word of another one: "invoice" repeats "invoices".

    ranked: terms and the number of posts with the term, the best term first. A pair of words takes the place of its
    words before it where most posts with the word have the pair: "usage limits" that of "usage" and of "limits".
    """
    kept: list[tuple[str, int]] = []
    for term, posts in ranked:
        same = [index for index, (other, _) in enumerate(kept) if stems(term) & stems(other)]
        if not same:
            if len(kept) < TERMS:
                kept.append((term, posts))
        elif " " in term and all(" " not in kept[index][0] and posts >= PAIRED * kept[index][1] for index in same):
            kept[same[0]] = term, posts
            kept = [each for index, each in enumerate(kept) if index not in same[1:]]
    return [term for term, _ in kept]


def terms_of_themes(theme: Sequence[str], texts: Sequence[str]) -> dict[str, list[str]]:
    """The terms of each theme: {theme_id: terms, best first}. theme: of each text, "" for no theme."""
    common = COMMON if len(texts) > FEW else 1.0
    vectorizer = TfidfVectorizer(
        token_pattern=WORD,
        ngram_range=(1, 2),
        # Of sumy's stop words, those of one and two letters are names, too: C, R, VS Code.
        stop_words=sorted(ENGLISH_STOP_WORDS | {word for word in stop_words() if len(word) > 2}),
        sublinear_tf=True,
        min_df=LEAST,
        max_df=common,
        dtype=np.float32,
    )
    names = np.array(theme)
    found: dict[str, list[str]] = {name: [] for name in dict.fromkeys(theme) if name}
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:
        # No word is in two texts.
        return found
    terms = vectorizer.get_feature_names_out()
    for name in found:
        [rows] = np.nonzero(names == name)
        part = weights[rows]
        mean = np.asarray(part.mean(axis=0)).ravel()
        in_posts = np.bincount(part.indices, minlength=len(terms))
        mean[(in_posts < LEAST) | (in_posts < SHARE * len(rows))] = 0
        best = np.argsort(-mean, kind="stable")[: 5 * TERMS].tolist()
        ranked = [(terms[index], int(in_posts[index])) for index in best if mean[index] > 0]
        found[name] = chosen([(term, posts) for term, posts in ranked if max(map(len, term.split())) <= LONGEST])
    return found


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the terms and the title of each theme in silver.theme_members."""
    dbt.config(materialized="table")
    theme_members = dbt.ref("theme_members")
    documents = dbt.ref("documents")
    relations = {}
    relations["texts"] = dbt.ref("texts")
    relations["titles"] = dbt.ref("titles")
    relations["embeddings"] = dbt.ref("embeddings")
    relations["title_signals"] = dbt.ref("title_signals")
    threshold = float(dbt.config.meta_get("complaint_threshold"))
    window = int(dbt.config.meta_get("problem_window_days"))
    embedding_model = dbt.config.meta_get("embedding_model")

    texts = subquery(relations["texts"])
    query = TEXTS.format(theme_members=subquery(theme_members), documents=subquery(documents), texts=texts)
    rows = session.sql(query, params={"threshold": threshold, "window": window, "beginning": BEGINNING}).fetchall()
    if not rows:
        return SCHEMA.empty_table()
    theme, words = zip(*rows, strict=True)
    found = terms_of_themes(theme, words)
    members = f"select theme_id as number, url_hash from {subquery(theme_members)}"
    weighed = f"""
        select url_hash, text from {texts}
        where collection_date > (select max(collection_date) from {texts} as newest) - {window}
    """
    groups = named_groups(session, members, weighed, relations, embedding_model)
    title = {number: titles[0]["title"] for number, titles, _, _ in groups if titles}
    columns = {"theme_id": list(found), "terms": list(found.values()), "title": [title.get(each) for each in found]}
    return pa.table(columns, schema=SCHEMA)
