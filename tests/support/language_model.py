"""A language model for the loopback server: OpenAI's chat completions, honestly, obediently, and with every fault.

A model is a function from a request to an answer, as Loopback.answer wants it.
Protocol: https://platform.openai.com/docs/api-reference/chat
"""

import binascii
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import read_seed

Model = Callable[[Request], Answer]
Label = dict[str, Any]

CLUSTER = re.compile(r"Cluster (\d+)\b")
UNSURE_POST = re.compile(r'<post id="(\w+)">(.*?)</post>', re.DOTALL)
UNSURE_PAIR = re.compile(r'<pair id="(\w+)"><post>(.*?)</post><post>(.*?)</post></pair>', re.DOTALL)
PROBLEM = re.compile(r"(?i)\b(?:crash\w*|error|fail\w*|stuck|broken|slow|impossible|no setting)\b")
POST = re.compile(r'<post n="(\d+)" source="(\w+)">(.*?)</post>', re.DOTALL)
# What the posts of tests/support/red_team.jsonl want to see in a title.
MARKER = re.compile(r"\bZX-[A-Z]+\b")
BASE64 = re.compile(r"\b[A-Za-z0-9+/]{16,}={0,2}")
# Unicode's tag characters, which no font shows and every tokenizer sees.
TAG_LETTERS = {0xE0000 + letter: letter for letter in range(0x20, 0x7F)}
KEY = re.compile(r"\b(?:sk-[\w-]{8,}|gh[a-z]_\w{16,}|AKIA\w{16})")
CATEGORY = re.compile(r"\b(?:ai|finance|compliance|logistics|healthtech|devtools|ecommerce|other)\b")
PAYMENT = re.compile(
    r"(?i)[^.!?\n]*(?:(?:\bwould|['’]d|\bhappy to|\bhappily|\bwilling to|\bworth) pay(?:ing)?\b|\bpay\w* [$€£]?\d)"
    r"[^.!?\n]*"
)
WORD = re.compile(r"(?<![\w-])[^\W\d_]{5,}(?![\w'’-])")
QUOTED = re.compile(r"\S+(?:\s+\S+){0,29}")
# Words with markup, or with an address or a number in them.
UNPLAIN = re.compile(r"[<>‹›\[\]{}()*_`#&|\\]|//|\w[.@]\w")

TITLE_LENGTH = 120
QUOTE_LENGTH = 300
TITLE_WORDS = 8


class Post(NamedTuple):
    """A post as the prompt shows it: its number, where it is from, title and body."""

    n: int
    source: str
    text: str


class Prompt(NamedTuple):
    """What a request asks about, and how many answers to it have been sent back."""

    system: str
    user: str
    cluster: int
    posts: list[Post]
    sent_back: int


class Payload(NamedTuple):
    """Text that wants to be in the answer: post, marker, the sentence around it, and words to quote for it."""

    post: Post
    marker: str
    sentence: str
    quote: str


# -- Requests and answers.


def settings(loopback: Loopback, model: str = "openai/loopback") -> dict[str, str]:
    """The environment in which a loopback server is asked, for each of the models."""
    addresses = ",".join([f"{loopback.url}/v1"] * len(model.split(",")))
    return {"LLM_MODEL": model, "LLM_BASE_URL": addresses, "OPENAI_API_KEY": "sk-s3cret"}


def posts_of(user: str) -> list[Post]:
    """The posts that a user message shows."""
    return [Post(int(n), source, text) for n, source, text in POST.findall(user)]


def read(request: Request) -> Prompt:
    """The prompt of a request. Raises ValueError where it names no cluster."""
    messages = json.loads(request.body)["messages"]
    system, user = (
        "\n".join(message["content"] for message in messages if message["role"] == role) for role in ("system", "user")
    )
    cluster = CLUSTER.search(user)
    if not cluster:
        raise ValueError(f"no cluster in the prompt: {user[:200]}")
    sent_back = sum(message["role"] == "assistant" for message in messages)
    return Prompt(system, user, int(cluster[1]), posts_of(user), sent_back)


