"""How often chance alone is called something, by every test of the hotspots; and what is found.

`python -m bench.calibration` (make calibration) writes docs/calibration.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from shapely.geometry import box

from bench.power import RISKS, Power, known_size, power
from layers.hotspots.cells import hex_cells, hex_neighbours
from layers.hotspots.gi_star import gi_star
from layers.hotspots.near_repeat import knox_table
from layers.hotspots.scan import Cluster, scan
from layers.hotspots.trend import mann_kendall

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RATES = (0.05, 0.2, 1.0, 5.0, 50.0)
"""Mean incidents a cell of the random maps for Gi*."""

LEVEL = 0.05

PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"

SCANS: dict[str, dict[str, Any]] = {
    "Poisson, space": {"model": "poisson", "steps": 1},
    "Poisson, space-time": {"model": "poisson", "steps": 8},
    "Poisson, prospective": {"model": "poisson", "steps": 12, "prospective": True},
    "Bernoulli, space": {"model": "bernoulli", "steps": 1},
    "Bernoulli, space-time": {"model": "bernoulli", "steps": 8},
    "permutation, space-time": {"model": "permutation", "steps": 8},
    "permutation, prospective": {"model": "permutation", "steps": 12, "prospective": True},
}


@dataclass(frozen=True)
class Row:
    """How often something under a level was seen.

    Parameters
    ----------
    name
        What was tested.
    trials
        How often.
    nominal
        The share that should be seen; at most this where `exact` is not set, because few values
        of p are possible.
    share, error
        What was seen, and its standard error.
    exact
        Whether less than nominal is a fault too.
    """

    name: str
    trials: int
    nominal: float
    share: float
    error: float
    exact: bool

    @property
    def holds(self) -> bool:
        """Whether nominal lies within three standard errors (or over them, unless exact)."""
        over, under = self.share - self.nominal, self.nominal - self.share
        return over <= 3 * self.error and (not self.exact or under <= 3 * self.error)


def figures() -> dict[str, float]:
    """Return the short form of the table as one flat dict; the whole is docs/calibration.md."""
    rows = [*scan_rows(200), *knox_rows(100), *trend_rows(4_000), replay_row(2)]
    return {f"{row.name}, share (nominal {row.nominal:.2g})": row.share for row in rows}


def scan_rows(maps: int, *, repeats: int = 199, seed: int = 5) -> Iterator[Row]:
    """Yield the share of null maps whose most likely cluster has p <= 0.05, by kind of scan."""
    for number, (name, options) in enumerate(SCANS.items()):
        rng = np.random.default_rng([seed, number])
        small = [_top_p(rng, repeats, **options) <= LEVEL for _ in range(maps)]
        yield _row(f"scan: {name}", np.array(small), exact=True)


def knox_rows(tables: int, *, repeats: int = 199, seed: int = 6) -> Iterator[Row]:
    """Yield the share of null tables with p <= 0.05 in the nearest and in all bands."""
    rng = np.random.default_rng(seed)
    small = []
    for table in range(tables):
        xy_m, days = rng.uniform(0.0, 3_000.0, (400, 2)), rng.integers(0, 180, 400)
        found = knox_table(xy_m, days, [0, 100, 200, 400], [0, 7, 14], repeats=repeats, seed=table)
        small.append(found["p"].to_numpy() <= LEVEL)
    under = np.array(small)
    yield _row("Knox: 0-100 m, 0-7 days", under[:, 0], exact=False)
    means = under.mean(axis=1)
    error = float(means.std(ddof=1)) / tables**0.5
    yield Row("Knox: all six bands", tables, LEVEL, float(means.mean()), error, exact=False)


def trend_rows(series: int, *, seed: int = 7) -> Iterator[Row]:
    """Yield the share of null series whose Mann-Kendall p is at most 0.05."""
    rng = np.random.default_rng(seed)
    drawn = {
        "8 steps, exact": rng.normal(size=(series, 8)),
        "30 steps": rng.normal(size=(series, 30)),
        "52 weekly counts of mean 1 (many ties)": rng.poisson(1.0, (series, 52)),
    }
    for name, values in drawn.items():
        p = mann_kendall(values)["p"].to_numpy()
        yield _row(f"Mann-Kendall: {name}", p <= LEVEL, exact=False)


def replay_row(years: int, *, days: int = 365, repeats: int = 729, seed: int = 8) -> Row:
    """Return the share of days on which a prospective scan signals once a year by chance.

    Each null year is scanned day after day over the four weeks up to that day; a signal is a
    cluster that chance alone shows once in 365 scans (recurrence interval of a year). Scans of
    neighbouring days share their data, so the standard error is that over whole years.
    """
    rng = np.random.default_rng(seed)
    shares = [np.mean(_signals(rng, days, repeats, year)) for year in range(years)]
    # few signals in few years may happen to vary less than independent days would
    least = ((1 / 365) * (364 / 365) / (years * days)) ** 0.5
    error = max(float(np.std(shares, ddof=1)) / years**0.5, least)
    share, name = float(np.mean(shares)), "prospective replay: a signal a year"
    return Row(name, years * days, 1 / 365, share, error, exact=True)


def gi_star_rows(maps: int = 400, cells: int = 700, *, seed: int = 5) -> Iterator[tuple[Row, Row]]:
    """Yield the share of p <= 0.05 over cells, and of maps with a discovery, by kind and rate.

    Three kinds of random map: even chances tested without a base; incidents proportional to
    residents, who gather in towns, tested against them; and the same incidents tested without
    them, which finds the towns and not the incidents.
    """
    neighbours = square_of_hexes(cells)
    for rate in RATES:
        for name, tests in _gi_star_tests(neighbours, rate, maps, seed):
            means = np.array([np.mean(test["p"] <= LEVEL) for test in tests])
            any_hot = np.array([(test["p_adjusted"] <= LEVEL).any() for test in tests])
            label = f"{name} | {rate:g}"
            error = float(means.std(ddof=1)) / maps**0.5
            small = Row(label, maps, LEVEL, float(means.mean()), error, exact=False)
            yield small, _row(label, any_hot, exact=False)


def square_of_hexes(cells: int) -> sparse.csr_array[Any, tuple[int, int]]:
    """Return the neighbours of about `cells` hexes of one square metre over a square."""
    side_m = cells**0.5
    return hex_neighbours(hex_cells(box(0.0, 0.0, side_m, side_m), width_m=(4 / 3) ** 0.25))


def _top_p(
    rng: np.random.Generator,
    repeats: int,
    *,
    model: str,
    steps: int,
    prospective: bool = False,
    places: int = 60,
) -> float:
    """Return p of the most likely cluster of one null map, 1 where there is none."""
    xy, people = rng.uniform(0.0, 9_000.0, (places, 2)), rng.integers(50, 500, (places, steps))
    chances = people / people.sum()
    if model == "permutation":
        # places and times differ, but not together
        chances = np.outer(rng.gamma(2.0, 1.0, places), rng.gamma(2.0, 1.0, steps))
        chances /= chances.sum()
    if model == "bernoulli":
        people //= 25
        drawn = rng.multivariate_hypergeometric(people.ravel(), 300).reshape(people.shape)
    else:
        drawn = rng.multinomial(400, chances.ravel()).reshape(people.shape)
    seed = int(rng.integers(2**63))
    top = _top(
        scan(drawn, people, xy, model=model, prospective=prospective, repeats=repeats, seed=seed)
    )
    return top.p if top else 1.0


def _signals(rng: np.random.Generator, days: int, repeats: int, year: int) -> Flags:
    """Return the days of one null year with a cluster as rare as once in 365 scans."""
    xy, people = rng.uniform(0.0, 9_000.0, (30, 2)), rng.gamma(4.0, 100.0, 30)
    cases = rng.poisson(0.15 * people[:, None] / people.mean(), (30, days + 27))
    seen = np.zeros(days, dtype=np.bool_)
    for day in range(days):
        weeks = cases[:, day : day + 28]
        top = _top(
            scan(
                weeks,
                people,
                xy,
                model="poisson",
                prospective=True,
                windows=(1, 7),
                repeats=repeats,
                seed=year * days + day,
            )
        )
        seen[day] = top is not None and top.recurrence_steps >= 365.0
    return seen


def _top(found: list[Cluster]) -> Cluster | None:
    return found[0] if found else None


def _row(name: str, small: Flags, *, exact: bool) -> Row:
    """Return a row over independent trials; the standard error is that under the nominal."""
    error = (LEVEL * (1 - LEVEL) / small.size) ** 0.5
    return Row(name, small.size, LEVEL, float(small.mean()), error, exact)


def _gi_star_tests(
    neighbours: sparse.csr_array[Any, tuple[int, int]], rate: float, maps: int, seed: int
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the tests of many random maps of one rate, by kind of map."""
    rng = np.random.default_rng([seed, int(rate * 100)])
    cells = neighbours.shape[0]
    even = [rng.multinomial(int(rate * cells), np.full(cells, 1 / cells)) for _ in range(maps)]
    yield "even chances, no base", [gi_star(counts, neighbours) for counts in even]
    residents = _towns(cells)
    peopled = [rng.multinomial(int(rate * cells), residents / residents.sum()) for _ in even]
    against = [gi_star(counts, neighbours, base=residents) for counts in peopled]
    yield "proportional to residents, tested against them", against
    yield "the same incidents, residents ignored", [gi_star(one, neighbours) for one in peopled]


