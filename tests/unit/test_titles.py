"""groundswell.titles: whole sentences that stand for what the posts of a group share."""

import re
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest
from sumy.models.dom import Sentence
from sumy.summarizers._summarizer import SentenceInfo

from groundswell import titles as titles_module
from groundswell.sentences import Rarity, Words
from groundswell.titles import (
    SENTENCES,
    THIN,
    TITLES,
    UNCLOSED,
    Candidate,
    Posts,
    Signal,
    best_first,
    best_sentences,
    best_titles,
    named_groups,
    read_groups,
    read_signals,
    telling,
    trimmed,
    without_numbers,
    worth,
    worth_of_sentence,
)
from tests.support.project import ROOT, read_seed


@pytest.fixture(scope="module")
def signals() -> list[Signal]:
    with duckdb.connect() as connection:
        return read_signals(connection.read_csv(str(ROOT / "seeds" / "title_signals.csv")))


def group(*titles: str, bodies: dict[int, str] | None = None, near: tuple[float, ...] | None = None) -> Posts:
    """Posts with these titles. near: the similarity of each title to the posts; without it all are as similar."""
    texts = [f"{title}. {(bodies or {}).get(number, '')}".strip() for number, title in enumerate(titles)]
    vectors = np.zeros((len(titles), 384), dtype=np.float32)
    vectors[:, 0] = 1
    named = vectors.copy()
    for number, cosine in enumerate(near or ()):
        named[number, :2] = cosine, np.sqrt(1 - cosine**2)
    return Posts([f"hash {number}" for number in range(len(titles))], titles, texts, named, vectors)


def title_of(posts: Posts, signals: list[Signal]) -> str:
    """The title of a group, with words weighed by its posts and a hundred others."""
    rarity = Rarity([*posts.texts, *(f"Something else, number {number}." for number in range(100))])
    best = best_titles(posts, rarity, signals)
    for each in best:
        assert each.quote in posts.texts[each.post]
    assert len({each.post for each in best}) == len(best) <= 2
    return best[0].title


