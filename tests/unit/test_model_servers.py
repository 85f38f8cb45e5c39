"""What servers of language models say: LiteLLM asks a loopback server with OpenAI's protocol; each call becomes a row.

The habits are those of real servers, as public reports of these servers describe them.
"""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pytest
from pydantic import BaseModel, ConfigDict

from groundswell.environment import SettingError
from groundswell.llm.answer import answer_schema, parsed
from groundswell.llm.budget import Budget, Cost
from groundswell.llm.calls import Calls, Question
from groundswell.llm.errors import AnswerError, ModelError
from groundswell.llm.faults import LOADING_SECONDS, seconds_to_wait
from groundswell.llm.model import MOST_SILENT, Model, count_tokens
from groundswell.llm.pace import FIRST, Pace
from groundswell.llm.settings import ModelSettings, require_models
from tests.support.language_model import error, reply
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import ROOT

KEY = "sk-s3cret-0123456789"


class Verdict(BaseModel):
    """The schema of an answer."""

    model_config = ConfigDict(extra="ignore", strict=True)

    number: int
    kind: Literal["bug", "other"]
    is_sure: bool
    posts: list[int]


GOOD = {"number": 1, "kind": "other", "is_sure": True, "posts": [1, 2]}
TEXT = json.dumps(GOOD)


def way_of(request: Request) -> str:
    """How a request demands the schema."""
    body = json.loads(request.body)
    return body.get("response_format", {}).get("type") or ("tools" if "tools" in body else "prompt")


def subject_of(request: Request) -> int:
    """The number of the question that a request asks."""
    return int(json.loads(request.body)["messages"][0]["content"])


def good(request: Request) -> Answer:
    """The right answer, in the way that the request wants it."""
    if way_of(request) == "tools":
        return tool_calls(("verdict", TEXT))
    return reply({"content": TEXT})


def tool_calls(*calls: tuple[str, Any]) -> Answer:
    """An answer that calls tools, each with a name and arguments."""
    functions = [{"name": name, "arguments": arguments} for name, arguments in calls]
    made = [{"id": str(place), "type": "function", "function": each} for place, each in enumerate(functions)]
    return reply({"tool_calls": made}, "tool_calls")


def ollama(message: dict[str, Any], tokens_in: int) -> Answer:
    """An answer of Ollama's own protocol."""
    return Answer(
        {
            "model": "llama3.2",
            "created_at": "2026-11-28T00:00:00Z",
            "message": {"role": "assistant"} | message,
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": tokens_in,
            "eval_count": 20,
        }
    )


@pytest.fixture
def calls(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of one model at the loopback server."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return calls_of(loopback)


def calls_of(
    loopback: Loopback,
    names: str = "openai/loopback",
    budget: Budget | None = None,
    timeout: float = 60,
    path: str = "/v1",
) -> Calls:
    """Calls of models at the loopback server; `outcomes` holds the rows at the end."""
    models = [Model(name, f"{loopback.url}{path}", timeout, 300, Verdict) for name in names.split(",")]
    return Calls(models, budget or Budget(None, None), Pace(8, timeout), lambda _: None)


def ask(calls: Calls, server: Callable[[Request], Answer], loopback: Loopback, questions: int = 4) -> Counter[str]:
    """Ask this many questions; returns how many rows have each status."""
    loopback.answer = server
    return put(calls, map(str, range(questions)))


def put(calls: Calls, questions: Iterable[str]) -> Counter[str]:
    """Ask questions with these texts; returns how many rows have each status."""

    def check(content: str) -> dict[str, Any]:
        parsed(content, Verdict)
        return {"status": "labelled"}

    asked = [
        Question([{"role": "user", "content": content}], {"id": number}, check)
        for number, content in enumerate(questions)
    ]
    calls.put(asked, "questions", "an answer")
    return Counter(row["status"] for row in calls.outcomes)


def ways(loopback: Loopback) -> Counter[str]:
    """How many requests demanded the schema in each way."""
    return Counter(map(way_of, loopback.requests))


# -- The ways to demand a schema.


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 501])
def test_a_server_that_refuses_a_schema_is_asked_in_another_way(calls: Calls, loopback: Loopback, status: int) -> None:
    def server(request: Request) -> Answer:
        return error(status, "no json_schema here") if way_of(request) == "json_schema" else good(request)

    assert ask(calls, server, loopback, 30) == {"labelled": 30}
    assert ways(loopback)["tools"] == 30
    # Those in flight at the start found it out, with lengths and without.
    assert ways(loopback)["json_schema"] <= 2 * (2 + 8)
    assert calls.models[0].ladder[0] == "tool call"


