"""How many calls are in flight: servers with one slot and with more, simulated without a clock."""

from collections import deque
from heapq import heappop, heappush
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.llm.pace import SHARE_OF_TIMEOUT, Pace

TIMEOUT = 60.0
CALLS = 40


class Served(NamedTuple):
    """Seconds until all calls were answered, and how many were lost on the way."""

    seconds: float
    lost: int


def serve(pace: Pace, slots: int, answer_seconds: float, does_notice: bool) -> Served:
    """Send CALLS calls to a server, lost ones again, and wait for all answers.

    The server answers in the order of the calls. does_notice: whether it drops calls that the client has given up.
    """
    now, lost, unsent = 0.0, 0, CALLS
    # Of each call that waits for its answer: its place and when it left.
    in_flight: dict[int, tuple[int, float]] = {}
    queue: deque[int] = deque()
    busy: set[int] = set()
    events: list[tuple[float, str, int]] = []
    call = 0
    while unsent or in_flight:
        while unsent and pace.allows(len(in_flight) + 1):
            unsent, call = unsent - 1, call + 1
            in_flight[call] = (len(in_flight) + 1, now)
            queue.append(call)
            heappush(events, (now + TIMEOUT, "is lost", call))
        while queue and len(busy) < slots:
            busy.add(queue.popleft())
            heappush(events, (now + answer_seconds + 0.01, "is answered", max(busy)))
        now, event, about = heappop(events)
        if about in in_flight and event == "is answered":
            place, left = in_flight.pop(about)
            pace.learn(place, now - left)
        elif about in in_flight:
            place, _ = in_flight.pop(about)
            pace.learn(place, TIMEOUT)
            lost, unsent = lost + 1, unsent + 1
            if does_notice:
                busy.discard(about)
                queue = deque(each for each in queue if each != about)
        if event == "is answered":
            busy.discard(about)
    return Served(now, lost)


@pytest.mark.parametrize("does_notice", [True, False])
@pytest.mark.parametrize("seconds", [6, 10, 15, 20, 30])
def test_a_server_with_one_slot_answers_all_calls_in_time(seconds: float, does_notice: bool) -> None:
    served = serve(Pace(8, TIMEOUT), 1, seconds, does_notice)
    assert served.seconds <= 1.15 * CALLS * seconds
    assert served.lost <= 1


@pytest.mark.parametrize("seconds", [2, 10, 20, 30, 45])
def test_a_server_with_eight_slots_loses_nothing(seconds: float) -> None:
    pace = Pace(8, TIMEOUT)
    served = serve(pace, 8, seconds, True)
    assert served.lost == 0
    assert pace.allows(8)
    # The calls beside each other grow in at most two steps; then they are eight.
    assert served.seconds <= (CALLS / 8 + 2) * (seconds + 0.01)


@pytest.mark.parametrize("seconds", [2, 10, 20, 30, 45])
def test_a_provider_loses_no_time_at_the_start(seconds: float) -> None:
    served = serve(Pace(8, TIMEOUT, first=8), 8, seconds, True)
    assert served.lost == 0
    assert served.seconds <= CALLS / 8 * (seconds + 0.01) + 0.01


def test_a_call_always_leaves_alone() -> None:
    pace = Pace(8, TIMEOUT)
    for _ in range(3):
        pace.learn(1, TIMEOUT)
    assert pace.allows(1)
    assert not pace.allows(2)


def test_a_model_that_has_been_loaded_is_asked_at_full_pace() -> None:
    pace = Pace(8, TIMEOUT)
    # The server loads the model before its first answer.
    pace.learn(1, 50)
    pace.learn(2, TIMEOUT)
    answers = 0
    while not pace.allows(8):
        place = max(place for place in range(1, 9) if pace.allows(place))
        pace.learn(place, 2)
        answers += 1
    assert answers <= 60


@given(st.lists(st.tuples(st.integers(1, 8), st.floats(0.1, TIMEOUT)), max_size=30))
def test_places_are_free_from_the_first_on(calls: list[tuple[int, float]]) -> None:
    pace = Pace(8, TIMEOUT)
    for place, seconds in calls:
        pace.learn(place, seconds)
    free = [pace.allows(place) for place in range(1, 10)]
    assert free == sorted(free, reverse=True)
    assert free[0]
    assert not free[8]
    if calls and calls[-1][1] >= SHARE_OF_TIMEOUT * TIMEOUT and calls[-1][0] > 1:
        assert not pace.allows(calls[-1][0])
