"""Chooses the titles that stand for a group of posts among the titles of its own posts.

Method: a title is rated by what it has in common with all posts of the group: the mean cosine of the title's vector to
the vectors of the posts, and the similarity of its words to the titles and beginnings of the other posts, with words
weighed by their rarity as for summaries (groundswell.sentences). The patterns of seed title_signals lower the rating of
a title that can not be shown or does not speak for others: scraps, numbers of one crash, questions, one person's case.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from heapq import heappop, heappush, nlargest
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from sumy.models.dom import Sentence
from sumy.summarizers._summarizer import SentenceInfo

from groundswell.relations import subquery
from groundswell.sentences import CLOSED, WORD, Rarity, Words, fit_sentences, rank, split, terms
from groundswell.vectors import Vectors, title_vectors, to_vectors

# The longest title of a label, in characters.
LONGEST = 120
# Titles of fewer words are stubs.
MIN_WORDS = 4
# The factor of a stub, and of a title that must be cut.
STUB = CUT = 0.4
# The factor of a sentence without a mark at its end: an item of a list, a step, or a line of a form.
UNCLOSED = 0.7
# The factor of a sentence with fewer terms, stop words aside: it is near to others and says little ("I like Git.").
THIN = 0.7
MIN_TERMS = 5
# If no title has this worth, sentences of the posts may be titles, too.
WORTHY = 0.5
# The title and the first sentences say what a post is about. Logs and code come later.
BEGINNING = 400
# The weight of shared words; the rest is the weight of the cosine.
SHARED_WORDS = 0.3
# The title of a label, and one more quote.
TITLES = 2
# The share of letters, blanks and marks in a sentence that a person speaks.
SPOKEN = 0.9
# The texts by whose beginnings words are weighed, at most. url_hash is as good as random: the first ones are a sample.
WEIGHED = 5_000
ROWS_PER_BATCH = 2_000
# The posts that are read at a time, in whole groups: 60 MB of vectors.
AT_A_TIME = 20_000

# A sentence that describes the group, and enough of them that two are from posts other than those of TITLES.
SENTENCES = 3 + TITLES
SENTENCE_LIST = pa.list_(pa.struct([("url_hash", pa.string()), ("sentence", pa.string())]))
TITLE_LIST = pa.list_(pa.struct([("url_hash", pa.string()), ("title", pa.string()), ("quote", pa.string())]))

# Numbers, hexadecimal ones among them, and the word at which a program has cut a title off.
NUMBER = re.compile(r"\b(?=\w*\d)[0-9a-fx]+\b|\d+", re.IGNORECASE)
CUT_OFF = re.compile(r"\s\S*(?:\.\.\.|…)$")

# The members of groups, with the number of the part in which a group is read. {members}: as for title_lists.
PARTS = """
    create or replace temp table titled as
    with sizes as (
        select number, count(*) as posts
        from ({members})
        group by number
    ),
    parts as (
        select number, (sum(posts) over (order by number) - posts) // {at_a_time} as part
        from sizes
    )
    select number, url_hash, part::int as part
    from ({members})
    inner join parts using (number)
"""
# The posts of the groups of a part, in the order of the groups. The vectors of all posts are never in memory.
POSTS = """
    with members as (
        select number, url_hash
        from temp.titled
        where part = $part
    ),
    vectors as not materialized (
        select content_hash, embedding
        from {embeddings}
        where model = $model
    )
    select
        members.number,
        url_hash,
        texts.title,
        texts.text,
        vectors.embedding,
        of_titles.embedding as title_embedding,
    from members
    inner join {texts} as texts using (url_hash)
    inner join vectors using (content_hash)
    left join {titles} as titles using (url_hash)
    left join vectors as of_titles on titles.content_hash = of_titles.content_hash
    order by members.number, url_hash
