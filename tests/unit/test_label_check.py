"""groundswell.llm.labels and the check of a problem's label: what an answer may claim, to the last word."""

import json
import re
from collections.abc import Iterable, Set
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pydantic import ValidationError

from groundswell.llm import labels
from groundswell.llm.calls import Question
from groundswell.llm.errors import AnswerError
from groundswell.llm.labels import ClaimedQuote, Grounds, Label
from groundswell.llm.ledger import Row
from tests.support.models import load

attempts: Any = load("problem_label_attempts")

# Three posts that share nothing but these words: save, dialog, freezes.
TEXTS = (
    "The save dialog freezes for minutes. We would pay for a fix.",
    "My save dialog freezes on Linux",
    "A save dialog freezes since Monday",
)
MONEY = re.compile("would pay", re.IGNORECASE)


def samples(texts: Iterable[str] = TEXTS) -> list[Row]:
    return [{"sample_number": number, "url_hash": f"u{number}", "text": text} for number, text in enumerate(texts, 1)]


def quote(post: int, words: str, shows: str = "problem") -> dict[str, Any]:
    return {"post": post, "quote": words, "shows": shows}


QUOTES = (quote(1, "save dialog freezes"), quote(2, "save dialog freezes"))
ANSWER: dict[str, Any] = {
    "cluster": 7,
    "canonical_title": "Save dialog freezes",
    "category": "devtools",
    "description": "Users wait.",
    "posts": [1, 2, 3],
    "would_pay_signal": True,
    "impact_level": "low",
    "quotes": [*QUOTES],
}


def grounds(common: Set[str] = frozenset()) -> Grounds:
    return Grounds(Label, common, MONEY)


def label(**changes: Any) -> Label:
    return Label.model_validate_json(json.dumps(ANSWER | changes))


def check(texts: Iterable[str] = TEXTS, common: Set[str] = frozenset(), **changes: Any) -> Row:
    return labels.check_label(label(**changes), samples(texts), grounds(common))


# -- The columns of a label.


def test_the_columns_are_those_of_the_answer_and_its_verified_quotes() -> None:
    quotes = [
        # These two are dropped: no such post, no such words. The check goes on with the next quote.
        quote(9, "save dialog freezes"),
        quote(1, "save dialog crashes"),
        quote(1, "We would pay for a fix.", "payment"),
        *QUOTES,
        quote(2, "save dialog freezes"),
        # Not about money.
        quote(2, "dialog freezes on", "payment"),
    ]
    assert check(quotes=quotes) == {
        "status": "labelled",
        "canonical_title": "Save dialog freezes",
        "category": "devtools",
        "description": "Users wait.",
        "would_pay_signal": True,
        "impact_level": "low",
        "quotes": [
            {"url_hash": "u1", "quote": "We would pay for a fix.", "supports_payment": True},
            {"url_hash": "u1", "quote": "save dialog freezes", "supports_payment": False},
            {"url_hash": "u2", "quote": "save dialog freezes", "supports_payment": False},
        ],
    }


def test_one_quote_may_show_the_problem_and_the_payment() -> None:
    words = "freezes for minutes. We would pay"
    quotes = [quote(1, words, "payment"), quote(1, words), quote(2, "save dialog freezes")]
    for order in (quotes, quotes[::-1]):
        row = check(quotes=order)
        assert row["would_pay_signal"] is True
        assert {"url_hash": "u1", "quote": words, "supports_payment": True} in row["quotes"]
        assert len(row["quotes"]) == 2


def test_words_about_money_alone_make_no_signal_if_the_answer_says_no() -> None:
    quotes = [*QUOTES, quote(1, "We would pay for a fix.", "payment")]
    assert check(quotes=quotes, would_pay_signal=False)["would_pay_signal"] is False
    assert check()["would_pay_signal"] is False


def test_a_quote_about_payment_supports_no_problem() -> None:
    with pytest.raises(AnswerError) as raised:
        check(quotes=[QUOTES[0], quote(2, "dialog freezes on", "payment"), quote(1, "We would pay", "payment")])
    assert str(raised.value) == ("quotes: 1 posts are quoted word for word for the problem, at least 2 must be")


