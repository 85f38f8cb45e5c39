#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a model of Anthropic, and with a server that speaks OpenAI's protocol.
#
# Guess: an answer that ended because the model's context was full has the finish_reason "length", as one that has reached
# max_tokens. Anthropic says model_context_window_exceeded
# (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons), Mistral model_length.
# Seen: both become "stop", with a warning in the log. Half an answer looks whole. With OpenAI's protocol the provider's
# word is kept in provider_specific_fields["native_finish_reason"]; of Anthropic's answer nothing tells it. The same
# happens to "insufficient_system_resource" of DeepSeek and "abort" of vLLM.
# What we do: the provider's own word counts, where LiteLLM keeps it (groundswell/llm/answer.py).
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server


def reasons(model, body):
    """The finish reason that LiteLLM gives, and the provider's own that it keeps, if any."""
    [choice] = Server(200, body).ask(model).choices
    fields = getattr(choice, "provider_specific_fields", None) or {}
    return choice.finish_reason, fields.get("native_finish_reason")


def by_anthropic(reason):
    usage = {"input_tokens": 10, "output_tokens": 5}
    content = [{"type": "text", "text": '{"title": "It'}]
    body = {"id": "1", "type": "message", "role": "assistant", "model": "any", "content": content, "usage": usage}
    return reasons("anthropic/claude-sonnet-4-5", body | {"stop_reason": reason})


def by_openai(reason):
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": '{"title": "It'}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "any", "choices": [choice], "usage": usage}
    return reasons("openai/any", body)


seen = {f"Anthropic: {reason}": by_anthropic(reason) for reason in ("max_tokens", "model_context_window_exceeded")}
others = ("length", "model_length", "insufficient_system_resource", "abort")
seen |= {f"OpenAI's protocol: {reason}": by_openai(reason) for reason in others}
print("litellm", version("litellm"))
for said, found in seen.items():
    print(f"{said} -> finish_reason {found[0]}, kept: {found[1]}")
stated = [("length", None), ("stop", None), ("length", None), *(("stop", reason) for reason in others[1:])]
raise SystemExit(0 if list(seen.values()) == stated else "Changed.")
PY
echo "As stated: an answer that was cut has the finish_reason of a whole one."
