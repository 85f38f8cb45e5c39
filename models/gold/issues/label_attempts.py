"""Every attempt to label a cluster or a problem, with its cost: what was paid for is here, and never paid for again.

Grain: one row per attempt_id. Append-only.
Method: with LLM_MODEL unset or `extractive`, the labels of silver.extractive_labels and gold.problem_requests. Else the
models that LLM_MODEL names (package groundswell.llm), the next where one gives no answer: eight calls in flight,
problems first, the largest first. A problem is asked about again when its voices have doubled, or when half of what its
label quotes has left it; one of the built-in labeller also when the post has left whose title it is. Every answer is
checked against the posts that it was given (`checked`); one that does not pass is sent back once with what is wrong. Of
a problem's posts those that an answer does not name are strays, and where too few are left, it is `mixed`. A call is a
row before it leaves.
"""

import re
from collections.abc import Iterable, Set
from typing import Annotated, Any, Literal
from uuid import uuid4

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, StringConstraints

from groundswell.clock import now
from groundswell.llm.answer import parsed
from groundswell.llm.budget import NOTHING
from groundswell.llm.calls import Calls, Question
from groundswell.llm.errors import AnswerError, ModelError
from groundswell.llm.ledger import Ledger, Row
from groundswell.llm.settings import EXTRACTIVE, Settings

# Posts that must be quoted for a title, where there are as many.
SUPPORT = 2
# Voices that make a problem, as in silver.problem_assignments. Where there are more than are shown, half of these must
# have it: then the others are taken to have it, too.
MIN_VOICES = 3
MIN_SHARE = 0.5

QUOTES = pa.list_(pa.struct([("url_hash", pa.string()), ("quote", pa.string()), ("supports_payment", pa.bool_())]))
SCHEMA = pa.schema(
    [
        ("attempt_id", pa.string()),
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("problem_id", pa.string()),
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
        ("strays", pa.list_(pa.string())),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("cost_usd", pa.float64()),
        ("latency_seconds", pa.float64()),
        ("voices", pa.int64()),
        ("would_pay_signal", pa.bool_()),
        ("attempted_at", pa.timestamp("us")),
    ]
)

# -- What an answer must be.

# A link, or the name of a host: ASP.NET and Node.js are none.
WEB_ADDRESS = re.compile(
    r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|data:)"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}/"
    r"|\b[a-z0-9-]+\.(?:com|org|info|ru|xyz|top|cn|biz|click|link|online|site|shop|club|live|example)\b"
)
# Control characters and what nobody sees, such as marks that turn the direction of writing, among it.
MARKUP = re.compile(
    r"[<>‹›]|&\w+;|\]\(|\*\*|```|^#+ "
    "|[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
MONEY = re.compile(
    r"(?i)[$€£¥₹] ?\d|\d[\d.,]*k? ?(?:[€£¥₹]|usd|eur|gbp|dollars?|euros?|pounds|bucks)\b"
    r"|\b(?:pay|pays|paying|paid|buy|buying|bought|purchas\w+|subscri\w+|budget\w*|spen[dt]\w*|worth|afford\w*)\b"
)
SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)")
ABBREVIATION = re.compile(r"(?i)\b(?:e\.g|i\.e|etc|vs|inc|no|approx|\w)\.(?=\s)")
WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
MIN_QUOTE, MAX_QUOTE = 8, 300
# Runs of so many words of one post are its wording.
RUN = 3
# A word is common that so many people have used in the days up to this one, whatever they were writing about.
PEOPLE = 3
COMMON = r"""
    with words as (
        select
            coalesce(author_hash, url_hash) as author,
            unnest(regexp_extract_all(lower(text), '[\pL\pN]+(?:[.-][\pL\pN]+)*')) as word,
        from silver.documents
        inner join bronze.raw_items using (url_hash, collection_date)
        where
            collection_date > $run_date::date - $days::int
            and collection_date <= $run_date::date
            and duplicate_of is null
            and not addresses_model
    )
    select word
    from words
    group by word
    having count(distinct author) >= $people
"""