def test_of_a_single_post_one_quote_is_enough() -> None:
    assert check(TEXTS[:1], quotes=[QUOTES[0]])["status"] == "labelled"
    with pytest.raises(AnswerError) as raised:
        check(TEXTS[:1], quotes=[])
    assert str(raised.value) == ("quotes: 0 posts are quoted word for word for the problem, at least 1 must be")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"canonical_title": "Freezes at evil.com"}, "canonical_title: holds a web address"),
        ({"description": "See evil.com."}, "description: holds a web address"),
        ({"canonical_title": "**Freezes**"}, "canonical_title: holds markup"),
        ({"description": "Users <b>wait</b>."}, "description: holds markup"),
        ({"description": "It hangs. It hangs. It hangs."}, "description: more than two sentences"),
        (
            {"canonical_title": "Minutes of freezes"},
            "title or description: 'minutes' is not what several posts say, nor in a quote",
        ),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_exactly(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnswerError) as raised:
        check(**changes)
    assert str(raised.value) == message


def test_a_quote_under_the_number_of_another_post_is_found() -> None:
    row = check(quotes=[quote(3, "freezes on Linux"), quote(9, "freezes since Monday")])
    assert row["quotes"] == [
        {"url_hash": "u2", "quote": "freezes on Linux", "supports_payment": False},
        {"url_hash": "u3", "quote": "freezes since Monday", "supports_payment": False},
    ]
    # Words of several posts are nobody's.
    with pytest.raises(AnswerError, match="quotes: 1 posts"):
        check(quotes=[quote(9, "save dialog freezes"), quote(2, "save dialog freezes")])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            quote(1, "dialog freezes for <many> minutes"),
            'post 1 does not hold "dialog freezes for ‹many› minutes", it says "dialog freezes for minutes. We"',
        ),
        (quote(2, "crashes at every start"), 'post 2 does not hold "crashes at every start"'),
        (quote(9, "crashes at every start"), 'post 9 does not hold "crashes at every start"'),
        (quote(3, "freezes"), "a quote has 8 to 300 characters, not 7"),
        (quote(3, "save dialog freezes " * 16), "a quote has 8 to 300 characters, not 319"),
        (
            quote(3, "A save dialog freezes since Monday " + "and on and on " * 15),
            'post 3 does not hold "A save dialog freezes since Monday and on and on and on and on and on and on and on'
            ' and on and on and on and on and on …", it says "A save dialog freezes since Monday"',
        ),
    ],
)
def test_the_first_wrong_quote_is_named_with_the_words_that_differ(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(AnswerError) as raised:
        check(quotes=[QUOTES[0], wrong, quote(2, "no such words here")])
    assert str(raised.value) == (
        f"quotes: 1 posts are quoted word for word for the problem, at least 2 must be; {says}"
    )


def test_two_sentences_are_allowed() -> None:
    assert check(description="It hangs. It hangs again.")["description"] == "It hangs. It hangs again."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("no end", 1),
        ("One.", 1),
        ("  One.  ", 1),
        ("One! Two", 1),
        ("One? Two!", 2),
        ("Use e.g. Linux, i.e. no. 7 etc. here. Then stop.", 2),
        ("版本。 第二。", 2),
        ("Node.js runs. It stops.", 2),
    ],
)
def test_how_many_sentences_a_text_has(text: str, count: int) -> None:
    assert labels.count_sentences(text) == count


# -- Quotes.


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        # The bounds of the length, without the white space around the quote.
        ("a" * 8, "a" * 8, "a" * 8),
        ("a" * 7, "a" * 8, None),
        ("a" * 7 + " ", "a" * 7 + " b", None),
        ("a" * 300, "a" * 300, "a" * 300),
        ("a" * 301, "a" * 301, None),
        (" " + "a" * 300 + " ", "a" * 300, "a" * 300),
        # Each style of a mark stands for the other.
        ("if a < b then", "so if a ‹ b then stop", "if a ‹ b then"),
        ("if a ‹ b then", "so if a < b then stop", "if a < b then"),
        ("if a > b then", "so if a › b then stop", "if a › b then"),
        ("if a › b then", "so if a > b then stop", "if a > b then"),
        ("it's broken", "now it’s broken", "it’s broken"),
        ("it’s broken", "now it's broken", "it's broken"),
        ('says "no" again', "it says “no” again", "says “no” again"),
        ('says "no" again', 'it says "no" again', 'says "no" again'),
        ("says “no” again", "it says “no” again", "says “no” again"),
        # Not any character for a mark.
        ("if a < b then", "so if a X b then stop", None),
        # No pattern of a quote counts.
        ("a.b fails (again)", "axb fails (again)", None),
        ("a.b fails (again)", "a.b  fails\n(again)", "a.b  fails\n(again)"),
        # The mark of what a prompt leaves out.
        ("the dialog freezes…", "So the dialog freezes for ever", "the dialog freezes"),
        ("It hangs … the dialog freezes", "It hangs. Every day the dialog freezes", "the dialog freezes"),
        ("Wait… the dialog freezes", "Wait… the dialog freezes", "Wait… the dialog freezes"),
        ("It hangs … so", "It hangs. Every day", "It hangs"),
        ("It … so", "It hangs. Every day", None),
    ],
)
def test_what_a_quote_copies(words: str, text: str, found: str | None) -> None:
    assert labels.quoted_words(words, text) == found


