"""Asks language models for labels of issues and of problems, and checks their answers.

A label names one problem that several posts have in common. An answer quotes the posts; the check compares every quote
with the posts.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from difflib import SequenceMatcher
from typing import Annotated, Literal, NamedTuple
from uuid import uuid4

import duckdb
import pyarrow as pa
from jinja2 import Template
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from groundswell.clock import now
from groundswell.database import PROJECT
from groundswell.llm.answer import parsed
from groundswell.llm.budget import NOTHING
from groundswell.llm.calls import Check, Question
from groundswell.llm.errors import AnswerError
from groundswell.llm.ledger import Ledger, Row
from groundswell.llm.settings import EXTRACTIVE
from groundswell.relations import subquery

# The error of a label by the last resort, which stands until a language model gives another.
NO_MODEL = "no language model gave a label"

# An answer must quote this many posts, or all shown posts if the prompt shows fewer.
SUPPORT = 2

QUOTES = pa.list_(pa.struct([("url_hash", pa.string()), ("quote", pa.string()), ("supports_payment", pa.bool_())]))
# Columns that both tables of label attempts have.
COLUMNS = (
    ("canonical_title", pa.string()),
    ("category", pa.string()),
    ("description", pa.string()),
    ("impact_level", pa.string()),
    ("labeler", pa.string()),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
    ("status", pa.string()),
    ("error", pa.string()),
    ("quotes", QUOTES),
    ("tokens_in", pa.int64()),
    ("tokens_out", pa.int64()),
    ("cost_usd", pa.float64()),
    ("latency_seconds", pa.float64()),
    ("would_pay_signal", pa.bool_()),
    ("attempted_at", pa.timestamp("us")),
)

# Matches a link or the name of a host, and neither ASP.NET nor Node.js.
WEB_ADDRESS = re.compile(
    r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|data:)"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}/"
    r"|\b[a-z0-9-]+\.(?:com|org|info|ru|xyz|top|cn|biz|click|link|online|site|shop|club|live|example)\b"
)
# Matches markup, control characters and invisible characters, such as marks that change the direction of writing.
MARKUP = re.compile(
    r"[<>‹›]|&\w+;|\]\(|\*\*|```|^#+ "
    "|[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)")
ABBREVIATION = re.compile(r"(?i)\b(?:e\.g|i\.e|etc|vs|inc|no|approx|\w)\.(?=\s)")
WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
MIN_QUOTE, MAX_QUOTE = 8, 300
# What the schema with lengths allows; a prompt shows fewer posts.
MOST_POSTS, MOST_QUOTES = 40, 12
# Prompts put this mark where they leave out words of a post.
CUT_MARK = "…"
# The signals of seed label_signals whose patterns match words about money.
MONEY_SIGNALS = "signal in ('would_pay', 'mentions_money')"
# This many consecutive words that only one post holds count as copied from that post.
RUN = 3
# A word is common if at least this many authors used it in the window of days that ends with the day of the build.
COMMON_AUTHORS = 3
COMMON_WORDS = r"""
    with words as (
        select
            coalesce(posts.author_hash, posts.url_hash) as author,
            unnest(regexp_extract_all(lower(texts.text), '[\pL\pN]+(?:[.-][\pL\pN]+)*')) as word,
        from {texts} as texts
        inner join {posts} as posts using (url_hash)
        left join {duplicates} as duplicates using (url_hash)
        left join {post_signals} as post_signals using (url_hash)
        where
            texts.collection_date > $run_date::date - $days::int
            and texts.collection_date <= $run_date::date
            and duplicates.duplicate_of is null
            and post_signals.addresses_model is not true
    )
    select word
    from words
    group by word
    having count(distinct author) >= $authors
