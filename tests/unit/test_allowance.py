"""ingest.allowance, in a time of its own: no span holds too many requests, no request is lost, none waits in vain."""

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Self, TypeVar

import looptime
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from ingest.allowance import SLACK, Allowance, TurnedBackError, hour
from ingest.errors import IngestError

# The clock's resolution: a power of two, so that whole seconds after any moment are a moment, too.
TICK = 2.0**-20
SPAN = 60.0
PATIENCE = 900.0
FOR_EVER = 1e9
LEAVING, LEFT = "http11.send_request_headers.started", "http11.send_request_headers.complete"
ANSWERED = "http11.receive_response_headers.complete"

# What comes from a seed does not become clearer by shrinking.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

Result = TypeVar("Result")


def virtually(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine where a sleep is over at once, and the loop's clock goes on by it."""
    with asyncio.Runner(loop_factory=partial(looptime.new_event_loop, resolution=TICK)) as runner:
        return runner.run(asyncio.wait_for(main, FOR_EVER))


class Clock(datetime):
    """A wall clock that goes with the clock of the running loop."""

    start = datetime(2026, 11, 20, 18, tzinfo=UTC)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        assert tz is UTC
        return cls.fromtimestamp((cls.start + timedelta(seconds=now())).timestamp(), tz)


def now() -> float:
    return asyncio.get_running_loop().time()


def most_in_a_span(times: Iterable[float], span: float) -> int:
    """How many of the times fall into the fullest half-open span."""
    ordered, first, most = sorted(times), 0, 0
    for last, time in enumerate(ordered):
        while ordered[first] <= time - span + 2 * TICK:
            first += 1
        most = max(most, last - first + 1)
    return most


@dataclass(frozen=True)
class Trip:
    """A request: when it asks for a slot, and the seconds until it leaves, is there, is answered, is given up."""

    asks: float = 0.0
    leaves: float = 0.0
    arrives: float = 0.0
    answered: float = 0.0
    given_up: float = FOR_EVER
    told: bool = True


@dataclass(frozen=True)
class Case:
    """What befalls an allowance; recent holds age and transit of the requests of an earlier run."""

    requests: int
    span: float
    trips: list[Trip]
    recent: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    span = draw(st.sampled_from([1.0, 60.0, 600.0]) | st.floats(0.1, 1000))
    requests = draw(st.integers(1, 40))
    within, slow, late, give_up = (draw(st.sampled_from([0, 0.01, 0.1, 1, 4])) * span for _ in range(4))
    told = draw(st.sampled_from([0, 0.5, 1]))
    dice = random.Random(draw(st.integers()))

    def trip() -> Trip:
        transit = dice.uniform(0, 0.99 * SLACK * span)
        given_up = dice.uniform(0, 2 * span) if dice.random() * span < give_up / 8 else FOR_EVER
        times = (dice.uniform(0, within), dice.uniform(0, late), transit, dice.uniform(0, slow))
        return Trip(*times, given_up, dice.random() < told)

    def several(most: int, longest: float) -> list[tuple[float, float]]:
        return [(dice.uniform(0, 2 * span), dice.uniform(0, longest)) for _ in range(dice.randint(0, most))]

    trips = [trip() for _ in range(draw(st.integers(1, min(4 * requests, 100))))]
    recent = several(requests, 0.99 * SLACK * span) if draw(st.booleans()) else []
    pauses = several(3, 2 * span) if draw(st.booleans()) else []
    return Case(requests, span, trips, recent, pauses)


@dataclass
class Journey:
    """The moments of all requests, in seconds; free is how many can leave at once when all is over."""

    taken: list[float] = field(default_factory=list)
    through_gate: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    answered: int = 0
    given_up: int = 0
    free: int = 0


async def travel(case: Case) -> Journey:
    """Send the requests of a case."""
    journey = Journey()
    allowance = Allowance("test", case.requests, case.span, FOR_EVER, [age for age, _ in case.recent])

    async def send(trip: Trip) -> None:
        async with allowance.slot() as sending:
            taken = now()
            await sending.trace("connection.connect_tcp.started", {})
            await asyncio.sleep(trip.leaves)
            if trip.told:
                await sending.trace(LEAVING, {})
                journey.through_gate.append(now())
            journey.taken.append(taken)
            journey.left.append(now())
            if trip.told:
                await sending.trace(LEFT, {})
            await asyncio.sleep(trip.arrives)
            journey.arrived.append(now())
            await asyncio.sleep(trip.answered)
            await sending.trace("http11.receive_response_body.complete", {})

    async def sent(trip: Trip) -> None:
        while True:
            try:
                return await send(trip)
            except TurnedBackError:
                continue

    async def go(trip: Trip) -> None:
        await asyncio.sleep(trip.asks)
        try:
            await asyncio.wait_for(sent(trip), trip.given_up)
            journey.answered += 1
        except TimeoutError:
            journey.given_up += 1

    async def pause(at: float, seconds: float) -> None:
        await asyncio.sleep(at)
        allowance.pause(seconds, "a test")

    async def leave(end: float) -> None:
        async with allowance.slot():
            journey.free += now() <= end + 2 * TICK

    async with asyncio.TaskGroup() as group:
        for trip in case.trips:
            group.create_task(go(trip))
        for at, seconds in case.pauses:
            group.create_task(pause(at, seconds))
    await asyncio.sleep(5 * case.span)
    end = now()
    await asyncio.gather(*(leave(end) for _ in range(case.requests)))
    return journey


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(cases())
def test_no_span_holds_more_requests_than_allowed_and_every_request_gets_its_turn(case: Case) -> None:
    journey = virtually(travel(case))
    earlier = [-age for age, _ in case.recent]
    there = [-age + transit for age, transit in case.recent]
    assert most_in_a_span(earlier + journey.left, case.span) <= case.requests
    assert most_in_a_span(there + journey.arrived, case.span) <= case.requests
    assert journey.answered + journey.given_up == len(case.trips)
    assert journey.answered >= sum(trip.given_up == FOR_EVER for trip in case.trips)
    for at, seconds in case.pauses:
        for moment in (*journey.taken, *journey.through_gate):
            assert not at < moment < at + seconds - 2 * TICK
    # Neither a request given up nor any other keeps its slot.
    assert journey.free == case.requests


def test_a_pause_that_is_shorter_than_a_tick_of_the_clock_ends() -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        allowance.pause(TICK / 4_000, "a test")
        async with allowance.slot():
            assert now() <= 2 * TICK

    virtually(main())


def test_an_earlier_run_that_was_allowed_more_is_waited_for() -> None:
    ages = [float(age) for age in range(30)]

    async def main() -> None:
        left: list[float] = []
        allowance = Allowance("test", 10, SPAN, PATIENCE, ages)
        for _ in range(20):
            async with allowance.slot():
                left.append(now())
        for time in left:
            both = [time for time in (*left, *(-age for age in ages)) if time <= left[-1]]
            assert sum(time - SPAN + 2 * TICK < other <= time for other in both) <= 10

    virtually(main())


def test_a_request_of_an_earlier_run_frees_its_slot_one_span_after_it() -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE, [20.0])
        assert await leaving(allowance) == pytest.approx(SPAN * (1 + SLACK) - 20, abs=2 * TICK)

    virtually(main())


