"""Which problem each complaint belongs to, and since when.

Grain: one row per as_of_date and url_hash: from that day on the post is of problem_id, or stands alone where that is
null. A complaint has a row on the day it comes in, and another whenever it moves; the latest one holds.
Method: the complaints of a window of days are the nodes of a graph, each joined to those of its 20 nearest neighbours
that are at least as similar as SAME; the Leiden algorithm (Traag, Waltman & van Eck 2019, From Louvain to Leiden)
finds its communities by modularity, beginning with those of the day before. Only what hangs together with a post of
the day is grouped anew. A problem keeps its id in the community that has most of its posts, and of several problems in
one community the one with the most posts goes on, older ones counted; a community of at least three voices that no
problem claims opens one. The latest three posts of a problem stand for it, however old they are, until it has not been
heard of for problem_memory_days.

What a day leaves behind depends on its posts and on the days before: when one is built again, those after it follow.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from graspologic_native import leiden
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from groundswell.progress import track
from groundswell.relations import arrow_view, subquery
from groundswell.vectors import Vectors, to_vectors

Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEIGHBOURS = 20
# Cosine similarity from which on two complaints may say the same. Var problem_similarity may say another: then what is
# as similar as that is taken to be as similar as this. On banking77's intents with as many strangers mixed in, 2 % of
# real posts and 9 % of Stack Overflow's titles, which do resemble each other, come into groups.
SAME = 0.7
# A title counts half as much as the text that it heads: it says what the matter is, the text much beside it. Two posts
# with titles must be more alike than two sentences, a cosine of 0.74 for 0.7, so their vectors are shorter than 1: of
# 750 real pairs that were read, 43 % of those beyond 0.74 say the same, and 35 % of those beyond 0.7.
TITLE_WEIGHT = 0.5
TITLED_LENGTH = (0.7 / 0.74) ** 0.5
# A tie weighs what its similarity is beyond this: a close one counts twice as much as one that just holds.
LOOSE = 0.5
# From which on they are one voice, posting twice.
REPEATED = 0.97
REPRESENTATIVES = 3
# On banking77's intents every community of ten and more has 0.7 and more; on real posts, those of two problems and more
# that a chain of likenesses had brought together had 0.2 to 0.5.
MIN_DENSITY = 0.5
ITERATIONS = 2
# Weight of all ties together from which on modularity sees problems as they are; 10,000 real complaints have 315.
# Where there is less, a large problem is most of the graph and would be parted.
ENOUGH = 400
SEED = 20_261_120
# Tiles in which the similarity matrix is computed (32 MB), and how many directed pairs may wait to be compared (80 MB).
ROWS, COLUMNS = 512, 16_384
WAITING = 4_000_000

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("problem_id", pa.string()),
        ("voice", pa.string()),
        ("model", pa.string()),
        ("as_of_date", pa.date32()),
        ("collection_date", pa.date32()),
    ]
)


# The complaints of a window and the representatives of problems, with what stands about them. They are chosen before
# they are joined with their vectors: all that was ever collected would be.
CONSIDERED = """
    with representatives as (
        select url_hash
        from temp.standing
        where problem_id is not null
        qualify
            max(collection_date) over (partition by problem_id) >= $last::date - $memory::int
            and row_number() over (partition by problem_id order by collection_date desc, url_hash) <= $representatives
    ),
    considered_posts as (
        select url_hash, content_hash, duplicate_of, collection_date
        from {documents}
        where
            collection_date > $last::date - $window::int
            and collection_date <= $last::date
            and complaint_score >= $threshold
        union
        select url_hash, content_hash, duplicate_of, collection_date
        from {documents}
        where url_hash in (select url_hash from representatives)
    ),
    post_titles as (
        select url_hash, content_hash
        from {titles}
        where url_hash in (select url_hash from considered_posts)
    ),
    vectors as (
        select content_hash, embedding
        from {embeddings}
        where
            model = $model
            and content_hash in (
                select content_hash from considered_posts
                union all
                select content_hash from post_titles
            )
    ),
    authors as (
        select url_hash, coalesce(author_hash, '') as author, posted_at
        from {posts}
        where url_hash in (select url_hash from considered_posts union all select url_hash from temp.standing)
    ),
    author_voices as (
        select author, arg_min(voice, (posted_at, url_hash)) as voice
        from temp.standing
        inner join authors using (url_hash)
        where author <> ''
        group by author
    ),
    sizes as (
        select problem_id, count(*) as posts
        from temp.standing
        where problem_id is not null
        group by problem_id
    )
    select
        url_hash,
        coalesce(considered_posts.duplicate_of, '') as original,
        authors.author,
        coalesce(author_voices.voice, '') as author_voice,
        coalesce(standing.voice, '') as voice,
        coalesce(standing.problem_id, '') as problem,
        coalesce(sizes.posts, 0) as size,
        considered_posts.collection_date,
        vectors.embedding,
        title_vectors.embedding as title_embedding,
    from considered_posts
    inner join vectors using (content_hash)
    left join post_titles using (url_hash)
    left join vectors as title_vectors on post_titles.content_hash = title_vectors.content_hash
    inner join authors using (url_hash)
    left join author_voices using (author)
    left join temp.standing as standing using (url_hash)
    left join sizes using (problem_id)
    order by authors.posted_at, url_hash
