"""Which problem each complaint belongs to, and since which day.

Grain: one row per as_of_date and url_hash. From as_of_date on, the post belongs to problem_id; if problem_id is null,
the post belongs to no problem. A complaint, weak or not, gets a row on its first day, and another row whenever it
changes its problem. The latest row holds.
Method: the complaints of a window of days are compared with their neighbours.
- Where many posts are close to each other, the ground is dense: messages to one support desk, say. There, a link joins
  two complaints whose similarity is at least SAME, and the Leiden algorithm (Traag, Waltman & van Eck 2019, From
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
the complaints and are voices like them. But a group opens a problem only if COMPLAINING_VOICES voices have a complaint.
A language model judges pairs whose chance is unsure: silver.pair_opinions are links that outweigh chances.
Posts of one author are one voice, and so are posts in nearly the same words (voices).
People correct problems: silver.corrected_posts gives posts to problems, and no group takes them away. Posts of one
corrected problem start together, and posts of two are never in one group. Where most of a group was given to a problem,
the rest of the group follows.

The rows of a day depend on the posts of this day and of earlier days. A build of an earlier day therefore regroups all
later days.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from graspologic_native import leiden
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from groundswell.identity import names_of_groups, new_name
from groundswell.linkage import average_linkage
from groundswell.neighbours import Neighbours, is_large, nearest
from groundswell.pairs import (
    BIAS,
    DENSE,
    LOCAL_RANK,
    NEAREST,
    Candidates,
    Floats,
    Posts,
    Tickets,
    by_ground,
    candidates,
    mixed,
    possible_chances,
    products,
)
from groundswell.progress import track
from groundswell.relations import arrow_view, subquery
from groundswell.standing import change_standing, days_to_build, make_standing
from groundswell.vectors import Vectors, to_vectors
from groundswell.verdicts import NO_VERDICTS, Verdicts, opinions_of, updated_chances, verdicts_of, with_verdicts
from groundswell.wide import SORTED, read_wide, text_columns, vector_columns

Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
# The sequences of words of each of n posts, each once.
Sequences = Sequence[Sequence[int] | npt.NDArray[np.uint64]]

NEIGHBOURS = 20
# Two complaints may say the same if their cosine similarity is at least this threshold. Var problem_similarity
# overrides this value: vectors are rescaled so that the threshold stays 0.7. Among the intents of banking77 with as
# many unrelated posts, 2 % of unrelated real posts were grouped, and 9 % of Stack Overflow titles, which resemble each
# other more.
SAME = 0.7
# Two posts with titles need a cosine of 0.74 instead of 0.7. Their vectors are therefore shorter than 1. Of 750 real
# pairs that were read, 43 % of the pairs above 0.74 say the same, and 35 % of the pairs above 0.7.
TITLED_LENGTH = (0.7 / 0.74) ** 0.5
# The weight of a link is its similarity minus this value, so that a close link weighs twice as much as a weak link.
LOOSE = 0.5
# From this cosine similarity on, two posts count as one voice that posted twice.
REPEATED = 0.97
REPRESENTATIVES = 3
# A group with weak complaints opens a problem only if so many of its voices have a complaint.
COMPLAINING_VOICES = 2
# Communities with less than this share of the possible links are split. In banking77, every community of ten or more
# intents has a share of 0.7 or more. In real posts, communities that chains of links had joined had 0.2 to 0.5.
MIN_DENSITY = 0.5
ITERATIONS = 2
# If all links together weigh less than this, the resolution is lowered: in a small graph, modularity would split a
# large problem. The links of 10,000 real complaints weigh 315.
ENOUGH = 400
SEED = 20_261_120
# A community is dense ground if this share of its posts has LOCAL_RANK neighbours with a similarity of SAME. In
# banking77, 89 % of the posts have so many; of the bug reports of Eclipse, Firefox and Hadoop, 1 %, 3 % and 6 %.
DENSE_SHARE = 0.5
# The posts of a problem stay together as long as their mean chance is at least this part of what joins two groups.
STAYS = 0.5
# The size of a tile of the similarity matrix (32 MB), and the most directed pairs between two selections of nearest
# neighbours (80 MB).
ROWS, COLUMNS = 512, 16_384
WAITING = 4_000_000

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


# The columns of these rows that are arrays and no lists of Python.
ARRAYS = ("embedding", "title_embedding", "sequences")


class Pairs(NamedTuple):
    """Pairs of nodes a and b (m,), with their cosine similarities (m,)."""

    a: Labels
    b: Labels
    similarity: Vectors


def compared_vectors(texts: Vectors, titles: Vectors, are_titled: Flags) -> Vectors:
    """The vectors (n, d) by which n posts are compared: those of their texts (n, d), mixed with those of their titles.

    titles: (m, d), for the m posts that are_titled (n,) marks.
    """
    vectors = texts.copy()
    titled = np.flatnonzero(are_titled)
    for start in range(0, len(titled), COLUMNS):
        part = titled[start : start + COLUMNS]
        vectors[part] = TITLED_LENGTH * mixed(texts[part], titles[start : start + COLUMNS])
    return vectors


class Complaints(NamedTuple):
    """n complaints in the order of their posting, with their state after the day before; "" means none."""

    url_hash: Sequence[str]
    author: Sequence[str]
    # The voice of the author's first post.
    author_voice: Sequence[str]
    # The url_hash of the first post of the same voice; "" marks a new post.
    voice: Sequence[str]
    problem: Sequence[str]
    # The number of posts of the problem, with duplicates and with posts older than the window.
    size: Sequence[int]
    # (n, d), about unit length.
    vectors: Vectors
    # Texts and titles with their vectors.
    said: Posts
    # The problem that a person gave the post; "" for none. It is also the problem before.
    given: Sequence[str] = ()
    # All problems that people gave posts, here or outside the window. They are not merged into others.
    corrected: frozenset[str] = frozenset()
    # Which of the posts programs wrote; () if none.
    frames: Sequence[str] = ()
    differing_words: Sequence[str] = ()
    # The sequences of words of each post (silver.wordings), each once; () if none are known.
    sequences: Sequences = ()
    # What a language model says of pairs of them.
    verdicts: Verdicts = NO_VERDICTS
    # Which of the posts are complaints; the others are weak ones. () if all are complaints.
    complains: Sequence[bool] = ()


class Settings(NamedTuple):
    """How complaints are grouped."""

    # Var problem_voices.
    min_voices: int
    # Linkage joins groups whose pairs have at least this mean chance: that of var problem_tier in seed problem_tiers.
    least: float
    # Seed pair_weights: {ground: {feature: weight}}.
    weights: Mapping[str, Mapping[str, float]]
    # Seed copy_limits: two posts that are so much alike are one voice.
    near_copy: float = 1.0


class Grouped(NamedTuple):
    """The voices and problems of n posts ("" for no problem), and the merged problems: {old id: new id}."""

    voice: list[str]
    problem: list[str]
    # The chance (n,) that the post and another post of its problem are the same problem; 0 without a problem.
    chance: list[float]
    merged: dict[str, str]


def similar_pairs(vectors: Vectors) -> Iterator[Pairs]:
    """Yield the pairs a < b of vectors (n, d) with a similarity of at least SAME, tile by tile."""
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
    """Keep, for each node a of directed pairs (a to b), the pairs with its NEIGHBOURS most similar nodes b."""
    a, b, similarity = map(np.concatenate, zip(*pairs, strict=True))
    # One sort by node and descending similarity: the subtracted value is less than 1, so that nodes do not mix.
    order = np.argsort(a - similarity.astype(np.float64) / 2, kind="stable")
    by_node = a[order]
    kept = order[np.arange(len(order)) - np.searchsorted(by_node, by_node) < NEIGHBOURS]
    return Pairs(a[kept], b[kept], similarity[kept])


def nearest_pairs(vectors: Vectors, by_vector: Neighbours | None = None) -> Pairs:
    """The links of n vectors (n, d): pairs a < b of which one is among the nearest neighbours of the other.

    by_vector: the NEAREST neighbours (n, k) by direction, if they are known; only many vectors need them. Lengths
    hardly differ, so one search serves links and candidates.
    """
    count = len(vectors)
    if is_large(count):
        nodes = (by_vector or nearest(vectors, NEAREST)).nodes
        a, place = np.nonzero(nodes >= 0)
        b = nodes[a, place]
        similarity = products(vectors, a, b).astype(np.float32)
        similar = similarity >= SAME
        return each_once(keep_nearest([Pairs(a[similar], b[similar], similarity[similar])]), count)
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    waiting = 0
    for a, b, similarity in similar_pairs(vectors):
        found += [Pairs(a, b, similarity), Pairs(b, a, similarity)]
        waiting += 2 * len(a)
        if waiting > WAITING:
            found, waiting = [keep_nearest(found)], 0
    return each_once(keep_nearest(found), count)


def each_once(directed: Pairs, count: int) -> Pairs:
    """The pairs a < b of directed pairs of `count` nodes."""
    a, b, similarity = directed
    key, first = np.unique(np.minimum(a, b) * count + np.maximum(a, b), return_index=True)
    return Pairs(*np.divmod(key, max(count, 1)), similarity[first])


def communities(vectors: Vectors, pairs: Pairs, before: Labels) -> Labels:
    """The community of each of n vectors (n, d), (n,). A node without links is a community of its own.

    before: the communities of the day before (n,), from which the search starts. In a chain of links, the first and the
    last post need not say the same. Communities with less than MIN_DENSITY of the possible links (at most NEIGHBOURS a
    post) are therefore split with growing resolution until no community is loose.
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
    """The communities of n nodes (n,) by the Leiden algorithm, which starts from the communities `before` (n,).

    A higher resolution gives smaller communities. Members of a community before that no links connect any more start
    apart: the library panics at such a community.
    """
    count = len(before)
    found = np.arange(count) + count
    if len(pairs.a):
        within = before[pairs.a] == before[pairs.b]
        ties = coo_array((np.ones(within.sum()), (pairs.a[within], pairs.b[within])), shape=(count, count))
        connected = connected_components(ties, directed=False)[1]
        weights = (pairs.similarity.astype(np.float64) - LOOSE).tolist()
        nodes, ends = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
        names = list(map(str, nodes.tolist()))
        a, b = ([names[end] for end in each] for each in ends.reshape(2, -1).tolist())
        starts = dict(zip(names, connected[nodes].tolist(), strict=True))
        _, named = leiden(
            list(zip(a, b, weights, strict=True)), starts, resolution=resolution, iterations=ITERATIONS, seed=SEED
        )
        found[nodes] = [named[name] for name in names]
    return found


