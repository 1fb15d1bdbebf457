"""Roads: least-cost ways along the valleys, from the county town to the last hamlet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from gis_service.demo.lines import chains, relaxed, smoothed
from gis_service.demo.raster import Floats, Ints, Reached, graph, reach, way
from gis_service.demo.settle import Ground, Settled
from gis_service.demo.site import Site

KINDS = ("trunk", "primary", "secondary", "lane")


def roads(
    land: Ground, home: Settled, wet: Ints, site: Site, rng: np.random.Generator
) -> pd.DataFrame:
    """Return kind and geom (local metres) of every stretch between two junctions."""
    cost = _cost(land, wet)
    net = graph(cost)
    edges: dict[tuple[int, int], int] = {}
    seats = home.town_seats
    from_seat = reach(net, seats[:1])
    for rank, numbers in ((0, site.trunk_towns), (1, range(1, len(seats)))):
        for number in numbers:
            _add(edges, way(from_seat, int(seats[number])), rank)
    across = reach(net, seats[2:3])
    for number in site.cross_towns:
        _add(edges, way(across, int(seats[number])), 1)
    villages = home.villages["seat"].unique()
    _join(edges, net, villages, 2)
    _join(edges, net, home.groups["seat"].to_numpy(), 3)
    return _lines(land, edges, rng)


def _cost(land: Ground, wet: Ints) -> Floats:
    south_north, west_east = np.gradient(land.height_m, land.cell_m)
    slope = np.hypot(south_north, west_east)
    cost = land.cost**0.8 * (1.0 + 3.0 * slope) * np.choose(wet, (1.0, 1.6, 4.0))
    return np.where(land.county, cost, np.inf)


def _add(edges: dict[tuple[int, int], int], cells: list[int], rank: int) -> None:
    for a, b in pairwise(cells):
        edges.setdefault((min(a, b), max(a, b)), rank)


def _join(edges: dict[tuple[int, int], int], net: csr_array, seats: Ints, rank: int) -> None:
    on_road = np.unique(np.array(list(edges)).ravel())
    reached: Reached = reach(net, on_road)
    for seat in seats.tolist():
        if np.isfinite(reached.distance[seat]):
            _add(edges, way(reached, seat), rank)


def _lines(
    land: Ground, edges: dict[tuple[int, int], int], rng: np.random.Generator
) -> pd.DataFrame:
    pairs, ranks = np.array(list(edges)), np.array(list(edges.values()))
    cells = np.arange(land.height_m.size)
    points = land.centre_m(cells) + rng.normal(0.0, 0.15, (cells.size, 2)) * land.cell_m
    points = relaxed(points, pairs, ranks, 6)
    shapes, kinds = [], []
    for chain, rank in chains(pairs, ranks):
        bend = smoothed(points[np.array(chain)], 2)
        shapes.append(shapely.simplify(shapely.LineString(bend), 1.5))
        kinds.append(KINDS[rank])
    return pd.DataFrame({"kind": kinds, "geom": shapes})
