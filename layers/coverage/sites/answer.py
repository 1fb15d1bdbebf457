"""The answer to a question of siting."""

from __future__ import annotations

from dataclasses import dataclass

from layers.coverage.sites.net import Floats, Whole


@dataclass(frozen=True)
class Sites:
    """Chosen sites, what they are worth, and what no choice can beat.

    Attributes
    ----------
    chosen
        Numbers of the chosen sites, int64, none twice; fixed ones first, in the order given.
    assigned
        Of each demand: the chosen site that serves it, or -1 where none does.
    value
        What the choice is worth: weight covered, cost, longest way or number of sites.
    bound
        What no choice can beat: at least `value` where more is better, at most where less is.
    """

    chosen: Whole
    assigned: Whole
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """How far from the best possible at most, as a share of the larger; 0 is proven best."""
        most = max(abs(self.value), abs(self.bound))
        return abs(self.bound - self.value) / most if most > 0 else 0.0


def nearest_of(travel_cost: Floats, chosen: Whole) -> Whole:
    """Return the chosen site that is nearest to each demand; the first of equals."""
    nearest: Whole = chosen[travel_cost[:, chosen].argmin(axis=1)]
    return nearest
