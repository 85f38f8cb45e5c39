"""The settings of language models, from `llm` in the meta of a dbt model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from groundswell.environment import SettingError, address_fault
from groundswell.llm.budget import Budget, Cost, limit
from groundswell.llm.errors import ModelError
from groundswell.llm.model import Model
from groundswell.llm.pace import FIRST, Pace

EXTRACTIVE = "extractive"
PATH = "/chat/completions"


class Named(NamedTuple):
    """What LLM_MODEL and LLM_BASE_URL say.

    names: the models, first choice first. base_urls: the address of each model's server, None for its provider's own.
    is_last_resort: whether the built-in labeller labels what no model labels.
    """

    names: list[str]
    base_urls: list[str | None]
    is_last_resort: bool

    @classmethod
    def of(cls, model: str, base_url: str) -> "Named":
        """Read the values of LLM_MODEL and LLM_BASE_URL. Raises ModelError."""
        names = [name.strip() for name in model.split(",") if name.strip()]
        if not names:
            raise ModelError("LLM_MODEL names no model: unset it, or write provider/model")
        names = [EXTRACTIVE if name.lower() == EXTRACTIVE else name for name in names]
        if EXTRACTIVE in names[:-1]:
            raise ModelError(f"LLM_MODEL={','.join(names)}: {EXTRACTIVE} labels whatever it is asked, so it comes last")
        is_last_resort = len(names) > 1 and names[-1] == EXTRACTIVE
        names = names[:-1] if is_last_resort else names
        # The address to which a question is posted, as programs print it, ends with what LiteLLM adds.
        addresses = [each.strip().rstrip("/").removesuffix(PATH).rstrip("/") or None for each in base_url.split(",")]
        if len(addresses) > len(names):
            raise ModelError(
                f"LLM_BASE_URL has {len(addresses)} addresses for {len(names)} models of LLM_MODEL: write one for each,"
                " with nothing between two commas for a provider's own"
            )
        if fault := next(filter(None, (address_fault("LLM_BASE_URL", each) for each in addresses if each)), None):
            raise ModelError(fault)
        return cls(names, addresses + [None] * (len(names) - len(addresses)), is_last_resort)

    def are_extractive(self) -> bool:
        """Whether the built-in labeller makes the labels, and no language model."""
        return self.names == [EXTRACTIVE]


def require_models(environment: Mapping[str, str]) -> list[str]:
    """The names in LLM_MODEL, if a build can ask them. Nothing is asked.

    Raises SettingError if a name, an address or a provider's key is wrong or missing.
    """
    try:
        named = Named.of(environment.get("LLM_MODEL") or EXTRACTIVE, environment.get("LLM_BASE_URL", ""))
        if not named.are_extractive():
            for name, base_url in zip(named.names, named.base_urls, strict=True):
                Model(name, base_url, timeout=1, answer_tokens=1, answer=BaseModel)
    except ModelError as error:
        raise SettingError(str(error)) from None
    return named.names


class ModelSettings(NamedTuple):
    """The models of LLM_MODEL and their limits.

    named: the models. timeout: seconds. calls_in_flight: the most at a time. answer_tokens: longest answer.
    most_rejected: rejected answers after which a subject is not asked about again. usd, tokens: limits of a UTC day,
    None for no limit.
    """

    named: Named
    timeout: float
    calls_in_flight: int
    answer_tokens: int
    most_rejected: int
    usd: float | None
    tokens: float | None

    @classmethod
    def of(cls, meta: dict[str, Any]) -> "ModelSettings":
        """Read the settings from a dbt model's meta. Raises ModelError."""
        return cls(
            Named.of(meta["model"], meta["base_url"]),
            float(meta["timeout_seconds"]),
            int(meta["calls_in_flight"]),
            int(meta["answer_tokens"]),
            int(meta["rejections"]),
            limit("llm_budget_usd", meta["budget_usd"]),
            limit("llm_budget_tokens", meta["budget_tokens"]),
        )

    def models(self, answer: type[BaseModel]) -> list[Model]:
        """The models, with the schema of their answers. Raises ModelError."""
        return [
            Model(name, base_url, self.timeout, self.answer_tokens, answer)
            for name, base_url in zip(self.named.names, self.named.base_urls, strict=True)
        ]

    def pace(self, models: list[Model]) -> Pace:
        """How many calls may be in flight, in one dbt model. A provider gets all of them from the start."""
        first = FIRST if models[0].may_be_at_home else self.calls_in_flight
        return Pace(self.calls_in_flight, self.timeout, first)

    def budget(self, spent: Cost, share: float = 1) -> Budget:
        """The budget of one dbt model: a share (0 to 1) of what is left of the day's limits."""
        left = Budget(self.usd, self.tokens)
        left.spend(spent)
        return Budget(*(each if each is None else share * each for each in (left.usd, left.tokens)))