@pytest.mark.parametrize(
    ("title", "rest"),
    [
        ("[Bug]: [Windows] The export hangs", "The export hangs"),
        ("Feature request: let me export invoices", "let me export invoices"),
        ("fix(core): the export hangs", "the export hangs"),
        ("Hi all, the export hangs", "the export hangs"),
        ("AskHN: exports that hang", "exports that hang"),
        ("Bugreport: the export hangs", "the export hangs"),
        ("The export hangs (#1234)", "The export hangs"),
        # Nothing is left out in the middle, and something is left.
        ("The export [PDF] hangs", "The export [PDF] hangs"),
        ("NullPointerException: no name", "NullPointerException: no name"),
        ("[Bug]", "[Bug]"),
        ("#12", "#12"),
    ],
)
def test_trimmed(title: str, rest: str, signals: list[Signal]) -> None:
    assert trimmed(title, signals) == rest


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("The export hangs on large files", "Why does the export hang on large files?"),
        ("The export hangs on large files", "How to stop an export that hangs"),
        ("The export hangs on large files", "Looking for an export that does not hang"),
        ("The export hangs on large files", "My export hangs on large files"),
        ("Exports hang on large files", "I built a tool that exports large files"),
        ("The export hangs on large files", "Exportly – exports of large files"),
        ("The export hangs on large files", "Export hangs again"),
        ("The export hangs on large files", ") , but all I find are exports that hang"),
        ("The export hangs on large files", "The export hangs on large files and the..."),
        ("The export hangs on large files", "This also hangs on large files"),
        ("The export hangs on large files", "And the export hangs on large files"),
        ("The export hangs on large files", "At least when I tried it on large files"),
        ("The export hangs on large files", "Due to an export of large files"),
        ("The export hangs on large files", "For example, the export hangs on large files"),
        ("The export hangs on large files", "Quite simply, it hangs on large files"),
        ("The export hangs on large files", "Secondly, the export hangs on large files"),
        ("The export hangs on large files", "Edit: the export hangs on large files"),
        ("The export hangs on large files", "Click the export of large files"),
        ("The export hangs on large files", "Run the export with large files"),
        ("Please let us export large files", "Please ensure that you export large files"),
        ("The export hangs on large files", "Exportly vs Printly on large files"),
        ("The export hangs on large files", "Exportly: an export of large files"),
        ("The export hangs on large files", "Startup seeks exports of large files"),
        ("The export hangs on large files", "Good morning, an export hangs on large files"),
        ("The export hangs on large files", "The export hung on 2026-11-20 on large files"),
        ("The export hangs on large files", "The export hung on November 3rd on large files"),
        ("The export hangs on large files", "The export hangs at 0x7ffe12ab on large files"),
        ("The export hangs on large files", "The export hangs on line 217 with large files"),
        ("The export hangs on large files", "The export hangs in commit 2bca0a5cbf"),
        ("The export hangs on large files", "Hangs at com.example.export.Writer with large files"),
        ("The export hangs on large files", "The export hangs with result = export(large)"),
        ("The export hangs on large files", "See https://example.com/export about large files"),
        ("The export hangs on large files", "The export hangs on large files " + "and on others " * 10),
        ("Why does the export hang on large files?", "Why does this?"),
        ("The export hangs on large files", "Exports of large files as a non-coder"),
        ("The export hangs on large files", "Exports of large files as a full stack developer"),
        ("The export hangs on large files", "Exports of large files are 10X better in Printly"),
        ("The export hangs on large files", "Printly exports large files better than Exportly"),
        ("The export hangs on large files", "Exports of large files are so amazing"),
        ("Exports of large files are great but they hang", "Exports of large files are great"),
        ("The export hangs on large files", "Exports of large files are bullshit"),
        ("The export hangs on large files", "Expected behavior: the export of large files"),
        ("The export hangs", "Bugreport"),
        ("The export hangs on large files", "The export hangs on large files when"),
    ],
)
def test_worth(better: str, worse: str, signals: list[Signal]) -> None:
    assert 0 < worth(worse, signals) < worth(better, signals) <= 1


def test_a_question_is_not_one_persons_case(signals: list[Signal]) -> None:
    assert worth("How do I export large files?", signals) == worth("How does one export large files?", signals)


@pytest.mark.parametrize(
    "title",
    [
        "Cannot sign in as a manager",
        "The export was better before the update",
        "Android, iOS and Windows lose the export",
        "Charts, the map and tables are not exported",
        "Update of the export fails on Windows",
        "Editing charts is slow since the update",
        "Select all rows does not select the first one",
        "After the update, exports are empty",
        "Instead of a chart the export is empty",
        "Still no export of charts",
        "NullPointerException: no name in the export",
        "Yesterday's update empties the export",
        "Recently exported files are empty",
        "Last week of the year is not exported",
        "Expected behaviour of exports differs from the manual",
        "Links to charts are lost in the export",
        "Description of a chart is not exported",
        "Docs: the page on exports is empty",
        "The export stops after a while",
    ],
)
def test_what_only_looks_like_a_scrap_does_not_lower_a_title(title: str, signals: list[Signal]) -> None:
    assert worth(title, signals) == 1


def test_signals_have_a_meaning_and_a_factor() -> None:
    rows = read_seed("title_signals")
    assert {row["signal"] for row in rows if not row["factor"]} == {"trim"}
    # Only the ends of a title may be cut off.
    assert all(row["pattern"].startswith("^") or row["pattern"].endswith("$") for row in rows if not row["factor"])
    assert all(0 < float(row["factor"]) < 1 for row in rows if row["factor"])
    assert all(re.compile(row["pattern"]) for row in rows)


