#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a cache in memory, as `pip install litellm` installs it.
#
# Guess: the second of two equal questions is answered from the cache.
# Seen: it raises ModuleNotFoundError: No module named 'fastapi'. To read what is in the cache, LiteLLM imports parts of its
# proxy, a web server. With fastapi installed it is orjson, then soundfile, a package for sound files. The first question is
# answered, so a program fails only when it asks something again. completion and a cache on disk behave alike.
# What we do: answers are kept in tables (models/gold/problems/problem_label_attempts.py); this cache is not used.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

message = {"role": "assistant", "content": "Hi"}
body = {"id": "1", "object": "chat.completion", "created": 1, "model": "any"}
server = Server(200, body | {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]})
litellm.cache = litellm.Cache(type="local")
first, second = server.ask(), server.ask()
print("litellm", version("litellm"), "| questions that reached the server:", server.asked)
print("first:", type(first).__name__, "| second:", repr(second)[:80])
is_as_stated = first.choices[0].message.content == "Hi" and isinstance(second, ModuleNotFoundError)
is_as_stated = is_as_stated and second.name == "fastapi" and server.asked == 1
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: the second of two equal questions raises ModuleNotFoundError."
