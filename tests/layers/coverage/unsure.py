"""Seeded cameras of uncertain bearing and place, and true views of them to judge bounds by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from grid_boundaries.topology import polygons_only
from layers.coverage.visibility import certain_areas, possible_areas, visible_areas
from tests.layers.coverage.scenes import CRS, areas, turned_boxes

SIDE_M = 200.0
ANGLES_DEG = (360.0, 60.0, 90.0, 120.0, 200.0, 45.0)


@dataclass(frozen=True)
class Unsure:
    """One camera among some buildings."""

    x_m: float
    y_m: float
    azimuth_deg: float
    view_angle_deg: float
    range_m: float
    azimuth_error_deg: float
    position_error_m: float
    buildings: GeoSeries

    def frame(self) -> GeoDataFrame:
        columns = {
            "azimuth_deg": [self.azimuth_deg],
            "view_angle_deg": [self.view_angle_deg],
            "range_m": [self.range_m],
            "azimuth_error_deg": [self.azimuth_error_deg],
            "position_error_m": [self.position_error_m],
        }
        return GeoDataFrame(columns, geometry=[shapely.Point(self.x_m, self.y_m)], crs=CRS)

    def certain(self) -> Any:
        return certain_areas(self.frame(), self.buildings).iloc[0]

    def possible(self) -> Any:
        return possible_areas(self.frame(), self.buildings).iloc[0]

    def room(self) -> Any:
        """Where the camera may stand: the disc less the houses."""
        disc = shapely.Point(self.x_m, self.y_m).buffer(self.position_error_m, quad_segs=64)
        houses = shapely.union_all(self.buildings.to_numpy(), grid_size=1e-6)
        return polygons_only(np.array([shapely.difference(disc, houses)], dtype=object))[0]

    def truths(self, rng: np.random.Generator, count: int = 200) -> NDArray[Any]:
        """Views from random positions and bearings, extremes among them; none from indoors."""
        turn = rng.uniform(0, 2 * np.pi, count)
        # a tenth of them stand on the rim
        share = np.where(np.arange(count) % 10 == 9, 1 - 1e-9, np.sqrt(rng.uniform(0, 1, count)))
        away_m = self.position_error_m * share
        x_m, y_m = self.x_m + away_m * np.cos(turn), self.y_m + away_m * np.sin(turn)
        error_deg = self.azimuth_error_deg * rng.uniform(-1, 1, count)
        error_deg[:2] = -self.azimuth_error_deg, self.azimuth_error_deg
        blocks = shapely.union_all(self.buildings.to_numpy(), grid_size=1e-6)
        outside = ~shapely.intersects_xy(blocks, x_m, y_m)
        return self._views(np.column_stack([x_m, y_m])[outside], error_deg[outside])

    def spread_truths(self, rng: np.random.Generator, count: int = 200) -> NDArray[Any]:
        """Views from positions along the outline of the room, its corners too, and inside it."""
        room = shapely.buffer(self.room(), -1e-6)
        if room.is_empty:
            return self._views(np.empty((0, 2)), np.empty(0))
        corners = shapely.get_coordinates(shapely.simplify(room, 0.02 * self.position_error_m))
        rings = shapely.boundary(room)
        along_m = np.linspace(0, rings.length, max(3 * count // 4 - len(corners), 1))
        outline = shapely.get_coordinates(shapely.line_interpolate_point(rings, along_m))
        inside = self._inside(room, rng, count - len(outline) - len(corners))
        xy = np.concatenate([corners, outline, inside])
        return self._views(xy, np.zeros(len(xy)))

    def _inside(self, room: Any, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        found = np.empty((0, 2))
        west, south, east, north = room.bounds
        while len(found) < count:
            tried = rng.uniform((west, south), (east, north), (4 * count, 2))
            found = np.concatenate([found, tried[shapely.contains_xy(room, *tried.T)]])
        return found[: max(count, 0)]

    def _views(self, xy: NDArray[np.float64], error_deg: NDArray[np.float64]) -> NDArray[Any]:
        columns = {
            "azimuth_deg": self.azimuth_deg + error_deg,
            "view_angle_deg": np.full(len(xy), self.view_angle_deg),
            "range_m": np.full(len(xy), self.range_m),
        }
        frame = GeoDataFrame(columns, geometry=shapely.points(xy), crs=CRS)
        return visible_areas(frame, self.buildings).to_numpy()


def unsure_case(seed: int, *, azimuth: bool, position: bool) -> Unsure:
    """A camera near the middle of four hectares with up to 40 houses."""
    rng = np.random.default_rng([seed, azimuth, position])
    shapes = turned_boxes(rng, int(rng.integers(0, 40)), SIDE_M, (4.0, 24.0))
    x_m, y_m = rng.uniform(60, 140, 2).tolist()
    return Unsure(
        x_m=x_m,
        y_m=y_m,
        azimuth_deg=float(rng.uniform(0, 360)),
        view_angle_deg=float(rng.choice(ANGLES_DEG)),
        range_m=float(rng.uniform(30, 120)),
        azimuth_error_deg=float(rng.choice([5, 10, 22.5])) if azimuth else 0.0,
        position_error_m=float(rng.uniform(0.5, 15)) if position else 0.0,
        buildings=areas(*shapes),
    )


def dense_case(seed: int) -> Unsure:
    """The same camera of uncertain place with 25 to 60 houses on the four hectares."""
    rng = np.random.default_rng([seed, 77])
    shapes = turned_boxes(rng, int(rng.integers(25, 60)), SIDE_M, (4.0, 24.0))
    return replace(unsure_case(seed, azimuth=False, position=True), buildings=areas(*shapes))


def escaped_m2(case: Unsure, truths: NDArray[Any]) -> float:
    """The largest area by which ``certain ⊆ truth ⊆ possible`` fails for some truth."""
    certain, possible = case.certain(), case.possible()
    assert certain.is_valid
    assert possible.is_valid
    if not len(truths):
        return float(certain.area)
    shapely.prepare(possible)
    over = truths[~shapely.covers(possible, truths) & ~shapely.is_empty(truths)]
    short = truths[~shapely.covers(truths, certain)] if not certain.is_empty else truths[:0]
    beyond = shapely.area(shapely.difference(over, possible))
    unseen = shapely.area(shapely.difference(certain, short))
    return float(max(beyond.max(initial=0.0), unseen.max(initial=0.0)))


def tightness(case: Unsure, truths: NDArray[Any]) -> tuple[float, float]:
    """Certain ground by the intersection of truths (1 where that is nothing), possible by union."""
    common = truths[0]
    for truth in truths[1:]:
        both = np.array([shapely.intersection(common, truth, grid_size=1e-7)], dtype=object)
        common = polygons_only(both)[0]
        if common.is_empty:
            break
    union = shapely.union_all(truths, grid_size=1e-7)
    certain = case.certain().area / common.area if common.area > 1e-3 else 1.0
    return certain, case.possible().area / union.area