"""


# Models wrap lines.
IN_ONE_LINE = BeforeValidator(lambda text: " ".join(text.split()) if isinstance(text, str) else text)


class ClaimedQuote(BaseModel):
    """A quote in an answer: the number of the post, the copied words, and what the words show."""

    model_config = ConfigDict(extra="ignore", strict=True)

    post: int
    # A longer quote is dropped by the check; it does not spoil the answer.
    quote: Annotated[str, Field(json_schema_extra={"maxLength": MAX_QUOTE})]
    shows: Literal["problem", "payment"]


class Label(BaseModel):
    """The schema of an answer with a label; `label_of` limits the category to known names."""

    model_config = ConfigDict(extra="ignore", strict=True)

    cluster: int
    canonical_title: Annotated[str, StringConstraints(min_length=1, max_length=120), IN_ONE_LINE]
    category: str
    description: Annotated[str, StringConstraints(min_length=1, max_length=600), IN_ONE_LINE]
    posts: Annotated[list[int], Field(json_schema_extra={"maxItems": MOST_POSTS})]
    would_pay_signal: bool
    impact_level: Literal["low", "medium", "high"]
    quotes: Annotated[list[ClaimedQuote], Field(json_schema_extra={"maxItems": MOST_QUOTES})]


def label_of(categories: Iterable[str]) -> type[Label]:
    """The schema of an answer whose category is one of these names."""
    names = tuple(sorted(set(categories)))
    return create_model("Label", __base__=Label, category=(Literal[names], ...))  # type: ignore[arg-type]  # made at run time


# -- The check of an answer.


class Grounds(NamedTuple):
    """What the check needs beside the shown posts.

    answer: the schema of an answer. common: common words in lower case. money: a pattern for words about money.
    """

    answer: type[Label]
    common: Set[str]
    money: re.Pattern[str]


def quoted_words(quote: str, text: str) -> str | None:
    """The part of a text that a quote copies; None if the text does not hold the quote.

    White space and the style of quotation marks may differ. So may angle brackets, because prompts replace them. Of a
    quote with a cut mark of the prompt, the longest part counts that the text holds.
    """
    if not MIN_QUOTE <= len(quote.strip()) <= MAX_QUOTE:
        return None
    found = copied_words(quote, text)
    parts = sorted(quote.split(CUT_MARK), key=len, reverse=True) if CUT_MARK in quote else []
    return found or next(filter(None, (quoted_words(part, text) for part in parts)), None)


def copied_words(quote: str, text: str) -> str | None:
    """The first part of a text that has the words of a quote; None if there is none."""
    variants = {"<": "[<‹]", "‹": "[<‹]", ">": "[>›]", "›": "[>›]", "'": "['’]", "’": "['’]", '"': '["“”]'}
    pattern = r"\s+".join(
        "".join(variants.get(character, re.escape(character)) for character in word) for word in quote.split()
    )
    match = re.search(pattern, text)
    return match[0] if match else None


def misquote(quote: ClaimedQuote, text: str) -> str:
    """What is wrong with a quote of a post with this text, in words for the model that wrote it."""
    said = quote.quote.split()
    if not MIN_QUOTE <= len(quote.quote.strip()) <= MAX_QUOTE:
        return f"a quote has {MIN_QUOTE} to {MAX_QUOTE} characters, not {len(quote.quote.strip())}"
    held = text.split()
    same = SequenceMatcher(None, said, held, autojunk=False).find_longest_match()
    wrong = f'post {quote.post} does not hold "{shortened(quote.quote)}"'
    if same.size < 2:
        return wrong
    start = max(0, same.b - same.a)
    return f'{wrong}, it says "{shortened(" ".join(held[start : start + len(said)]))}"'


def shortened(text: str, length: int = 120) -> str:
    """A text of a post for a message: in one line, without tags, and not longer than this."""
    text = " ".join(text.translate(str.maketrans("<>", "‹›")).split())
    return text if len(text) <= length else text[: length - 1] + CUT_MARK


def lower_words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def borrowed_words(label: Label, texts: Iterable[str], quotes: Iterable[str], common: Set[str]) -> str | None:
    """The first words of title or description that a single post may have dictated; None if there are none.

    Two kinds of words count. First, a name or number that fewer than SUPPORT posts use. Second, a word of the title or
    a run of RUN words of the description that exactly one post uses and that no verified quote holds. A run needs at
    least one word that is not common and that only one post uses.
    """
    posts = [WORD.findall(text) for text in texts]
    lowered = [[word.lower() for word in post] for post in posts]
    quoted = [lower_words(quote) for quote in quotes]
    title, description = lower_words(label.canonical_title), lower_words(label.description)
    for name in WORD.findall(f"{label.canonical_title} {label.description}"):
        # A word that a post writes in lower case is no name. A capitalised word that no post holds is no name either.
        is_name = name != name.lower() and not any(name.lower() in post for post in posts)
        holders = sum(name.lower() in post for post in lowered)
        is_odd = any(letter.isupper() or letter.isdigit() for letter in name[1:]) or name[0].isdigit()
        is_rare = holders < min(SUPPORT, len(posts)) and name.lower() not in common
        if is_rare and (is_odd or (is_name and holders)):
            return str(name)
    runs = [[word] for word in title if len(word) > 3]
    runs += [description[start : start + RUN] for start in range(len(description) - RUN + 1)]
    for run in runs:
        holders = sum(holds_run(post, run) for post in lowered)
        is_rare = any(word not in common and sum(word in post for post in lowered) == 1 for word in run)
        if holders == 1 < len(posts) and is_rare and not any(holds_run(quote, run) for quote in quoted):
            return " ".join(run)
    return None


def holds_run(post: list[str], run: list[str]) -> bool:
    """Whether a post holds the words of a run, one after the other."""
    return any(post[start : start + len(run)] == run for start in range(len(post) - len(run) + 1))


def count_sentences(text: str) -> int:
    """The number of sentences in a text, at least 1."""
    return max(1, len(SENTENCE_END.findall(ABBREVIATION.sub("", text.strip()))))


def require_number(label: Label, number: int) -> None:
    """Raise AnswerError if the answer names another number than the question."""
    if label.cluster != number:
        raise AnswerError(f"cluster: the question was about cluster {number}, not {label.cluster}")


def check_label(label: Label, samples: Sequence[Row], grounds: Grounds) -> Row:
    """The columns of a label after the check against `samples`, the shown posts. Raises AnswerError.

    The check drops quotes that no shown post holds. A quote under the number of another post belongs to the one post
    that holds it. Without a quote about money, would_pay_signal is false.
    """
    for name, text in (("canonical_title", label.canonical_title), ("description", label.description)):
        for what, pattern in (("a web address", WEB_ADDRESS), ("markup", MARKUP)):
            if pattern.search(text):
                raise AnswerError(f"{name}: holds {what}")
    if count_sentences(label.description) > 2:
        raise AnswerError("description: more than two sentences")
    by_number = {sample["sample_number"]: sample for sample in samples}
    quotes: dict[tuple[str, str], bool] = {}
    supporting, wrong = set(), ""
    for quote in label.quotes:
        named = by_number.get(quote.post)
        holders = [(sample, words) for sample in samples if (words := quoted_words(quote.quote, sample["text"]))]
        found = next((each for each in holders if each[0] is named), holders[0] if len(holders) == 1 else None)
        if not found:
            wrong = wrong or misquote(quote, named["text"] if named else "")
            continue
        sample, words = found
        if quote.shows == "payment":
            if grounds.money.search(words):
                quotes[sample["url_hash"], words] = True
        else:
            quotes.setdefault((sample["url_hash"], words), False)
            supporting.add(sample["sample_number"])
    if len(supporting) < min(SUPPORT, len(samples)):
        raise AnswerError(
            f"quotes: {len(supporting)} posts are quoted word for word for the problem, "
            f"at least {min(SUPPORT, len(samples))} must be" + (f"; {wrong}" if wrong else "")
        )
    borrowed = borrowed_words(
        label, (sample["text"] for sample in samples), (quote for _, quote in quotes), grounds.common
    )
    if borrowed:
        raise AnswerError(f"title or description: {borrowed!r} is not what several posts say, nor in a quote")
    return {
        "status": "labelled",
        **label.model_dump(exclude={"cluster", "posts", "quotes"}),
        "would_pay_signal": label.would_pay_signal and any(quotes.values()),
        "quotes": [
            {"url_hash": url_hash, "quote": quote, "supports_payment": payment}
            for (url_hash, quote), payment in quotes.items()
        ],
    }


def read_grounds(ledger: Ledger, relations: Mapping[str, duckdb.DuckDBPyRelation], run_date: str, days: int) -> Grounds:
    """Read what the check of a day's labels needs.

    relations: categories, label_signals, texts, posts, duplicates and post_signals, by these names. days: length of the
    window that ends with run_date, in which common words are counted. Duplicates and posts that address a language
    model do not count.
    """
    categories = relations["categories"].select("category").fetchall()
    signals = relations["label_signals"].filter(MONEY_SIGNALS).order("pattern").select("pattern").fetchall()
    query = COMMON_WORDS.format(**{name: subquery(relation) for name, relation in relations.items()})
    common = ledger.read(query, days=days, run_date=run_date, authors=COMMON_AUTHORS)
    return Grounds(
        label_of(category for (category,) in categories),
        {row["word"] for row in common},
        re.compile("|".join(pattern for (pattern,) in signals), re.IGNORECASE),
    )


# -- Questions and attempts.

# A condition: a label no longer holds, because half of its quotes are gone. The built-in labeller first quotes the post
# that gave the title.
IS_LOST = """
    (
        len(attempts.quotes) > 0
        and (
            2 * coalesce(len(standing.quotes), 0) <= len(attempts.quotes)
            or labelled_by = $extractive and standing.quotes[1] is distinct from attempts.quotes[1]
        )
    ) is true
