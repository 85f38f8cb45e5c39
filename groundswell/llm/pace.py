"""Decides how many calls of language models may be in flight at a time."""

# The calls that leave before any answer has come, if the server may be at home.
FIRST = 2
# A call leaves if its answer can be expected within this share of the timeout.
SHARE_OF_TIMEOUT = 0.9
# If several calls in flight take less than so many times as long as the shortest call, the server answers them side by
# side.
SIDE_BY_SIDE = 1.5
# After a lost call, the places that are left grow by this factor with each answer: twice as many after 15 answers.
RECOVERY = 1.05


class Pace:
    """How many calls may be in flight, so that each is answered in time.

    A server at home may answer one question at a time. Further calls wait in the server, and the wait counts against
    their timeout. So the pace begins with a few calls, and learns how long a call takes at its place: the number of
    calls that were in flight when it left, itself among them. Before a call leaves, the pace expects that it takes as
    long as the last call at its place. Where no call was at that place yet, it takes the last place before, and expects
    the worst: the time grows with the place, as it does if one answer is written after the other. If the server has
    answered side by side so far, the pace doubles the places without that fear. A lost call takes its place away for
    some time.
    """

    def __init__(self, most: int, timeout: float, first: int = FIRST) -> None:
        """`most`: the most calls in flight. `timeout`: seconds after which a call is lost. `first`: the first calls."""
        self.most = most
        self.timeout = timeout
        self.first = first
        # The places that no lost call has taken away.
        self.places = float(most)
        # Seconds of the last call at each place, the timeout for a lost call. They never fall from place to place.
        self.seconds: dict[int, float] = {}

    def allows(self, place: int) -> bool:
        """Whether a call may leave at this place."""
        is_free = place <= self.places and self.expected(place) < SHARE_OF_TIMEOUT * self.timeout
        return is_free or place == 1

    def expected(self, place: int) -> float:
        """The seconds that a call at this place takes at most."""
        if not self.seconds:
            return 0.0 if place <= self.first else self.timeout
        known = [each for each in self.seconds if each >= place]
        if known:
            return self.seconds[min(known)]
        last = max(self.seconds)
        is_side_by_side = last > 1 and self.seconds[last] < SIDE_BY_SIDE * min(self.seconds.values())
        return self.seconds[last] * (1 if is_side_by_side and place <= 2 * last else place / last)

    def learn(self, place: int, seconds: float) -> None:
        """Note how long a call took at its place, or that it was lost after the timeout.

        What does not agree with it is out of date and is forgotten.
        """
        is_lost = seconds >= self.timeout
        self.places = min(self.places, max(1, place - 1)) if is_lost else min(self.most, RECOVERY * self.places)
        self.seconds = {
            other: known
            for other, known in self.seconds.items()
            if (known <= seconds if other < place else seconds <= known <= seconds * other / place)
        } | {place: seconds}