@pytest.mark.parametrize("cut", [0, 40])
def test_a_broken_connection_takes_the_schema_from_nobody(calls: Calls, loopback: Loopback, cut: int) -> None:
    def server(request: Request) -> Answer:
        return replace(good(request), cut=cut if len(loopback.requests) <= 2 else None)

    assert ask(calls, server, loopback, 2) == {"labelled": 2}
    assert len(loopback.requests) == 4
    assert calls.models[0].ladder[0] == "JSON schema with lengths"
    assert not calls.models[0].refusals


def test_one_question_takes_the_schema_from_no_other(calls: Calls, loopback: Loopback) -> None:
    def server(request: Request) -> Answer:
        is_refused = subject_of(request) == 2 and way_of(request) == "json_schema"
        return error(400, "Failed to generate JSON", code="json_validate_failed") if is_refused else good(request)

    assert ask(calls, server, loopback, 6) == {"labelled": 6}
    assert ways(loopback) == {"json_schema": 7, "tools": 1}
    assert calls.models[0].ladder[0] == "JSON schema with lengths"


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (error(400, "maximum context length is 4096 tokens, you requested 5000", code="context_length_exceeded"),
         "the question is too long for the model, with about "),
        (error(413, "Request Entity Too Large"), "the question is too long for the model, with about "),
        (error(413, "Request too large"), "the question is too long for the model, with about "),
        (error(402, "Insufficient credits"), "the provider asks for payment: "),
        (error(400, "Your credit balance is too low to access the API."), "the provider asks for payment: "),
        (error(403, "You need more credits for this model"), "the provider asks for payment: "),
        (error(429, "You exceeded your current quota.", code="insufficient_quota"), "the provider asks for payment: "),
        (error(400, "It was filtered", code="content_filter"), "the provider's filter refused the question: "),
        (error(422, "input new_sensitive (1026)"), "the provider's filter refused the question: "),
    ],
)  # fmt: skip
def test_a_refusal_of_one_question_is_told_in_words(
    calls: Calls, loopback: Loopback, refusal: Answer, says: str
) -> None:
    found = ask(calls, lambda request: refusal if subject_of(request) == 1 else good(request), loopback)
    assert found == {"labelled": 3, "unanswered": 1}
    [said] = [row["error"] for row in calls.outcomes if row["status"] == "unanswered"]
    assert says in said
    assert ways(loopback) == {"json_schema": 4}
    assert not calls.models[0].refusal


def test_a_schema_that_is_too_large_is_demanded_in_another_way(calls: Calls, loopback: Loopback) -> None:
    refusal = error(400, "Invalid schema: The compiled grammar is too large, which would cause performance issues.")
    assert ask(calls, lambda request: refusal if way_of(request) == "json_schema" else good(request), loopback) == {
        "labelled": 4
    }
    assert ways(loopback)["tools"] == 4


def test_a_refusal_that_repeats_a_post_is_no_rate_limit(calls: Calls, loopback: Loopback) -> None:
    # As FastAPI refuses a body: with what it was sent. LiteLLM raises it as a rate limit.
    refusal = Answer({"detail": [{"loc": ["body", "response_format"], "input": "I hit the rate limit each day"}]}, 422)
    assert ask(calls, lambda request: refusal if way_of(request) == "json_schema" else good(request), loopback, 1) == {
        "labelled": 1
    }
    assert ways(loopback)["tools"] == 1
    assert len(loopback.requests) <= 3


# Where the words of a provider say when to come back, and where they do not.
PAUSES = {
    "Please try again in 7.66s. Need more tokens?": 7.66,
    "Please try again in 1m0.5s.": 60.5,
    "Please try again in 2h3m4s": 7_384,
    "Please try again in 644ms.": 0.644,
    "Please retry after 45 seconds.": 45,
    "You exceeded your current quota. Please retry in 34.5s.": 34.5,
    "No deployments available. Try again in 2 minutes": 120,
    "Loading model": LOADING_SECONDS,
    "The model is currently loading": LOADING_SECONDS,
    "Please try again later. It took 5 s.": None,
    "Overloaded": None,
}


@pytest.mark.parametrize(("words", "seconds"), PAUSES.items())
def test_a_pause_may_be_asked_for_in_words(words: str, seconds: float | None) -> None:
    assert seconds_to_wait(Exception(words)) == (None if seconds is None else pytest.approx(seconds))


def test_a_limit_of_a_minute_is_no_lack_of_credit(calls: Calls, loopback: Loopback) -> None:
    # Gemini and its gateways send a list, and say only there when to come back.
    words = "You exceeded your current quota, please check your plan and billing details. Please retry in 0.1s."
    limited = Answer([{"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED"}}], 429)

    def server(request: Request) -> Answer:
        return limited if len(loopback.requests) == 1 else good(request)

    assert ask(calls, server, loopback, 1) == {"labelled": 1}
    assert len(loopback.requests) == 2


