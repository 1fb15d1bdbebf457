"""Ground beside the database: blind ground and times seen of a small town as PostGIS has them.

PostGIS takes one union of all that covers anything; the product goes grid by grid, on a grid of
1 µm. Scenes are fifty-six crooked grids with houses and cameras across their borders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from shapely import affinity
from sqlalchemy import Connection, TextClause, text

from grid_boundaries.view import View
from layers.coverage.figures import ground_figures
from layers.coverage.ground import blind_ground, k_coverage, open_ground
from layers.coverage.refresh import refresh
from layers.coverage.times import seen_ground
from layers.coverage.visibility import visible_areas
from tests.county import COUNTY_PATH, NOW, build
from tests.ground import crooked_tiles
from tests.layers.coverage.scenes import areas, camera_frame, random_cameras, turned_boxes

RELATIVE = 1e-6
SIDE_M = 800.0
SEEDS = (1, 2)

BLIND = text("""
    with cover as (select st_union(geom) as geom from tried_shape where kind <> 'grid')
    select st_area(st_difference(own.geom, cover.geom))
    from tried_shape as own, cover where own.kind = 'grid' order by own.number
""")
OPEN = text("""
    with built as (select st_union(geom) as geom from tried_shape where kind = 'house')
    select st_area(st_difference(own.geom, built.geom))
    from tried_shape as own, built where own.kind = 'grid' order by own.number
""")
SEEN_INSIDE = text("""
    select coalesce(sum(st_area(st_intersection(own.geom, seen.geom))), 0)
    from tried_shape as own left join tried_shape as seen
      on seen.kind = 'view' and st_intersects(own.geom, seen.geom)
    where own.kind = 'grid' group by own.number order by own.number
""")
SUMS = text("""
    select sum(st_area(geom)), st_area(st_union(geom)) from tried_shape where kind = 'view'
""")
BY_TWO = text("""
    select st_area(st_union(st_intersection(one.geom, other.geom)))
    from tried_shape as one join tried_shape as other
      on one.number < other.number and st_intersects(one.geom, other.geom)
    where one.kind = 'view' and other.kind = 'view'
""")
STORED = text("""
    with metric as (
        select 'cover' as kind, '' as code, st_transform(geom, 4545) as geom from camera_view
        union all select 'cover', '', st_transform(geom, 4545) from building
        union all select 'grid', code, st_transform(geom, 4545) from grid where valid_to is null
    ), cover as (select st_union(geom) as geom from metric where kind = 'cover')
    select own.code, st_area(st_difference(own.geom, cover.geom)), figure.open_m2 - figure.seen_m2
    from metric as own join grid_coverage as figure on figure.grid_code = own.code, cover
    where own.kind = 'grid' order by own.code
""")


@dataclass(frozen=True)
class Town:
    """Grids, what cameras see in them, and footprints."""

    grids: GeoSeries
    views: GeoSeries
    buildings: GeoSeries


def town(seed: int, *, cameras: int = 45, houses: int = 150) -> Town:
    """Houses that overlap, touch, repeat and have courts; the east has no camera."""
    rng = np.random.default_rng([seed, 56])
    shapes = turned_boxes(rng, houses, SIDE_M)
    shapes[::5] = [shape.difference(shape.buffer(-3)) for shape in shapes[::5]]
    terrace = [affinity.translate(shapely.box(0, 0, 9, 12), 300 + 9 * n, 350) for n in range(12)]
    buildings = areas(*shapes, *terrace, *shapes[:4])
    frame = camera_frame(random_cameras(rng, cameras, 0.7 * SIDE_M))
    return Town(crooked_tiles(8, 7, seed=seed), visible_areas(frame, buildings), buildings)


def laid(connection: Connection, it: Town) -> None:
    """Put a town's shapes into the database, every one as the bytes that the product has."""
    connection.execute(
        text("create temporary table tried_shape (kind text, number int, geom geometry)")
    )
    insert = text("insert into tried_shape values (:kind, :number, st_geomfromwkb(:shape))")
    for kind, shapes in (("grid", it.grids), ("view", it.views), ("house", it.buildings)):
        rows: list[dict[str, Any]] = [
            {"kind": kind, "number": number, "shape": shape}
            for number, shape in enumerate(shapely.to_wkb(shapes.to_numpy()))
        ]
        connection.execute(insert, rows)


