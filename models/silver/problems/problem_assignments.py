"""Which problem each complaint belongs to, and since which day.

Grain: one row per as_of_date and url_hash. From as_of_date on, the post belongs to problem_id; if problem_id is null,
the post belongs to no problem. A complaint, weak or not, gets a row on its first day, and another row whenever it
changes its problem. The latest row holds.
Method (groundswell.grouping): the complaints of a window of days are compared with their neighbours.
- Where many posts are close to each other, the ground is dense: messages to one support desk, say. There, a link joins
  two complaints whose similarity is at least links.SAME, and the Leiden algorithm (Traag, Waltman & van Eck 2019, From
  Louvain to Leiden) finds communities by modularity; it starts from the communities of the day before.
- Elsewhere, a pair has a chance to be the same problem (groundswell.pairs), and average linkage joins groups as long as
  the mean chance of their pairs is high enough; it starts from the problems of the day before.
Posts that programs wrote (silver.program_posts) are grouped among themselves, by what differs in them. They are no
dense ground, and no ticket follows another one as its duplicate: a frame makes tickets similar that report two faults.
Only connected components with a new post are regrouped.
A problem goes to the group with most of its posts, and keeps its id. If several problems go to one group, the problem
with the most posts keeps its id, and the others are merged into it. A group that no problem claims opens a problem if
it has at least problem_voices voices. The latest three posts of a problem represent it, even if they are older than the
window. They do so for problem_memory_days after its latest post.
Weak complaints, with a complaint_score below complaint_threshold and from weak_complaint_threshold on, are grouped with
the complaints and are voices like them. But a group opens a problem only if two voices have a complaint.
A language model judges pairs whose chance is unsure: silver.pair_opinions are links that outweigh chances.
Posts of one author are one voice, and so are posts in nearly the same words.
People correct problems: silver.corrected_posts gives posts to problems, and no group takes them away. Posts of one
corrected problem start together, and posts of two are never in one group. Where most of a group was given to a problem,
the rest of the group follows.

The rows of a day depend on the posts of this day and of earlier days. A build of an earlier day therefore regroups all
later days.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.grouping.day import Settings, group_day
from groundswell.grouping.links import SAME, compared_vectors
from groundswell.grouping.window import Complaints
from groundswell.pairs import Posts, by_ground
from groundswell.progress import track
from groundswell.relations import arrow_view, subquery
from groundswell.standing import change_standing, days_to_build, make_standing
from groundswell.vectors import title_vectors, to_vectors
from groundswell.verdicts import opinions_of, verdicts_of
from groundswell.wide import SORTED, read_wide, text_columns, vector_columns

REPRESENTATIVES = 3

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("problem_id", pa.string()),
        ("voice", pa.string()),
        ("chance", pa.float64()),
        ("model", pa.string()),
        ("as_of_date", pa.date32()),
        ("collection_date", pa.date32()),
    ]
)


# The complaints of a window, weak ones too, and the representatives of problems, with their voices and problems, as far
# as they have vectors.
CONSIDERED = """
    with given as (
        select url_hash, problem_id
        from temp.given
        where as_of_date <= $last::date
        qualify row_number() over (partition by url_hash order by correction_id desc) = 1
    ),
    standing as (
        select
            before.* replace (coalesce(given.problem_id, before.problem_id) as problem_id),
            before.problem_id as problem_before,
        from temp.standing as before
        left join given using (url_hash)
    ),
    representatives as (
        select url_hash
        from standing
        where problem_id is not null
        qualify
            max(collection_date) over (partition by problem_id) >= $last::date - $memory::int
            and row_number() over (partition by problem_id order by collection_date desc, url_hash) <= $representatives
    ),
    considered_posts as (
        select url_hash, content_hash, duplicate_of, complaint_score, collection_date
        from {documents}
        where
            collection_date > $last::date - $window::int
            and collection_date <= $last::date
            and complaint_score >= least($weak_threshold, $threshold)
        union
        select url_hash, content_hash, duplicate_of, complaint_score, collection_date
        from {documents}
        where url_hash in (select url_hash from representatives)
        -- A person can give a problem a post that is no complaint.
        union
        select url_hash, content_hash, duplicate_of, complaint_score, collection_date
        from {documents}
        where
            collection_date <= $last::date
            and url_hash in (select url_hash from given)
            and url_hash not in (select url_hash from standing)
    ),
    post_titles as (
        select url_hash, content_hash as title_hash
        from {titles}
        where url_hash in (select url_hash from considered_posts)
    ),
    authors as (
        select url_hash, coalesce(author_hash, '') as author, posted_at
        from {posts}
        where url_hash in (select url_hash from considered_posts union all select url_hash from standing)
    ),
    author_voices as (
        select author, arg_min(voice, (posted_at, url_hash)) as voice
        from standing
        inner join authors using (url_hash)
        where author <> ''
        group by author
    ),
    programs as (
        select url_hash, frame, differing_words
        from {program_posts}
        where as_of_date <= $last::date
    ),
    sizes as (
        select problem_id, count(*) as posts
        from standing
        where problem_id is not null
        group by problem_id
    )
    select
        url_hash,
        content_hash,
        coalesce(considered_posts.duplicate_of, '') as original,
        authors.author,
        coalesce(author_voices.voice, '') as author_voice,
        coalesce(standing.voice, '') as voice,
        coalesce(standing.problem_id, given.problem_id, '') as problem,
        coalesce(standing.problem_before, '') as problem_before,
        coalesce(given.problem_id, '') as given,
        coalesce(sizes.posts, 0) as size,
        coalesce(programs.frame, '') as frame,
        coalesce(programs.differing_words, '') as differing_words,
        -- What a person gave a problem counts as a complaint.
        coalesce(considered_posts.complaint_score >= $threshold, false) or given.problem_id is not null as complains,
        considered_posts.collection_date,
        post_titles.title_hash,
        authors.posted_at,
    from considered_posts
    left join post_titles using (url_hash)
    inner join authors using (url_hash)
    left join author_voices using (author)
    left join standing using (url_hash)
    left join given using (url_hash)
    left join programs using (url_hash)
    left join sizes on coalesce(standing.problem_id, given.problem_id) = sizes.problem_id
    where
        content_hash in (select content_hash from {embeddings} where model = $model)
        and url_hash in (select url_hash from {texts})