# -- Words of a single post.


def borrowed(
    title: str, description: str, texts: Iterable[str], quotes: Iterable[str] = (), common: Set[str] = frozenset()
) -> str | None:
    made = label(canonical_title=title, description=description)
    return labels.borrowed_words(made, texts, quotes, common)


@pytest.mark.parametrize(
    ("title", "description", "texts", "words"),
    [
        # A name that only one post uses, and one that two use.
        (
            "Login fails",
            "It is Kubernetes again.",
            ["Kubernetes login fails", "login fails", "login fails"],
            "Kubernetes",
        ),
        ("Login fails", "It is Kubernetes again.", ["Kubernetes login fails", "Kubernetes login fails", "x"], None),
        # Written small, it is no name.
        ("Login fails", "It is kubernetes again.", ["Kubernetes login fails", "login fails", "login fails"], None),
        # A word that starts a sentence is no name if a post writes it small, or if no post holds it.
        ("Login fails", "Slow it is.", ["so slow login fails", "login fails", "login fails"], None),
        ("Login fails", "Somebody waits.", ["login fails", "login fails", "login fails"], None),
        # Capitals within the word, or a digit, make an odd word, which must be in two posts.
        ("Login fails", "It is iOS again.", ["login fails", "login fails", "login fails"], "iOS"),
        ("Login fails", "It is aB again.", ["login fails", "login fails", "login fails"], "aB"),
        ("Login fails", "It is a9 again.", ["login fails", "login fails", "login fails"], "a9"),
        ("Login fails", "It is 404 again.", ["login fails", "login fails", "login fails"], "404"),
        ("Login fails", "It is 4 again.", ["login fails", "login fails", "login fails"], "4"),
        ("Login fails", "It is iOS again.", ["iOS login fails", "ios login fails", "login fails"], None),
        ("Login fails", "It is iOS again.", ["iOS login fails"], None),
        ("Login fails", "It is iOS again.", ["login fails"], "iOS"),
        # A word of the title with more than three letters that exactly one post uses.
        ("login breaks", "All wait.", ["login breaks", "login fails", "login fails"], "breaks"),
        ("login hang", "All wait.", ["login hang", "login fails", "login fails"], "hang"),
        ("login bad", "All wait.", ["login bad", "login fails", "login fails"], None),
        ("login stops", "All wait.", ["login fails", "login fails", "login fails"], None),
        ("login breaks", "All wait.", ["login breaks"], None),
        # Three words of the description in a row that exactly one post uses; the last three count, too.
        ("login", "we see blue smoke", ["see blue smoke", "login", "login"], "see blue smoke"),
        ("login", "see blue smoke now", ["see blue smoke", "login", "login"], "see blue smoke"),
        ("login", "blue smoke", ["blue smoke", "login", "login"], None),
        ("login", "we see blue fumes", ["see blue smoke", "login", "login"], None),
        ("login", "see blue smoke", ["see blue smoke", "see blue smoke", "x"], None),
        ("login", "see blue smoke", ["see blue smoke"], None),
        # A run whose words others use, too, each for itself.
        ("login", "see blue smoke", ["see blue smoke", "blue see", "smoke"], None),
        ("login", "see blue smoke", ["see blue smoke", "blue", "smoke"], "see blue smoke"),
    ],
)
def test_words_that_one_post_may_have_dictated(
    title: str, description: str, texts: list[str], words: str | None
) -> None:
    assert borrowed(title, description, texts) == words