def column(connection: Connection, statement: TextClause) -> NDArray[np.float64]:
    return np.array(connection.execute(statement).scalars().all(), dtype=np.float64)


@pytest.fixture(params=SEEDS)
def both(request: pytest.FixtureRequest, connection: Connection) -> tuple[Town, Connection]:
    it = town(request.param)
    laid(connection, it)
    return it, connection


def test_blind_ground_of_every_grid_is_what_postgis_leaves(both: tuple[Town, Connection]) -> None:
    it, connection = both
    expected_m2 = column(connection, BLIND)
    assert len(expected_m2) >= 40
    # grids unseen, seen in part and seen up to the last metre are all among them
    share = expected_m2 / column(connection, OPEN)
    assert share.min() < 0.1
    assert share.max() > 0.999
    found_m2 = blind_ground(it.grids, it.views, it.buildings).area.to_numpy()
    assert np.abs(found_m2 - expected_m2).max() <= RELATIVE * it.grids.area.min()
    told = expected_m2 > 1
    assert np.abs(found_m2[told] / expected_m2[told] - 1).max() <= RELATIVE


def test_open_ground_of_every_grid_is_what_postgis_leaves(both: tuple[Town, Connection]) -> None:
    it, connection = both
    found_m2 = open_ground(it.grids, it.buildings).area.to_numpy()
    assert np.abs(found_m2 / column(connection, OPEN) - 1).max() <= RELATIVE


def test_open_less_blind_is_what_postgis_sees(both: tuple[Town, Connection]) -> None:
    it, connection = both
    figures = ground_figures(it.grids, it.views, it.buildings)
    seen_m2 = column(connection, OPEN) - column(connection, BLIND)
    assert np.abs(figures["seen_m2"] - seen_m2).max() <= RELATIVE * it.grids.area.min()


def test_areas_by_times_seen_add_up_to_the_sums_of_postgis(both: tuple[Town, Connection]) -> None:
    it, connection = both
    sum_m2, union_m2 = connection.execute(SUMS).one()
    table = k_coverage(it.views)
    assert float((table["k"] * table["area_m2"]).sum()) == pytest.approx(sum_m2, rel=RELATIVE)
    assert float(table["area_m2"].sum()) == pytest.approx(union_m2, rel=RELATIVE)
    twice_m2 = float(table["area_m2"][table["k"] >= 2].sum())
    assert twice_m2 == pytest.approx(connection.scalar(BY_TWO), rel=RELATIVE)


def test_times_seen_inside_each_grid_add_up_as_in_postgis(both: tuple[Town, Connection]) -> None:
    it, connection = both
    _, times = seen_ground(it.grids, it.views)
    weighed_m2 = (times.to_numpy() * times.columns.to_numpy()).sum(axis=1)
    expected_m2 = column(connection, SEEN_INSIDE)
    assert (expected_m2 == 0).any()
    assert np.abs(weighed_m2 - expected_m2).max() <= RELATIVE * it.grids.area.min()


def test_stored_blind_ground_is_what_postgis_computes_from_what_is_stored(
    connection: Connection,
) -> None:
    build(connection)
    refresh(connection, View(actor="tester", scope=(COUNTY_PATH,)), NOW)
    rows = connection.execute(STORED).all()
    assert len(rows) == 8
    for code, expected_m2, found_m2 in rows:
        assert found_m2 == pytest.approx(expected_m2, rel=RELATIVE), code