class Quote(BaseModel):
    """Words of a post, and what they show."""

    model_config = ConfigDict(extra="ignore", strict=True)

    post: int
    quote: str
    shows: Literal["problem", "payment"]


class Label(BaseModel):
    """The answer that a language model must give."""

    model_config = ConfigDict(extra="ignore", strict=True)

    cluster: int
    canonical_title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    category: Literal["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"]
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
    posts: list[int]
    would_pay_signal: bool
    impact_level: Literal["low", "medium", "high"]
    quotes: list[Quote]


def found(quote: str, text: str) -> str | None:
    """The words of a text that a quote of it is, blanks and quotation marks aside; None where it holds none such.

    Prompts show "<" and ">" as other brackets.
    """
    if not MIN_QUOTE <= len(quote.strip()) <= MAX_QUOTE:
        return None
    alike = {"<": "[<‹]", "‹": "[<‹]", ">": "[>›]", "›": "[>›]", "'": "['’]", "’": "['’]", '"': '["“”]'}
    pattern = r"\s+".join(
        "".join(alike.get(character, re.escape(character)) for character in word) for word in quote.split()
    )
    match = re.search(pattern, text)
    return match[0] if match else None


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def borrowed(label: Label, texts: Iterable[str], quotes: Iterable[str], common: Set[str]) -> str | None:
    """What a title or description may have been told to say: None where there is nothing of the kind.

    A name or number that fewer than SUPPORT posts use; and, where no verified quote shows them, a word of the title or
    a run of words of the description that one post alone has. Words that are common, or of several posts, or of none,
    are the model's own, and so are runs of nothing else.
    """
    posts = [WORD.findall(text) for text in texts]
    lowered = [[word.lower() for word in post] for post in posts]
    quoted = [words(quote) for quote in quotes]
    title, description = words(label.canonical_title), words(label.description)
    for name in WORD.findall(f"{label.canonical_title} {label.description}"):
        # What somebody writes in lower case is no name, nor is a word of the model's own that begins with a capital.
        is_name = name != name.lower() and not any(name.lower() in post for post in posts)
        holders = sum(name.lower() in post for post in lowered)
        is_odd = any(letter.isupper() or letter.isdigit() for letter in name[1:]) or name[0].isdigit()
        is_rare = holders < min(SUPPORT, len(posts)) and name.lower() not in common
        if is_rare and (is_odd or (is_name and holders)):
            return str(name)
    runs = [[word] for word in title if len(word) > 3]
    runs += [description[start : start + RUN] for start in range(len(description) - RUN + 1)]
    for run in runs:
        holders = sum(holds(post, run) for post in lowered)
        is_rare = any(word not in common and sum(word in post for post in lowered) == 1 for word in run)
        if holders == 1 < len(posts) and is_rare and not any(holds(quote, run) for quote in quoted):
            return " ".join(run)
    return None


def holds(post: list[str], run: list[str]) -> bool:
    """Whether words follow each other in a post as in a run."""
    return any(post[start : start + len(run)] == run for start in range(len(post) - len(run) + 1))


def sentences(text: str) -> int:
    """How many sentences a text has."""
    return max(1, len(SENTENCE_END.findall(ABBREVIATION.sub("", text.strip()))))


def sorted_out(label: Label, request: Row) -> Row:
    """What a label says of the posts of a problem: the strays among them, and `mixed` where too few are left."""
    samples = request["samples"]
    having = {*label.posts, *(quote.post for quote in label.quotes)}
    strays = [sample["url_hash"] for sample in samples if sample["sample_number"] not in having]
    left = len(samples) - len(strays)
    if left < MIN_VOICES or (request["voices"] > len(samples) and left < MIN_SHARE * len(samples)):
        return {"status": "mixed", "error": f"of {len(samples)} posts, {left} have one problem", "strays": strays}
    return {"status": "labelled", "strays": strays}