def test_the_words_of_the_provider_behind_a_gateway_are_told(calls: Calls, loopback: Loopback) -> None:
    refusal = error(400, "Provider returned error")
    refusal.body["error"]["metadata"] = {"raw": "maximum context length is 9 tokens"}
    assert ask(calls, lambda _: refusal, loopback, 1) == {"unanswered": 1}
    assert re.match("the question is too long .*Provider returned error: maximum context", calls.outcomes[0]["error"])
    assert len(loopback.requests) == 1
    refusal.body["error"]["metadata"] = "in a form of its own"
    assert ask(calls, lambda _: refusal, loopback, 1) == {"unanswered": 2}


@pytest.mark.parametrize(
    "refusal", [Answer({"error": "Unexpected endpoint or method. (POST /chat/completions)"}), Answer("not found", 404)]
)
def test_the_lack_of_v1_is_suspected(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, refusal: Answer) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    calls = calls_of(loopback, path="")
    calls.has_last_resort = True
    ask(calls, lambda _: refusal, loopback, 1)
    assert (calls.models[0].refusal or calls.outcomes[0]["error"]).endswith(": does its address lack /v1?")


@pytest.mark.parametrize("status", [408, 504])
def test_a_gateway_that_gives_up_is_not_taken_for_our_timeout(calls: Calls, loopback: Loopback, status: int) -> None:
    gone = Answer("<html>Gateway Time-out</html>", status)
    assert ask(calls, lambda _: gone, loopback, 1)["unanswered"] == 1
    assert "the server or a gateway gave the call up, by a limit of its own: " in calls.outcomes[0]["error"]
    # It may have been paid for.
    assert calls.outcomes[0]["tokens_out"] == 300


@pytest.mark.parametrize(("parameter", "instead"), [("temperature", set()), ("max_tokens", {"max_completion_tokens"})])
def test_a_parameter_that_is_refused_is_left_out(
    calls: Calls, loopback: Loopback, parameter: str, instead: set[str]
) -> None:
    def server(request: Request) -> Answer:
        if parameter in json.loads(request.body):
            return error(
                400, f"Unsupported parameter: '{parameter}'. Use something else.", code="unsupported_parameter"
            )
        return good(request)

    assert ask(calls, server, loopback) == {"labelled": 4}
    sent = json.loads(loopback.requests[-1].body)
    assert parameter not in sent
    assert instead <= sent.keys()
    assert set(ways(loopback)) == {"json_schema"}


# -- Answers that came.


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop"}]},
        "<html>Bad gateway</html>",
        "",
    ],
)
def test_an_answer_that_can_not_be_read_is_paid_for_once(loopback: Loopback, monkeypatch: Any, body: Any) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    calls = calls_of(loopback, "openai/gpt-4o-mini", Budget(0.1, None))
    before = calls.budget.usd
    assert ask(calls, lambda _: Answer(body), loopback, 2) == {"unanswered": 2}
    assert len(loopback.requests) == 2
    assert all("the answer can not be read" in row["error"] for row in calls.outcomes)
    assert before - calls.budget.usd == pytest.approx(sum(row["cost_usd"] for row in calls.outcomes))  # type: ignore[operator]
    assert all(row["cost_usd"] > 0 for row in calls.outcomes)


THOUGHTS = {"type": "thinking", "thinking": [{"type": "text", "text": "Which kind?"}]}
PARTS = [THOUGHTS, {"type": "text", "text": TEXT[:9]}, {"type": "text", "text": TEXT[9:]}]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("content", [PARTS, GOOD])
def test_an_answer_in_parts_or_as_an_object_is_read(calls: Calls, loopback: Loopback, content: Any) -> None:
    assert ask(calls, lambda _: reply({"content": content}), loopback) == {"labelled": 4}
    assert len(loopback.requests) == 4


def test_an_answer_that_the_provider_broke_off_says_so(calls: Calls, loopback: Loopback) -> None:
    broken = reply({"content": TEXT[:20]}, "error")
    broken.body["choices"][0]["error"] = {"code": 502, "message": "Upstream connection lost"}
    answers = iter([broken, reply({"content": TEXT})])
    assert ask(calls, lambda _: next(answers), loopback, 1) == {"rejected": 1, "labelled": 1}
    assert calls.outcomes[0]["error"] == "the provider broke the answer off: Upstream connection lost"


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("insufficient_system_resource", "the provider broke the answer off: insufficient_system_resource"),
        (
            "model_length",
            "the answer is cut off after 9 of 300 tokens: raise the server's context or its own limit, or var"
            " llm_answer_tokens",
        ),
    ],
)
def test_a_reason_that_litellm_does_not_know_is_told(calls: Calls, loopback: Loopback, reason: str, says: str) -> None:
    answers = iter([reply({"content": TEXT[:20]}, reason, 9), reply({"content": TEXT}, "eos_token")])
    assert ask(calls, lambda _: next(answers), loopback, 1) == {"rejected": 1, "labelled": 1}
    assert calls.outcomes[0]["error"] == says