@pytest.mark.parametrize(
    ("titles", "shown"),
    [
        (
            ["Cannot add node 12", "Cannot add node 7", "Cannot add a node"],
            ["Cannot add node …"] * 2 + ["Cannot add a node"],
        ),
        (["Version 2 fails on page 3", "Version 2 fails on page 4"], ["Version 2 fails on page …"] * 2),
        (["Broken at 0x7f12 again", "Broken at 0x8a again"], ["Broken at … again"] * 2),
        (["Failed to allocate 32 bytes, targ...", "Failed to allocate 16 bytes, target f..."], None),
        (["Version 2 fails", "Version 2 fails"], ["Version 2 fails"] * 2),
        (
            ["Failed to allocate 32 bytes, t...", "Failed to allocate 16 bytes, ta…"],
            ["Failed to allocate … bytes,…"] * 2,
        ),
        ([], []),
    ],
)
def test_without_numbers(titles: list[str], shown: list[str] | None) -> None:
    assert without_numbers(titles) == (shown or titles)


def test_a_title_says_what_the_posts_share(signals: list[Signal]) -> None:
    posts = group(
        "The cat walked over my keyboard today",
        "Invoices are a cent short after VAT rounding",
        "VAT rounding makes invoices wrong by a cent",
        "The tax office rejects invoices with VAT rounding",
    )
    assert "VAT rounding" in title_of(posts, signals)


def test_the_title_that_is_most_similar_to_the_posts_comes_first(signals: list[Signal]) -> None:
    titles = ("Exports of reports never end", "Saving a chart takes hours", "Printing pages is very slow")
    assert title_of(group(*titles, near=(0.5, 0.9, 0.5)), signals) == titles[1]
    assert title_of(group(*titles, near=(0.5, 0.5, 0.9)), signals) == titles[2]
    # Equal ratings keep the order of the posts.
    assert title_of(group(*titles), signals) == titles[0]


def test_a_statement_comes_before_a_question(signals: list[Signal]) -> None:
    titles = ("Why does the export hang?", "How can the export hang?", "The export to PDF hangs")
    assert title_of(group(*titles), signals) == titles[2]
    # It is a matter of degree: a question that all share is better than what one says.
    assert title_of(group(*titles, near=(0.9, 0.8, 0.3)), signals) == titles[0]


def test_a_long_title_gives_one_of_its_sentences(signals: list[Signal]) -> None:
    long = "The export to PDF hangs for minutes. " + "And nobody knows what else to do about it, " * 3
    assert title_of(group(long, "Slow"), signals) == "The export to PDF hangs for minutes."


def test_a_sentence_stands_in_where_no_title_can_be_shown(signals: list[Signal]) -> None:
    posts = group("Help", "Thanks...", bodies={0: "The export to PDF hangs for minutes.", 1: "Please, it is urgent"})
    assert title_of(posts, signals) == "The export to PDF hangs for minutes."


@pytest.mark.parametrize("titles", [("Bug",), ("", "Bug"), ("[Bug]", "???"), ("🔥", "https://example.com")])
def test_there_is_always_a_title(titles: tuple[str, ...], signals: list[Signal]) -> None:
    assert title_of(group(*titles), signals)


def test_no_post_has_no_title(signals: list[Signal]) -> None:
    nothing = np.zeros((1, 384), dtype=np.float32)
    assert best_titles(Posts(["a"], [""], [""], nothing, nothing), Rarity([]), signals) == []