def checked(label: Label, request: Row, common: Set[str]) -> Row:
    """The columns of a label whose claims the posts of the request bear out. Raises AnswerError.

    common: words in lower case that prove nothing, since many people use them.
    Quotes that no post holds are dropped; without one about money, would_pay_signal is false.
    """
    if label.cluster != request["cluster_id"]:
        raise AnswerError(f"cluster: the question was about cluster {request['cluster_id']}, not {label.cluster}")
    outcome = sorted_out(label, request) if request.get("problem_id") else {"status": "labelled"}
    if outcome["status"] == "mixed":
        return outcome
    for name, text in (("canonical_title", label.canonical_title), ("description", label.description)):
        for what, pattern in (("a web address", WEB_ADDRESS), ("markup", MARKUP)):
            if pattern.search(text):
                raise AnswerError(f"{name}: holds {what}")
    if sentences(label.description) > 2:
        raise AnswerError("description: more than two sentences")
    samples = {sample["sample_number"]: sample for sample in request["samples"]}
    quotes: dict[tuple[str, str], bool] = {}
    supporting = set()
    for quote in label.quotes:
        sample = samples.get(quote.post)
        words_of_post = sample and found(quote.quote, sample["text"])
        if not sample or not words_of_post:
            continue
        if quote.shows == "payment":
            if MONEY.search(words_of_post):
                quotes[sample["url_hash"], words_of_post] = True
        else:
            quotes.setdefault((sample["url_hash"], words_of_post), False)
            supporting.add(quote.post)
    if len(supporting) < min(SUPPORT, len(samples)):
        raise AnswerError(
            f"quotes: {len(supporting)} posts are quoted word for word for the problem, "
            f"at least {min(SUPPORT, len(samples))} must be"
        )
    taken = borrowed(label, (sample["text"] for sample in samples.values()), (quote for _, quote in quotes), common)
    if taken:
        raise AnswerError(f"title or description: {taken!r} is not what several posts say, nor in a quote")
    return (
        outcome
        | label.model_dump(exclude={"cluster", "posts", "quotes"})
        | {
            "would_pay_signal": label.would_pay_signal and any(quotes.values()),
            "quotes": [
                {"url_hash": url_hash, "quote": quote, "supports_payment": payment}
                for (url_hash, quote), payment in quotes.items()
            ],
        }
    )


# -- Requests.


def question(request: Row, common: Set[str]) -> Question:
    """What a model is asked about a cluster or a problem, and how its answer is checked."""
    return Question(
        [{"role": "system", "content": request["system_prompt"]}, {"role": "user", "content": request["prompt"]}],
        subject(request) | {"prompt_version": request["prompt_version"]},
        lambda answer: checked(parsed(answer, Label), request, common),
    )


def label_with_llm(requests: list[Row], is_first: bool, calls: Calls, common: Set[str]) -> None:
    """Ask about problems and the day's clusters, in their order; common words are nobody's (`checked`).

    Raises ModelError as Calls.put does, or where every question failed and none of the day's clusters has a label.
    """
    failures = calls.put([question(request, common) for request in requests], "clusters", "a label")
    if failures and len(failures) == len(calls.outcomes) and is_first:
        clusters = sum(request.get("problem_id") is None for request in requests)
        raise ModelError(f"LLM_MODEL={calls.models[0].name} labelled none of {clusters} clusters: {failures[-1]}")


def label_extractively(requests: list[Row], extractive_labels: list[Row]) -> list[Row]:
    """Rows of SCHEMA from silver.extractive_labels, for the clusters that are asked about."""
    labels = {key_of(label): label for label in extractive_labels}
    fixed = NOTHING.columns() | {
        "labeler": EXTRACTIVE,
        "status": "labelled",
        "latency_seconds": 0.0,
        "attempted_at": now(),
    }
    return [
        request | labels[key_of(request)] | subject(request) | fixed | {"attempt_id": uuid4().hex}
        for request in requests
    ]


def key_of(row: Row) -> tuple[Any, ...]:
    """Day and number of a cluster, or the id of a problem."""
    return (row["problem_id"],) if row.get("problem_id") else (row["cluster_date"], row["cluster_id"])