@pytest.mark.parametrize(
    ("says", "model"),
    [
        ("C:\\Users\\ann\\models\\Qwen3-0.6B-Q4_0.gguf", "Qwen3-0.6B-Q4_0"),
        ("/home/ann/models/Qwen3-0.6B/", "Qwen3-0.6B"),
        ("qwen.gguf", "qwen"),
        ("meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-3.3-70B-Instruct"),
        ("llama3.2:3b", "llama3.2:3b"),
        (None, "openai/loopback"),
    ],
)
def test_no_path_of_a_server_is_told_as_the_model(calls: Calls, loopback: Loopback, says: object, model: str) -> None:
    named = reply({"content": TEXT})
    named.body["model"] = says
    assert ask(calls, lambda _: named, loopback, 1) == {"labelled": 1}
    assert calls.outcomes[0]["model"] == model


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*place, key)
        yield from places(each, (*place, key))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("odd", [None, -7, 10**30, "", "\ud800", [], [None], {"a": 1}], ids=str)
def test_an_answer_with_an_odd_part_becomes_a_row(calls: Calls, loopback: Loopback, odd: Any) -> None:
    bodies = []
    for answer in (reply({"content": TEXT}), tool_calls(("verdict", TEXT))):
        for place in places(answer.body):
            bodies.append(json.loads(json.dumps(answer.body)))
            reduce(lambda value, key: value[key], place[:-1], bodies[-1])[place[-1]] = odd
    ask(calls, lambda request: Answer(bodies[subject_of(request)]), loopback, len(bodies))
    assert {row["id"] for row in calls.outcomes} == set(range(len(bodies)))
    assert pa.Table.from_pylist(calls.outcomes).num_rows >= len(bodies)


@pytest.mark.parametrize("status", [200, 400])
def test_what_no_table_can_hold_is_replaced(calls: Calls, loopback: Loopback, status: int) -> None:
    half = "no \ud800"
    said = reply({"content": None, "refusal": half}) if status == 200 else error(status, half)
    named = replace(said, body=said.body | {"model": half})
    assert ask(calls, lambda _: named, loopback, 1).total() == 1
    [row] = calls.outcomes
    assert row["error"].endswith("no ?")
    assert pa.Table.from_pylist([row | {"attempted_at": None}]).num_rows == 1


def test_a_server_that_counts_wrong_gives_the_budget_nothing(loopback: Loopback) -> None:
    wrong = reply({"content": TEXT})
    wrong.body["usage"] = {"prompt_tokens": 100, "completion_tokens": -900, "total_tokens": -800}
    calls = calls_of(loopback, budget=Budget(None, 10_000))
    assert ask(calls, lambda _: wrong, loopback, 1) == {"labelled": 1}
    assert calls.budget.tokens == 9_900


def test_the_tokens_of_a_question_are_counted_once(calls: Calls, loopback: Loopback) -> None:
    count_tokens.cache_clear()
    assert ask(calls, good, loopback, 12) == {"labelled": 12}
    assert count_tokens.cache_info().misses == 12


@pytest.mark.parametrize(
    ("message", "finish_reason", "says"),
    [
        ({"content": "", "reasoning_content": "Let me think {"}, "length", "cut off while the model was thinking"),
        (
            {"content": None},
            "length",
            "the answer is cut off after 20 of 600 tokens: raise the server's context or its own limit",
        ),
        ({"content": None}, "content_filter", "the provider's filter held the answer back"),
        ({"content": None, "refusal": "No."}, "stop", "the model refused: No."),
        ({"content": ""}, "stop", "the answer is empty"),
    ],
)
def test_an_answer_without_content_says_why(
    calls: Calls, loopback: Loopback, message: dict[str, Any], finish_reason: str, says: str
) -> None:
    assert ask(calls, lambda _: reply(message, finish_reason), loopback, 1)["rejected"] >= 1
    assert says in calls.outcomes[-1]["error"]


@pytest.mark.parametrize(
    "answer",
    [
        reply({"content": "", "reasoning_content": TEXT}),
        tool_calls(("think", "{}"), ("verdict", TEXT)),
        tool_calls(("verdict", json.dumps(TEXT))),
        reply({"function_call": {"name": "verdict", "arguments": TEXT}}, "function_call"),
        tool_calls(("verdict", json.dumps({"verdict": GOOD}))),
        tool_calls(("verdict", json.dumps({"name": "verdict", "parameters": TEXT}))),
    ],
)
def test_an_answer_elsewhere_is_read(calls: Calls, loopback: Loopback, answer: Answer) -> None:
    assert ask(calls, lambda _: answer, loopback, 1) == {"labelled": 1}