def test_common_words_and_verified_quotes_are_nobodys() -> None:
    texts = ["see blue smoke", "login", "login"]
    assert borrowed("login", "see blue smoke", texts, common={"see", "blue"}) == "see blue smoke"
    assert borrowed("login", "see blue smoke", texts, common={"see", "blue", "smoke"}) is None
    assert borrowed("login", "see blue smoke", texts, quotes=["we See blue smoke here"]) is None
    assert borrowed("login", "see blue smoke", texts, quotes=["see blue", "smoke"]) == "see blue smoke"
    assert borrowed("login smoke", "All wait.", texts, quotes=["blue smoke"]) is None
    assert borrowed("login", "It is iOS again.", texts, common={"ios"}) is None
    # A quote excuses no odd word.
    assert borrowed("login", "It is iOS again.", texts, quotes=["iOS again"]) == "iOS"


@pytest.mark.parametrize(
    ("post", "run", "holds"),
    [
        (["a", "b", "c"], ["a", "b"], True),
        (["a", "b", "c"], ["b", "c"], True),
        (["a", "b", "c"], ["a", "b", "c"], True),
        (["a", "b", "c"], ["a", "c"], False),
        (["a", "b"], ["a", "b", "c"], False),
        ([], ["a"], False),
    ],
)
def test_whether_a_post_holds_a_run(post: list[str], run: list[str], holds: bool) -> None:
    assert labels.holds_run(post, run) is holds


# -- The schema of an answer, and what the check reads.


def test_the_category_is_one_of_those_given() -> None:
    answer = labels.label_of(["b", "a", "b"])
    assert answer.__name__ == "Label"
    assert issubclass(answer, Label)
    assert answer.model_json_schema()["properties"]["category"]["enum"] == ["a", "b"]
    assert answer.model_validate_json(json.dumps(ANSWER | {"category": "a"})).category == "a"
    for document in (ANSWER, {name: value for name, value in ANSWER.items() if name != "category"}):
        with pytest.raises(ValidationError, match="category"):
            answer.model_validate_json(json.dumps(document))


class Reader:
    """A ledger that only reads."""

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self.session = session

    def read(self, query: str, **parameters: Any) -> list[Row]:
        rows: list[Row] = self.session.execute(query, parameters).to_arrow_table().to_pylist()
        return rows


def test_what_the_check_of_a_day_reads() -> None:
    with duckdb.connect() as session:
        session.execute(
            """
            create table categories as select unnest(['devtools', 'ai']) as category;
            create table label_signals as
                select * from (values ('would_pay', 'pay(ing)?'), ('mentions_money', 'euro'), ('is_angry', 'argh'))
                as signals (signal, pattern);
            create table posts as select 'u' || number as url_hash, 'a' || number as author_hash
                from range(4) as numbers (number);
            create table texts as
                select * from (values
                    ('u0', 'Everybody waits', date '2026-11-07'), ('u1', 'everybody Sees', date '2026-11-08'),
                    ('u2', 'everybody waits', date '2026-11-09'), ('u3', 'waits', date '2026-11-06'))
                as texts (url_hash, text, collection_date);
            create table duplicates (url_hash text, duplicate_of text);
            create table post_signals (url_hash text, addresses_model boolean);
            """
        )
        names = ("categories", "label_signals", "texts", "posts", "duplicates", "post_signals")
        relations = {name: session.table(name) for name in names}
        read = labels.read_grounds(Reader(session), relations, "2026-11-09", 3)  # type: ignore[arg-type]  # reads alike
    assert read.common == {"everybody"}
    assert read.money.pattern == "euro|pay(ing)?"
    assert read.money.search("PAYING")
    assert not read.money.search("argh")
    assert read.answer.model_json_schema()["properties"]["category"]["enum"] == ["ai", "devtools"]


# -- Questions and attempts.

REQUEST = {
    "problem_id": "p1",
    "question_number": 7,
    "voices": 3,
    "system_prompt": "system",
    "prompt": "user",
    "prompt_version": "v1",
    "samples": samples(),
}


