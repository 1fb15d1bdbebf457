"""The clock of one question: how much of its time is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

# what a turn of search, then of the bound, should take
TURN_S = 0.25
# kept back for what follows the last step: putting the answer together
KEPT_BACK = 0.04


@dataclass(frozen=True)
class Clock:
    """Time given to one question, counted from when the clock was made."""

    within_s: float
    begun_s: float
    now_s: Callable[[], float]

    @property
    def left_s(self) -> float:
        """Seconds that may still be used; 0 where the time is up."""
        usable_s = self.within_s * (1.0 - KEPT_BACK)
        return max(0.0, self.begun_s + usable_s - self.now_s())

    def part_s(self, share: float) -> float:
        """Return that share of the whole time, or what is left where that is less."""
        return min(self.left_s, share * self.within_s)


def started(within_s: float) -> Clock:
    """Start the clock now."""
    return Clock(within_s, perf_counter(), perf_counter)


def paced(count: int, took_s: float, clock: Clock) -> int:
    """Return how many steps fill a turn, by the time that the last ones took."""
    turn_s = min(TURN_S, 0.01 * clock.within_s)
    return max(1, min(int(count * turn_s / max(took_s, 1e-6)), 2 * count))
