"""The ground that cameras are compared with: the county, its units and grids, houses, streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Shapes = npt.NDArray[Any]
SAMPLE_M = 4.0


def no_shapes() -> Shapes:
    """Return an array of no shapes."""
    return np.empty(0, dtype=object)


@dataclass(frozen=True)
class CameraGround:
    """What is known of the ground that cameras stand on, in metres of one CRS.

    Parameters
    ----------
    county_code
        Six digits; whatever else it is, the codes of devices are not held against it.
    metric_srid
        EPSG number of the county's metric CRS.
    outline_m
        The county's outline, valid.
    buildings_m, streets_m
        Footprints and middles of streets; either may be empty.
    areas_m
        Outlines by the code of a unit, grid or block that a row may state.
    """

    county_code: str
    metric_srid: int
    outline_m: BaseGeometry
    buildings_m: Shapes = field(default_factory=no_shapes)
    streets_m: Shapes = field(default_factory=no_shapes)
    areas_m: Mapping[str, BaseGeometry] = field(default_factory=dict)

    @cached_property
    def buildings(self) -> shapely.STRtree:
        """The footprints, indexed."""
        return shapely.STRtree(self.buildings_m)

    @cached_property
    def walls(self) -> shapely.STRtree:
        """Their walls, indexed."""
        return shapely.STRtree(shapely.boundary(self.buildings_m))

    @cached_property
    def lines_m(self) -> Shapes:
        """What cameras stand along: streets in straight pieces."""
        return _straight_pieces(self.streets_m)

    @cached_property
    def lines(self) -> shapely.STRtree:
        """Those lines, indexed."""
        return shapely.STRtree(self.lines_m)

    @cached_property
    def samples_m(self) -> Floats:
        """Points along those lines, no two within 4 m of each other, by their first coordinate."""
        points = shapely.get_coordinates(shapely.segmentize(self.lines_m, SAMPLE_M))
        _, first = np.unique(np.rint(points / SAMPLE_M).astype(np.int64), axis=0, return_index=True)
        kept = points[first]
        return np.asarray(kept[np.argsort(kept[:, 0], kind="stable")], dtype=np.float64)


def _straight_pieces(lines: Shapes) -> Shapes:
    """Return lines as segments: to the nearest of those it is measured faster by far."""
    points, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    # a point that is drawn twice makes no piece
    joined = (line[1:] == line[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    ends = np.stack([points[:-1][joined], points[1:][joined]], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object)


def points_of(points_m: Floats) -> Shapes:
    """Return points of coordinates, shape (n, 2); POINT EMPTY where they are not finite."""
    return np.asarray(shapely.points(points_m), dtype=object)


def distance_m(points_m: Floats, tree: shapely.STRtree, farthest_m: float) -> Floats:
    """Return how far each point is from the nearest shape; inf beyond `farthest_m`."""
    found = np.full(len(points_m), np.inf)
    if len(points_m) and len(tree.geometries):
        (point, _), away_m = tree.query_nearest(
            points_of(points_m),
            max_distance=farthest_m,
            return_distance=True,
            all_matches=False,
        )
        found[point] = away_m
    return found