def test_a_question_holds_its_prompts_its_subject_and_its_check() -> None:
    question: Question = labels.label_question(
        REQUEST, {"problem_id": "p1"}, Label, lambda answer: {"title": answer.canonical_title}
    )
    assert question.messages == [{"role": "system", "content": "system"}, {"role": "user", "content": "user"}]
    assert question.about == {"problem_id": "p1", "prompt_version": "v1"}
    assert question.check(f"Here it is: {json.dumps(ANSWER)}") == {"title": "Save dialog freezes"}
    with pytest.raises(AnswerError, match="no JSON object"):
        question.check("no")


def test_an_attempt_of_the_built_in_labeller_costs_nothing() -> None:
    schema = labels.attempts_schema(("problem_id", pa.string()), extra=[("voices", pa.int64())])
    row = labels.extractive_attempt(
        REQUEST,
        {"problem_id": "p1", "voices": 3},
        {"canonical_title": "Save dialog freezes", "problem_id": "overridden", "unknown": 1},
        schema,
    )
    attempted_at, attempt_id = row.pop("attempted_at"), row.pop("attempt_id")
    assert row == {
        "canonical_title": "Save dialog freezes",
        "problem_id": "p1",
        "voices": 3,
        "tokens_in": 0,
        "tokens_out": 0,
        "cost_usd": 0.0,
        "labeler": "extractive",
        "prompt_version": "v1",
        "status": "labelled",
        "error": None,
        "latency_seconds": 0.0,
    }
    assert attempted_at
    assert re.fullmatch("[0-9a-f]{32}", attempt_id)


def test_the_schema_of_attempts() -> None:
    schema = labels.attempts_schema(("problem_id", pa.string()), extra=[("voices", pa.int64())])
    names = [name for name, _ in labels.COLUMNS]
    assert schema.names == ["attempt_id", "problem_id", *names, "voices"]
    assert (schema.field("attempt_id").type, schema.field("voices").type) == (pa.string(), pa.int64())
    assert labels.attempts_schema(("a", pa.string())).names == ["attempt_id", "a", *names]


# -- A label of a problem.


def test_what_an_attempt_at_a_problem_is_about() -> None:
    assert attempts.about_problem(REQUEST) == {"problem_id": "p1", "voices": 3}


def test_a_problem_gets_the_columns_of_its_label_and_its_strays() -> None:
    request = REQUEST | {"samples": samples((*TEXTS, "Pizza is cold"))}
    row = attempts.check_problem(label(), request, 3, grounds())
    assert row == check() | {"strays": ["u4"]}
    assert row["status"] == "labelled"


def test_of_a_mixed_problem_no_claim_is_checked() -> None:
    answer = label(posts=[1], quotes=[quote(1, "not in the post")], canonical_title="evil.com")
    assert attempts.check_problem(answer, REQUEST, 3, grounds()) == {
        "status": "mixed",
        "error": "of 3 posts, 1 have one problem",
        "strays": ["u2", "u3"],
    }


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(AnswerError) as raised:
        attempts.check_problem(label(cluster=8, posts=[]), REQUEST, 3, grounds())
    assert str(raised.value) == "cluster: the question was about cluster 7, not 8"


@pytest.mark.parametrize("changes", [{}, {"canonical_title": "evil.com"}])
def test_a_problem_of_enough_posts_is_checked(changes: dict[str, Any]) -> None:
    if not changes:
        assert attempts.check_problem(label(), REQUEST, 3, grounds())["strays"] == []
        return
    with pytest.raises(AnswerError, match="web address"):
        attempts.check_problem(label(**changes), REQUEST, 3, grounds())


@pytest.mark.parametrize(
    ("voices", "shown", "left", "status"),
    [
        # Half of the posts is enough where others were not shown.
        (9, 8, 4, "labelled"),
        (9, 8, 3, "mixed"),
        # As many voices as posts: all were shown, so three are enough.
        (8, 8, 3, "labelled"),
        (8, 8, 2, "mixed"),
    ],
)
def test_how_many_posts_a_problem_keeps(voices: int, shown: int, left: int, status: str) -> None:
    answer = Label.model_construct(
        posts=list(range(1, left)), quotes=[ClaimedQuote(post=left, quote="x", shows="problem")]
    )
    texts = ["x"] * shown
    row = attempts.sort_strays(answer, samples(texts), voices, 3)
    strays = [f"u{number}" for number in range(left + 1, shown + 1)]
    expected = {"status": status, "strays": strays}
    if status == "mixed":
        expected["error"] = f"of {shown} posts, {left} have one problem"
    assert row == expected
