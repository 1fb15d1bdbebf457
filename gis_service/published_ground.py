"""The ground of a plan on the day it is published: shapes, areas, and a point in each grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from gis_service.planning import Desk
from grid_boundaries.crs import in_metres
from grid_boundaries.plan_state import State
from layers.plan_ground import shapes_of


@dataclass(frozen=True)
class Ground:
    """Blocks of a plan on the day it is published: stored degrees, and metres of all of them."""

    shapes: GeoSeries
    metric: GeoSeries

    @cached_property
    def area_m2(self) -> dict[str, float]:
        """Area by block."""
        return dict(zip(self.metric.index, self.metric.area.tolist(), strict=True))

    @cached_property
    def _row(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.shapes.index.tolist())}

    def grid_m2(self, state: State, code: str) -> float:
        """Return the area of a grid."""
        return float(sum(self.area_m2[name] for name in state.blocks_of(code)))

    def polygons(self, state: State, codes: Mapping[str, str]) -> dict[str, BaseGeometry]:
        """Return the union of the blocks of some grids, by lasting code, stored degrees."""
        return {lasting: self._union(self.shapes, state, code) for code, lasting in codes.items()}

    def point_in(self, state: State, code: str) -> tuple[float, float]:
        """Return a point inside a grid, metres."""
        point = shapely.point_on_surface(self._union(self.metric, state, code))
        return (float(shapely.get_x(point)), float(shapely.get_y(point)))

    def _union(self, shapes: GeoSeries, state: State, code: str) -> BaseGeometry:
        rows = sorted(self._row[name] for name in state.blocks_of(code))
        return shapely.coverage_union_all(np.asarray(shapes.array, dtype=object)[rows])


@dataclass(frozen=True)
class Points(Mapping[str, tuple[float, float]]):
    """A point inside each grid of a state, found when it is asked for: few grids get new codes."""

    ground: Ground
    state: State

    def __getitem__(self, code: str) -> tuple[float, float]:
        return self.ground.point_in(self.state, code)

    def __iter__(self) -> Iterator[str]:
        return (code for code in self.state.grids if self.state.blocks_of(code))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def published_ground(desk: Desk, state: State) -> Ground:
    """Return the ground of every block of a state."""
    shapes = shapes_of(desk.connection, desk.view, state)
    return Ground(shapes, in_metres(shapes, desk.srid))