def test_groups_are_read_in_their_order() -> None:
    with duckdb.connect() as connection:
        batches = connection.sql(
            """
            select
                number, 'hash ' || number as url_hash, 'title' as title, 'text' as text,
                list_transform(range(384), x -> x = 0)::float[384] as embedding,
                title_embedding,
            from (values (1), (2), (2)) as numbers (number)
            left join (
                select 1 as number, list_transform(range(384), x -> x = 1)::float[384] as title_embedding
            ) using (number)
            order by number
            """
        ).to_arrow_reader(2)
        groups = list(read_groups(batches))
    assert [(number, len(posts.titles)) for number, posts in groups] == [(1, 1), (2, 2)]
    # The vector of the text stands for that of a missing title.
    assert [posts.title_vectors.argmax(axis=1).tolist() for _, posts in groups] == [[1], [0, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_are_found_without_a_look_at_all(seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 40))
    found = [Candidate(int(chance.integers(12)), str(number), "") for number in range(count)]
    # Few different values: many ratings are equal.
    common = (chance.integers(-2, 8, count) / 8).tolist()
    worths = {str(number): float(value) for number, value in enumerate(chance.choice([1.0, 0.5, 0.25], count))}
    best: dict[int, int] = {}
    for index in best_first(found, common, worths.__getitem__):
        best.setdefault(found[index].post, index)
    wanted: dict[int, int] = {}
    for index in sorted(range(count), key=lambda index: (-round(worths[str(index)] * common[index], 6), index)):
        wanted.setdefault(found[index].post, index)
    assert list(best.items())[:TITLES] == list(wanted.items())[:TITLES]


@pytest.mark.parametrize(
    ("bodies", "sentence"),
    [
        (
            {
                0: "I have a list of customers. How can I group the customers by city?",
                1: "Thank you for contributing to the project! I want to group all customers by city.",
                2: "customers = group('city', by=customers, all=True)",
            },
            "I want to group all customers by city.",
        ),
        (
            {
                0: "Loading customers: 100%|████| 3/3 [00:00<?, 84.35it/s] customers by city",
                1: "to group by city in C.",
            },
            None,
        ),
        (
            {0: ".NET groups the customers by city.", 1: "Grouping customers by city is slow."},
            "Grouping customers by city is slow.",
        ),
        # What a form says, and greetings, speak for nobody. They are better than nothing.
        (
            {
                0: "Don't hesitate to group all the customers by city. Customers are lost by city here.",
                1: "Hi everyone, I group all the customers by city. Don't hesitate to group all the customers by city.",
            },
            "Customers are lost by city here.",
        ),
        (
            {
                0: "Don't hesitate to group all the customers by city. Bye.",
                1: "Don't hesitate to group all the customers by city.",
            },
            "Don't hesitate to group all the customers by city.",
        ),
        # The same post came twice.
        (
            {
                0: "Grouping all customers by city loses some of the customers. It is slow.",
                1: "Grouping all customers by city loses some of the customers. It is slow.",
                2: "I would like to see customers by city.",
            },
            "Grouping all customers by city loses some of the customers.",
        ),
        ({}, None),
    ],
)
def test_the_sentence_that_says_most_of_what_the_posts_share(
    bodies: dict[int, str], sentence: str | None, signals: list[Signal]
) -> None:
    posts = group("Group by city", "Customers by city", "Grouping", bodies=bodies)
    rarity = Rarity([*posts.texts, *(f"Something else, number {number}." for number in range(100))])
    found = best_sentences(posts, rarity, signals)
    assert (found[0]["sentence"] if found else None) == sentence


def test_a_sentence_is_worth_less_if_it_is_a_fragment_or_says_little(signals: list[Signal]) -> None:
    whole, fragment, thin = (
        worth_of_sentence(sentence, signals)
        for sentence in (
            "The export of all customers by city hangs on Windows.",
            "Exports of all customers by city often hang on Windows",
            "The export often does not end.",
        )
    )
    assert (whole, fragment, thin) == (1, UNCLOSED, THIN)


@pytest.mark.parametrize("seed", range(20))
def test_sentences_are_told_in_the_order_of_rating_times_worth(seed: int, signals: list[Signal]) -> None:
    chance = np.random.default_rng(seed)
    texts = ["And it hangs.", "Exports of all customers in town hang for hours.", "Click here", "Why does this hang?"]
    ratings = sorted((chance.integers(0, 8, 30) / 8).tolist(), reverse=True)
    ranked = [
        SentenceInfo(Sentence(texts[int(chance.integers(len(texts)))], Words()), order, rating)
        for order, rating in enumerate(ratings)
    ]
    looked_at: list[int] = []

    def watched() -> Iterator[SentenceInfo]:
        for info in ranked:
            looked_at.append(info.order)
            yield info

    def rated(info: SentenceInfo) -> tuple[float, int]:
        return -round(info.rating * worth_of_sentence(str(info.sentence), signals), 9), info.order

    assert [info.order for info in telling(watched(), signals)] == [info.order for info in sorted(ranked, key=rated)]
    # The first one is known before the last ones are looked at, if they could not be better.
    looked_at.clear()
    first = next(telling(watched(), signals))
    assert all(ranked[order].rating > -rated(first)[0] or order <= first.order + 1 for order in looked_at[:-1])


def test_a_sentence_that_goes_on_with_another_does_not_describe(signals: list[Signal]) -> None:
    bodies = {
        0: "And grouping all the customers by city is slow.",
        1: "At least grouping all the customers by city is slow.",
        2: "Try to group the customers by city. Grouping so many customers by their city takes hours.",
    }
    posts = group("Group by city", "Customers by city", "Grouping", bodies=bodies)
    rarity = Rarity([*posts.texts, *(f"Something else, number {number}." for number in range(100))])
    found = best_sentences(posts, rarity, signals)
    assert [each["sentence"] for each in found] == ["Grouping so many customers by their city takes hours."]


def test_titles_of_a_group_differ(signals: list[Signal]) -> None:
    posts = group("Grouping customers by city is slow", "Customers in a city", "grouping customers by City is slow")
    assert [each.title for each in best_titles(posts, Rarity(posts.texts), signals)] == [
        "Grouping customers by city is slow",
        "Customers in a city",
    ]


def test_no_sentence_repeats_another(signals: list[Signal]) -> None:
    bodies = {0: "My customers by city are gone.", 1: "Customers by city are gone.", 2: "Customers of the city lost."}
    posts = group("Group by city", "Customers by city", "Grouping", bodies=bodies)
    found = best_sentences(posts, Rarity(posts.texts), signals)
    assert len(found) == 2
    assert "Customers of the city lost." in {each["sentence"] for each in found}


def test_each_sentence_is_of_another_post(signals: list[Signal]) -> None:
    bodies = {
        number: f"Customers can not be grouped by city. My customers of city {number} are lost in list {number}."
        for number in range(SENTENCES + 1)
    }
    posts = group(*(f"Case {number}" for number in bodies), bodies=bodies)
    found = best_sentences(posts, Rarity(posts.texts), signals)
    assert len({each["url_hash"] for each in found}) == len(found) == SENTENCES
    texts = dict(zip(posts.url_hashes, posts.texts, strict=True))
    assert all(each["sentence"] in texts[each["url_hash"]] for each in found)


def test_groups_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect() as connection:
        relations = {
            "title_signals": connection.read_csv(str(ROOT / "seeds" / "title_signals.csv")),
            "texts": connection.sql(
                """
                select 'post ' || number as url_hash, 'Export number ' || number || ' hangs for hours' as title,
                    title || '. It is slow.' as text, 'hash ' || number as content_hash
                from range(9) as numbers (number)
                """
            ),
            "titles": connection.sql("select 'post 1' as url_hash, 'hash 2' as content_hash"),
            "embeddings": connection.sql(
                """
                select 'hash ' || number as content_hash, 'model' as model,
                    list_transform(range(384), x -> x = number)::float[384] as embedding
                from range(9) as numbers (number)
                """
            ),
        }
        arguments = (
            "select number % 3 as number, 'post ' || number as url_hash from range(9) as numbers (number)",
            "select 'a' as url_hash, 'slow' as text",
            relations,
            "model",
        )
        at_once = [each[:2] for each in named_groups(connection, *arguments)]
        monkeypatch.setattr(titles_module, "AT_A_TIME", 1)
        assert [each[:2] for each in named_groups(connection, *arguments)] == at_once
    assert [number for number, _ in at_once] == [0, 1, 2]
    # The titles of a group differ in their numbers only.
    assert all(len(titles) == 1 for _, titles in at_once)
