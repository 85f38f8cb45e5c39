#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: a refusal with status 422 or 400 raises an error with this status, whatever the question was about.
# Seen: if "rate limit" is among the words of the refusal, LiteLLM raises RateLimitError with status_code 429. Servers that
# are written with FastAPI repeat what they were sent when they refuse it ("input" in each detail). So a question about a post
# that complains about a rate limit is asked again and again, and one about another post is refused at once. A 401, 404 and
# 500 go the same way. The status that was sent is only in the exceptions behind it (__context__).
# What we do: the status is read from there (groundswell/llm/faults.py; tests/unit/test_model_servers.py).
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm


def raised(status, post):
    """The error that a refusal raises which repeats a post."""
    detail = {"type": "string_too_long", "loc": ["body", "messages", 0, "content"], "input": post}
    return Server(status, {"detail": [detail]}).ask()


print("litellm", version("litellm"))
seen = {}
for post in ("It is slow", "I hit the rate limit each day"):
    errors = [raised(status, post) for status in (400, 401, 404, 422, 500)]
    seen[post] = [error.status_code for error in errors]
    print(f"{post}: {seen[post]}, {', '.join(sorted({type(error).__name__ for error in errors}))}")
    is_rate_limit = [isinstance(error, litellm.RateLimitError) for error in errors]
is_as_stated = list(seen.values()) == [[400, 401, 404, 422, 500], [429] * 5] and all(is_rate_limit)
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: a refusal that repeats a post about a rate limit is raised as one."
