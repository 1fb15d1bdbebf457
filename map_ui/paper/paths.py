"""Shapes in metres as the paths of an SVG drawing in millimetres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from map_ui.paper.frame import Frame

FINEST_MM = 0.05  # what is smaller is not seen on paper
DECIMALS = 2
Geometries = npt.NDArray[np.object_]


def on_one_paper(polygons: Sequence[BaseGeometry], frame: Frame) -> list[BaseGeometry]:
    """Return polygons without what the paper cannot show, borders that were common still common.

    Simplified as one coverage and never one by one, which would open gaps between neighbours;
    where they are no coverage, each keeps its shape.
    """
    whole = np.array(polygons, dtype=object)
    if len(whole) == 0 or not shapely.coverage_is_valid(whole):
        return list(polygons)
    return list(shapely.coverage_simplify(whole, FINEST_MM * frame.m_per_mm))


def line_on_paper(line: BaseGeometry, frame: Frame) -> BaseGeometry:
    """Return the part of a line that lies on the paper, simplified to what is seen."""
    inside = shapely.clip_by_rect(line, *frame.bounds_m)
    return inside.simplify(FINEST_MM * frame.m_per_mm)


def path_of(geometry: BaseGeometry, frame: Frame) -> str:
    """Return the ``d`` of a path: rings closed, holes and parts one after another.

    Fill it by the even-odd rule. Points and empty geometries give an empty path.
    """
    parts = shapely.get_parts(geometry)
    words = []
    for part in parts:  # a path is text: one move a ring
        if part.geom_type == "Polygon":
            words += [_ring(ring, frame) for ring in shapely.get_rings(part)]
        elif part.geom_type in {"LineString", "LinearRing"}:
            words.append(_line(part, frame))
    return "".join(words)


def _ring(ring: BaseGeometry, frame: Frame) -> str:
    points = _points(ring, frame)[:-1]
    return f"M{'L'.join(points)}Z" if points else ""


def _line(line: BaseGeometry, frame: Frame) -> str:
    points = _points(line, frame)
    return f"M{'L'.join(points)}" if points else ""


def _points(line: BaseGeometry, frame: Frame) -> list[str]:
    xy = frame.on_paper(shapely.get_coordinates(line)).round(DECIMALS) + 0.0
    return [f"{x:g} {y:g}" for x, y in xy.tolist()]