"""


def standing_quotes(labels: str, posts: str, key: Sequence[str]) -> str:
    """The CTEs posts_now, claims and standing: the quotes of each label that stand in a post of its key as it is now.

    Macro standing_quotes has the rule, so that a label is asked for again just when its quotes are not published.
    labels: a CTE of the key and quotes. posts: a query of the key, url_hash and text.
    """
    macros = Template((PROJECT / "macros" / "standing_quotes.sql").read_text()).module
    return f"posts_now as ({posts}),\n{macros.standing_quotes(labels, 'posts_now', key)}"  # type: ignore[attr-defined]


def label_question(request: Row, about: Row, answer: type[Label], check: Check[Label]) -> Question:
    """The question of a request with system_prompt, prompt and prompt_version; `about` are columns of the attempt."""
    return Question(
        [{"role": "system", "content": request["system_prompt"]}, {"role": "user", "content": request["prompt"]}],
        about | {"prompt_version": request["prompt_version"]},
        lambda content: check(parsed(content, answer)),
    )


def without_label(requests: Iterable[Row], outcomes: Iterable[Row], key: str) -> list[Row]:
    """The requests whose subject, by this column, got no label in these attempts."""
    labelled = {row[key] for row in outcomes if row["status"] in ("labelled", "mixed")}
    return [request for request in requests if request[key] not in labelled]


def keep_extractive(
    ledger: Ledger,
    requests: Iterable[Row],
    key: str,
    about: Callable[[Row], Row],
    labels: duckdb.DuckDBPyRelation,
    *,
    is_last_resort: bool,
) -> None:
    """Keep the built-in label of each request as an attempt. `labels` holds one row per value of the column `key`.

    about: gives the columns that name the subject of a request.
    is_last_resort: whether language models were asked first. Then a subject that has a label keeps it.
    """
    found = {row[key]: row for row in labels.to_arrow_table().to_pylist()}
    error = NO_MODEL if is_last_resort else None
    ledger.keep_extractive(
        [
            extractive_attempt(request, about(request), found[request[key]], ledger.schema, error)
            for request in requests
            if not (is_last_resort and request["has_label"])
        ]
    )


def extractive_attempt(request: Row, about: Row, label: Row, schema: pa.Schema, error: str | None = None) -> Row:
    """The row of an attempt by the built-in labeller; its cost is 0."""
    return {
        **{name: label[name] for name in schema.names if name in label},
        **about,
        **NOTHING.columns(),
        "attempt_id": uuid4().hex,
        "labeler": EXTRACTIVE,
        "prompt_version": request["prompt_version"],
        "status": "labelled",
        "error": error,
        "latency_seconds": 0.0,
        "attempted_at": now(),
    }


def attempts_schema(*key: tuple[str, pa.DataType], extra: Iterable[tuple[str, pa.DataType]] = ()) -> pa.Schema:
    """The schema of a table of label attempts with these columns as the key of the subject."""
    return pa.schema([("attempt_id", pa.string()), *key, *COLUMNS, *extra])
