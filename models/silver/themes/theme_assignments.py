"""Which theme each complaint belongs to, and since which day.

Grain: one row per as_of_date and url_hash. From as_of_date on, the post belongs to theme_id; if theme_id is null, the
post belongs to no theme. A complaint gets a row on its first day, and another row whenever it changes its theme. The
latest row holds.
Method: average linkage (Sokal & Michener 1958, A Statistical Method for Evaluating Systematic Relationships) joins the
complaints of a window of days as long as the mean similarity of their embeddings is at least var theme_similarity. The
posts of a problem stay together: all of them go where most of them are. A theme goes on as the group with most of its
posts, and keeps its id. A group that no theme claims opens a theme if it has at least theme_voices voices.

The rows of a day depend on the posts of this day and of earlier days. A build of an earlier day therefore regroups all
later days.
"""

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import BisectingKMeans

from groundswell.identity import names_of_groups, new_name
from groundswell.pairs import mixed
from groundswell.progress import track
from groundswell.relations import subquery
from groundswell.standing import change_standing, days_to_build, make_standing
from groundswell.vectors import Vectors, title_vectors, to_vectors
from groundswell.wide import read_wide, vector_columns

Labels = npt.NDArray[np.int64]

# Linkage needs the distances of all pairs: 144 MB for so many posts. More posts are parted first.
AT_ONCE = 6_000
ROWS = 512
SEED = 20_261_120

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("theme_id", pa.string()),
        ("voice", pa.string()),
        ("as_of_date", pa.date32()),
        ("collection_date", pa.date32()),
    ]
)

# The complaints of a window, with their voices, problems and themes, as far as they have vectors.
CONSIDERED = """
    with considered_posts as (
        select url_hash, content_hash, duplicate_of, collection_date
        from {documents}
        where
            collection_date > $last::date - $window::int
            and collection_date <= $last::date
            and complaint_score >= $threshold
    ),
    grouped as (
        select url_hash, voice, problem_id
        from {problem_assignments}
        where as_of_date <= $last::date and url_hash in (select url_hash from considered_posts)
        qualify row_number() over (partition by url_hash order by as_of_date desc) = 1
    ),
    post_titles as (
        select url_hash, content_hash as title_hash
        from {titles}
        where url_hash in (select url_hash from considered_posts)
    ),
    sizes as (
        select theme_id, count(*) as posts
        from temp.standing_themes
        where theme_id is not null
        group by theme_id
    )
    select
        url_hash,
        considered_posts.content_hash,
        post_titles.title_hash,
        coalesce(considered_posts.duplicate_of, '') as original,
        grouped.voice,
        coalesce(grouped.problem_id, '') as problem,
        standing.url_hash is not null as is_known,
        coalesce(standing.theme_id, '') as theme,
        coalesce(sizes.posts, 0) as size,
        considered_posts.collection_date,
        posts.posted_at,
    from considered_posts
    inner join grouped using (url_hash)
    inner join {posts} as posts using (url_hash)
    left join post_titles using (url_hash)
    left join temp.standing_themes as standing using (url_hash)
    left join sizes on standing.theme_id = sizes.theme_id
    where content_hash in (select content_hash from {embeddings} where model = $model)
"""