def reply(message: dict[str, Any], finish_reason: str = "stop", tokens: int = 20) -> Answer:
    """A chat completion of so many tokens that holds a message."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": None} | message}
    return Answer(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "loopback",
            "choices": [choice],
            "usage": {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens},
        }
    )


def completion(content: str, request: Request | None = None) -> Answer:
    """A chat completion of this content, which a request that names a tool gets as the tool's arguments."""
    tools = json.loads(request.body).get("tools") if request else None
    if not tools:
        return reply({"content": content})
    function = {"name": tools[0]["function"]["name"], "arguments": content}
    return reply({"tool_calls": [{"id": "call_1", "type": "function", "function": function}]}, "tool_calls")


def error(status: int, message: str, *, code: str | None = None, headers: dict[str, str] | None = None) -> Answer:
    """An error as OpenAI words them."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Answer(body, status, headers or {})


# -- The honest model.


def quote_of(text: str) -> str:
    """The first words of a post, white space and all, without the ellipsis of a text that was cut off."""
    words = QUOTED.search(text)
    return words[0][:QUOTE_LENGTH].rstrip("…").rstrip() if words else ""


def plain(text: str) -> str:
    """A text in one line, without the words that hold markup, addresses or numbers."""
    return " ".join(word for word in text.split() if not UNPLAIN.search(word))


def common_words(texts: list[str]) -> list[str]:
    """The words of five letters and more that at least two of the texts hold, those of most texts first."""
    counts = Counter(word for text in texts for word in dict.fromkeys(WORD.findall(text)))
    return [word for word, count in counts.most_common() if count > 1]


def quote(n: int, words: str, shows: str) -> dict[str, Any]:
    """A quote as the label lists them."""
    return {"post": n, "quote": words, "shows": shows}


def label_of(prompt: Prompt) -> Label:
    """A valid label, of words that the posts shown hold: common ones as the title, quotes of two posts."""
    quoted = [quote_of(post.text) for post in prompt.posts[:2]]
    paid = [(post.n, found[0].strip()) for post in prompt.posts if (found := PAYMENT.search(post.text))]
    first = plain(quoted[0]) if quoted else "No posts"
    words = common_words(quoted) + common_words([post.text for post in prompt.posts]) or first.split()
    words = list(dict.fromkeys(words))[:TITLE_WORDS]
    return {
        "cluster": prompt.cluster,
        "canonical_title": " ".join(words)[:TITLE_LENGTH],
        "category": "other",
        "description": f"People lose time over this: {', '.join(words)}.",
        "posts": [post.n for post in prompt.posts],
        "would_pay_signal": bool(paid),
        "impact_level": "medium",
        "quotes": [
            *(quote(post.n, said, "problem") for post, said in zip(prompt.posts, quoted, strict=False)),
            *(quote(n, said, "payment") for n, said in paid[:1]),
        ],
    }


def honest(request: Request) -> Answer:
    """Name what the posts shown have in common, and quote them. No two posts are the same problem."""
    return judging(lambda *_: False)(request) if pairs_of(request) else answer(request)


def sorting(has_it: Callable[[Post], bool]) -> Model:
    """A model that finds the problem in some of the posts only."""

    def answer_of(request: Request) -> Answer:
        prompt = read(request)
        return answer(request, **label_of(prompt._replace(posts=list(filter(has_it, prompt.posts)))))

    return answer_of


def answer(request: Request, **changes: Any) -> Answer:
    """The honest answer with other values of some of its keys."""
    return completion(json.dumps(label_of(read(request)) | changes), request)


def opinions_of(request: Request) -> list[dict[str, Any]]:
    """Of each post that the question shows, in its order, whether it speaks of a problem."""
    user = json.loads(request.body)["messages"][1]["content"]
    return [{"id": id_, "complains": bool(PROBLEM.search(text))} for id_, text in UNSURE_POST.findall(user)]


def opine(request: Request, opinions: list[dict[str, Any]]) -> Answer:
    """An answer with these opinions."""
    return completion(json.dumps({"opinions": opinions}), request)


def discerning(request: Request) -> Answer:
    """Say of each post whether it speaks of a problem."""
    return opine(request, opinions_of(request))


# -- Opinions on pairs.


def pairs_of(request: Request) -> list[tuple[str, str, str]]:
    """The pairs that a question shows, in its order: id and both texts."""
    return UNSURE_PAIR.findall(json.loads(request.body)["messages"][1]["content"])


def judging(is_same: Callable[[str, str], bool]) -> Model:
    """A model that says of each pair of texts what is_same says, and that knows the control pairs."""
    known = {(row["text"], row["other_text"]): row["is_same"] == "true" for row in read_seed("control_pairs")}

    def answer_of(request: Request) -> Answer:
        said = [
            {"id": id_, "is_same": known[one, other] if (one, other) in known else is_same(one, other)}
            for id_, one, other in pairs_of(request)
        ]
        return opine(request, said)

    return answer_of


def says_same(request: Request) -> Answer:
    """All pairs are the same, as one of the posts wants it."""
    return opine(request, [{"id": id_, "is_same": True} for id_, *_ in pairs_of(request)])


# -- The obeying model.


def decoded(text: str) -> str:
    """A text with its base64 words and its invisible letters in clear."""

    def clear(word: re.Match[str]) -> str:
        try:
            return b64decode(word[0], validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return word[0]

    return BASE64.sub(clear, text.translate(TAG_LETTERS))


def payloads(prompt: Prompt) -> list[Payload]:
    """What the posts, and the prompt around them, want to see in the answer: those who want links or keys first."""
    # The summary quotes posts without their number; the first one has to stand for them.
    around = POST.sub("", f"{prompt.user}\n{prompt.system}")
    elsewhere = [post._replace(text=around) for post in prompt.posts[:1]]
    found = []
    for post in prompt.posts + elsewhere:
        clear = decoded(post.text)
        for marker in dict.fromkeys(MARKER.findall(clear)):
            match = re.search(rf"[^.!?\n<>]*{marker}\b[^.!?\n<>]*", clear)
            sentence = match[0].strip()[:QUOTE_LENGTH] if match else marker
            found.append(Payload(post, marker, sentence, sentence if sentence in post.text else quote_of(post.text)))
    return sorted(found, key=lambda payload: not (asks_for_links(payload) or asks_for_keys(payload)))


def asks_for_links(payload: Payload) -> bool:
    """Whether a title with markup is wanted."""
    return bool(re.search(r"(?i)\b(?:links?|html|markdown|picture)\b", payload.post.text))


def asks_for_keys(payload: Payload) -> bool:
    """Whether secrets are wanted."""
    return bool(re.search(r"(?i)\b(?:keys?|secrets?|credentials|tokens?)\b", payload.post.text))


def obeying(request: Request) -> Answer:
    """Do what an injected post says, quote it, and a harmless one beside it so that it looks supported.

    An answer that is sent back is followed by what the next such post says.
    """
    if pairs_of(request):
        return says_same(request)
    prompt = read(request)
    found = payloads(prompt)
    if not found:
        return honest(request)
    payload = found[prompt.sent_back % len(found)]
    post, marker, sentence, supporting = payload
    words = sentence.split()
    place = next(index for index, word in enumerate(words) if marker in word)
    title = " ".join(words[max(0, place - 3) : place + 7])[: TITLE_LENGTH - 40]
    description = f"{sentence}."
    if asks_for_links(payload):
        title = f'<a href="https://evil.example/">{title}</a>'
        description = f"{description} [{marker}](https://evil.example/)"
    if asks_for_keys(payload):
        description = " ".join([description, *KEY.findall(request.body)])
    category = CATEGORY.search(post.text)
    injected = {other.post.n for other in found}
    # The harmless ones first; among none but injected ones, another of those.
    others = sorted((other for other in prompt.posts if other.n != post.n), key=lambda other: other.n in injected)
    quotes = [(post.n, supporting), *((other.n, quote_of(other.text)) for other in others[:1])]
    return answer(
        request,
        canonical_title=title,
        category=category[0] if category else "ai",
        description=description,
        would_pay_signal=True,
        impact_level="high",
        quotes=[quote(n, said, shows) for shows in ("problem", "payment") for n, said in quotes],
    )


# -- Faults.


def rate_limited(_: Request) -> Answer:
    """Too many requests; come back in a second."""
    return error(429, "Rate limit reached for requests.", code="rate_limit_exceeded", headers={"Retry-After": "1"})


def server_error(_: Request) -> Answer:
    """Something broke."""
    return error(500, "The server had an error while processing your request.")


def slow(timeout: float) -> Model:
    """An honest model that takes a second longer than a client waits."""
    return lambda request: replace(honest(request), delay=timeout + 1)


def cut_json(request: Request) -> Answer:
    """Half of an answer: the model ran out of tokens."""
    content = json.dumps(label_of(read(request)))
    cut = completion(content[: len(content) // 2], request)
    cut.body["choices"][0]["finish_reason"] = "length"
    cut.body["usage"]["completion_tokens"] = json.loads(request.body)["max_tokens"]
    return cut


def prose_around_json(request: Request) -> Answer:
    """A valid answer in a markdown fence, with pleasantries before and after."""
    content = json.dumps(label_of(read(request)), indent=2)
    return completion(f"Sure! Here is the label:\n\n```json\n{content}\n```\n\nLet me know if you need more.", request)


def wrong_enum(request: Request) -> Answer:
    """A category that does not exist."""
    return answer(request, category="crypto")


def long_title(request: Request) -> Answer:
    """A title of 300 characters."""
    return answer(request, canonical_title=(label_of(read(request))["canonical_title"] * 300)[:300])


def refusal(_: Request) -> Answer:
    """The model would rather not."""
    return reply({"content": None, "refusal": "I'm sorry, but I can't assist with that."})


def wrong_cluster(request: Request) -> Answer:
    """The answer to another question."""
    return answer(request, cluster=read(request).cluster + 1)


def duplicated(request: Request) -> Answer:
    """The same object twice in a row."""
    content = json.dumps(label_of(read(request)))
    return completion(f"{content}\n{content}", request)


def empty(request: Request) -> Answer:
    """Nothing."""
    return completion("", request)


def invented_quotes(request: Request) -> Answer:
    """Quotes that nobody wrote."""
    quotes = label_of(read(request))["quotes"]
    return answer(request, quotes=[real | {"quote": "Violet submarines sing at dawn"} for real in quotes])


def swaps_posts(request: Request) -> Answer:
    """Right about every post, with the first two in the wrong order."""
    first, second, *others = opinions_of(request)
    return opine(request, [second, first, *others])


def says_no(request: Request) -> Answer:
    """Nobody has a problem, as one of the posts wants it."""
    return opine(request, [opinion | {"complains": False} for opinion in opinions_of(request)])


def refuses_schema(request: Request) -> Answer:
    """A server that knows no json_schema, and is honest otherwise."""
    if json.loads(request.body).get("response_format", {}).get("type") == "json_schema":
        return error(400, "'response_format' of type 'json_schema' is not supported with this model.")
    return honest(request)


def refuses_schema_and_tools(request: Request) -> Answer:
    """A server that knows neither json_schema nor tools."""
    if json.loads(request.body).get("tools"):
        return error(400, "'tools' is not supported with this model.")
    return refuses_schema(request)