"""
# A post without sequences has an empty list.
SEQUENCES = """
    select place, list_distinct(coalesce(wordings.sequences, [])) as value
    from {rows} left join {wordings} as wordings using (url_hash)
"""


# The columns of these rows that do not become lists of Python.
ARRAYS = ("embedding", "title_embedding", "sequences")


def arrays_of(lists: pa.ChunkedArray) -> list[npt.NDArray[np.uint64]]:
    """A column of n lists of numbers as n arrays: numbers of Python would take four times as much memory."""
    column = lists.combine_chunks()
    ends = column.offsets.to_numpy()
    return np.split(column.values.to_numpy()[ends[0] : ends[-1]], ends[1:-1] - ends[0]) if len(column) else []


def complaints_of(
    columns: dict[str, Any],
    nodes: Sequence[int],
    same: float,
    corrected: frozenset[str],
    opinions: Mapping[tuple[str, str], bool],
    accuracy: float,
) -> Complaints:
    """The complaints in rows `nodes` of the columns of CONSIDERED. Takes what is large out of the columns.

    The other arguments are those of rows_of_day.
    """
    index = pa.array(nodes)
    texts = to_vectors(columns.pop("embedding").take(index))
    title_column = columns.pop("title_embedding").take(index)
    titles, are_titled = title_vectors(texts, title_column), title_column.is_valid().to_numpy()
    del title_column
    vectors = compared_vectors(texts, titles[are_titled], are_titled)
    vectors *= (SAME / same) ** 0.5

    def of_nodes(column: Sequence[Any]) -> list[Any]:
        return [column[node] for node in nodes]

    sequences, bodies, names = (
        of_nodes(each) for each in (arrays_of(columns.pop("sequences")), columns.pop("text"), columns.pop("title"))
    )
    # Arrow keeps what was freed for itself.
    pa.default_memory_pool().release_unused()
    return Complaints(
        of_nodes(columns["url_hash"]),
        of_nodes(columns["author"]),
        of_nodes(columns["author_voice"]),
        of_nodes(columns["voice"]),
        of_nodes(columns["problem"]),
        of_nodes(columns["size"]),
        vectors,
        Posts(bodies, [name or body for name, body in zip(names, bodies, strict=True)], texts, titles),
        of_nodes(columns["given"]),
        corrected,
        of_nodes(columns["frame"]),
        of_nodes(columns["differing_words"]),
        sequences,
        verdicts_of(of_nodes(columns["content_hash"]), opinions, accuracy),
        of_nodes(columns["complains"]),
    )


def rows_of_day(
    considered: pa.Table,
    day: str,
    model: str,
    same: float,
    settings: Settings,
    corrected: frozenset[str] = frozenset(),
    opinions: Mapping[tuple[str, str], bool] | None = None,
    accuracy: float = 0.5,
) -> tuple[pa.Table, dict[str, str]]:
    """The rows of SCHEMA that a day adds, and the merged problems: {old id: new id}.

    considered: the rows of CONSIDERED. same: the threshold of var problem_similarity. corrected: all problems that
    people gave posts. opinions, accuracy: what a language model says of pairs (groundswell.verdicts.verdicts_of).
    """
    if not considered.num_rows:
        return SCHEMA.empty_table(), {}
    columns: dict[str, Any] = {
        name: considered[name] if name in ARRAYS else considered[name].to_pylist() for name in considered.column_names
    }
    del considered
    rows = {url_hash: row for row, url_hash in enumerate(columns["url_hash"])}
    # Duplicates follow their original. In the graph, they would displace its other neighbours. Tickets do not: their
    # plain texts can be equal where their stack traces differ.
    leaders = [
        row if frame else rows.get(original, row)
        for row, (original, frame) in enumerate(zip(columns["original"], columns["frame"], strict=True))
    ]
    # But a person can give the duplicate another problem.
    given = columns["given"]
    leaders = [leader if given[row] in ("", given[leader]) else row for row, leader in enumerate(leaders)]
    nodes = [row for row, leader in enumerate(leaders) if row == leader]
    node_of = {row: node for node, row in enumerate(nodes)}
    # No name holds the complaints, so that group_day can let go of what it has used.
    grouped = group_day(complaints_of(columns, nodes, same, corrected, opinions or {}, accuracy), day, settings)
    moved = []
    for row, leader in enumerate(leaders):
        node = node_of[leader]
        if not columns["voice"][row] or columns["problem_before"][row] != grouped.problem[node]:
            moved.append(
                {
                    "url_hash": columns["url_hash"][row],
                    "problem_id": grouped.problem[node] or None,
                    "voice": columns["voice"][row] or grouped.voice[node],
                    "chance": grouped.chance[node] if grouped.problem[node] else None,
                    "model": model,
                    "as_of_date": date.fromisoformat(day),
                    "collection_date": columns["collection_date"][row],
                }
            )
    return pa.Table.from_pylist(moved, schema=SCHEMA), grouped.merged


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the rows of the day, and the rows of later days that are in the table."""
    dbt.config(materialized="incremental", incremental_strategy="replace_from_day", unique_key="as_of_date")
    documents = dbt.ref("documents")
    titles = dbt.ref("titles")
    embeddings = dbt.ref("embeddings")
    posts = dbt.ref("posts")
    texts = dbt.ref("texts")
    pair_weights = dbt.ref("pair_weights")
    problem_tiers = dbt.ref("problem_tiers")
    corrected_posts = dbt.ref("corrected_posts")
    program_posts = dbt.ref("program_posts")
    wordings = dbt.ref("wordings")
    copy_limits = dbt.ref("copy_limits")
    pair_opinions = dbt.ref("pair_opinions")
    run_date = dbt.config.meta_get("run_date")
    same = float(dbt.config.meta_get("problem_similarity"))
    weights = by_ground(pair_weights.project("ground, feature, weight").fetchall())
    tier = dbt.config.meta_get("problem_tier")
    # With --empty the seeds have no rows, and there are no complaints to group.
    least = dict(problem_tiers.project("tier, least_chance").fetchall()).get(tier, 1)
    near_copy = [float(limit) for (limit,) in copy_limits.project("near_copy").fetchall()]
    grouping = Settings(int(dbt.config.meta_get("problem_voices")), float(least), weights, *near_copy)
    opinions = opinions_of(pair_opinions)
    accuracy = float(dbt.config.meta_get("opinion_accuracy"))
    settings = {
        "model": dbt.config.meta_get("embedding_model"),
        "threshold": float(dbt.config.meta_get("complaint_threshold")),
        "weak_threshold": float(dbt.config.meta_get("weak_complaint_threshold")),
        "window": int(dbt.config.meta_get("problem_window_days")),
        "memory": int(dbt.config.meta_get("problem_memory_days")),
        "representatives": REPRESENTATIVES,
    }
    considered_posts = CONSIDERED.format(
        documents=subquery(documents),
        titles=subquery(titles),
        embeddings=subquery(embeddings),
        posts=subquery(posts),
        texts=subquery(texts),
        program_posts=subquery(program_posts),
    )
    sequences = SEQUENCES.format(rows=SORTED, wordings=subquery(wordings))
    wide = {"sequences": sequences} | text_columns(texts) | vector_columns(embeddings)

    days = days_to_build(dbt, session, run_date)
    make_standing(dbt, session, run_date, "standing", SCHEMA)
    session.execute(f"create or replace temp table given as select * from {subquery(corrected_posts)}")
    tables = [SCHEMA.empty_table()]
    for day in track(days, "Grouping complaints", disable=len(days) == 1):
        corrected = session.sql(
            "select distinct problem_id from temp.given where as_of_date <= $day::date", params={"day": day}
        )
        people_said = frozenset(name for (name,) in corrected.fetchall())
        moved, merged = rows_of_day(
            # No name holds the rows, so that rows_of_day can let go of them.
            read_wide(session, considered_posts, "posted_at, url_hash", wide, settings | {"last": day}),
            day,
            settings["model"],
            same,
            grouping,
            people_said,
            opinions,
            accuracy,
        )
        if people_said:
            moved = pa.concat_tables([moved, given_elsewhere(session, moved, day, settings["model"])])
        followers = followers_of(session, merged, moved, day, settings["model"])
        tables += [moved, followers]
        change_standing(session, "standing", pa.concat_tables([moved, followers]))
    session.execute("drop table temp.standing")
    session.execute("drop table temp.given")
    return pa.concat_tables(tables)


