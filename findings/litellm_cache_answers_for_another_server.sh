#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a cache in memory; fastapi 0.165.0, orjson 3.13.0 and soundfile 0.14.0 beside,
# without which it reads no cache (litellm_reads_no_cache_without_a_web_server.sh).
#
# Guess: two servers that call their model by one name, as all servers of llama.cpp may, have answers of their own in the
# cache. An answer from it costs nothing.
# Seen: a question to the second server is answered with what the first one said; it is not asked. The address is no part of
# the cache's key, and neither are extra_body, min_p, chat_template_kwargs and num_ctx; temperature, seed and top_k are.
# completion_cost gives the answer from the cache the price of a new one. In the response, only _hidden_params["cache_hit"]
# tells them apart.
# What we do: answers are kept in tables (models/gold/problems/problem_label_attempts.py); this cache is not used.
set -e
bash "$(dirname "$0")/litellm_run.sh" fastapi==0.165.0 orjson==3.13.0 soundfile==0.14.0 <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm


def server(name):
    message = {"role": "assistant", "content": f"I am {name}"}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    body = {"id": name, "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    return Server(200, body | {"choices": choices, "usage": usage})


servers = [server("the first"), server("the second")]
litellm.cache = litellm.Cache(type="local")
answers = [each.ask("openai/gpt-4o-mini") for each in servers]
words = [answer.choices[0].message.content for answer in answers]
costs = [litellm.completion_cost(answer) for answer in answers]
hits = [answer._hidden_params.get("cache_hit") for answer in answers]
asked = [each.asked for each in servers]
print("litellm", version("litellm"))
for said in zip(("first server", "second server"), words, costs, hits, asked, strict=True):
    print("{}: {!r}, cost {}, from the cache: {}, asked: {}".format(*said))
is_as_stated = words == ["I am the first"] * 2 and asked == [1, 0] and costs[0] == costs[1] > 0 and hits == [None, True]
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: the second server's answer is the first one's, at the same price, and nobody asked."
