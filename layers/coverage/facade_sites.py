"""Façade sites: posts along walls, and which views from them add most to what is seen already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, vstack
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import Malformed
from layers.coverage.candidates import candidate_views, covers_of
from layers.coverage.checks import require_areas, require_one_metric_crs
from layers.coverage.figures import TOLERANCE_M
from layers.coverage.siting import best_sites
from layers.coverage.snaps import CLEAR_M
from layers.coverage.visibility import visible_areas


@dataclass(frozen=True)
class NextCameras:
    """Cameras proposed, the one that adds most first, and the certificate of the choice.

    Attributes
    ----------
    cameras
        As `candidate_views` gives them, with ``added`` (weight that no earlier one sees).
    candidates
        Views that were to choose from.
    seen
        Weight seen before.
    added
        Weight that the proposed cameras add together.
    bound
        What no choice of as many candidates can add more than.
    """

    cameras: GeoDataFrame
    candidates: int
    seen: float
    added: float
    bound: float

    @property
    def gap(self) -> float:
        """How far what is added may be from the best possible, as a share of that."""
        return 1.0 - self.added / self.bound if self.bound > 0 else 0.0


def facade_posts(
    buildings: GeoSeries, *, spacing_m: float, within: BaseGeometry | None = None
) -> GeoSeries:
    """Return points in front of façades, at most one in each square of `spacing_m`.

    A post stands `CLEAR_M` off its own wall and no nearer to any other; walls in courtyards have
    none. Which of a square's points it is follows the order of the buildings.

    Parameters
    ----------
    buildings
        Footprints, metres; they may overlap.
    spacing_m
        Side of the squares and step along a wall, over 0.
    within
        Only posts in this area; everywhere where it is None.

    Raises
    ------
    Malformed
        A spacing that is not over 0.
    CoverageRefused
        CRS missing or not metric; a footprint invalid.
    """
    if not (np.isfinite(spacing_m) and spacing_m > 0):
        raise Malformed(
            "spacing-out-of-bounds",
            "立杆间距须为正的有限数（米）",
            "spacing_m must be finite and over 0",
        )
    require_one_metric_crs(buildings)
    require_areas(buildings, "建筑物轮廓", "building footprints")
    shapes = buildings.to_numpy()
    points = _along(shapes, spacing_m)
    if within is not None:
        shapely.prepare(within)
        points = points[shapely.intersects(within, points)]
    # a hair less than the posts' own distance, which rounding may shorten
    blocked = shapely.STRtree(shapes).query(points, "dwithin", distance=0.9 * CLEAR_M)[0]
    free = np.delete(points, np.unique(blocked))
    squares = np.floor(shapely.get_coordinates(free) / spacing_m)
    first = np.unique(squares, axis=0, return_index=True)[1]
    return GeoSeries(free[np.sort(first)], crs=buildings.crs)


def next_cameras(
    posts: GeoSeries,
    buildings: GeoSeries,
    homes: GeoDataFrame,
    standing: GeoSeries,
    *,
    cameras: int,
    bearings_deg: ArrayLike,
    range_m: float,
    view_angle_deg: float,
    at_most_a_post: int,
    within_s: float,
) -> NextCameras:
    """Return the cameras that bring most weight of homes into sight beside those that stand.

    Parameters
    ----------
    posts
        Where a camera may be put, as by `facade_posts`.
    buildings
        Footprints that hide.
    homes
        Points or footprints with ``weight``; seen when a view reaches their façade.
    standing
        Views of the cameras that stand; what they see counts as seen.
    cameras
        How many may be added.
    bearings_deg, range_m, view_angle_deg
        Of the views from every post.
    at_most_a_post
        How many cameras one post may carry.
    within_s
        As in `best_sites`.

    Raises
    ------
    CoverageRefused, SitingRefused
        As in `candidate_views`, `visible_areas` and `best_sites`.
    """
    asked = candidate_views(posts, bearings_deg, range_m=range_m, view_angle_deg=view_angle_deg)
    facades = homes.geometry.buffer(TOLERANCE_M)
    old = covers_of(standing, facades)
    new = covers_of(visible_areas(asked, buildings), facades)
    # posts of the standing cameras are nobody else's
    post = np.concatenate([-1 - np.arange(old.shape[0]), _numbered(asked["post"].to_numpy())])
    post += old.shape[0]
    weight = homes["weight"].to_numpy(dtype=np.float64)
    found = best_sites(
        csr_array(vstack([old, new], format="csr")),
        weight,
        min(cameras, len(asked)),
        fixed=np.arange(old.shape[0]),
        per_post=(post, at_most_a_post),
        within_s=within_s,
    )
    chosen = found.chosen[old.shape[0] :] - old.shape[0]
    seen = _held(old) > 0
    rows, added = _in_order(new, chosen, np.where(seen, 0.0, weight))
    before = float(weight[seen].sum())
    return NextCameras(
        GeoDataFrame(asked.iloc[rows].assign(added=added)).reset_index(drop=True),
        len(asked),
        before,
        float(sum(added)),
        found.bound - before,
    )


def _along(shapes: np.ndarray, spacing_m: float) -> np.ndarray:
    """Return points along the outlines of shapes, off them by `CLEAR_M`."""
    parts = shapely.get_parts(shapely.buffer(shapes, CLEAR_M, join_style="mitre"))
    walls = shapely.get_exterior_ring(parts)
    number = np.maximum(np.ceil(shapely.length(walls) / spacing_m), 1).astype(np.int64)
    wall = np.repeat(np.arange(len(walls)), number)
    rank = np.arange(len(wall)) - np.repeat(np.cumsum(number) - number, number)
    at = (rank + 0.5) / number[wall]
    return np.asarray(shapely.line_interpolate_point(walls[wall], at, normalized=True))


def _numbered(names: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.int64)


def _held(covers: csr_array) -> np.ndarray:
    return np.bincount(covers.indices, minlength=covers.shape[1])


def _in_order(
    covers: csr_array, chosen: np.ndarray, weight: np.ndarray
) -> tuple[list[int], list[float]]:
    """Return the chosen rows, always the one that adds most next, and what each adds."""
    left, weight = chosen.tolist(), weight.copy()
    rows: list[int] = []
    added: list[float] = []
    while left:
        gains = [float(weight[_demands(covers, row)].sum()) for row in left]
        best = int(np.argmax(gains))
        added.append(gains[best])
        rows.append(left.pop(best))
        weight[_demands(covers, rows[-1])] = 0.0
    return rows, added


def _demands(covers: csr_array, row: int) -> np.ndarray:
    return np.asarray(covers.indices[covers.indptr[row] : covers.indptr[row + 1]])
