"""From local metres to stored degrees, on a lattice of a billionth of a degree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer

from gis_service.demo.lines import Lines
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Floats

DIGITS = 9


@dataclass(frozen=True)
class Placing:
    """How local metres lie in the metric CRS: scaled about the county's centre, then moved."""

    centre_local_m: Floats
    centre_metric_m: Floats
    scale: float
    srid: int

    def metric(self, points_m: Floats) -> Floats:
        """Return local points in the metric CRS."""
        return (points_m - self.centre_local_m) * self.scale + self.centre_metric_m

    def metric_shapes(self, shapes: Lines) -> Lines:
        """Return local shapes in the metric CRS."""
        return np.asarray(shapely.transform(shapes, self.metric))

    def stored(self, shapes: Lines) -> Lines:
        """Return local shapes as EPSG:4490 degrees; equal vertices stay equal."""
        back = Transformer.from_crs(self.srid, 4490, always_xy=True)

        def degrees(points: Floats) -> Floats:
            at = self.metric(points)
            return np.round(np.column_stack(back.transform(at[:, 0], at[:, 1])), DIGITS)

        return np.asarray(shapely.transform(shapes, degrees))

    def local(self, lonlat: Floats) -> Floats:
        """Return stored degrees as local metres."""
        forward = Transformer.from_crs(4490, self.srid, always_xy=True)
        at = np.column_stack(forward.transform(lonlat[:, 0], lonlat[:, 1]))
        return (at - self.centre_metric_m) / self.scale + self.centre_local_m

    def points(self, points_m: Floats) -> Lines:
        """Return local points as EPSG:4490 point shapes."""
        return self.stored(np.asarray(shapely.points(points_m)))


def placing(plan: Plan) -> Placing:
    """Return the placing that gives the county its published area and its centre."""
    site = plan.site
    forward = Transformer.from_crs(4490, site.metric_srid, always_xy=True)
    area = float(shapely.area(plan.blocks["geom"].to_numpy()).sum())
    seat = plan.land.centre_m(plan.home.town_seats[:1])[0]
    scale = float(np.sqrt(site.area_m2 / area))
    return Placing(seat, np.array(forward.transform(*site.centre)), scale, site.metric_srid)
