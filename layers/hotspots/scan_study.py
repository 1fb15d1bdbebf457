"""What a scan is given, read and checked: cases, what is expected, and how chance deals them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grid_boundaries.errors import Refused, TooLarge
from layers.hotspots.chance import LARGEST_COUNT, whole_counts
from layers.hotspots.scan_replicas import Dealt, Thrown, thrown
from layers.hotspots.spans import Spans

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Model = Literal["poisson", "bernoulli", "permutation"]

MOST_PERSONS = 100_000_000
"""Cases and controls of a Bernoulli scan that are still dealt (400 MB)."""


@dataclass(frozen=True)
class Study:
    """Cases by location and step beside what is expected of them.

    Parameters
    ----------
    model
        Name of the null hypothesis.
    cases
        Whole, shape (n, t).
    expected
        Under the null, shape (n, t); adds up to the cases.
    people
        At risk per location over all steps, shape (n,).
    persons
        Cases and controls, whole, shape (n, t): Bernoulli only, else empty.
    """

    model: Model
    cases: Whole
    expected: Floats
    people: Floats
    persons: Whole

    @property
    def total(self) -> int:
        """All cases."""
        return int(self.cases.sum())

    @property
    def controls(self) -> float:
        """Controls for each case; 0 where there are none to count."""
        return float(self.persons.sum() - self.total) / self.total if self.persons.size else 0.0

    def null(self, spans: Spans) -> Thrown | Dealt:
        """Return how chance deals the cases to cells location * rows + row of the spans."""
        row = spans.row_of_step()
        cell = np.arange(len(self.cases))[:, None] * spans.rows + row
        cell[:, row < 0] = -1
        if self.model == "poisson":
            weights = np.zeros(len(self.cases) * spans.rows + 1)
            # -1 is the last cell, which stands for elsewhere
            np.add.at(weights, cell, self.expected)
            return thrown(self.total, weights)
        if self.model == "bernoulli":
            deck = np.repeat(cell.ravel(), self.persons.ravel())
            return Dealt(np.zeros(self.total, np.int32), deck.astype(np.int32))
        home = np.repeat(np.arange(len(self.cases)), self.cases.sum(axis=1))
        time = np.repeat(row, self.cases.sum(axis=0))
        return Dealt((home * spans.rows).astype(np.int32), time.astype(np.int32))


def study(
    cases: ArrayLike, population: ArrayLike | None, model: str, controls: ArrayLike | None
) -> Study:
    """Read what a scan is given; parameters and refusals as `layers.hotspots.scan.scan`."""
    counts = _counts(cases, "cases")
    if model == "poisson":
        return _poisson(counts, population, controls)
    if model == "bernoulli":
        return _bernoulli(counts, population, controls)
    if model == "permutation":
        return _permutation(counts)
    raise Refused(
        "scan-model",
        "扫描模型应为 poisson、bernoulli 或 permutation",
        "the model must be poisson, bernoulli or permutation",
        model=model,
    )


def _poisson(cases: Whole, population: ArrayLike | None, controls: ArrayLike | None) -> Study:
    """Expect cases in proportion to the population."""
    if population is None or controls is not None:
        raise Refused(
            "scan-population",
            "泊松模型需要人口（或标准化后的期望数），不需要对照",
            "the Poisson model needs a population (or expected numbers) and no controls",
        )
    people = _amounts(population, cases.shape)
    _refuse_outside((cases > 0) & (people == 0.0))
    expected = people * (cases.sum() / max(people.sum(), np.finfo(np.float64).tiny))
    return Study("poisson", cases, expected, people.sum(axis=1), np.empty((0, 0), np.int64))


def _bernoulli(cases: Whole, population: ArrayLike | None, controls: ArrayLike | None) -> Study:
    """Expect cases in proportion to cases and controls together."""
    if population is None and controls is None:
        raise Refused(
            "scan-controls",
            "伯努利模型需要对照数（或病例与对照合计）",
            "the Bernoulli model needs controls, or cases and controls together as population",
        )
    added = None if controls is None else cases + _counts(controls, "controls", cases.shape)
    persons = added if population is None else _stated(cases, population, added)
    assert persons is not None
    if persons.sum() > MOST_PERSONS:
        raise TooLarge(
            "scan-persons",
            "病例与对照人数过多；请改用泊松模型",
            "too many cases and controls; use the Poisson model",
            most_persons=MOST_PERSONS,
        )
    expected = persons * (cases.sum() / max(persons.sum(), 1))
    return Study("bernoulli", cases, expected, persons.sum(axis=1).astype(np.float64), persons)


def _stated(cases: Whole, population: ArrayLike, added: Whole | None) -> Whole:
    """Return a population that holds the cases and is, where there are controls, their sum."""
    stated = _counts(population, "population", cases.shape)
    _refuse_outside(cases > stated)
    if added is not None and not np.array_equal(added, stated):
        raise Refused(
            "scan-controls",
            "人口与病例加对照之和不符；请只提供其中一项",
            "the population is not cases plus controls; give only one of the two",
        )
    return stated


def _permutation(cases: Whole) -> Study:
    """Expect cases by the margins: those of the place times those of the step."""
    if cases.shape[1] < 2:
        raise Refused(
            "scan-steps",
            "时空置换模型需要至少两个时段的事件数",
            "the permutation model needs cases by location and at least two steps",
        )
    by_place, by_step = cases.sum(axis=1), cases.sum(axis=0)
    expected = by_place[:, None] * (by_step / max(cases.sum(), 1))
    empty = np.empty((0, 0), np.int64)
    return Study("permutation", cases, expected, by_place.astype(np.float64), empty)


def _counts(values: ArrayLike | None, name: str, shape: tuple[int, ...] | None = None) -> Whole:
    """Read whole numbers by location and step; one column where there is no time."""
    table = np.asarray(values)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.size == 0 or (shape is not None and table.shape != shape):
        _refuse_shape(name, table.shape, shape)
    counts = whole_counts(table.ravel()).reshape(table.shape)
    if counts.sum() >= LARGEST_COUNT:
        raise TooLarge("scan-cases", "事件数过多", "too many cases", name=name)
    return counts


def _amounts(values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Read a population by location and step; without steps it is the same at each."""
    table = np.asarray(values, dtype=np.float64)
    table = np.broadcast_to(table[:, None], shape) if table.shape == shape[:1] else table
    if table.shape != shape:
        _refuse_shape("population", table.shape, shape)
    fine = np.isfinite(table) & (table >= 0.0)
    if not fine.all():
        place, step = np.argwhere(~fine)[0].tolist()
        raise Refused(
            "scan-population",
            f"第 {place} 个地点的人口缺失或为负；请补齐",
            f"the population of location {place} is missing or negative; fill it in",
            location=place,
            step=step,
        )
    return table


def _refuse_outside(wrong: NDArray[np.bool_]) -> None:
    """Refuse cases where nobody, or fewer than the cases, could fall ill."""
    if wrong.any():
        place, step = np.argwhere(wrong)[0].tolist()
        raise Refused(
            "scan-population",
            f"第 {place} 个地点有事件但人口不足；请核对人口或事件位置",
            f"location {place} has cases but too small a population; check either",
            location=place,
            step=step,
        )


def _refuse_shape(name: str, seen: tuple[int, ...], wanted: tuple[int, ...] | None) -> None:
    raise Refused(
        "scan-shape",
        "事件、人口与对照应为同样大小的表：每行一个地点，每列一个时段",
        "cases, population and controls must be tables of one size: a row a location, "
        "a column a step",
        name=name,
        seen=list(seen),
        wanted=list(wanted or ()),
    )
