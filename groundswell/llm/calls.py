"""Asks language models several questions at a time, within a budget, and records every call."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar
from uuid import uuid4

from dbt.adapters.events.logging import AdapterLogger

from groundswell.clock import now
from groundswell.llm.answer import content_of
from groundswell.llm.budget import NOTHING, Budget
from groundswell.llm.errors import AnswerError, ModelError, UnreadableError
from groundswell.llm.ledger import Row
from groundswell.llm.model import Message, Model, is_lost
from groundswell.progress import progress_bar

CALLS_IN_FLIGHT = 8

Checked = TypeVar("Checked", contravariant=True)

log = AdapterLogger("Groundswell")


class Check(Protocol[Checked]):
    """A function that turns an answer into columns of its attempt, `status` among them. Raises AnswerError."""

    def __call__(self, answer: Checked, /) -> Row:
        """Check one answer."""


class Question(NamedTuple):
    """A question to a language model.

    messages: the messages to send. about: columns that name the subject of the question. check: the check of the
    answer's text.
    """

    messages: list[Message]
    about: Row
    check: Check[str]


class Calls:
    """The calls of one run of a dbt model."""

    def __init__(
        self, models: list[Model], budget: Budget, keep: Callable[[Row], None], has_last_resort: bool = False
    ) -> None:
        """`models`: first choice first. `keep` stores the row of an attempt at once.

        has_last_resort: whether the caller has an answer to what no model answers, so that no refusal ends the run.
        """
        self.models = models
        self.budget = budget
        self.keep = keep
        self.has_last_resort = has_last_resort
        self.outcomes: list[Row] = []
        self.waiting = 0

    def put(self, questions: list[Question], subjects: str, answer: str) -> list[str]:
        """Ask the questions in their order. Returns the errors of rejected and unanswered attempts.

        subjects, answer: words for the log, for example "clusters" and "a label". A warning counts the questions that
        were not asked. Raises ModelError if a model has no known price while only a limit in dollars is set, or if
        every provider refuses its model and there is no last resort.
        """
        unpriced = [model.name for model in self.models if not model.is_priced()]
        if self.budget.usd is not None and self.budget.tokens is None and unpriced:
            raise ModelError(
                f"the price of {' and '.join(unpriced)} is not known, so llm_budget_usd can not limit the cost:"
                " set llm_budget_tokens as well"
            )
        with progress_bar() as progress:
            task = progress.add_task(f"Asking about {len(questions):,} {subjects}", total=len(questions))
            try:
                self.waiting = asyncio.run(self.ask_all(questions, lambda: progress.advance(task)))
            except* ModelError as errors:
                if not self.has_last_resort:
                    raise errors.exceptions[0] from None
                log.warning(f"no model labels {subjects}: {errors.exceptions[0]}")
        failures = [row["error"] for row in self.outcomes if row["status"] in ("rejected", "unanswered")]
        if self.waiting:
            is_down = self.is_down()
            why = f"no answer from {self.models[0].name}: {failures[-1]}" if is_down else "today's budget is spent"
            log.warning(f"{self.waiting:,} of {len(questions):,} {subjects} wait for {answer}: {why}")
        return failures

    async def ask_all(self, questions: list[Question], advance: Callable[[], None]) -> int:
        """Ask the questions in their order, CALLS_IN_FLIGHT at a time. Returns how many questions were not asked.

        Raises ModelError (in an ExceptionGroup) if every provider refuses its model.
        """
        running: set[asyncio.Task[None]] = set()

        async def settle() -> None:
            nonlocal running
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for _ in done:
                advance()

        async with asyncio.TaskGroup() as group:
            for place, question in enumerate(questions):
                # A call reserves its highest possible cost. At its end, the unused part goes back to the budget.
                while running and (len(running) == CALLS_IN_FLIGHT or not self.affords(question.messages)):
                    await settle()
                if self.is_down() or not self.affords(question.messages):
                    return len(questions) - place
                running.add(group.create_task(self.ask(question)))
                # The task starts now, so that it reserves its cost before the loop looks at the next question.
                await asyncio.sleep(0)
            while running:
                await settle()
        return 0

    def affords(self, messages: list[Message]) -> bool:
        """Whether the budget has room for a call to at least one model that its provider has not refused."""
        return any(self.budget.allows(model.estimate(messages)) for model in self.models if not model.refusal)

    def is_down(self) -> bool:
        """Whether the last CALLS_IN_FLIGHT questions all stayed unanswered."""
        last = [row["status"] for row in self.outcomes[-CALLS_IN_FLIGHT:]]
        return len(last) == CALLS_IN_FLIGHT and set(last) == {"unanswered"}

    def have_all_failed(self) -> bool:
        """Whether each question that was asked failed, and no question waits for the next day's budget."""
        failed = [row for row in self.outcomes if row["status"] in ("rejected", "unanswered")]
        return bool(failed) and len(failed) == len(self.outcomes) and (not self.waiting or self.is_down())

    async def ask(self, question: Question) -> None:
        """Ask a question. If the check rejects the answer, send the error to the model and ask once more."""
        answer, error = await self.attempt(question)
        if error:
            correction = f"That answer does not pass: {error}. Send the whole JSON object again, corrected."
            again = [{"role": "assistant", "content": answer[:4_000]}, {"role": "user", "content": correction}]
            await self.attempt(question._replace(messages=question.messages + again))

    async def attempt(self, question: Question) -> tuple[str, str]:
        """Ask the models one after the other until a model answers.

        Whatever a call meets becomes the row of its attempt. Returns a rejected answer and its error, else two empty
        strings. Raises ModelError if every provider refuses its model.
        """
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
            # LiteLLM raises errors of many libraries, and some of its own faults.
            except Exception as error:
                row |= {"status": "unanswered", "error": model.explain(error, estimate.tokens_in)}
                if not is_lost(error) and not isinstance(error, UnreadableError):
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
                answer = content_of(response, model.tool)
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
