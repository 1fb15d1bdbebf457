"""Assignment beside the database: the same law as one SQL statement gives the same answers."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from geopandas import GeoSeries
from sqlalchemy import Connection, text

from layers.assign import assign_flagged
from tests.ground import Points, crooked_tiles, trying_points

# st_relate asks GEOS, which decides exactly; st_intersects(polygon, point) has a shortcut of its
# own that takes points within rounding of a border, here 1e-13 m, for points on it
LAW = text("""
    select coalesce(held.code, nearest.code), case
        when held.code is not null then 'inside'
        when nearest.code is not null then 'near'
        else 'outside' end
    from tried_point as point
    left join lateral (
        select min(tile.code collate "C") as code from tried_tile as tile
        where tile.geom && point.geom and not st_relate(tile.geom, point.geom, 'FF*FF****')
    ) as held on true
    left join lateral (
        select tile.code from tried_tile as tile
        where st_distance(tile.geom, point.geom) <= 1
        order by st_distance(tile.geom, point.geom), tile.code collate "C" limit 1
    ) as nearest on true
    order by point.number
""")


def by_database(
    connection: Connection, points: Points, tiles: GeoSeries
) -> list[tuple[str | None, str]]:
    """Return codes and how, as PostGIS answers."""
    connection.execute(text("create temporary table tried_tile (code text, geom geometry)"))
    connection.execute(text("create temporary table tried_point (number int, geom geometry)"))
    insert_tile = text("insert into tried_tile values (:code, st_geomfromwkb(:shape))")
    insert_point = text("insert into tried_point values (:number, st_point(:x, :y))")
    shapes = shapely.to_wkb(list(tiles))
    tile_rows: list[dict[str, Any]] = [
        {"code": code, "shape": shape} for code, shape in zip(tiles.index, shapes, strict=True)
    ]
    connection.execute(insert_tile, tile_rows)
    connection.execute(
        insert_point, [{"number": n, "x": x, "y": y} for n, (x, y) in enumerate(points.tolist())]
    )
    return [(code, how) for code, how in connection.execute(LAW)]


@pytest.mark.parametrize("every", [1, 3], ids=["a tiling", "tiles with gaps"])
def test_postgis_gives_every_point_the_same_code_and_reason(
    connection: Connection, every: int
) -> None:
    tiles = GeoSeries(crooked_tiles(8, 7, seed=11).iloc[::every])
    points = trying_points(tiles, 500)
    found, how = assign_flagged(points, tiles, tiles.index.to_numpy())
    assert list(zip(found, how, strict=True)) == by_database(connection, points, tiles)
