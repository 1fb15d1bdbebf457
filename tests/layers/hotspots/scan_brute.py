"""The scan statistic by going through everything, slowly and from the textbook's formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import asin, cos, fsum, inf, log, radians, sin, sqrt
from typing import Any

from numpy.typing import NDArray

Window = tuple[frozenset[int], int, int]


@dataclass(frozen=True)
class Brute:
    """One window with its figures."""

    members: frozenset[int]
    start: int
    end: int
    observed: int
    expected: float
    llr: float


def poisson_llr(c: int, e: float, total: int) -> float:
    """Kulldorff 1997, the Poisson likelihood ratio."""
    inside = c * log(c / e) if c else 0.0
    outside = (total - c) * log((total - c) / (total - e)) if total > c else 0.0
    return inside + outside


def bernoulli_llr(c: int, n: int, cases: int, persons: int) -> float:
    """Kulldorff 1997, the Bernoulli likelihood ratio as four terms less the null's two."""

    def part(some: int, of: int) -> float:
        return some * log(some / of) if some else 0.0

    found = part(c, n) + part(n - c, n)
    found += part(cases - c, persons - n) + part(persons - n - cases + c, persons - n)
    return found - part(cases, persons) - part(persons - cases, persons)


def great_circle_m(a: Any, b: Any) -> float:
    """Haversine distance on a sphere of 6,371,008.8 m."""
    lon_a, lat_a, lon_b, lat_b = (radians(float(x)) for x in (*a, *b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(h))


def plane_m(a: Any, b: Any) -> float:
    """Straight distance."""
    return sqrt(float((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2))


def circles_round(
    centre: int,
    xy: NDArray[Any],
    people: NDArray[Any],
    share: float = 0.5,
    radius_m: float = inf,
    sphere: bool = False,
) -> Iterator[frozenset[int]]:
    """Every circle round a location: places by distance, of equal ones the lesser x, y first."""
    apart = great_circle_m if sphere else plane_m
    away = [(round(apart(xy[centre], spot), 6), *spot.tolist()) for spot in xy]
    for reach in sorted(set(away)):
        inside = frozenset(i for i, distance in enumerate(away) if distance <= reach)
        if reach[0] <= radius_m and sum(people[i] for i in inside) <= share * people.sum():
            yield inside


def spans_of(steps: int, shortest: int, longest: int, alive: bool) -> list[tuple[int, int]]:
    """Every first and last step."""
    return [
        (start, end)
        for start in range(steps)
        for end in range(start, steps)
        if shortest <= end - start + 1 <= longest and (not alive or end == steps - 1)
    ]


def best_per_centre(
    model: str,
    cases: NDArray[Any],
    population: NDArray[Any],
    xy: NDArray[Any],
    spans: list[tuple[int, int]],
    share: float = 0.5,
    radius_m: float = inf,
    sphere: bool = False,
    least: int = 2,
) -> list[Brute]:
    """The highest window of each centre with more cases than expected, highest first."""
    total, persons = int(cases.sum()), population.sum()
    at_risk = cases.sum(axis=1) if model == "permutation" else population.sum(axis=1)
    found = []
    for centre in range(len(xy)):
        highest: Brute | None = None
        for inside in circles_round(centre, xy, at_risk, share, radius_m, sphere):
            rows = sorted(inside)
            for start, end in spans:
                c = int(cases[rows, start : end + 1].sum())
                if model == "permutation":
                    margin = float(cases[:, start : end + 1].sum())
                    e = float(cases[rows].sum()) * margin / total
                else:
                    e = total * fsum(population[rows, start : end + 1].ravel()) / persons
                if c <= e or c < least:
                    continue
                if model == "bernoulli":
                    n = int(population[rows, start : end + 1].sum())
                    value = bernoulli_llr(c, n, total, int(persons))
                else:
                    value = poisson_llr(c, e, total)
                if highest is None or value > highest.llr + 1e-9:
                    highest = Brute(inside, start, end, c, e, value)
        if highest is not None and highest.llr > 1e-9:
            found.append(highest)
    return sorted(found, key=lambda one: (-round(one.llr, 9), len(one.members)))


def not_overlapping(found: list[Brute]) -> list[Brute]:
    """Those that meet no higher one."""
    kept: list[Brute] = []
    for one in found:
        if all(one.members.isdisjoint(other.members) for other in kept):
            kept.append(one)
    return kept