"""


class Signal(NamedTuple):
    """A row of seed title_signals. factor: what a title with the pattern is worth; None cuts the match off."""

    pattern: re.Pattern[str]
    factor: float | None


class Posts(NamedTuple):
    """The n posts of a group: url_hash, titles, texts (a text begins with its title), and unit vectors (n, d) of both.

    The vector of the text stands for that of a title that is missing, or that is all the text.
    """

    url_hashes: Sequence[str]
    titles: Sequence[str]
    texts: Sequence[str]
    title_vectors: Vectors
    vectors: Vectors


class Candidate(NamedTuple):
    """What may be the title of a group: the index of its post, the title as shown, and the quote from the post."""

    post: int
    title: str
    quote: str


def read_signals(title_signals: duckdb.DuckDBPyRelation) -> list[Signal]:
    """The rows of seed title_signals."""
    rows = title_signals.order("pattern").project("pattern, factor::double").fetchall()
    return [Signal(re.compile(pattern, re.IGNORECASE), factor) for pattern, factor in rows]


def trimmed(title: str, signals: Sequence[Signal]) -> str:
    """A title without what the signals cut off its ends: a part of the title, verbatim, and not empty."""
    for signal in signals:
        if signal.factor is None:
            rest = signal.pattern.sub("", title).strip()
            title = rest if rest and rest in title else title
    return title


def factors_of(text: str, signals: Sequence[Signal]) -> list[float]:
    """The factors of what is found in a text."""
    return [signal.factor for signal in signals if signal.factor is not None and signal.pattern.search(text)]


def worth(title: str, signals: Sequence[Signal]) -> float:
    """The product of the factors of what is found in a title, 0 to 1."""
    factors = factors_of(title, signals)
    if len(WORD.findall(title)) < MIN_WORDS:
        factors.append(STUB)
    if len(title) > LONGEST:
        factors.append(CUT)
    return float(np.prod(factors))


def worth_of_sentence(sentence: str, signals: Sequence[Signal]) -> float:
    """The product of the factors of what is found in a sentence of a body, 0 to 1."""
    factors = factors_of(sentence, signals)
    if not CLOSED.search(sentence):
        factors.append(UNCLOSED)
    if len(set(terms(WORD.findall(sentence)))) < MIN_TERMS:
        factors.append(THIN)
    return float(np.prod(factors))


def telling(ranked: Iterable[SentenceInfo], signals: Sequence[Signal]) -> Iterator[SentenceInfo]:
    """Yield ranked sentences anew, the best first, by rating times worth.

    The worth takes most of the time and is at most 1. Sentences that could not be among those that are asked for are
    not looked at.
    """
    looked_at: list[tuple[float, int, SentenceInfo]] = []
    for info in ranked:
        while looked_at and -looked_at[0][0] >= info.rating:
            yield heappop(looked_at)[-1]
        # The last digits must not decide between equal ratings; the order of the sentences does.
        rating = round(info.rating * worth_of_sentence(str(info.sentence), signals), 9)
        heappush(looked_at, (-rating, info.order, info))
    while looked_at:
        yield heappop(looked_at)[-1]


def without_numbers(titles: Sequence[str]) -> list[str]:
    """The titles, with an ellipsis for each number in which titles differ that are equal otherwise.

    Programs write such titles: the numbers are those of one crash.
    """
    wholes = [CUT_OFF.sub("", title) if title.endswith(("...", "…")) else title for title in titles]
    frames = [NUMBER.sub("0", whole) for whole in wholes]
    numbers = defaultdict[str, set[tuple[str, ...]]](set)
    for whole, frame in zip(wholes, frames, strict=True):
        numbers[frame].add(tuple(NUMBER.findall(whole)))
    shown = []
    for original, whole, frame in zip(titles, wholes, frames, strict=True):
        title = original
        varies = [len(set(column)) > 1 for column in zip(*numbers[frame], strict=True)]
        if any(varies):
            first, *others = NUMBER.split(whole)
            parts = zip(varies, NUMBER.findall(whole), others, strict=True)
            title = first + "".join(("…" if differs else number) + rest for differs, number, rest in parts)
            title += "" if whole == original else "…"
        shown.append(title)
    return shown


def candidates(posts: Posts, signals: Sequence[Signal], worth_of: Callable[[str], float]) -> list[Candidate]:
    """What may be the title of a group; empty only if there is no text.

    A title that is too long may also be cut to one of its sentences. worth_of: the worth of a title.
    """
    wholes = [(index, trimmed(title, signals)) for index, title in enumerate(posts.titles)]
    quotes = wholes + [(index, part) for index, whole in wholes if len(whole) > LONGEST for part in split(whole)]
    quotes = [(index, quote) for index, quote in quotes if quote]
    shown = without_numbers([quote for _, quote in quotes])
    found = [Candidate(index, title, quote) for (index, quote), title in zip(quotes, shown, strict=True)]
    if not any(worth_of(each.title) >= WORTHY for each in found):
        sentences = ((index, trimmed(str(each), signals)) for each, index in fit_sentences(posts.texts).items())
        found += [Candidate(index, part, part) for index, part in sentences if part]
    # A title that two posts have is that of the first of them.
    return list({each.title.casefold(): each for each in reversed(found)}.values())[::-1]


def best_titles(posts: Posts, rarity: Rarity, signals: Sequence[Signal]) -> list[Candidate]:
    """The titles that stand for a group, the best first: at most TITLES, one a post.

    rarity: the weights of words. The list is empty only if there is no text.
    """
    worth_of = cache(lambda title: worth(title, signals))
    found = candidates(posts, signals, worth_of)
    # A title counts for other posts that have it: their beginnings have it, too.
    wordings: dict[Sentence, int] = {}
    for each in found:
        wordings.setdefault(Sentence(each.title, Words()), each.post)
    for index, text in enumerate(posts.texts):
        wordings.setdefault(Sentence(text[:BEGINNING], Words()), index)
    shared = {str(info.sentence): info.rating for info in rank(wordings, rarity)}
    most_shared = max((shared[each.title] for each in found), default=0.0) or 1.0
    cosines = posts.title_vectors @ posts.vectors.mean(axis=0)
    nearest = max(float(cosines.max(initial=0.0)), 1e-6)
    common = []
    for each in found:
        words = shared[each.title] / most_shared
        cosine = float(cosines[each.post]) / nearest
        common.append((1 - SHARED_WORDS) * cosine + SHARED_WORDS * words)
    best: dict[int, Candidate] = {}
    for index in best_first(found, common, worth_of):
        best.setdefault(found[index].post, found[index])
    return list(best.values())[:TITLES]


def best_first(found: Sequence[Candidate], common: Sequence[float], worth_of: Callable[[str], float]) -> Iterator[int]:
    """Yield the indices of n candidates, the best first, as far as the best TITLES posts need them.

    common: what each candidate has in common with the posts of its group (n,). Its rating is that times its worth. The
    worth takes most of the time and is at most 1: candidates that could not reach the best posts are not looked at.
    """
    ratings: dict[int, float] = {}
    of_posts: dict[int, float] = {}
    enough = -1.0
    for index in sorted(range(len(found)), key=lambda index: -common[index]):
        if round(max(common[index], 0.0), 6) < enough:
            break
        # The last digits must not decide between equal ratings; the order of the posts does.
        rating = ratings[index] = round(worth_of(found[index].title) * common[index], 6)
        post = found[index].post
        if rating > of_posts.get(post, -1.0):
            of_posts[post] = rating
            if rating > enough and len(of_posts) >= TITLES:
                enough = nlargest(TITLES, of_posts.values())[-1]
    yield from sorted(ratings, key=lambda index: (-ratings[index], index))


def best_sentences(posts: Posts, rarity: Rarity, signals: Sequence[Signal]) -> list[dict[str, str]]:
    """The sentences of the posts that say most of what the others say, without their titles, as in SENTENCE_LIST.

    The best is first; at most SENTENCES, one a post. The list is empty if none is fit.

    rarity: the weights of words. A scene that one author sets ("I have a list.") and the output of a program share
    little with other posts. Parts of sentences, code, and what one signal makes unfit (a greeting) are left out.
    Unless the posts say nothing else, what two posts say letter by letter (a form) is left out, too, and a sentence
    whose words are all in a better one, or that holds all words of a better one.
    """
    # A text begins with its title, after which silver.texts puts a point if it has none. A body may begin with ".NET".
    bodies = [
        text.removeprefix(title).removeprefix(".").lstrip() if title else text
        for title, text in zip(posts.titles, posts.texts, strict=True)
    ]
    # A post that came twice is no form.
    different = set(bodies)
    found = fit_sentences(bodies)
    told: list[set[str]] = []
    of_one: dict[int, str] = {}
    of_all: dict[int, str] = {}
    for info in telling(rank(found, rarity), signals) if found else ():
        post, sentence = found[info.sentence], str(info.sentence)
        if post in of_one or not is_spoken(sentence) or min(factors_of(sentence, signals), default=1) < WORTHY:
            continue
        of_all.setdefault(post, sentence)
        is_form = len(list(islice((body for body in different if sentence in body), 2))) > 1
        words = set(WORD.findall(sentence.lower()))
        if not is_form and not any(words <= other or other <= words for other in told):
            of_one[post] = sentence
            told.append(words)
        if len(of_one) == SENTENCES:
            break
    best = list((of_one or of_all).items())[:SENTENCES]
    return [{"url_hash": posts.url_hashes[post], "sentence": sentence} for post, sentence in best]


def is_spoken(sentence: str) -> bool:
    """Whether a sentence is whole and made of words, as a person speaks."""
    words = sum(character.isalpha() or character in " ,.'’?!" for character in sentence)
    is_whole = sentence[:1].isupper() or not sentence[:1].isascii() or sentence.startswith("i ")
    return is_whole and words >= SPOKEN * len(sentence)


def read_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, Posts]]:
    """Yield the posts of each group from batches of POSTS, as (number of the group, posts)."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for batch in batches:
            vectors = to_vectors(batch["embedding"])
            named = title_vectors(vectors, batch["title_embedding"])
            columns = (batch[name].to_pylist() for name in ("number", "url_hash", "title", "text"))
            yield from zip(*columns, named, vectors, strict=True)

    for number, members in groupby(rows(), key=itemgetter(0)):
        _, url_hashes, titles, texts, named, vectors = zip(*members, strict=True)
        yield number, Posts(url_hashes, titles, texts, np.stack(named), np.stack(vectors))


