"""Made-up ground for tests: coverages with shared crooked borders, and points that try them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

Points = npt.NDArray[np.float64]

METRIC_SRID = 4545


def crooked_tiles(columns: int, rows: int, *, side_m: float = 100.0, seed: int = 1) -> GeoSeries:
    """Return tiles whose corners and edge middles are pushed about; neighbours share vertices."""
    rng = np.random.default_rng(seed)
    # every second lattice point is a corner, those between are the middles of edges
    lattice = np.stack(
        np.meshgrid(np.arange(2 * columns + 1), np.arange(2 * rows + 1), indexing="ij"), axis=-1
    ) * (side_m / 2)
    lattice = lattice + rng.integers(-12, 13, lattice.shape) * (side_m / 100)
    ring = np.array([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)])
    tiles = [
        shapely.Polygon(lattice[2 * column + ring[:, 0], 2 * row + ring[:, 1]])
        for row in range(rows)
        for column in range(columns)
    ]
    index = [f"B{number:06d}" for number in rng.permutation(len(tiles)) + 1]
    return GeoSeries(tiles, index=index, crs=METRIC_SRID)


def trying_points(tiles: GeoSeries, count: int, *, seed: int = 2) -> Points:
    """Return points anywhere, on corners, on borders, and just outside the whole."""
    rng = np.random.default_rng(seed)
    west, south, east, north = tiles.total_bounds
    anywhere = rng.uniform((west - 5, south - 5), (east + 5, north + 5), (count, 2))
    corners = shapely.get_coordinates(list(tiles))
    on_borders = (corners[1:] + corners[:-1]) / 2
    rim = GeoSeries(list(tiles)).union_all().boundary
    on_rim = np.array([_along(rim, share) for share in rng.uniform(0, 1, count)])
    close = on_rim + rng.uniform(-1.5, 1.5, (count, 2))
    one_metre_off = corners + rng.choice([-1.0, 1.0], corners.shape) * (1.0, 0.0)
    return np.concatenate([anywhere, corners, on_borders, on_rim, close, one_metre_off])


def _along(line: BaseGeometry, share: float) -> tuple[float, float]:
    place = line.interpolate(share, normalized=True)
    return place.x, place.y


def by_brute_force(point: Points, tiles: GeoSeries, codes: list[str]) -> tuple[str | None, str]:
    """Return the code of one point and how it got it, by asking every polygon in turn."""
    place = shapely.Point(point)
    holding = [code for code, tile in zip(codes, tiles, strict=True) if tile.intersects(place)]
    if holding:
        return min(holding), "inside"
    distances = [
        (tile.distance(place), code)
        for code, tile in zip(codes, tiles, strict=True)
        if not tile.is_empty
    ]
    if distances and min(distances)[0] <= 1.0:
        return min(distances)[1], "near"
    return None, "outside"
