"""Compactness as PostGIS has it, contiguity as networkx has it on ten thousand random graphs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries
from shapely import MultiPolygon, Polygon, affinity
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from grid_boundaries.blocks import is_contiguous, pieces
from grid_boundaries.ground import ground_of
from grid_boundaries.measures import compactness, hull_ratio, polsby_popper, reock
from grid_boundaries.plan_state import Grid, state_of

SHAPES = 400
GRAPHS = 10_000
RATIOS = text("""
    select 4 * pi() * st_area(geom) / st_perimeter(geom) ^ 2,
        st_area(geom) / (pi() * (st_minimumboundingradius(geom)).radius ^ 2),
        st_area(geom) / st_area(st_convexhull(geom))
    from tried_shape order by number
""")


def star(rng: np.random.Generator, corners: int, at: tuple[float, float], r_m: float) -> Polygon:
    """Return a ragged polygon round a point."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = r_m * rng.uniform(0.2, 1.0, corners)
    points = np.column_stack([at[0] + reach * np.cos(angle), at[1] + reach * np.sin(angle)])
    found = shapely.Polygon(points)
    # a corner turned over the middle may cross itself; its hull never does
    return found if found.is_valid and found.area > 0 else shapely.Point(at).buffer(r_m, 2)


def shapes() -> GeoSeries:
    """Return ragged polygons, some with a hole, some of several parts, slivers and squares."""
    rng, found = np.random.default_rng(15), []
    for number in range(SHAPES):
        x, y = rng.uniform(0, 1e6, 2)
        one: BaseGeometry = star(rng, int(rng.integers(3, 40)), (x, y), float(rng.uniform(1, 3000)))
        kind = number % 5
        if kind == 1:  # a hole
            one = one.difference(affinity.scale(one, 0.3, 0.3, origin=(x, y)))
        elif kind == 2:  # several parts
            one = shapely.union(one, star(rng, 9, (x + 9000, y), 2000.0))
        elif kind == 3:  # a ribbon
            one = shapely.box(x, y, x + 1e4, y + 10 ** rng.uniform(-2, 2))
        found.append(one)
    return GeoSeries(found, crs=4545)


def test_the_three_ratios_are_those_of_postgis(connection: Connection) -> None:
    tried = shapes()
    assert {type(one) for one in tried} == {Polygon, MultiPolygon}
    connection.execute(text("create temporary table tried_shape (number int, geom geometry)"))
    connection.execute(
        text("insert into tried_shape values (:number, st_geomfromwkb(:shape))"),
        [{"number": n, "shape": shape} for n, shape in enumerate(shapely.to_wkb(tried.to_numpy()))],
    )
    theirs = np.array([tuple(row) for row in connection.execute(RATIOS)])
    ours = np.column_stack([measure(tried) for measure in (polsby_popper, reock, hull_ratio)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0)
    np.testing.assert_allclose(compactness(tried.to_numpy()), theirs, rtol=1e-6, atol=0)


def random_graphs(count: int, seed: int) -> tuple[pd.Series, pd.DataFrame]:
    """Return the grid of each block and who touches whom in many small random countries.

    A country has up to 14 blocks in up to four grids; some blocks are in none. Pairs come in
    either order, some twice, some with a block that nobody knows.
    """
    rng = np.random.default_rng(seed)
    blocks, codes, first, second = [], [], [], []
    for country in range(count):
        size, share = int(rng.integers(1, 15)), rng.uniform(0.0, 0.5)
        blocks += [f"{country}/{number}" for number in range(size)]
        held = rng.integers(0, int(rng.integers(1, 5)), size)
        codes += [f"{country}-{code}" if rng.random() > 0.1 else None for code in held]
        a, b = np.nonzero(rng.random((size, size)) < share)
        first += [f"{country}/{number}" for number in a[a != b]]
        second += [f"{country}/{number}" for number in b[a != b]]
        if rng.random() < 0.1:
            first.append(f"{country}/0")
            second.append(f"{country}/unknown")
    grid_of = pd.Series(codes, index=pd.Index(blocks, dtype=object), dtype=object)
    return grid_of, pd.DataFrame({"a": first, "b": second, "shared_m": 1.0})


def parts_by_networkx(grid_of: pd.Series, touching: pd.DataFrame) -> dict[str, int]:
    """Return the number of parts of each grid, grid by grid."""
    held = {block: code for block, code in grid_of.items() if code is not None}
    graph = nx.Graph()
    graph.add_nodes_from(held)
    pairs = touching[["a", "b"]].itertuples(index=False)
    graph.add_edges_from((a, b) for a, b in pairs if a in held and held[a] == held.get(b))
    found: dict[str, int] = {}
    for part in nx.connected_components(graph):
        code = str(held[next(iter(part))])
        assert {held[block] for block in part} == {code}
        found[code] = found.get(code, 0) + 1
    return found


def test_contiguity_is_that_of_networkx_on_ten_thousand_random_graphs() -> None:
    grid_of, touching = random_graphs(GRAPHS, seed=7)
    expected = parts_by_networkx(grid_of, touching)
    assert pieces(grid_of, touching).to_dict() == expected
    assert 0.3 < np.mean(np.array(list(expected.values())) == 1) < 0.95  # of both kinds


def test_the_parts_that_the_checks_see_are_the_same() -> None:
    grid_of, touching = random_graphs(GRAPHS // 10, seed=8)
    known = touching[touching["a"].isin(grid_of.index) & touching["b"].isin(grid_of.index)]
    nobody = pd.DataFrame(0, index=grid_of.index, columns=["people", "households"])
    ground = ground_of(nobody, dict.fromkeys(grid_of.index, "v"), known)
    grids = [Grid(code, code, "v") for code in sorted(grid_of.dropna().unique())]
    held = {str(block): code for block, code in grid_of.items()}
    parts = ground.parts(state_of(held, grids))
    assert {code: len(own) for code, own in parts.items()} == parts_by_networkx(grid_of, touching)
    assert sum(len(part) for own in parts.values() for part in own) == grid_of.notna().sum()


@pytest.mark.parametrize("seed", range(60))
def test_one_grid_at_a_time_gives_the_same_answer(seed: int) -> None:
    grid_of, touching = random_graphs(1, seed=1000 + seed)
    expected = parts_by_networkx(grid_of, touching)
    for code, parts in expected.items():
        assert is_contiguous(list(grid_of.index[grid_of == code]), touching) == (parts == 1)
