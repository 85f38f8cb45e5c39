"""How the models of LLM_MODEL are to be asked: what stands under `llm` in the meta of a dbt model that asks them."""

from typing import Any, NamedTuple

from pydantic import BaseModel

from groundswell.llm.budget import Budget, Cost, limit
from groundswell.llm.model import Model

EXTRACTIVE = "extractive"


class ModelSettings(NamedTuple):
    """Names of models, first choice first, their server, and limits of time (s), answer (tokens) and money."""

    names: list[str]
    base_url: str | None
    timeout: float
    answer_tokens: int
    most_rejected: int
    usd: float | None
    tokens: float | None

    @classmethod
    def of(cls, meta: dict[str, Any]) -> "ModelSettings":
        """The settings in a dbt model's meta. Raises ModelError."""
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
        """Whether no language model is to be asked."""
        return self.names == [EXTRACTIVE]

    def models(self, answer: type[BaseModel]) -> list[Model]:
        """The models, held to an answer. Raises ModelError."""
        return [Model(name, self.base_url, self.timeout, self.answer_tokens, answer) for name in self.names]

    def budget(self, spent: Cost, share: float = 1) -> Budget:
        """A share of what is left of a day's budget."""
        left = Budget(self.usd, self.tokens)
        left.spend(spent)
        return Budget(*(each if each is None else share * each for each in (left.usd, left.tokens)))
