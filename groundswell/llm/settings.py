"""The settings of language models, from `llm` in the meta of a dbt model."""

from typing import Any, NamedTuple

from pydantic import BaseModel

from groundswell.llm.budget import Budget, Cost, limit
from groundswell.llm.model import Model

EXTRACTIVE = "extractive"


class ModelSettings(NamedTuple):
    """The models of LLM_MODEL and their limits.

    names: first choice first. base_url: address of the server, None for the provider's own. timeout: seconds.
    answer_tokens: longest answer. most_rejected: rejected answers after which a subject is not asked about again.
    usd, tokens: limits of a UTC day, None for no limit.
    """

    names: list[str]
    base_url: str | None
    timeout: float
    answer_tokens: int
    most_rejected: int
    usd: float | None
    tokens: float | None

    @classmethod
    def of(cls, meta: dict[str, Any]) -> "ModelSettings":
        """Read the settings from a dbt model's meta. Raises ModelError."""
        return cls(
            [name.strip() for name in meta["model"].split(",") if name.strip()],
            meta["base_url"] or None,
            float(meta["timeout_seconds"]),
            int(meta["answer_tokens"]),
            int(meta["rejections"]),
            limit("llm_budget_usd", meta["budget_usd"]),
            limit("llm_budget_tokens", meta["budget_tokens"]),
        )

    def are_extractive(self) -> bool:
        """Whether the built-in labeller makes the labels, and no language model."""
        return self.names == [EXTRACTIVE]

    def models(self, answer: type[BaseModel]) -> list[Model]:
        """The models, with the schema of their answers. Raises ModelError."""
        return [Model(name, self.base_url, self.timeout, self.answer_tokens, answer) for name in self.names]

    def budget(self, spent: Cost, share: float = 1) -> Budget:
        """The budget of one dbt model: a share (0 to 1) of what is left of the day's limits."""
        left = Budget(self.usd, self.tokens)
        left.spend(spent)
        return Budget(*(each if each is None else share * each for each in (left.usd, left.tokens)))
