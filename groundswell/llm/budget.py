"""What calls cost, and what they may."""

from typing import Any, NamedTuple

from groundswell.llm.errors import ModelError


class Cost(NamedTuple):
    """Tokens of a question and its answer, and their price in US dollars, None where it is not known."""

    tokens_in: int
    tokens_out: int
    usd: float | None

    def columns(self) -> dict[str, Any]:
        """The cost as it stands in a ledger."""
        return {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out, "cost_usd": self.usd}


NOTHING = Cost(0, 0, 0.0)


class Budget:
    """What may still be spent today, in US dollars and in tokens; None knows no limit."""

    def __init__(self, usd: float | None, tokens: float | None) -> None:
        self.usd = usd
        self.tokens = tokens

    def allows(self, cost: Cost) -> bool:
        """Whether a call fits in."""
        return (self.usd is None or (cost.usd or 0) <= self.usd) and (
            self.tokens is None or cost.tokens_in + cost.tokens_out <= self.tokens
        )

    def spend(self, cost: Cost, times: int = 1) -> None:
        """Take what a call costs; with times = -1 give it back."""
        if self.usd is not None:
            self.usd -= times * (cost.usd or 0)
        if self.tokens is not None:
            self.tokens -= times * (cost.tokens_in + cost.tokens_out)


def limit(name: str, value: object) -> float | None:
    """A limit from its var, None where there is none. Raises ModelError."""
    if value is None:
        return None
    try:
        amount = float(str(value))
    except ValueError:
        amount = -1
    if not 0 <= amount < float("inf"):
        raise ModelError(f"{name} is a number, 0 or more, not {value!r}")
    return amount