def subject(request: Row) -> Row:
    """What a request is about, as it stands in a row; the number by which a model knows a problem is of one run."""
    if request.get("problem_id"):
        return {
            "problem_id": request["problem_id"],
            "voices": request["voices"],
            "cluster_date": None,
            "cluster_id": None,
        }
    return {"cluster_date": request["cluster_date"], "cluster_id": request["cluster_id"]}


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that the table does not hold yet: of the clusters without a label, or of all to relabel."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    label_requests = dbt.ref("label_requests")  # noqa: F841  (read below, by the connection that commits at once)
    problem_requests = dbt.ref("problem_requests")
    extractive_labels = dbt.ref("extractive_labels")
    documents = dbt.ref("documents")  # noqa: F841  (read as COMMON says, by that connection, too)
    raw_items = dbt.source("bronze", "raw_items")  # noqa: F841
    run_date = dbt.config.meta_get("run_date")
    relabel = bool(dbt.config.meta_get("relabel"))
    days = int(dbt.config.meta_get("problem_window_days"))
    settings = Settings.of(dbt.config.meta_get("llm"))
    ledger = Ledger(dbt, session, SCHEMA)

    clusters = ledger.read(
        f"""
        with attempts as (
            select
                cluster_date,
                cluster_id,
                -- To relabel is to want a label from now on: what an interrupted run has is not asked for again.
                coalesce(bool_or(status = 'labelled' and (is_new or not {relabel})), false) as is_labelled,
                count(*) filter (where status = 'rejected') as rejected,
            from {ledger.attempts}
            where problem_id is null
            group by all
        )
        select cluster_date, cluster_id, prompt_version, system_prompt, prompt, samples
        from {dbt.this.schema}.label_requests
        left join attempts using (cluster_date, cluster_id)
        where
            cluster_date = date '{run_date}'
            and prompt is not null
            and is_labelled is not true
            and (coalesce(rejected, 0) < {settings.most_rejected} or {relabel})
        order by core_size desc, cluster_id
        """
    )
    problems = ledger.read(
        f"""
        with attempts as (
            select
                problem_id,
                arg_max(voices, attempted_at) filter (where status in ('labelled', 'mixed')) as labelled_voices,
                -- Null where the latest is mixed: it quotes nothing.
                arg_max_null(quotes, attempted_at) filter (where status in ('labelled', 'mixed')) as labelled_quotes,
                arg_max(labeler, attempted_at) filter (where status in ('labelled', 'mixed')) as labelled_by,
                coalesce(bool_or(status in ('labelled', 'mixed') and is_new), false) as is_labelled_now,
                count(*) filter (where status = 'rejected') as rejected,
            from {ledger.attempts}
            where problem_id is not null
            group by all
        )
        select problem_id, cluster_id, voices, prompt_version, system_prompt, prompt, samples
        from {dbt.this.schema}.problem_requests
        left join attempts using (problem_id)
        where
            prompt is not null
            and is_labelled_now is not true
            and (
                (
                    labelled_voices is null
                    or voices >= 2 * labelled_voices
                    or 2 * len(list_filter(labelled_quotes, lambda each: list_contains(url_hashes, each['url_hash'])))
                    <= len(labelled_quotes)
                    -- The post whose title it is comes first.
                    or labelled_by = 'extractive' and not list_contains(url_hashes, labelled_quotes[1]['url_hash'])
                )
                and coalesce(rejected, 0) < {settings.most_rejected}
                or {relabel} and last_seen = date '{run_date}'
            )
        order by voices desc, problem_id
        """
    )
    requests = problems + clusters

    if requests and settings.are_extractive():
        labels = [row for each in (extractive_labels, problem_requests) for row in each.to_arrow_table().to_pylist()]
        for row in label_extractively(requests, labels):
            ledger.keep(row)
    elif requests:
        [of_day] = ledger.read(
            f"select count(*) as clusters from {dbt.this.schema}.label_requests where cluster_date = date '{run_date}'"
        )
        calls = Calls(settings.models(Label), settings.budget(ledger.spent_today()), ledger.keep)
        words_in_use = {row["word"] for row in ledger.read(COMMON, days=days, run_date=run_date, people=PEOPLE)}
        label_with_llm(requests, len(clusters) == of_day["clusters"], calls, words_in_use)
    return ledger.kept()
