"""Counts the cost of calls against the budget of a day."""

from typing import Any, NamedTuple

from groundswell.llm.errors import ModelError


class Cost(NamedTuple):
    """Tokens of a question and of its answer, and their price in US dollars; None if the price is unknown."""

    tokens_in: int
    tokens_out: int
    usd: float | None

    def columns(self) -> dict[str, Any]:
        """The cost as columns of a table of attempts."""
        return {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out, "cost_usd": self.usd}


NOTHING = Cost(0, 0, 0.0)


class Budget:
    """The rest of the day's budget, in US dollars and in tokens. None means no limit."""

    def __init__(self, usd: float | None, tokens: float | None) -> None:
        self.usd = usd
        self.tokens = tokens

    def allows(self, cost: Cost) -> bool:
        """Whether the budget has room for a call of this cost."""
        return (self.usd is None or (cost.usd or 0) <= self.usd) and (
            self.tokens is None or cost.tokens_in + cost.tokens_out <= self.tokens
        )

    def explain(self, cost: Cost) -> str:
        """Why the budget has no room for a call of this cost, the highest that it may have."""
        tokens = cost.tokens_in + cost.tokens_out
        if self.tokens is not None and tokens > self.tokens:
            left, needed = f"{max(self.tokens, 0):,.0f} tokens", f"{tokens:,}"
        else:
            left, needed = f"{max(self.usd or 0, 0):.4f} US dollars", f"{cost.usd or 0:.4f}"
        return f"today's budget has {left} left for them, and the next call may cost {needed}"

    def spend(self, cost: Cost, times: int = 1) -> None:
        """Subtract the cost of a call; times = -1 adds the cost again."""
        if self.usd is not None:
            self.usd -= times * (cost.usd or 0)
        if self.tokens is not None:
            self.tokens -= times * (cost.tokens_in + cost.tokens_out)


def limit(name: str, value: object) -> float | None:
    """The limit that the var `name` sets, None for no limit. Raises ModelError unless it is 0 or more."""
    if value is None:
        return None
    try:
        amount = float(str(value))
    except ValueError:
        amount = -1
    if not 0 <= amount < float("inf"):
        raise ModelError(f"{name} is a number, 0 or more, not {value!r}")
    return amount