def named_groups(
    session: duckdb.DuckDBPyConnection,
    members: str,
    weighed: str,
    relations: dict[str, duckdb.DuckDBPyRelation],
    model: str,
) -> Iterator[tuple[Any, list[dict[str, str]], Posts, Rarity]]:
    """Yield each group with its titles, the best first: (number, value of TITLE_LIST, posts, weights of words).

    members: a query with the columns number (of the group) and url_hash. weighed: a query with the texts by which words
    are weighed. relations: texts, titles, embeddings and title_signals, by these names. model: the embedding model.
    """
    signals = read_signals(relations["title_signals"])
    texts = session.sql(f"select left(text, {BEGINNING}) as text from ({weighed}) order by url_hash limit {WEIGHED}")
    rarity = Rarity(text for batch in texts.to_arrow_reader(ROWS_PER_BATCH) for text in batch["text"].to_pylist())
    names = {name: subquery(relations[name]) for name in ("texts", "titles", "embeddings")}
    session.execute(PARTS.format(members=members, at_a_time=AT_A_TIME))
    parts = session.execute("select distinct part from temp.titled order by part").fetchall()
    for (part,) in parts:
        # `sql` with parameters would hold the whole result once more.
        batches = session.execute(POSTS.format(**names), {"model": model, "part": part})
        for number, posts in read_groups(batches.to_arrow_reader(ROWS_PER_BATCH)):
            yield (
                number,
                [
                    {"url_hash": posts.url_hashes[each.post], "title": each.title, "quote": each.quote}
                    for each in best_titles(posts, rarity, signals)
                ],
                posts,
                rarity,
            )
    session.execute("drop table temp.titled")
