"""What is special about Ollama: its address, its context, and its answers to questions that it has not read whole."""

from typing import Any

from groundswell.llm.errors import FinalError, ModelError

# Ollama's providers in LiteLLM: two protocols of its own.
PROVIDERS = ("ollama", "ollama_chat")
# Its context by default on a small GPU, in tokens.
CONTEXT = 4_096
# How it signs answers at its address with /v1, where it takes no length of the context.
FINGERPRINT = "fp_ollama"
# If Ollama counts less than this share of the tokens of a question, it has read only a part: what is longer than its
# context, it cuts to half of the context (https://github.com/ollama/ollama/issues/17427).
LEAST_READ = 0.7
# A part has at least so many tokens, about half of the smallest context, 2,048. If Ollama counts fewer, it counts only
# those that its cache lacks, as version 0.30.0 does (https://github.com/ollama/ollama/pull/16428).
LEAST_PART = 1_000


class Ollama:
    """A model of Ollama, asked by one of its own protocols."""

    def __init__(self, litellm: Any, name: str, provider: str, base_url: str | None) -> None:
        """`name`: with the provider. Raises ModelError if the address is that of another protocol."""
        if base_url and base_url.endswith("/v1"):
            address = base_url.removesuffix("/v1")
            raise ModelError(f"LLM_MODEL={name} speaks Ollama's own protocol: write its address without /v1, {address}")
        self.context = CONTEXT
        # For an Ollama model outside its table of prices, LiteLLM 1.106.2 asks http://localhost:11434/api/show before
        # and after each question, even if base_url is another address.
        free = {"litellm_provider": provider, "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0}
        litellm.model_cost.setdefault(name, free)

    def context_for(self, tokens: int) -> int:
        """The tokens of a context that holds a question and its answer.

        It never shrinks: with another size, Ollama loads the model again.
        """
        while self.context < tokens:
            self.context *= 2
        return self.context


def require_whole(response: Any, is_ollama: bool, tokens_read: int, tokens: float) -> None:
    """Raise FinalError if Ollama has read only a part of a question of about so many tokens.

    It answers all the same, and posts that it has not read would look like posts without the problem. Other servers
    refuse what is too long, or say nothing of it.
    """
    is_compatible = getattr(response, "system_fingerprint", None) == FINGERPRINT
    if (is_ollama or is_compatible) and LEAST_PART <= tokens_read < LEAST_READ * tokens:
        cure = "write ollama_chat/ and the address without /v1" if is_compatible else "the model's context is shorter"
        raise FinalError(f"Ollama read {tokens_read:,} of about {tokens:,.0f} tokens of the question: {cure}")