@pytest.mark.parametrize(("answered", "counts_from"), [(1.0, 1.0), (30.0, SLACK * SPAN)], ids=["soon", "late"])
def test_a_request_counts_from_its_answer_or_from_a_share_of_the_span(answered: float, counts_from: float) -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        async with allowance.slot() as sending:
            await sending.trace(LEFT, {})
            await asyncio.sleep(answered)
        assert await leaving(allowance) == pytest.approx(counts_from + SPAN, abs=2 * TICK)

    virtually(main())


@pytest.mark.parametrize("requests", [10, 30, 60, 100])
@pytest.mark.parametrize(
    "latency", [(0.05, 0.4), (0.2, 6), (5, 9), (20, 55)], ids=["quick", "mixed", "slow", "very slow"]
)
def test_nearly_all_of_the_allowance_is_used(requests: int, latency: tuple[float, float]) -> None:
    async def main() -> list[float]:
        dice, left = random.Random(requests), list[float]()
        allowance = Allowance("test", requests, SPAN, PATIENCE)

        async def work() -> None:
            while len(left) < 13 * requests:
                async with allowance.slot() as sending:
                    left.append(now())
                    await sending.trace(LEFT, {})
                    await asyncio.sleep(dice.uniform(*latency))

        # As many at once as the collector has workers.
        await asyncio.gather(*(work() for _ in range(requests)))
        return left

    left = virtually(main())
    assert most_in_a_span(left, SPAN) <= requests
    # Without the first burst, which would make the rest look better than it is.
    rest = left[requests : 13 * requests]
    elapsed = rest[-1] - left[0]
    assert elapsed > 10 * SPAN
    assert len(rest) / (requests * elapsed / SPAN) >= 0.95


