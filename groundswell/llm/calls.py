"""Puts questions to language models, several at a time, within a budget, with a record of every call."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar
from uuid import uuid4

from dbt.adapters.events.logging import AdapterLogger

from groundswell.clock import now
from groundswell.llm.answer import content_of
from groundswell.llm.budget import NOTHING, Budget
from groundswell.llm.errors import AnswerError, ModelError
from groundswell.llm.ledger import Row
from groundswell.llm.model import Message, Model, is_lost
from groundswell.progress import progress_bar

CALLS_IN_FLIGHT = 8

Checked = TypeVar("Checked", contravariant=True)

log = AdapterLogger("Groundswell")


class Check(Protocol[Checked]):
    """Turns an answer into the columns of its row, `status` among them. Raises AnswerError."""

    def __call__(self, answer: Checked, /) -> Row:
        """Check one answer."""


class Question(NamedTuple):
    """The messages of a question, the columns that say what it is about, and the check of its answer's text."""

    messages: list[Message]
    about: Row
    check: Check[str]


class Calls:
    """One run: the models, first choice first, the budget, and keep(), which makes an attempt durable."""

    def __init__(self, models: list[Model], budget: Budget, keep: Callable[[Row], None]) -> None:
        self.models = models
        self.budget = budget
        self.keep = keep
        self.outcomes: list[Row] = []

    def put(self, questions: list[Question], subjects: str, answer: str) -> list[str]:
        """Ask in the order of the questions about `subjects`, each for `answer`; warns of those left waiting.

        Returns what was wrong with the answers that did not pass or come.

        Raises ModelError where a model has no price and no limit of tokens is set beside the one in dollars, or where
        all models are refused.
        """
        unpriced = [model.name for model in self.models if not model.is_priced()]
        if self.budget.usd is not None and self.budget.tokens is None and unpriced:
            raise ModelError(
                f"the price of {' and '.join(unpriced)} is not known, so that llm_budget_usd can not be kept to:"
                " set llm_budget_tokens as well"
            )
        with progress_bar() as progress:
            task = progress.add_task(f"Asking about {len(questions):,} {subjects}", total=len(questions))
            try:
                waiting = asyncio.run(self.ask_all(questions, lambda: progress.advance(task)))
            except* ModelError as errors:
                raise errors.exceptions[0] from None
        failures = [row["error"] for row in self.outcomes if row["status"] in ("rejected", "unanswered")]
        if waiting:
            is_down = self.is_down()
            why = f"no answer from {self.models[0].name}: {failures[-1]}" if is_down else "today's budget is spent"
            log.warning(f"{waiting:,} of {len(questions):,} {subjects} wait for {answer}: {why}")
        return failures

    async def ask_all(self, questions: list[Question], advance: Callable[[], None]) -> int:
        """Ask in the order of the questions, CALLS_IN_FLIGHT at a time; returns how many were left waiting.

        Raises ModelError (in an ExceptionGroup) where every model is refused.
        """
        running: set[asyncio.Task[None]] = set()

        async def settle() -> None:
            nonlocal running
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for _ in done:
                advance()

        async with asyncio.TaskGroup() as group:
            for place, question in enumerate(questions):
                # What calls in flight have reserved and do not need is given back as they end.
                while running and (len(running) == CALLS_IN_FLIGHT or not self.affords(question.messages)):
                    await settle()
                if self.is_down() or not self.affords(question.messages):
                    return len(questions) - place
                running.add(group.create_task(self.ask(question)))
                # Begin it now, so that its reservation is made before the next is looked at.
                await asyncio.sleep(0)
            while running:
                await settle()
        return 0

    def affords(self, messages: list[Message]) -> bool:
        """Whether the budget has room for a call to the first model that may be asked."""
        return any(self.budget.allows(model.estimate(messages)) for model in self.models if not model.refusal)

    def is_down(self) -> bool:
        """Whether as many calls as may be in flight have gone unanswered on end."""
        last = [row["status"] for row in self.outcomes[-CALLS_IN_FLIGHT:]]
        return len(last) == CALLS_IN_FLIGHT and set(last) == {"unanswered"}

    async def ask(self, question: Question) -> None:
        """Put a question, and once more where the answer does not pass."""
        answer, error = await self.attempt(question)
        if error:
            correction = f"That answer does not pass: {error}. Send the whole JSON object again, corrected."
            again = [{"role": "assistant", "content": answer[:4_000]}, {"role": "user", "content": correction}]
            await self.attempt(question._replace(messages=question.messages + again))

    async def attempt(self, question: Question) -> tuple[str, str]:
        """Put a question to the first model that answers: the answer, and what is wrong with it, both empty if nothing.

        Raises ModelError where every model is refused.
        """
        import openai

        row: Row = {}
        for model in self.models:
            estimate = model.estimate(question.messages)
            if model.refusal or not self.budget.allows(estimate):
                continue
            self.budget.spend(estimate)
            row = question.about | estimate.columns()
            row |= {"attempt_id": uuid4().hex, "labeler": model.name, "status": "asked", "attempted_at": now()}
            self.keep(row)
            started = time.monotonic()
            try:
                response = await model.ask(question.messages)
            except (openai.OpenAIError, TimeoutError) as error:
                row |= {"status": "unanswered", "error": model.explain(error)}
                if not is_lost(error):
                    self.budget.spend(estimate, -1)
                    row |= NOTHING.columns()
                self.keep(row)
                continue
            cost = model.actual(response, estimate)
            self.budget.spend(estimate, -1)
            self.budget.spend(cost)
            row |= cost.columns() | {"latency_seconds": time.monotonic() - started, "model": response.model}
            answer = ""
            try:
                answer = content_of(response)
                row |= question.check(answer)
            except AnswerError as error:
                row |= {"status": "rejected", "error": str(error)[:500]}
            self.keep(row)
            self.outcomes.append(row)
            return (answer, row["error"]) if row["status"] == "rejected" else ("", "")
        if all(model.refusal for model in self.models):
            raise ModelError(f"LLM_MODEL={self.models[0].name} was refused: {self.models[0].refusal}")
        if row:
            self.outcomes.append(row)
        return "", ""