"""


class Pairs(NamedTuple):
    """Ties between nodes a < b, (m,) each, and how similar the two are (m,)."""

    a: Labels
    b: Labels
    similarity: Vectors


def compared_vectors(texts: Vectors, titles: Vectors, are_titled: Flags) -> Vectors:
    """What n posts are compared by (n, d): vectors of their texts (n, d), mixed with those of their titles (m, d).

    Whether each has a title: (n,), m of them.
    """
    vectors = texts.copy()
    mixed = texts[are_titled] + TITLE_WEIGHT * titles
    vectors[are_titled] = TITLED_LENGTH / np.linalg.norm(mixed, axis=1, keepdims=True) * mixed
    return vectors


class Complaints(NamedTuple):
    """n complaints in the order of their posting, and what the days before say of them; "" where they say nothing."""

    url_hash: Sequence[str]
    author: Sequence[str]
    # That of the author's first post.
    author_voice: Sequence[str]
    # The url_hash of the first post of the same voice; every post that was looked at before has one.
    voice: Sequence[str]
    problem: Sequence[str]
    # How many posts that problem has in all, older ones and copies included.
    size: Sequence[int]
    # (n, d), of about unit length.
    vectors: Vectors


class Grouped(NamedTuple):
    """Voice and problem of n posts, "" for none, and which problems have gone into which others."""

    voice: list[str]
    problem: list[str]
    merged: dict[str, str]


def similar_pairs(vectors: Vectors) -> Iterator[Pairs]:
    """The pairs of vectors (n, d) that are similar enough, by tiles of one half of the matrix."""
    count = len(vectors)
    for top in range(0, count, ROWS):
        for left in range(top, count, COLUMNS):
            similarity = vectors[top : top + ROWS] @ vectors[left : left + COLUMNS].T
            if left == top:
                square = similarity[:, : len(similarity)]
                square[:] = np.triu(square, 1)
            found = np.flatnonzero(similarity >= SAME)
            row, column = np.divmod(found, similarity.shape[1])
            yield Pairs(top + row, left + column, similarity.ravel()[found])


def keep_nearest(pairs: Sequence[Pairs]) -> Pairs:
    """Of directed pairs, from a to b, those to the NEIGHBOURS most similar of each a."""
    a, b, similarity = map(np.concatenate, zip(*pairs, strict=True))
    # Node by node, the most similar first: less than 1 is taken off, so that nodes do not mix. One sort, not two.
    order = np.argsort(a - similarity.astype(np.float64) / 2, kind="stable")
    by_node = a[order]
    kept = order[np.arange(len(order)) - np.searchsorted(by_node, by_node) < NEIGHBOURS]
    return Pairs(a[kept], b[kept], similarity[kept])


def nearest_pairs(vectors: Vectors) -> Pairs:
    """The pairs of vectors (n, d) of which one is among the nearest of the other, and similar enough."""
    count = len(vectors)
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    waiting = 0
    for a, b, similarity in similar_pairs(vectors):
        found += [Pairs(a, b, similarity), Pairs(b, a, similarity)]
        waiting += 2 * len(a)
        if waiting > WAITING:
            found, waiting = [keep_nearest(found)], 0
    a, b, similarity = keep_nearest(found)
    key, first = np.unique(np.minimum(a, b) * count + np.maximum(a, b), return_index=True)
    return Pairs(*np.divmod(key, max(count, 1)), similarity[first])


def communities(vectors: Vectors, pairs: Pairs, before: Labels) -> Labels:
    """Communities of n vectors (n, d) by modularity (n,), found from those before (n,); one without ties is alone.

    Where posts are SAME with less than MIN_DENSITY of the members that they could be it with (the NEIGHBOURS nearest),
    one leads to the next without all saying the same: such communities are divided, ever more finely, until what is
    left holds together.
    """
    weight = float((pairs.similarity - LOOSE).sum())
    found = leiden_communities(pairs, before, min(1, weight / ENOUGH))
    resolution = 1
    while (loose := is_loose(vectors, found)).any():
        within = loose[pairs.a] & (found[pairs.a] == found[pairs.b])
        parts = leiden_communities(Pairs(*(each[within] for each in pairs)), np.arange(len(found)), resolution)
        found[loose] = found.max() + 1 + parts[loose]
        resolution *= 2
    return found


def leiden_communities(pairs: Pairs, before: Labels, resolution: float) -> Labels:
    """Leiden's communities of n nodes (n,), found from those before (n,); the higher the resolution, the smaller."""
    found = np.arange(len(before)) + len(before)
    if len(pairs.a):
        weights = (pairs.similarity.astype(np.float64) - LOOSE).tolist()
        nodes, ends = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
        names = list(map(str, nodes.tolist()))
        a, b = ([names[end] for end in each] for each in ends.reshape(2, -1).tolist())
        starts = dict(zip(names, before[nodes].tolist(), strict=True))
        _, named = leiden(
            list(zip(a, b, weights, strict=True)), starts, resolution=resolution, iterations=ITERATIONS, seed=SEED
        )
        found[nodes] = [named[name] for name in names]
    return found