@pytest.mark.parametrize(
    "content",
    [
        f'Okay, {{post 1}} says so. The shape is {{"number": ...}}.\n</think>\n\n{TEXT}',
        f'<think>{{"number": 2}}</think>{TEXT}',
        f'Like {{"type": "object"}}:\n```json\n[{TEXT}]\n```',
        json.dumps({"verdict": GOOD}),
        json.dumps({"name": "verdict", "arguments": TEXT}),
        json.dumps(GOOD | {"number": "1", "posts": "[1, 2]", "is_sure": "true"}),
        json.dumps(GOOD | {"number": 1.0, "posts": [1.0, "2"], "kind": "Other "}),
        json.dumps(GOOD | {"note": "a\nb"}).replace("\\n", "\n"),
        f"{TEXT[:-1]},}}",
        json.dumps({"label": GOOD | {"note": 'Not a last one: ",]" or ", }"'}}).replace("2]", "2, ]"),
    ],
)
def test_what_loses_nothing_is_read(content: str) -> None:
    assert parsed(content, Verdict).model_dump() == GOOD


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"number": 1.5}, "number: Input should be a valid integer"),
        ({"number": "one"}, "number: Input should be a valid integer"),
        ({"number": True}, "number: Input should be a valid integer"),
        ({"is_sure": 1}, "is_sure: Input should be a valid boolean"),
        ({"kind": "bugs"}, "kind: Input should be 'bug' or 'other'"),
        ({"posts": "1, 2"}, "posts: Input should be a valid array"),
    ],
)
def test_what_is_not_clear_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AnswerError, match=says):
        parsed(json.dumps(GOOD | changes), Verdict)


def test_brackets_within_brackets_are_no_answer() -> None:
    for content in (
        '[{"a":' * 700 + "1" + "}]" * 700,
        json.dumps(GOOD)[:-1] + ', "a":' + '{"a":' * 2_000 + "1" + "}" * 2_001,
    ):
        # Python's limit counts its callers, too: it may be met here or there.
        with pytest.raises(AnswerError, match=r"brackets|no valid JSON object"):
            parsed(content, Verdict)


def test_text_without_an_object_is_refused() -> None:
    inner = '{"number": 1, "posts": [{"n": 1}], '
    for content, says in (
        ("No.", "holds no JSON object"),
        ("{" * 50_000, "not valid JSON"),
        ('{"a": 1', "not valid JSON"),
        (inner, "no valid JSON object with the fields number, kind, is_sure, posts"),
    ):
        with pytest.raises(AnswerError, match=says):
            parsed(content, Verdict)


# -- The models of LLM_MODEL.


def settings_of(model: str, base_url: str = "") -> ModelSettings:
    """The settings for these values of LLM_MODEL and LLM_BASE_URL."""
    meta: dict[str, Any] = {"timeout_seconds": 60, "calls_in_flight": 8, "answer_tokens": 300, "rejections": 6}
    meta |= {"budget_usd": None, "budget_tokens": None}
    return ModelSettings.of(meta | {"model": model, "base_url": base_url})