def test_the_first_to_come_is_the_first_to_leave() -> None:
    async def main() -> None:
        allowance, left = Allowance("test", 3, SPAN, PATIENCE), list[int]()

        async def send(number: int) -> None:
            async with allowance.slot():
                left.append(number)

        await asyncio.gather(*(send(number) for number in range(20)))
        assert left == list(range(20))

    virtually(main())


async def leaving(allowance: Allowance) -> float:
    """When a request leaves that is answered at once."""
    async with allowance.slot():
        return now()


def test_of_overlapping_pauses_the_later_end_counts() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        for seconds in (10, 30, 20, 0, -5):
            allowance.pause(seconds, f"{seconds}")
        waiting = [asyncio.create_task(leaving(allowance)) for _ in range(3)]
        await asyncio.sleep(25)
        allowance.pause(40, "another")
        allowance.pause(1, "a short one")
        assert [await task for task in waiting] == pytest.approx([65.0] * 3, abs=2 * TICK)
        assert await leaving(allowance) == pytest.approx(65.0, abs=2 * TICK)

    virtually(main())


@pytest.mark.parametrize("seconds", [0.5, 60, PATIENCE])
def test_a_pause_within_patience_is_sat_out(seconds: float) -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        allowance.pause(seconds, "Reddit says so")
        waiting = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(0)
        assert allowance.waiting == f"waiting {seconds:.0f} s: Reddit says so"
        assert await waiting == pytest.approx(seconds, abs=2 * TICK)
        assert not allowance.waiting

    virtually(main())


def test_an_allowance_says_when_the_next_slot_is_free() -> None:
    async def main() -> None:
        allowance = Allowance("test", 2, SPAN, PATIENCE)
        said = [allowance.waiting]
        # Both slots are taken, and no request has been answered: nobody knows yet when a slot is free.
        sent = [asyncio.create_task(answered_after(allowance, seconds)) for seconds in (10, 30)]
        await asyncio.sleep(0)
        third = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(0)
        said.append(allowance.waiting)
        await asyncio.gather(*sent, third)
        said.append(allowance.waiting)
        # It is 70 s: the third request has the slot of the first. The slot of the second is free at 90 s.
        last = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(0)
        said.append(allowance.waiting)
        assert await last == pytest.approx(90, abs=2 * TICK)
        spent = "2 requests in 60 s are spent"
        assert said == ["", f"waiting: {spent}", "", f"waiting 20 s: {spent}"]

    virtually(main())


