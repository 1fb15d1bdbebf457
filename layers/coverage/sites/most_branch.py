"""A branch of the question which sites cover most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from layers.coverage.sites.ceiling import (
    Course,
    could_win,
    course_within,
    lowered,
    paid_sites,
)
from layers.coverage.sites.net import Flags, Net, Whole, covered, matrix_of, net_of

STEPS = 60


@dataclass(frozen=True)
class MostBranch:
    """Sites that are in, what they cover, and the net of what is left to choose.

    Attributes
    ----------
    net, origin
        What is left, and the first number of each of its sites.
    left
        How many sites may still be chosen.
    taken, held
        First numbers of the sites that are in, and the weight they cover.
    course
        The course of the ceiling of what is left.
    """

    net: Net
    origin: Whole
    left: int
    taken: Whole
    held: float
    course: Course

    @property
    def bound(self) -> float:
        """What no choice of this branch covers more than."""
        return self.held + self.course.bound

    @cached_property
    def choice(self) -> tuple[Whole, float]:
        """The best-paid choice and what it covers."""
        _, paid, _ = paid_sites(self.net, self.left, self.course.best_price)
        weight = float(self.net.weight[covered(self.net, paid)].sum())
        return np.concatenate([self.taken, self.origin[paid]]), self.held + weight

    def parts(self, above: float) -> Iterator[MostBranch]:
        """Give the branch with the least certain site and the one without it."""
        if self.left == 0 or not self.net.sites:
            return
        fits = could_win(self.net, self.left, self.course, above - self.held)
        room = self.net.room[self.net.post] > 0
        site = int(np.argmin(np.where(fits & room, np.abs(self.course.often - 0.5), 2.0)))
        fits[site] = False
        every = np.ones(self.net.demands, dtype=np.bool_)
        yield self._part(fits, every, self.left, self.taken, self.held, self.net.room, above)
        seen = covered(self.net, np.array([site]))
        room_left = self.net.room.copy()
        room_left[self.net.post[site]] -= 1
        fits &= room_left[self.net.post] > 0
        held = self.held + float(self.net.weight[seen].sum())
        taken = np.append(self.taken, self.origin[site])
        yield self._part(fits, ~seen, self.left - 1, taken, held, room_left, above)

    def _part(
        self,
        fits: Flags,
        unseen: Flags,
        left: int,
        taken: Whole,
        held: float,
        room: Whole,
        above: float,
    ) -> MostBranch:
        covers = csr_array(matrix_of(self.net)[np.flatnonzero(fits)][:, np.flatnonzero(unseen)])
        net = net_of(covers, self.net.weight[unseen], self.net.post[fits], room)
        course = course_within(self.course, fits, unseen)
        if left == 0 or net.sites == 0:
            course = replace(course, bound=0.0, best_price=net.weight)
        else:
            # a little below, so that what is hopeless is seen to be
            floor = above - held - 1e-4 * abs(self.course.bound)
            course = lowered(net, left, course, floor, STEPS)
        return MostBranch(net, self.origin[fits], left, taken, held, course)