def is_loose(vectors: Vectors, community: Labels) -> Flags:
    """Whether the community of each of n vectors (n, d) has less than MIN_DENSITY of its possible links (n,)."""
    loose = np.zeros(len(community), dtype=bool)
    order = np.argsort(community, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(community[order])) + 1):
        possible = min(len(members) - 1, NEIGHBOURS)
        if possible > 1:
            ties = 0
            for start in range(0, len(members), ROWS):
                are_alike = vectors[members[start : start + ROWS]] @ vectors[members].T >= SAME
                # A post has no link to itself.
                ties += int(np.minimum(are_alike.sum(axis=1) - 1, possible).sum())
            loose[members] = ties < MIN_DENSITY * possible * len(members)
    return loose


def likeness(sequences: Sequences, pairs: Pairs) -> Floats:
    """The Jaccard similarity (m,) of the sequences of words of m pairs of posts; 0 if none of the two has any."""
    # Most posts are in no pair.
    members, place = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    a, b = place.reshape(2, -1)
    said = [np.asarray(sequences[member], np.uint64) for member in members.tolist()]
    size = np.array([len(each) for each in said])
    # Numbers instead of sequences. numpy.unique would need several times the memory.
    encoded = pa.array(np.concatenate(said)).dictionary_encode()
    numbers, ends = encoded.indices.to_numpy(), np.concatenate([[0], np.cumsum(size)])
    columns = max(len(encoded.dictionary), 1)
    has = csr_array((np.ones(len(numbers), np.uint8), numbers, ends), shape=(len(size), columns))
    has.sort_indices()
    shared = np.empty(len(a))
    for start in range(0, len(shared), COLUMNS):
        part = slice(start, start + COLUMNS)
        shared[part] = has[a[part]].multiply(has[b[part]]).sum(axis=1)
    found: Floats = shared / np.maximum(size[a] + size[b] - shared, 1)
    return found