def is_loose(vectors: Vectors, community: Labels) -> Flags:
    """Whether the community of each of n vectors (n, d) holds together less than MIN_DENSITY (n,)."""
    loose = np.zeros(len(community), dtype=bool)
    order = np.argsort(community, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(community[order])) + 1):
        possible = min(len(members) - 1, NEIGHBOURS)
        if possible > 1:
            ties = 0
            for start in range(0, len(members), ROWS):
                are_alike = vectors[members[start : start + ROWS]] @ vectors[members].T >= SAME
                # A post is like itself, too.
                ties += int(np.minimum(are_alike.sum(axis=1) - 1, possible).sum())
            loose[members] = ties < MIN_DENSITY * possible * len(members)
    return loose


def voices(posts: Complaints, pairs: Pairs) -> list[str]:
    """The voice of each post: that of the first one by the same author or in nearly the same words, else its own.

    Words are passed on: of a hundred copies no two need be among the nearest of each other.
    """
    voice = list(posts.voice)
    count = len(voice)
    lengths = np.linalg.norm(posts.vectors, axis=1)
    close = pairs.similarity >= REPEATED * lengths[pairs.a] * lengths[pairs.b]
    ties = coo_array((np.ones(close.sum()), (pairs.a[close], pairs.b[close])), shape=(count, count))
    wording = connected_components(ties, directed=False)[1].tolist() if count else []
    by_author = {author: first for author, first in zip(posts.author, posts.author_voice, strict=True) if first}
    by_wording: dict[int, str] = {}
    # Those that have a voice first, then the others, each in the order of posting.
    for index in sorted(range(count), key=lambda index: not posts.voice[index]):
        author, words = posts.author[index], wording[index]
        voice[index] = voice[index] or by_author.get(author) or by_wording.get(words, posts.url_hash[index])
        by_wording.setdefault(words, voice[index])
        if author:
            by_author.setdefault(author, voice[index])
    return voice