def given_elsewhere(session: duckdb.DuckDBPyConnection, moved: pa.Table, day: str, model: str) -> pa.Table:
    """The rows of SCHEMA for posts outside the window that a person has given another problem.

    moved: the rows that the day adds for the posts of its window.
    """
    with arrow_view(session, "moved", moved) as moved_view:
        rows = session.execute(
            f"""
            with words as (
                select url_hash, problem_id
                from temp.given
                where as_of_date <= date '{day}'
                qualify row_number() over (partition by url_hash order by correction_id desc) = 1
            )
            select
                standing.url_hash,
                words.problem_id,
                standing.voice,
                standing.chance,
                $model as model,
                date '{day}' as as_of_date,
                standing.collection_date,
            from temp.standing as standing
            inner join words using (url_hash)
            where
                standing.problem_id is distinct from words.problem_id
                and standing.url_hash not in (select url_hash from {moved_view})
            """,
            {"model": model},
        ).to_arrow_table()
    return rows.cast(SCHEMA)


def followers_of(
    session: duckdb.DuckDBPyConnection, merged: Mapping[str, str], moved: pa.Table, day: str, model: str
) -> pa.Table:
    """The rows of SCHEMA for posts older than the window whose problem was merged: they follow their problem.

    merged: {old id: new id}. moved: the rows that the day adds for the posts of its window.
    """
    gone = pa.table({"problem_id": list(merged), "into": list(merged.values())})
    with arrow_view(session, "gone", gone) as gone_view, arrow_view(session, "moved", moved) as moved_view:
        followers = session.execute(
            f"""
            select
                standing.url_hash,
                gone.into::text as problem_id,
                standing.voice,
                standing.chance,
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