def voices(posts: Complaints, pairs: Pairs, near_copy: float = 1.0) -> list[str]:
    """The voice of each post: the first post by the same author or in nearly the same words, else the post itself.

    Nearly the same are words with a cosine similarity of REPEATED, and sequences of words with a Jaccard similarity of
    near_copy. The tickets of a program are worded by the program, so that sequences say nothing about their authors.

    Nearly the same words are transitive, because two of a hundred copies need not be nearest neighbours of each other.
    """
    voice = list(posts.voice)
    count = len(voice)
    lengths = np.linalg.norm(posts.vectors, axis=1)
    close = pairs.similarity >= REPEATED * lengths[pairs.a] * lengths[pairs.b]
    if posts.sequences:
        by_person = np.array([not frame for frame in posts.frames or [""] * count], dtype=bool)
        asked = by_person[pairs.a] & by_person[pairs.b] & ~close
        if asked.any():
            close[asked] = likeness(posts.sequences, Pairs(*(each[asked] for each in pairs))) >= near_copy
    ties = coo_array((np.ones(close.sum()), (pairs.a[close], pairs.b[close])), shape=(count, count))
    wording = connected_components(ties, directed=False)[1].tolist() if count else []
    by_author = {author: first for author, first in zip(posts.author, posts.author_voice, strict=True) if first}
    by_wording: dict[int, str] = {}
    # Posts with a known voice come first, then the new posts, both in the order of their posting.
    for index in sorted(range(count), key=lambda index: not posts.voice[index]):
        author, words = posts.author[index], wording[index]
        voice[index] = voice[index] or by_author.get(author) or by_wording.get(words, posts.url_hash[index])
        by_wording.setdefault(words, voice[index])
        if author:
            by_author.setdefault(author, voice[index])
    return voice


