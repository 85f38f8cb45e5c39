"""The groups of a window on its last day, and the problems that they continue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from groundswell.grouping.communities import communities, is_dense_ground
from groundswell.grouping.links import COLUMNS, Pairs, nearest_pairs
from groundswell.grouping.voices import voices
from groundswell.grouping.window import Complaints, Labels, labels_of
from groundswell.identity import names_of_groups, new_name
from groundswell.linkage import average_linkage, components
from groundswell.neighbours import is_large, nearest
from groundswell.pairs import (
    BIAS,
    DENSE,
    NEAREST,
    Candidates,
    Flags,
    Floats,
    Posts,
    Tickets,
    candidates,
    mixed,
    possible_chances,
)
from groundswell.vectors import Vectors
from groundswell.verdicts import updated_chances, with_verdicts

# A group with weak complaints opens a problem only if so many of its voices have a complaint.
COMPLAINING_VOICES = 2
NO_VECTORS = np.empty((0, 0), np.float32)
# The posts of a problem stay together as long as their mean chance is at least this part of what joins two groups.
STAYS = 0.5


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


def is_regrouped(posts: Complaints, links: tuple[Labels, Labels], before: Labels) -> Flags:
    """Whether each post is in a connected component with a new post (n,); links and common problems connect posts."""
    count = len(before)
    a, b = np.concatenate([links[0], np.arange(count)]), np.concatenate([links[1], count + before])
    component = components(a, b, 2 * count)[:count]
    is_new = np.array([not voice for voice in posts.voice], dtype=bool)
    return np.isin(component, component[is_new])


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
    voice = voices(posts, pairs, settings.near_copy)
    before = labels_of(posts.problem)
    count = len(voice)
    given = posts.given or [""] * count
    complains = posts.complains or [True] * count
    frames = posts.frames or [""] * count
    is_ticket = np.array([bool(frame) for frame in frames], dtype=bool)
    by_people = ~(is_ticket[pairs.a] | is_ticket[pairs.b])
    pairs = Pairs(*(each[by_people] for each in pairs))
    community = communities(posts.vectors, pairs, before)
    is_dense = is_dense_ground(pairs, community)
    # Each of these takes gigabytes in a large window. What has served is let go.
    posts = posts._replace(vectors=NO_VECTORS, sequences=())
    found = candidates(posts.said, by_vector)
    posts = posts._replace(said=posts.said._replace(texts=(), titles=()))
    tickets = Tickets(frames, posts.differing_words or [""] * count)
    chance = updated_chances(found, possible_chances(found, settings.weights, tickets), posts.verdicts, count)
    found = found.without_features()
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