def _towns(cells: int) -> Floats:
    """Residents per cell that rise and fall over some dozens of cells, as towns and valleys do."""
    place, side = np.arange(cells), round(cells**0.5)
    residents: Floats = np.exp(
        2.0 + 1.5 * np.sin(place % side / 4.0) + 1.5 * np.sin(place // side / 4.0)
    )
    return residents


def rows() -> list[Row]:
    """Return the table of scan, Knox, Mann-Kendall and replay, in full."""
    return [*scan_rows(1_000), *knox_rows(1_000), *trend_rows(20_000), replay_row(20)]


def page(
    tests: list[Row], powers: list[Power], most: float, gi_star_pairs: list[tuple[Row, Row]]
) -> str:
    """Return docs/calibration.md of what was measured."""
    kinds = [pair[0].name.partition(" | ")[0] for pair in gi_star_pairs]
    by_kind = sorted(gi_star_pairs, key=lambda pair: kinds.index(pair[0].name.partition(" | ")[0]))
    gi_lines = [
        f"| {small.name} | {small.share:.2%} ± {small.error:.2%} | {any_hot.share:.1%} |"
        for small, any_hot in by_kind
    ]
    lines = [
        f"| {row.name} | {row.trials:,} | {'' if row.exact else '≤ '}{row.nominal:.2%} "
        f"| {row.share:.2%} ± {row.error:.2%} | {'yes' if row.holds else '**no**'} |"
        for row in tests
    ]
    power_lines = [
        f"| {one.risk:g} | {one.found:.3f} | {one.sensitivity:.3f} | {one.precision:.3f} |"
        for one in powers
    ]
    joined = {"tests": lines, "power": power_lines, "gi_star": gi_lines}
    return TEXT.format(
        **{name: "\n".join(parts) for name, parts in joined.items()}, most=f"{most:.2f}"
    )


TEXT = """# Calibration of the hotspot tests

How often pure chance is called something. Seeds are fixed; `make calibration` writes this page
anew (`bench/calibration.py`), a short form of every table is part of the tests.

## Scan, Knox, Mann-Kendall, prospective replay

Share of null data sets with p at most the nominal level. Where p is the rank of a statistic that
hardly ever ties, the share has to be nominal; where p can take few values only, at most nominal.
*Holds*: within three standard errors. The replay scans 20 null years day after day, each time the
four weeks up to that day; a signal is a recurrence interval of a year or more, so nominal is one
signal in 365 scans; its standard error is that over years, because neighbouring days share data.

| test | trials | nominal | seen ± standard error | holds |
|---|---|---|---|---|
{tests}

## Power of the scan

One planted cluster in 5 of 700 grids of about 1,000 residents, 5,000 incidents (36 expected in
the cluster without it), 200 data sets, 999 replicas. *Found*: the most likely cluster has
p ≤ 0.05; sensitivity and precision are those of its grids, averaged over all data sets.

| relative risk | found | sensitivity | precision |
|---|---|---|---|
{power}

At relative risk 2 about 71 incidents come where 36 are expected. It takes 64 of them to reach the
logarithm (9.0) that the highest of all circles reaches by chance in one map of twenty, and fewer
come in nearly one data set of five: those are the ones missed. No scan of all places does much
better: one that is told that the cluster has exactly five grids, and looks at nothing but the
five nearest grids round each, finds {most}.

## Gi*

400 random maps of about 700 hexagons at each rate.

- *p ≤ 0.05*: mean share of cells over the maps ± standard error over maps. At most 5 % is right;
  it is less where counts are small, because an exact p can take few values only.
- *any hotspot*: share of maps with at least one cell at a false discovery rate of 5 %. At most
  5 % is right; 8.3 % is three standard errors above.

| incidents | a cell | p ≤ 0.05 | any hotspot |
|---|---|---|---|
{gi_star}

The last five rows are no calibration but a warning: where residents gather, incidents that merely
follow them are found as “hotspots” unless they are tested against the residents.
"""

if __name__ == "__main__":
    powers = [power(risk, 200) for risk in RISKS]
    text = page(rows(), powers, known_size(2.0, 200), list(gi_star_rows()))
    PAGE.write_text(text, encoding="utf-8")
