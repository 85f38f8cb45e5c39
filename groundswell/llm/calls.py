"""Asks language models several questions at a time, within a budget, and records every call."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol, TypeVar
from uuid import uuid4

from dbt.adapters.events.logging import AdapterLogger

from groundswell.clock import now
from groundswell.llm.answer import content_of
from groundswell.llm.budget import NOTHING, Budget, Cost
from groundswell.llm.errors import AnswerError, CutOffError, FinalError, ModelError, UnreadableError, storable
from groundswell.llm.faults import is_lost
from groundswell.llm.ledger import Row
from groundswell.llm.model import Message, Model, served_name
from groundswell.llm.pace import Pace
from groundswell.progress import progress_bar

# A call that was lost, perhaps because of others, is sent so many times again.
TIMES_AGAIN = 2
# After an answer that was cut off, the next may be so many times as long.
TIMES_LONGER = 2

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


class Called(NamedTuple):
    """What a call came to.

    row: of its attempt. answer: its text. error: why the answer was rejected. is_worth_again: whether no answer came in
    time, and the server may have been busy with other calls.
    """

    row: Row
    answer: str
    error: AnswerError | None
    is_worth_again: bool


class Calls:
    """The calls of one run of a dbt model."""

    def __init__(
        self,
        models: list[Model],
        budget: Budget,
        pace: Pace,
        keep: Callable[[Row], None],
        has_last_resort: bool = False,
    ) -> None:
        """`models`: first choice first. `keep` stores the row of an attempt at once.

        has_last_resort: whether the caller has an answer to what no model answers, so that no refusal ends the run.
        """
        self.models = models
        self.budget = budget
        self.pace = pace
        self.keep = keep
        self.has_last_resort = has_last_resort
        self.outcomes: list[Row] = []
        self.waiting = 0
        # What the first question that waits may cost.
        self.next_cost = NOTHING
        self.in_flight = 0
        self.has_room = asyncio.Condition()

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
                asyncio.run(self.ask_all(questions, lambda: progress.advance(task)))
            except* ModelError as errors:
                if not self.has_last_resort:
                    raise errors.exceptions[0] from None
                log.warning(f"no model labels {subjects}: {errors.exceptions[0]}")
        failures = [row["error"] for row in self.outcomes if row["status"] in ("rejected", "unanswered")]
        if self.waiting:
            is_down = self.is_down()
            why = (
                f"no answer from {self.models[0].name}: {failures[-1]}"
                if is_down
                else self.budget.explain(self.next_cost)
            )
            log.warning(f"{self.waiting:,} of {len(questions):,} {subjects} wait for {answer}: {why}")
        return failures

    async def ask_all(self, questions: list[Question], advance: Callable[[], None]) -> None:
        """Ask the questions in their order. Counts in `waiting` how many were not asked.

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
                while running and (len(running) == self.pace.most or not self.affords(question.messages)):
                    await settle()
                if self.is_down() or not self.affords(question.messages):
                    self.waiting += len(questions) - place
                    self.next_cost = self.cheapest(question.messages)
                    break
                running.add(group.create_task(self.ask(question)))
                # The task starts now, so that it reserves its cost before the loop looks at the next question.
                await asyncio.sleep(0)
            while running:
                await settle()

    def affords(self, messages: list[Message]) -> bool:
        """Whether the budget has room for a call to at least one model that its provider has not refused."""
        return any(self.budget.allows(model.estimate(messages)) for model in self.models if not model.refusal)

    def cheapest(self, messages: list[Message]) -> Cost:
        """The lowest of the highest costs that a call may have, of the models that are not refused."""
        estimates = [model.estimate(messages) for model in self.models if not model.refusal]
        return min(estimates, key=lambda cost: (cost.usd or 0, cost.tokens_in + cost.tokens_out), default=NOTHING)

    def is_down(self) -> bool:
        """Whether no server answers any more."""
        return all(model.is_silent() for model in self.models)

    def have_all_failed(self) -> bool:
        """Whether each question that was asked failed, and no question waits for the next day's budget."""
        failed = [row for row in self.outcomes if row["status"] in ("rejected", "unanswered")]
        return bool(failed) and len(failed) == len(self.outcomes) and (not self.waiting or self.is_down())

    async def ask(self, question: Question) -> None:
        """Ask a question. A rejected answer is asked for once more, unless nothing can mend it.

        An answer that was cut off may be longer then; for any other, the error is sent to the model.
        """
        called = await self.attempt(question)
        if called is None:
            self.waiting += 1
            self.next_cost = self.cheapest(question.messages)
        elif isinstance(called.error, CutOffError):
            await self.attempt(question, TIMES_LONGER)
        elif called.error and not isinstance(called.error, FinalError):
            correction = f"That answer does not pass: {called.error}. Send the whole JSON object again, corrected."
            again = [{"role": "assistant", "content": called.answer[:4_000]}, {"role": "user", "content": correction}]
            await self.attempt(question._replace(messages=question.messages + again))

    async def attempt(self, question: Question, times: int = 1) -> Called | None:
        """Ask the models one after the other until a model answers. Returns the last call, None if there was none.

        times: how many times as long as usual the answer may be. Raises ModelError if every provider refuses its model.
        """
        last = None
        for model in self.models:
            for _ in range(1 + TIMES_AGAIN):
                called = await self.call(model, question, times)
                last = called or last
                if called is None or not called.is_worth_again:
                    break
            if called and called.row["status"] != "unanswered":
                break
        if all(model.refusal for model in self.models):
            raise ModelError(f"LLM_MODEL={self.models[0].name} was refused: {self.models[0].refusal}")
        if last:
            self.outcomes.append(last.row)
        return last

    async def call(self, model: Model, question: Question, times: int) -> Called | None:
        """Ask one model once; whatever the call meets becomes a row.

        None if there is no call: the provider has refused the model, its server is silent, or the budget has no room.
        """
        estimate = model.estimate(question.messages, times)
        if not self.budget.allows(estimate):
            return None
        self.budget.spend(estimate)
        async with self.turn() as place:
            if model.refusal or model.is_silent():
                self.budget.spend(estimate, -1)
                return None
            row = question.about | estimate.columns()
            row |= {"attempt_id": uuid4().hex, "labeler": model.name, "status": "asked", "attempted_at": now()}
            self.keep(row)
            started = time.monotonic()
            try:
                response = await model.ask(question.messages, estimate)
            # LiteLLM raises errors of many libraries, and some of its own faults.
            except Exception as error:
                row |= {"status": "unanswered", "error": model.explain(error, estimate.tokens_in)}
                if is_lost(error):
                    self.pace.learn(place, self.pace.timeout)
                elif not isinstance(error, UnreadableError):
                    self.budget.spend(estimate, -1)
                    row |= NOTHING.columns()
                self.keep(row)
                # A server that does not notice a lost call stays busy with it.
                may_be_busy = place > 1 or bool(model.accepted)
                return Called(row, "", None, is_lost(error) and may_be_busy)
            # The pauses before retries count, so that a server that asks for pauses gets fewer calls.
            seconds = time.monotonic() - started
            self.pace.learn(place, min(seconds, self.pace.timeout))
        cost = model.actual(response, estimate)
        self.budget.spend(estimate, -1)
        self.budget.spend(cost)
        row |= cost.columns() | {"latency_seconds": seconds, "model": served_name(response.model or model.name)}
        answer, rejection = "", None
        try:
            model.require_whole(response, cost, estimate)
            answer = storable(content_of(response, model.tool, estimate.tokens_out))
            row |= question.check(answer)
        except AnswerError as error:
            rejection = error
            row |= {"status": "rejected", "error": storable(str(error)[:500])}
        self.keep(row)
        return Called(row, answer, rejection, False)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait until a call may leave; the value is its place, how many calls are in flight with it."""
        async with self.has_room:
            await self.has_room.wait_for(lambda: self.pace.allows(self.in_flight + 1))
            self.in_flight += 1
        try:
            yield self.in_flight
        finally:
            self.in_flight -= 1
            async with self.has_room:
                self.has_room.notify_all()