@pytest.mark.parametrize(("seconds", "logged"), [(4.9, []), (5.0, ["test waits 5 s: a pause"])])
def test_a_wait_of_five_seconds_is_logged_and_a_shorter_one_is_not(
    seconds: float, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        allowance.pause(seconds, "a pause")
        await leaving(allowance)

    with caplog.at_level(logging.INFO, "groundswell.ingest"):
        virtually(main())
    assert caplog.messages == logged


def test_a_pause_is_logged_once_and_a_longer_one_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        allowance.pause(100, "a pause")
        waiting = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(10)
        # The headers of a response wake the request that waits. The pause stays.
        allowance.limit(50, 30, "a limit")
        await asyncio.sleep(10)
        allowance.pause(130, "a longer pause")
        assert await waiting == pytest.approx(150, abs=2 * TICK)

    with caplog.at_level(logging.INFO, "groundswell.ingest"):
        virtually(main())
    assert caplog.messages == ["test waits 100 s: a pause", "test waits 130 s: a longer pause"]


def test_a_longer_pause_ends_the_source_and_names_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.allowance.datetime", Clock)

    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        await asyncio.sleep(90)
        allowance.pause(PATIENCE + 1, "GitHub asks for it")
        for _ in range(7):
            with pytest.raises(
                IngestError, match=r"^GitHub asks for it: resume after 18:17 UTC, with the same command$"
            ):
                await leaving(allowance)
        assert now() == pytest.approx(90)
        # What is left of it after a while is within patience.
        await asyncio.sleep(61)
        assert await leaving(allowance) == pytest.approx(90 + PATIENCE + 1, abs=2 * TICK)

    virtually(main())


def test_a_pause_that_becomes_too_long_ends_the_wait_for_a_shorter_one() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        allowance.pause(100, "a short one")
        waiting = [asyncio.create_task(leaving(allowance)) for _ in range(8)]
        await asyncio.sleep(10)
        allowance.pause(2 * PATIENCE, "a long one")
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert now() == pytest.approx(10)
        assert all(isinstance(result, IngestError) and "a long one" in str(result) for result in results)

    virtually(main())


def test_of_two_pauses_with_one_end_the_first_is_named() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        allowance.pause(2 * PATIENCE, "the first")
        allowance.pause(2 * PATIENCE, "the second")
        with pytest.raises(IngestError, match=r"^the first: resume after"):
            await leaving(allowance)

    virtually(main())


@pytest.mark.parametrize(
    ("start", "seconds", "text"),
    [
        ("2026-11-20T12:00:00", 3600, "13:00 UTC"),
        ("2026-11-20T12:00:30", 3600, "13:01 UTC"),
        ("2026-11-20T12:00:59", 0, "12:01 UTC"),
        ("2026-11-20T23:30:00", 3600, "2026-11-21 00:30 UTC"),
        ("2026-11-20T23:58:30", 60, "2026-11-21 00:00 UTC"),
        ("2026-12-31T23:59:00", 60, "2027-01-01 00:00 UTC"),
        # A year at most.
        ("2026-11-20T12:00:00", 364 * 86_400, "2027-11-19 12:00 UTC"),
        ("2026-11-20T12:00:00", 366 * 86_400, "2027-11-20 12:00 UTC"),
        ("2026-11-20T12:00:00", float("inf"), "2027-11-20 12:00 UTC"),
    ],
)
def test_an_hour_is_rounded_up_and_another_day_named(
    monkeypatch: pytest.MonkeyPatch, start: str, seconds: float, text: str
) -> None:
    monkeypatch.setattr("ingest.allowance.datetime", Clock)
    monkeypatch.setattr(Clock, "start", datetime.fromisoformat(f"{start}+00:00"))

    async def main() -> None:
        assert hour(seconds) == text

    virtually(main())


@pytest.mark.parametrize("seconds", [1e9, 1e12, 1e300, float("inf")])
def test_a_pause_of_ages_ends_the_source_like_any_other(seconds: float) -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        allowance.pause(seconds, "a service that counts in something else")
        with pytest.raises(IngestError, match="a service that counts in something else: resume after"):
            await leaving(allowance)

    virtually(main())


def test_no_more_leave_than_remain_until_the_period_is_over() -> None:
    async def main() -> None:
        allowance = Allowance("test", 50, SPAN, PATIENCE)
        allowance.limit(7, 300, "Reddit grants no more")
        tasks = [asyncio.create_task(leaving(allowance)) for _ in range(40)]
        left = [await task for task in tasks]
        assert sum(time < 300 - 2 * TICK for time in left) == 7
        assert left[7:] == pytest.approx([300.0] * 33, abs=2 * TICK)

    virtually(main())


def test_what_is_under_way_is_taken_off_what_remains() -> None:
    async def main() -> None:
        allowance, left = Allowance("test", 50, SPAN, PATIENCE), list[float]()

        async def send(seconds: float) -> None:
            async with allowance.slot():
                left.append(now())
                await asyncio.sleep(seconds)

        tasks = [asyncio.create_task(send(100)) for _ in range(4)]
        await asyncio.sleep(1)
        allowance.limit(6, 300, "Reddit grants no more")
        tasks += [asyncio.create_task(send(0)) for _ in range(10)]
        await asyncio.sleep(50)
        assert len(left) == 6
        await asyncio.gather(*tasks)
        # Nothing that was answered told of more.
        assert sum(time < 301 - 2 * TICK for time in left) == 6

    virtually(main())


def test_the_last_that_remains_leaves_at_once() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        allowance.limit(1, 50, "one is left")
        assert [await leaving(allowance), await leaving(allowance)] == pytest.approx([0, 50], abs=2 * TICK)
        allowance.limit(0.5, 20, "less than one is left")
        assert await leaving(allowance) == pytest.approx(70, abs=4 * TICK)

    virtually(main())


def test_a_period_that_ends_before_the_answers_is_the_end_of_the_wait() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        sent = asyncio.create_task(answered_after(allowance, 200))
        await asyncio.sleep(10)
        # The service may not have counted the request under way: none is left.
        allowance.limit(1, 50, "one is left")
        waiting = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(0)
        assert allowance.waiting == "waiting: answers that are under way"
        assert await waiting == pytest.approx(60, abs=2 * TICK)
        await sent

    virtually(main())


def test_after_a_pause_the_answers_under_way_are_still_waited_for() -> None:
    async def main() -> None:
        allowance = Allowance("test", 5, SPAN, PATIENCE)
        sent = asyncio.create_task(answered_after(allowance, 200))
        await asyncio.sleep(10)
        allowance.limit(1, 100, "one is left")
        allowance.pause(20, "a pause")
        waiting = asyncio.create_task(leaving(allowance))
        await asyncio.sleep(0)
        assert allowance.waiting == "waiting 20 s: a pause"
        assert await waiting == pytest.approx(110, abs=2 * TICK)
        await sent

    virtually(main())


def test_nothing_left_is_a_pause() -> None:
    async def main() -> None:
        allowance = Allowance("test", 50, SPAN, PATIENCE)
        allowance.limit(0.9, 40, "Reddit grants no more")
        assert await leaving(allowance) == pytest.approx(40.0, abs=2 * TICK)
        allowance.limit(0, PATIENCE + 1, "Reddit grants no more for long")
        with pytest.raises(IngestError, match=r"^Reddit grants no more for long: resume after"):
            await leaving(allowance)

    virtually(main())


def test_a_period_longer_than_patience_ends_the_source_when_it_is_spent() -> None:
    async def main() -> None:
        allowance = Allowance("test", 50, SPAN, PATIENCE)
        allowance.limit(3, 2 * PATIENCE, "the day's quota is spent")
        for _ in range(3):
            await leaving(allowance)
        with pytest.raises(IngestError, match=r"^the day's quota is spent: resume after"):
            await leaving(allowance)

    virtually(main())


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(st.integers(), st.sampled_from([0, 1, 3]), st.sampled_from([0.3, 2, 8]), st.integers(5, 25), st.integers(0, 9))
@example(1585, 3, 8, 14, 5)
def test_a_service_that_counts_by_periods_never_gets_more_than_it_grants(
    seed: int, transit: float, travel: float, requests: int, more: int
) -> None:
    period, granted = 5 * SPAN, 2 * requests + more

    async def main() -> None:
        dice, counts = random.Random(seed), Counter[int]()
        allowance = Allowance("test", requests, SPAN, FOR_EVER)

        async def work() -> None:
            while now() < 2 * period:
                async with allowance.slot() as sending:
                    await sending.trace(LEFT, {})
                    await asyncio.sleep(dice.uniform(0, transit))
                    number, spent = divmod(now(), period)
                    counts[int(number)] += 1
                    remaining, seconds = granted - counts[int(number)], math.ceil(period - spent)
                    # Answers overtake each other.
                    await asyncio.sleep(dice.uniform(0, travel))
                allowance.limit(remaining, seconds, "no more are granted")

        await asyncio.gather(*(work() for _ in range(requests)))
        assert max(counts.values()) <= granted
        assert min(counts[0], counts[1]) >= requests

    virtually(main())


def test_who_waits_or_comes_when_it_is_closed_gets_the_error_at_once() -> None:
    async def main() -> None:
        allowance, error = Allowance("test", 2, SPAN, PATIENCE), IngestError("no more")

        async def send() -> float:
            async with allowance.slot():
                await asyncio.sleep(100)
            return now()

        tasks = [asyncio.create_task(send()) for _ in range(10)]
        await asyncio.sleep(30)
        allowance.close(error)
        allowance.close(IngestError("again"))
        waiting = await asyncio.gather(*tasks[2:], return_exceptions=True)
        assert waiting == [error] * 8
        for _ in range(5):
            with pytest.raises(IngestError, match="no more"):
                await leaving(allowance)
        assert now() == pytest.approx(30)
        # Those under way go on.
        assert await asyncio.gather(*tasks[:2]) == pytest.approx([100, 100], abs=2 * TICK)
        assert allowance.in_flight == 0

    virtually(main())


def test_who_sits_out_a_pause_when_it_is_closed_gets_the_error_at_once() -> None:
    async def main() -> None:
        allowance, error = Allowance("test", 2, SPAN, PATIENCE), IngestError("no more")
        allowance.pause(100, "a pause")
        tasks = [asyncio.create_task(leaving(allowance)) for _ in range(5)]
        await asyncio.sleep(30)
        allowance.close(error)
        assert await asyncio.gather(*tasks, return_exceptions=True) == [error] * 5
        assert now() == pytest.approx(30)

    virtually(main())


def spend(allowance: Allowance) -> None:
    """Nothing: the slots alone are waited for."""


def pause(allowance: Allowance) -> None:
    allowance.pause(SPAN * 1.5, "a pause")


def limit(allowance: Allowance) -> None:
    allowance.limit(3, SPAN * 1.5, "a limit")


@pytest.mark.parametrize("reason", [spend, pause, limit])
@pytest.mark.parametrize("after", [0, 10, SPAN * (1 + SLACK), SPAN * 1.2])
def test_a_waiter_that_is_cancelled_takes_no_slot_with_it(reason: Callable[[Allowance], None], after: float) -> None:
    async def main() -> None:
        allowance = Allowance("test", 3, SPAN, PATIENCE)
        # They come back at different times.
        used = [asyncio.create_task(answered_after(allowance, seconds)) for seconds in (0, 5, 15)]
        await asyncio.sleep(0)
        reason(allowance)
        waiting = [asyncio.create_task(leaving(allowance)) for _ in range(12)]
        await asyncio.sleep(after)
        for task in waiting[:2] + waiting[4:]:
            task.cancel()
        await asyncio.gather(*used, *waiting, return_exceptions=True)
        assert allowance.in_flight == 0
        await asyncio.sleep(3 * SPAN)
        assert [await leaving(allowance) for _ in range(3)] == [now()] * 3

    virtually(main())


async def answered_after(allowance: Allowance, seconds: float) -> None:
    async with allowance.slot():
        await asyncio.sleep(seconds)


def test_only_the_headers_of_the_request_tell_that_it_has_left() -> None:
    async def main() -> None:
        allowance = Allowance("test", 9, SPAN, PATIENCE)
        for event in (LEAVING, "http11.send_request_body.complete", "http11.failed", LEFT.replace("http11", "http2")):
            async with allowance.slot() as sending:
                await asyncio.sleep(1)
                await sending.trace(event, {})
                assert sending.left_at == (now() if event.startswith("http2") else None)

    virtually(main())


async def leaves(allowance: Allowance, connects: float, answered: float = 0, reading: float = 0) -> float:
    """When a request leaves that needs some seconds to connect, to be answered, and to be read."""
    while True:
        try:
            async with allowance.slot() as sending:
                await asyncio.sleep(connects)
                await sending.trace(LEAVING, {})
                left = now()
                await sending.trace(LEFT, {})
                await asyncio.sleep(answered)
                await sending.trace(ANSWERED, {})
                await asyncio.sleep(reading)
            return left
        except TurnedBackError:
            continue


def test_a_request_with_a_slot_is_turned_back_by_a_pause_and_loses_nothing() -> None:
    async def main() -> None:
        allowance = Allowance("test", 3, SPAN, PATIENCE)
        connecting = [asyncio.create_task(leaves(allowance, 2)) for _ in range(3)]
        await asyncio.sleep(1)
        allowance.pause(10, "a pause")
        # The slots were free at once, and the pause ends at 11 s. Then they connect again.
        assert await asyncio.gather(*connecting) == pytest.approx([13] * 3, abs=9 * TICK)
        assert allowance.in_flight == 0
        await asyncio.sleep(2 * SPAN)
        assert [await leaving(allowance) for _ in range(3)] == [now()] * 3

    virtually(main())


def test_no_request_leaves_while_an_answer_is_read_but_many_are_under_way_at_once() -> None:
    async def main() -> None:
        allowance = Allowance("test", 9, SPAN, PATIENCE)
        first = asyncio.create_task(leaves(allowance, 0, answered=5, reading=3))
        others = [asyncio.create_task(leaves(allowance, connects, 20)) for connects in (1, 2, 6, 7, 9)]
        assert await asyncio.gather(first, *others) == pytest.approx([0, 1, 2, 8, 8, 9], abs=9 * TICK)

    virtually(main())


def test_a_request_through_a_proxy_does_not_wait_for_itself() -> None:
    async def main() -> None:
        allowance = Allowance("test", 1, SPAN, PATIENCE)
        async with allowance.slot() as sending:
            for seconds in (3, 5):
                for event in (LEAVING, LEFT):
                    await sending.trace(event, {})
                assert sending.left_at == pytest.approx(now())
                await asyncio.sleep(seconds)
                await sending.trace(ANSWERED, {})
        assert now() == pytest.approx(8, abs=9 * TICK)

    virtually(main())


def test_who_is_cancelled_or_closed_out_at_the_gate_holds_nobody_up() -> None:
    async def main() -> None:
        allowance = Allowance("test", 9, SPAN, PATIENCE)
        reading = asyncio.create_task(leaves(allowance, 0, reading=10))
        await asyncio.sleep(1)
        waiting = [asyncio.create_task(leaves(allowance, 0, 1)) for _ in range(4)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        waiting[2].cancel()
        await reading
        assert await asyncio.gather(waiting[1], waiting[3]) == pytest.approx([10, 10], abs=9 * TICK)
        late = asyncio.create_task(leaves(allowance, 5))
        await asyncio.sleep(1)
        allowance.close(IngestError("no more"))
        with pytest.raises(IngestError, match="no more"):
            await late
        assert allowance.in_flight == 0

    virtually(main())