def labels_of(names: Sequence[str]) -> Labels:
    """A number for each of n names (n,): equal names have equal numbers; every "" has a number of its own."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(name or f" {index}", len(numbers)) for index, name in enumerate(names)], np.int64
    )


def is_regrouped(posts: Complaints, links: tuple[Labels, Labels], before: Labels) -> Flags:
    """Whether each post is in a connected component with a new post (n,); links and common problems connect posts."""
    count = len(before)
    a, b = np.concatenate([links[0], np.arange(count)]), np.concatenate([links[1], count + before])
    ties = coo_array((np.ones(len(a)), (a, b)), shape=(2 * count, 2 * count))
    component = connected_components(ties, directed=False)[1][:count]
    is_new = np.array([not voice for voice in posts.voice], dtype=bool)
    return np.isin(component, component[is_new])


def is_dense_ground(pairs: Pairs, community: Labels) -> Flags:
    """Whether the community (n,) of each of n posts is dense ground (n,).

    pairs: the links. A post with at least LOCAL_RANK similar neighbours has as many links.
    """
    if not len(community):
        return np.empty(0, dtype=bool)
    links = np.bincount(np.concatenate([pairs.a, pairs.b]), minlength=len(community))
    dense = np.bincount(community, links >= LOCAL_RANK)
    in_dense: Flags = dense[community] >= DENSE_SHARE * np.bincount(community)[community]
    return in_dense


def mean_chances(group: Labels, found: Candidates, chance: Floats) -> Floats:
    """The mean chance (n,) of the pairs that each post forms with the other posts of its group.

    group: the group of each post (n,). chance: that of the candidates (m,); other pairs have chance 0.
    """
    within = group[found.a] == group[found.b]
    ends = np.concatenate([found.a[within], found.b[within]])
    total = np.bincount(ends, np.tile(chance[within], 2), minlength=len(group))
    means: Floats = total / np.maximum(np.bincount(group, minlength=1)[group] - 1, 1)
    return means


def mean_similarities(group: Labels, vectors: Vectors) -> Floats:
    """The mean similarity (n,) of each of n unit vectors (n, d) to the others of its group (n,)."""
    size = np.bincount(group, minlength=1)
    total = np.zeros((len(size), vectors.shape[1]))
    np.add.at(total, group, vectors)
    with_all = np.empty(len(vectors))
    for start in range(0, len(vectors), COLUMNS):
        part = slice(start, start + COLUMNS)
        with_all[part] = (vectors[part] * total[group[part]]).sum(axis=1)
    means: Floats = (with_all - 1) / np.maximum(size[group] - 1, 1)
    return means


def first_groups(before: Labels, is_fixed: Flags, found: Candidates, chance: Floats, least: float) -> Labels:
    """The groups (n,) with which linkage starts: the problems of the day before whose posts still say the same.

    before: the problem of each post (n,). is_fixed: posts (n,) that linkage leaves alone. least: the least mean chance.
    """
    count = len(before)
    apart = np.where(is_fixed, count + np.arange(count), before)
    means = mean_chances(apart, found, chance)
    stays = (np.bincount(apart, means) / np.maximum(np.bincount(apart), 1))[apart] >= least
    return np.where(stays, apart, 2 * count + np.arange(count))


def start_together(start: Labels, before: Labels, given: Sequence[str]) -> Labels:
    """The groups (n,) with which linkage starts: posts that people gave one problem start in one group.

    start: those without corrections. before: the problem of each post before (n,). given: the problem that a person
    gave each post; "" for none.
    """
    is_given = np.array([bool(name) for name in given], dtype=bool)
    # If the problem does not stay together, only these posts of it do.
    together = np.where(np.isin(before, start), before, 3 * len(start) + before)
    return np.where(is_given, together, start)


def parted(given: Sequence[str]) -> tuple[Labels, Labels]:
    """A pair of posts for any two problems that people gave posts: the two must not get into one group."""
    first: dict[str, int] = {}
    for index, name in enumerate(given):
        if name:
            first.setdefault(name, index)
    pairs = np.array(list(combinations(first.values(), 2)), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def corrected_groups(group: Labels, given: Sequence[str], names: Mapping[int, str]) -> tuple[Labels, dict[int, str]]:
    """The groups of m posts (m,) and the problems that they continue, where posts go to the problems they were given.

    group: the group of each post (m,). given: the problem that a person gave each post; "" for none. names: the problem
    that each group continues. A group follows the problem that most of its posts were given; else it stays with its
    problem, without the posts that were given another one.
    """
    people_said = sorted(set(given) - {""})
    numbers = {name: int(group.max()) + 1 + place for place, name in enumerate(people_said)}
    size = Counter(group.tolist())
    shared = Counter((name, number) for name, number in zip(given, group.tolist(), strict=True) if name)
    owner = {number: name for number, name in names.items() if name in numbers}
    owner |= {number: name for (name, number), posts in shared.items() if 2 * posts > size[number]}
    moved = [
        numbers.get(name or owner.get(number, ""), number) for name, number in zip(given, group.tolist(), strict=True)
    ]
    others = {number: name for number, name in names.items() if number not in owner}
    return np.array(moved, np.int64), others | {number: name for name, number in numbers.items()}


def group_day(posts: Complaints, day: str, settings: Settings) -> Grouped:
    """Group n posts of a window on its last day."""
    large = is_large(len(posts.url_hash))
    by_vector = nearest(mixed(posts.said.text_vectors, posts.said.title_vectors), NEAREST) if large else None
    pairs = nearest_pairs(posts.vectors, by_vector)
    found = candidates(posts.said, by_vector)
    voice = voices(posts, pairs, settings.near_copy)
    before = labels_of(posts.problem)
    count = len(voice)
    given = posts.given or [""] * count
    complains = posts.complains or [True] * count
    frames = posts.frames or [""] * count
    tickets = Tickets(frames, posts.differing_words or [""] * count)
    chance = updated_chances(found, possible_chances(found, settings.weights, tickets), posts.verdicts, count)
    is_ticket = np.array([bool(frame) for frame in frames], dtype=bool)
    by_people = ~(is_ticket[pairs.a] | is_ticket[pairs.b])
    pairs = Pairs(*(each[by_people] for each in pairs))
    community = communities(posts.vectors, pairs, before)
    is_dense = is_dense_ground(pairs, community)
    a, b, weight = with_verdicts(found, chance, posts.verdicts)
    sparse = ~(is_dense[a] | is_dense[b])
    # Where a problem had posts of people and tickets, the two no longer start together.
    apart = labels_of([f"{is_ticket[index]} {label}" for index, label in enumerate(before.tolist())])
    start = start_together(first_groups(apart, is_dense, found, chance, STAYS * settings.least), apart, given)
    one, other = parted(given)
    # No mean is high enough that contains minus infinity.
    linked = average_linkage(
        np.concatenate([a[sparse], one]),
        np.concatenate([b[sparse], other]),
        np.concatenate([weight[sparse], np.full(len(one), -np.inf)]),
        start,
        settings.least,
    )
    group = np.where(is_dense, count + community, linked)

    # Two groups are joined only if a pair between them has the least chance.
    joins = sparse & (weight >= settings.least)
    links = np.concatenate([pairs.a, a[joins]]), np.concatenate([pairs.b, b[joins]])
    indices = np.flatnonzero(is_regrouped(posts, links, before)).tolist()
    size = dict(zip(posts.problem, posts.size, strict=True))
    names = names_of_groups([posts.problem[index] for index in indices], group[indices].tolist(), size)
    if any(given[index] for index in indices):
        group[indices], names = corrected_groups(group[indices], [given[index] for index in indices], names)
    members: dict[int, list[int]] = {}
    for index in indices:
        members.setdefault(int(group[index]), []).append(index)
    for number, each in members.items():
        heard = {voice[index] for index in each}
        complaining = {voice[index] for index in each if complains[index]}
        if number not in names and len(heard) >= settings.min_voices and len(complaining) >= COMPLAINING_VOICES:
            names[number] = new_name(day, posts.url_hash[each[0]])
    goes_on = set(names.values())
    problem = list(posts.problem)
    for number, each in members.items():
        for index in each:
            # Posts of groups that no problem claims keep their problem.
            problem[index] = names.get(number, problem[index])
    gone = {posts.problem[index] for index in indices} - goes_on - posts.corrected - {""}
    merged = {}
    for name in sorted(gone):
        into = Counter(problem[index] for index in indices if posts.problem[index] == name and problem[index] != name)
        merged[name] = into.most_common(1)[0][0]
    problem = [merged.get(name, name) for name in problem]
    return Grouped(voice, problem, post_chances(posts.said, problem, is_dense, found, chance, settings), merged)


def post_chances(
    said: Posts, problem: Sequence[str], is_dense: Flags, found: Candidates, chance: Floats, settings: Settings
) -> list[float]:
    """The chance (n,) that a post and another post of its problem are the same problem; 0 without a problem."""
    group = labels_of(problem)
    means = mean_chances(group, found, chance)
    # Only the vectors of problems with posts on dense ground are needed.
    by_similarity = is_dense & np.array([bool(name) for name in problem], dtype=bool)
    members = np.flatnonzero(np.isin(group, group[by_similarity]))
    _, number = np.unique(group[members], return_inverse=True)
    vectors = mixed(said.text_vectors[members], said.title_vectors[members])
    dense = settings.weights[DENSE]
    chances = expit(dense["similarity"] * mean_similarities(number, vectors) + dense[BIAS])
    means[by_similarity] = chances[by_similarity[members]]
    return [float(mean) if name else 0.0 for mean, name in zip(means, problem, strict=True)]


def arrays_of(lists: pa.ChunkedArray) -> list[npt.NDArray[np.uint64]]:
    """A column of n lists of numbers as n arrays: numbers of Python would take four times as much memory."""
    column = lists.combine_chunks()
    ends = column.offsets.to_numpy()
    return np.split(column.values.to_numpy()[ends[0] : ends[-1]], ends[1:-1] - ends[0]) if len(column) else []


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
    columns = {name: considered[name].to_pylist() for name in considered.column_names if name not in ARRAYS}
    columns["sequences"] = arrays_of(considered["sequences"])
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
    # Each array of vectors is as large as all else of this function, so no more of them are there than needed.
    considered = considered.select(["embedding", "title_embedding"])
    texts = to_vectors(considered["embedding"].take(pa.array(nodes)))
    title_column = considered["title_embedding"].take(pa.array(nodes))
    del considered
    titles, are_titled = to_vectors(title_column), title_column.is_valid().to_numpy()
    del title_column
    vectors = compared_vectors(texts, titles, are_titled)
    vectors *= (SAME / same) ** 0.5
    # A text stands for a missing title.
    title_vectors = texts.copy()
    title_vectors[are_titled] = titles
    del titles
    url_hash, author, author_voice, voice, problem, size, text, title, frames, differing_words, sequences = (
        [columns[name][row] for row in nodes]
        for name in (
            "url_hash",
            "author",
            "author_voice",
            "voice",
            "problem",
            "size",
            "text",
            "title",
            "frame",
            "differing_words",
            "sequences",
        )
    )
    said = Posts(text, [name or body for name, body in zip(title, text, strict=True)], texts, title_vectors)
    grouped = group_day(
        Complaints(
            url_hash,
            author,
            author_voice,
            voice,
            problem,
            size,
            vectors,
            said,
            [given[row] for row in nodes],
            corrected,
            frames,
            differing_words,
            sequences,
            verdicts_of([columns["content_hash"][row] for row in nodes], opinions or {}, accuracy),
            [columns["complains"][row] for row in nodes],
        ),
        day,
        settings,
    )
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