def test_an_address_belongs_to_one_model(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {f"{name}_API_KEY": f"sk-{name.lower()}-0123456789" for name in ("OPENAI", "ANTHROPIC", "GROQ")}
    for name, key in keys.items():
        monkeypatch.setenv(name, f" {key}\n")
    names = "openai/local,anthropic/claude-sonnet-4-5,groq/llama-3.3-70b-versatile,extractive"
    for base_url in (f" {loopback.url}/v1 ", f"{loopback.url}/v1,,"):
        settings = settings_of(names, base_url)
        assert settings.named.base_urls == [f"{loopback.url}/v1", None, None]
        assert settings.named.is_last_resort
        first, *others = settings.models(Verdict)
        assert [model.base_url for model in others] == [None, None]
        loopback.requests.clear()
        ask(Calls([first], Budget(None, None), Pace(8, 60), lambda _: None), good, loopback, 1)
        [request] = loopback.requests
        assert request.headers["authorization"] == f"Bearer {keys['OPENAI_API_KEY']}"
        assert not any(keys[name] in str(request) for name in ("ANTHROPIC_API_KEY", "GROQ_API_KEY"))


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("openai/m", "/v1/chat/completions"),
        ("openai/m", "/v1/chat/completions/"),
        ("anthropic/claude-sonnet-4-5", "/v1"),
    ],
)
def test_an_address_may_be_the_one_that_programs_print(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, model: str, address: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    [asked] = settings_of(model, loopback.url + address).models(Verdict)
    loopback.answer = lambda _: Answer(ANTHROPIC) if asked.name.startswith("anthropic/") else reply({"content": TEXT})
    assert put(Calls([asked], Budget(None, None), Pace(8, 60), lambda _: None), ["1"]) == {"labelled": 1}
    assert [request.path for request in loopback.requests] == [
        "/v1/messages" if asked.name.startswith("anthropic/") else COMPLETIONS
    ]


@pytest.mark.parametrize("provider", ["litellm_proxy", "sambanova", "friendliai", "custom_openai", "lm_studio"])
def test_the_key_of_openai_goes_to_no_other_provider(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in (f"{provider}/model", "openai/model"):
        assert ask(calls_of(loopback, name), good, loopback, 1) == {"labelled": 1}
    other, own = loopback.requests
    assert KEY not in str(other)
    assert own.headers["authorization"] == f"Bearer {KEY}"


def test_azure_gets_its_key_at_an_address_of_llm_base_url(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_API_KEY", KEY)
    monkeypatch.setenv("AZURE_API_VERSION", "2025-01-01-preview")
    assert ask(calls_of(loopback, "azure/mine", path=""), good, loopback, 1) == {"labelled": 1}
    [request] = loopback.requests
    assert request.path == "/openai/deployments/mine/chat/completions"
    assert request.headers["api-key"] == KEY


@pytest.mark.parametrize(
    ("model", "base_url", "says"),
    [
        (" ", "", "LLM_MODEL names no model"),
        (" , ", "", "LLM_MODEL names no model"),
        ("extractive,openai/x", "", "extractive labels whatever it is asked, so it comes last"),
        ("openai/x", "http://127.0.0.1:1/v1,http://127.0.0.1:2/v1", "2 addresses for 1 models"),
    ],
)
def test_a_list_of_models_that_makes_no_sense(model: str, base_url: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        settings_of(model, base_url)


def test_what_no_build_could_ask_is_said_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    local = {"LLM_BASE_URL": "http://127.0.0.1:9/v1"}
    for environment, says in (
        ({"LLM_MODEL": "nobody/model"}, "LLM_MODEL=nobody/model names no provider"),
        ({"LLM_MODEL": "anthropic/claude-sonnet-4-5"}, "needs ANTHROPIC_API_KEY in the environment"),
        ({"LLM_MODEL": "ollama_chat/llama3"} | local, "speaks Ollama's own protocol"),
        (local | {"LLM_BASE_URL": "localhost"}, "LLM_BASE_URL is no web address"),
    ):
        with pytest.raises(SettingError, match=says):
            require_models(environment)
    assert require_models({"LLM_MODEL": "openai/local, extractive"} | local) == ["openai/local"]
    assert require_models({"LLM_MODEL": ""}) == ["extractive"]


@pytest.mark.parametrize(
    ("model", "base_url", "first"),
    [
        ("openai/gpt-4o-mini", "", 8),
        ("openai/gpt-4o-mini", "http://127.0.0.1:9/v1", FIRST),
        ("ollama_chat/x", "", FIRST),
    ],
)
def test_only_a_server_that_may_be_at_home_is_asked_with_care(
    monkeypatch: pytest.MonkeyPatch, model: str, base_url: str, first: int
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = settings_of(model, base_url)
    assert settings.pace(settings.models(Verdict)).first == first


@pytest.mark.parametrize("model", ["extractive", "Extractive ", "extractive,"])
def test_the_built_in_labeller_alone(model: str) -> None:
    assert settings_of(model).named.are_extractive()
    assert not settings_of(model).named.is_last_resort


def test_a_refusal_ends_the_run_unless_there_is_a_last_resort(calls: Calls, loopback: Loopback) -> None:
    def server(_: Request) -> Answer:
        return error(401, "no such key")

    with pytest.raises(ModelError, match="was refused"):
        ask(calls, server, loopback)
    calls = calls_of(loopback)
    calls.has_last_resort = True
    ask(calls, server, loopback)
    assert calls.models[0].refusal


class Form(NamedTuple):
    """An address form of docs/labels.md: the model, path and key of its server, and its answer with a text of ours."""

    model: str
    address: str
    path: str
    key: str
    variables: dict[str, str]
    answer: Answer


def form(model: str, address: str, path: str, key: str = "", answer: Answer | None = None, **variables: str) -> Form:
    """A form; the variables hold the key. By default the answer is in OpenAI's form."""
    return Form(model, address, path, key, variables, answer or reply({"content": TEXT}))


COMPLETIONS = "/v1/chat/completions"
ANTHROPIC = {
    "id": "1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": TEXT}],
    "usage": {"input_tokens": 9, "output_tokens": 9},
}
GEMINI = {
    "candidates": [{"content": {"parts": [{"text": TEXT}], "role": "model"}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 9, "totalTokenCount": 18},
}
GROQ = Answer(reply({"content": TEXT}).body | {"service_tier": "on_demand"})
FORMS = {
    "llama.cpp": form("openai/m", "/v1", COMPLETIONS),
    "Ollama": form("ollama_chat/m", "", "/api/chat", answer=ollama({"content": TEXT}, 9)),
    "LM Studio": form("lm_studio/m", "/v1", COMPLETIONS),
    "vLLM": form("hosted_vllm/m", "/v1", COMPLETIONS, "authorization", HOSTED_VLLM_API_KEY=KEY),
    "OpenRouter": form("openrouter/a/m", "/v1", COMPLETIONS, "authorization", OPENROUTER_API_KEY=KEY),
    "Azure": form(
        "azure/m",
        "",
        "/openai/deployments/m/chat/completions",
        "api-key",
        AZURE_API_KEY=KEY,
        AZURE_API_VERSION="2025-01-01-preview",
    ),
    "Groq": form("groq/llama-3.3-70b-versatile", "/v1", COMPLETIONS, "authorization", GROQ, GROQ_API_KEY=KEY),
    "Anthropic": form(
        "anthropic/claude-sonnet-4-5", "", "/v1/messages", "x-api-key", Answer(ANTHROPIC), ANTHROPIC_API_KEY=KEY
    ),
    "OpenAI": form("openai/gpt-4o", "/v1", COMPLETIONS, "authorization", OPENAI_API_KEY=KEY),
    "Gemini": form(
        "gemini/gemini-2.5-flash",
        "",
        "/models/gemini-2.5-flash:generateContent",
        "x-goog-api-key",
        Answer(GEMINI),
        GEMINI_API_KEY=KEY,
    ),
}


def test_the_docs_name_these_address_forms() -> None:
    page = (ROOT / "docs" / "labels.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| `(\w+)/", page, re.MULTILINE)
    assert dict(rows) == {server: each.model.partition("/")[0] for server, each in FORMS.items()}


@pytest.mark.parametrize("server", FORMS)
def test_each_address_form_takes_path_key_and_schema_there(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    model, address, path, key, variables, answer = FORMS[server]
    for name in ("OPENAI", "ANTHROPIC", "GROQ", "GEMINI", "OPENROUTER", "AZURE", "HOSTED_VLLM", "LM_STUDIO"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    loopback.answer = lambda _: answer
    assert put(calls_of(loopback, model, path=address), ["1"]) == {"labelled": 1}
    [request] = loopback.requests
    assert request.path == path
    assert {name for name, value in request.headers.items() if KEY in value} == ({key} if key else set())
    assert "is_sure" in request.body


# -- Answers that came too late, or too long.


def test_a_call_that_is_lost_beside_others_is_sent_again(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    slot = threading.Lock()

    def server(request: Request) -> Answer:
        with slot:
            time.sleep(2)
        return good(request)

    # Two calls beside each other take longer than the timeout.
    calls = calls_of(loopback, timeout=3.9)
    assert ask(calls, server, loopback, 3) == {"labelled": 3}
    assert 3 < len(loopback.requests) <= 6


def test_a_question_that_gets_no_answer_in_time_says_what_to_turn(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    calls = calls_of(loopback, timeout=0.5)
    assert ask(calls, lambda _: Answer("", delay=3), loopback, 20)["unanswered"] >= 1
    assert calls.outcomes[0]["error"] == "no answer within 0.5 s: raise var llm_timeout_seconds"
    # After a few silent calls, the server is taken to be down.
    assert len(loopback.requests) <= MOST_SILENT + 1
    assert calls.waiting + len(calls.outcomes) == 20


def test_a_silent_model_gives_way_to_the_next(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def server(request: Request) -> Answer:
        is_first = json.loads(request.body)["model"] == "first"
        return error(503, "no room", headers={"retry-after": "61"}) if is_first else good(request)

    calls = calls_of(loopback, "openai/first,openai/second")
    assert ask(calls, server, loopback, 30) == {"labelled": 30}
    asked = Counter(json.loads(request.body)["model"] for request in loopback.requests)
    assert asked["second"] == 30
    # Those that were in flight are counted, too.
    assert asked["first"] <= MOST_SILENT + 8


def test_an_answer_that_was_cut_off_may_be_longer_the_second_time(calls: Calls, loopback: Loopback) -> None:
    def server(request: Request) -> Answer:
        is_long = json.loads(request.body)["max_tokens"] > 300
        return good(request) if is_long else reply({"content": TEXT[:20]}, "length", 300)

    assert ask(calls, server, loopback, 1) == {"rejected": 1, "labelled": 1}
    assert calls.outcomes[0]["error"] == "the answer is cut off: raise var llm_answer_tokens"
    first, second = (json.loads(request.body) for request in loopback.requests)
    assert first["messages"] == second["messages"]
    assert second["max_tokens"] == 600


@pytest.mark.parametrize(
    ("message", "finish_reason"), [({"content": None}, "content_filter"), ({"content": None, "refusal": "No."}, "stop")]
)
def test_what_no_correction_mends_is_asked_once(
    calls: Calls, loopback: Loopback, message: dict[str, Any], finish_reason: str
) -> None:
    assert ask(calls, lambda _: reply(message, finish_reason), loopback, 1) == {"rejected": 1}
    assert len(loopback.requests) == 1


# -- Ollama, as its reports and LiteLLM's source describe its protocol; no Ollama runs here.


def test_ollama_gets_the_schema_and_room_for_the_question(loopback: Loopback) -> None:
    calls = calls_of(loopback, "ollama_chat/llama3.2", path="")
    long = "word " * 6_000
    loopback.answer = lambda request: ollama({"content": TEXT}, 6_000 if "word" in request.body else 10)
    assert put(calls, ["1", long, "2"]) == {"labelled": 3}
    bodies = [json.loads(request.body) for request in loopback.requests]
    assert {request.path for request in loopback.requests} == {"/api/chat"}
    assert all(body["format"] == answer_schema(Verdict, with_lengths=True) for body in bodies)
    assert all(body["options"]["num_predict"] == 300 for body in bodies)
    # The context has room for the longest question so far, so that Ollama loads the model seldom.
    contexts = {body["messages"][0]["content"]: body["options"]["num_ctx"] for body in bodies}
    assert contexts == {"1": 4_096, long: 8_192, "2": 8_192}


def test_a_budget_says_what_is_left_and_what_a_call_may_cost(loopback: Loopback) -> None:
    loopback.answer = good
    calls = calls_of(loopback)
    [estimate] = {model.estimate([{"role": "user", "content": "1"}]) for model in calls.models}
    most = estimate.tokens_in + estimate.tokens_out
    # Room for one call, whose answer is shorter than it may be.
    calls = calls_of(loopback, budget=Budget(None, most))
    assert put(calls, ["1", "2", "3"]) == {"labelled": 1}
    left = calls.budget.tokens or 0
    assert 0 < left < most
    assert (calls.waiting, calls.budget.explain(calls.next_cost)) == (
        2, f"today's budget has {left:,.0f} tokens left for them, and the next call may cost {most:,}"
    )  # fmt: skip
    assert Budget(0.00005, None).explain(Cost(100, 100, 0.0021)) == (
        "today's budget has 0.0001 US dollars left for them, and the next call may cost 0.0021"
    )


def test_ollama_needs_no_key_and_no_address(monkeypatch: pytest.MonkeyPatch, loopback: Loopback) -> None:
    assert Model("ollama_chat/llama3.2", None, 60, 300, Verdict).ladder[0] == "JSON schema with lengths"
    # LiteLLM's own name for an address.
    monkeypatch.setenv("OLLAMA_API_BASE", loopback.url)
    loopback.answer = lambda _: ollama({"content": TEXT}, 10)
    [model] = settings_of("ollama_chat/llama3.2").models(Verdict)
    assert put(Calls([model], Budget(None, None), Pace(8, 60), lambda _: None), ["1"]) == {"labelled": 1}


def test_a_server_under_an_address_of_the_environment_needs_no_key(
    monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="needs OPENAI_API_KEY in the environment"):
        settings_of("openai/local").models(Verdict)
    monkeypatch.setenv("OPENAI_API_BASE", f"{loopback.url}/v1")
    loopback.answer = good
    [model] = settings_of("openai/local").models(Verdict)
    assert put(Calls([model], Budget(None, None), Pace(8, 60), lambda _: None), ["1"]) == {"labelled": 1}


def test_a_question_that_is_in_the_cache_of_ollama_counts_as_read(loopback: Loopback) -> None:
    loopback.answer = lambda _: ollama({"content": TEXT}, 26)
    assert put(calls_of(loopback, "ollama_chat/llama3.2", path=""), ["word " * 1_500]) == {"labelled": 1}


def test_an_address_of_another_protocol_is_explained() -> None:
    with pytest.raises(ModelError, match=r"write its address without /v1, http://127\.0\.0\.1:1$"):
        settings_of("ollama_chat/llama3.2", "http://127.0.0.1:1/v1/").models(Verdict)


@pytest.mark.parametrize(
    ("model", "path", "answer", "cure"),
    [
        ("ollama_chat/llama3.2", "", ollama({"content": TEXT}, 2_050), "the model's context is shorter"),
        (
            "openai/llama3.2",
            "/v1",
            replace(
                reply({"content": TEXT}),
                body=reply({"content": TEXT}).body
                | {"system_fingerprint": "fp_ollama", "usage": {"prompt_tokens": 2_050, "completion_tokens": 20}},
            ),
            "write ollama_chat/ and the address without /v1",
        ),
    ],
)
def test_a_question_that_ollama_has_cut_is_not_taken_for_read(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, model: str, path: str, answer: Answer, cure: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    calls = calls_of(loopback, model, path=path)
    loopback.answer = lambda _: answer
    assert put(calls, ["word " * 6_000]) == {"rejected": 1}
    assert re.fullmatch(f"Ollama read 2,050 of about 6,0.. tokens of the question: {cure}", calls.outcomes[0]["error"])
    assert len(loopback.requests) == 1
    assert put(calls_of(loopback, model, path=path), ["word " * 2_000]) == {"labelled": 1}