def labels_of(names: Sequence[str]) -> Labels:
    """A number for each of n names (n,): the same for the same name, one of its own for each ""."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(name or f" {index}", len(numbers)) for index, name in enumerate(names)], np.int64
    )


def is_regrouped(posts: Complaints, pairs: Pairs, before: Labels) -> Flags:
    """Whether each post hangs together, by ties or by its problem, with one that was not looked at before (n,)."""
    count = len(before)
    a, b = np.concatenate([pairs.a, np.arange(count)]), np.concatenate([pairs.b, count + before])
    ties = coo_array((np.ones(len(a)), (a, b)), shape=(2 * count, 2 * count))
    component = connected_components(ties, directed=False)[1][:count]
    is_new = np.array([not voice for voice in posts.voice], dtype=bool)
    return np.isin(component, component[is_new])


def problems_of_groups(problem: Sequence[str], group: Sequence[int], size: Mapping[str, int]) -> dict[int, str]:
    """Which problem each group of posts goes on with: every problem has one, that with most of its posts.

    size: how many posts a problem has in all; those that are not among these go where it goes. Problems that want the
    same group leave it to the one with more posts, in the group and beside these; of equal ones to the one with the
    earlier post.
    """
    here = Counter(problem)
    shared = Counter((name, number) for name, number in zip(problem, group, strict=True) if name)
    names: dict[int, str] = {}
    placed = set()
    # Counter and sorted keep the order of the first posts.
    for (name, number), _ in sorted(shared.items(), key=lambda each: here[each[0][0]] - size[each[0][0]] - each[1]):
        if number not in names and name not in placed:
            names[number] = name
            placed.add(name)
    return names


def group_day(posts: Complaints, day: str, min_voices: int) -> Grouped:
    """Group n posts of a window on its last day, which may open problems of at least min_voices voices."""
    pairs = nearest_pairs(posts.vectors)
    voice = voices(posts, pairs)
    before = labels_of(posts.problem)
    indices = np.flatnonzero(is_regrouped(posts, pairs, before)).tolist()
    group = communities(posts.vectors, pairs, before)
    members: dict[int, list[int]] = {}
    for index in indices:
        members.setdefault(int(group[index]), []).append(index)

    size = dict(zip(posts.problem, posts.size, strict=True))
    names = problems_of_groups([posts.problem[index] for index in indices], group[indices].tolist(), size)
    for number, each in members.items():
        if number not in names and len({voice[index] for index in each}) >= min_voices:
            names[number] = problem_id(day, posts.url_hash[each[0]])
    goes_on = set(names.values())
    problem = list(posts.problem)
    for number, each in members.items():
        for index in each:
            # Posts that no problem has room for stay with theirs.
            problem[index] = names.get(number, problem[index])
    gone = {posts.problem[index] for index in indices} - goes_on - {""}
    merged = {}
    for name in sorted(gone):
        into = Counter(problem[index] for index in indices if posts.problem[index] == name and problem[index] != name)
        merged[name] = into.most_common(1)[0][0]
    return Grouped(voice, [merged.get(name, name) for name in problem], merged)


def problem_id(day: str, url_hash: str) -> str:
    """The id of the problem that a post was the first of when it was opened on a day; as in macro record_id."""
    return sha256(f"{day}/{url_hash}".encode()).hexdigest()[:15]


def rows_of_day(
    considered: pa.Table, day: str, model: str, same: float, min_voices: int
) -> tuple[pa.Table, dict[str, str]]:
    """The rows of SCHEMA that a day adds to what stood before, from the rows of CONSIDERED; and the merged problems.

    same: cosine similarity from which on two complaints may say the same; min_voices: voices that open a problem.
    """
    columns = {name: considered[name].to_pylist() for name in considered.column_names if "embedding" not in name}
    rows = {url_hash: row for row, url_hash in enumerate(columns["url_hash"])}
    # Copies of a post go where it goes: in the graph they would crowd out its neighbours.
    leaders = [rows.get(original, row) for row, original in enumerate(columns["original"])]
    nodes = [row for row, leader in enumerate(leaders) if row == leader]
    node_of = {row: node for node, row in enumerate(nodes)}
    titles = considered["title_embedding"]
    vectors = compared_vectors(to_vectors(considered["embedding"]), to_vectors(titles), titles.is_valid().to_numpy())
    vectors *= (SAME / same) ** 0.5
    url_hash, author, author_voice, voice, problem, size = (
        [columns[name][row] for row in nodes]
        for name in ("url_hash", "author", "author_voice", "voice", "problem", "size")
    )
    grouped = group_day(
        Complaints(url_hash, author, author_voice, voice, problem, size, vectors[nodes]), day, min_voices
    )
    moved = []
    for row, leader in enumerate(leaders):
        node = node_of[leader]
        if not columns["voice"][row] or columns["problem"][row] != grouped.problem[node]:
            moved.append(
                {
                    "url_hash": columns["url_hash"][row],
                    "problem_id": grouped.problem[node] or None,
                    "voice": columns["voice"][row] or grouped.voice[node],
                    "model": model,
                    "as_of_date": date.fromisoformat(day),
                    "collection_date": columns["collection_date"][row],
                }
            )
    return pa.Table.from_pylist(moved, schema=SCHEMA), grouped.merged


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day, and of the days after it that were built before."""
    dbt.config(materialized="incremental", incremental_strategy="replace_from_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    posts = dbt.ref("posts")
    run_date = dbt.config.meta_get("run_date")
    same = float(dbt.config.meta_get("problem_similarity"))
    min_voices = int(dbt.config.meta_get("problem_voices"))
    settings = {
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
        "memory": int(dbt.config.meta_get("problem_memory_days")),
        "representatives": REPRESENTATIVES,
    }
    considered_posts = CONSIDERED.format(
        documents=subquery(documents),
        titles=subquery(titles),
        embeddings=subquery(embeddings),
        posts=subquery(posts),
    )

    days = [run_date]
    known = "(select null::varchar as url_hash, null::date as as_of_date where false)"
    if dbt.is_incremental:
        known = str(dbt.this)
        later = session.sql(
            f"select distinct as_of_date::text from {known} where as_of_date > date '{run_date}' order by 1"
        )
        days += [day for (day,) in later.fetchall()]
    with arrow_view(session, "no_assignments", SCHEMA.empty_table()) as no_assignments:
        session.execute(
            f"""
            create or replace temp table standing as
            select * from {no_assignments}
            union all by name
            select * from {known}
            where as_of_date < date '{run_date}'
            qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
            """
        )
    tables = [SCHEMA.empty_table()]
    for day in track(days, "Grouping complaints", disable=len(days) == 1):
        considered = session.sql(considered_posts, params=settings | {"last": day}).to_arrow_table()
        moved, merged = rows_of_day(considered, day, settings["model"], same, min_voices)
        followers = followers_of(session, merged, moved, day, settings["model"])
        tables += [moved, followers]
        with arrow_view(session, "changed", pa.concat_tables([moved, followers])) as changed:
            session.execute(f"delete from temp.standing where url_hash in (select url_hash from {changed})")
            session.execute(f"insert into temp.standing by name select * from {changed}")
    session.execute("drop table temp.standing")
    return pa.concat_tables(tables)


def followers_of(
    session: duckdb.DuckDBPyConnection, merged: Mapping[str, str], moved: pa.Table, day: str, model: str
) -> pa.Table:
    """The rows of SCHEMA of posts older than the window whose problem was merged: they follow their problem.

    merged: the problem that each merged problem went into; moved: the rows of the day's own moves.
    """
    gone = pa.table({"problem_id": list(merged), "into": list(merged.values())})
    with arrow_view(session, "gone", gone) as gone_view, arrow_view(session, "moved", moved) as moved_view:
        followers = session.execute(
            f"""
            select
                standing.url_hash,
                gone.into::text as problem_id,
                standing.voice,
                $model as model,
                date '{day}' as as_of_date,
                standing.collection_date,
            from temp.standing as standing
            inner join {gone_view} as gone using (problem_id)
            where standing.url_hash not in (select url_hash from {moved_view})
            """,
            {"model": model},
        ).to_arrow_table()
    return followers.cast(SCHEMA)