def distances(vectors: Vectors) -> npt.NDArray[np.float64]:
    """The cosine distances of all pairs of n unit vectors (n, d), (n * (n - 1) / 2,), in the order of scipy's pdist."""
    count = len(vectors)
    found = np.empty(count * (count - 1) // 2)
    filled = 0
    for top in range(0, count, ROWS):
        block = 1 - vectors[top : top + ROWS] @ vectors[top:].T
        for row, each in enumerate(block):
            found[filled : filled + len(each) - row - 1] = each[row + 1 :]
            filled += len(each) - row - 1
    # Rounding makes the distance of two copies less than 0.
    return np.maximum(found, 0, out=found)


def similar_groups(vectors: Vectors, least: float) -> Labels:
    """The groups (n,) of n unit vectors (n, d) whose mean similarity is at least `least`, by average linkage."""
    count = len(vectors)
    if count > AT_ONCE:
        part = BisectingKMeans(2 * count // AT_ONCE + 1, bisecting_strategy="largest_cluster", random_state=SEED)
        parts = part.fit_predict(vectors)
    else:
        parts = np.zeros(count, dtype=np.int64)
    groups = np.arange(count)
    for number in np.unique(parts):
        [members] = np.nonzero(parts == number)
        if len(members) > 1:
            tree = linkage(distances(vectors[members]), "average")
            groups[members] = members[0] + count * fcluster(tree, 1 - least, "distance")
    return groups


def with_their_problems(group: Labels, problem: list[str]) -> list[int]:
    """The group of each post (n,), where all posts of a problem are in the group with most of them."""
    most = Counter((name, number) for name, number in zip(problem, group.tolist(), strict=True) if name)
    home: dict[str, int] = {}
    # most_common keeps the order of each pair's first post.
    for (name, number), _ in most.most_common():
        home.setdefault(name, number)
    return [home.get(name, number) for name, number in zip(problem, group.tolist(), strict=True)]


def rows_of_day(considered: pa.Table, day: str, least: float, min_voices: int) -> pa.Table:
    """The rows of SCHEMA that a day adds. considered: the rows of CONSIDERED."""
    if not considered.num_rows:
        return SCHEMA.empty_table()
    columns = {name: considered[name].to_pylist() for name in considered.column_names if "embedding" not in name}
    row_of = {url_hash: row for row, url_hash in enumerate(columns["url_hash"])}
    # Duplicates follow their original.
    leaders = [row_of.get(original, row) for row, original in enumerate(columns["original"])]
    nodes = [row for row, leader in enumerate(leaders) if row == leader]
    texts = to_vectors(considered["embedding"])
    titles = title_vectors(texts, considered["title_embedding"])
    url_hash, voice, problem, theme = (
        [columns[name][row] for row in nodes] for name in ("url_hash", "voice", "problem", "theme")
    )
    group = with_their_problems(similar_groups(mixed(texts[nodes], titles[nodes]), least), problem)

    names = names_of_groups(theme, group, dict(zip(columns["theme"], columns["size"], strict=True)))
    voices: dict[int, set[str]] = {}
    first: dict[int, str] = {}
    for number, each, post in zip(group, voice, url_hash, strict=True):
        voices.setdefault(number, set()).add(each)
        first.setdefault(number, post)
    for number in voices:
        if number not in names and len(voices[number]) >= min_voices:
            names[number] = new_name(day, first[number])
    theme_of = {row: names.get(number, "") for row, number in zip(nodes, group, strict=True)}
    changed = [
        {
            "url_hash": columns["url_hash"][row],
            "theme_id": theme_of[leader] or None,
            "voice": columns["voice"][row],
            "as_of_date": date.fromisoformat(day),
            "collection_date": columns["collection_date"][row],
        }
        for row, leader in enumerate(leaders)
        if not columns["is_known"][row] or columns["theme"][row] != theme_of[leader]
    ]
    return pa.Table.from_pylist(changed, schema=SCHEMA)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day, and the rows of later days that are in the table."""
    dbt.config(materialized="incremental", incremental_strategy="replace_from_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    posts = dbt.ref("posts")
    problem_assignments = dbt.ref("problem_assignments")
    run_date = dbt.config.meta_get("run_date")
    least = float(dbt.config.meta_get("theme_similarity"))
    min_voices = int(dbt.config.meta_get("theme_voices"))
    settings = {
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
    }
    considered_posts = CONSIDERED.format(
        documents=subquery(documents),
        titles=subquery(titles),
        embeddings=subquery(embeddings),
        posts=subquery(posts),
        problem_assignments=subquery(problem_assignments),
    )

    days = days_to_build(dbt, session, run_date)
    make_standing(dbt, session, run_date, "standing_themes", SCHEMA)
    tables = [SCHEMA.empty_table()]
    for day in track(days, "Grouping themes", disable=len(days) == 1):
        considered = read_wide(
            session, considered_posts, "posted_at, url_hash", vector_columns(embeddings), settings | {"last": day}
        )
        changed = rows_of_day(considered, day, least, min_voices)
        tables.append(changed)
        change_standing(session, "standing_themes", changed)
    session.execute("drop table temp.standing_themes")
    return pa.concat_tables(tables)
