#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with an Ollama model that its price table lacks and base_url of another machine.
#
# Guess: all requests go to base_url.
# Seen: before the question leaves, LiteLLM asks http://localhost:11434/api/show about the model, at each question anew,
# in the event loop's thread pool, and ignores base_url and api_base. After the answer it asks /api/show once more.
# A person with an Ollama of their own beside the distant one asks the wrong one; OLLAMA_API_BASE moves the request.
# Reported for an earlier version: https://github.com/BerriAI/litellm/issues/37041.
# What we do: the model gets a price of 0 in litellm.model_cost, and then nobody is asked.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
import asyncio
from importlib.metadata import version

import httpx

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

answer = {"message": {"role": "assistant", "content": "Hi"}, "done": True, "prompt_eval_count": 7, "eval_count": 1}
server = Server(200, answer)
base_url = f"http://127.0.0.1:{server.server_port}"
asked = []
send = httpx.Client.send


def noted(self, request, **options):
    asked.append(str(request.url))
    return send(self, request, **options)


httpx.Client.send = noted


async def ask(question):
    messages = [{"role": "user", "content": question}]
    await litellm.acompletion(model="ollama_chat/mine", base_url=base_url, messages=messages, max_retries=0)
    return asked.count("http://localhost:11434/api/show")


first, second = asyncio.run(ask("One")), asyncio.run(ask("Two"))
litellm.model_cost["ollama_chat/mine"] = {
    "litellm_provider": "ollama_chat",
    "mode": "chat",
    "input_cost_per_token": 0,
    "output_cost_per_token": 0,
}
third = asyncio.run(ask("Three"))
print("litellm", version("litellm"), "| requests to localhost after one, two and three questions:", first, second, third)
raise SystemExit(0 if 0 < first < second == third else "Changed: localhost is no longer asked about each question.")
PY
echo "As stated: LiteLLM asks localhost about an Ollama model at another address."
