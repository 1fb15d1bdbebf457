"""Small layers for tests of imported boundaries, and what their repair comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from shapely.geometry.base import BaseGeometry

from grid_boundaries.incoming.faces import Faces, faces
from grid_boundaries.incoming.outlines import Outlines, outlines
from grid_boundaries.incoming.owners import shares
from grid_boundaries.incoming.preview import preview
from grid_boundaries.incoming.tolerance import Tolerance

SRID = 4545


def rows_of(*rows: tuple[Any, Any, BaseGeometry | None]) -> GeoDataFrame:
    """Return rows as a file has them: code, name, geometry; numbered from 1."""
    codes, names, shapes = (list(column) for column in zip(*rows, strict=True))
    columns = {name: np.array(cells, dtype=object) for name, cells in
               (("code", codes), ("name", names))}  # fmt: skip
    table = GeoDataFrame(columns, geometry=np.array(shapes, dtype=object), crs=SRID)
    table.index = table.index + 1
    return table


def layer(**shapes: BaseGeometry) -> GeoDataFrame:
    """Return sound outlines by code."""
    return GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=SRID)


def mended(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry | None]:
    """Make small polygons valid here and now."""
    return [shapely.make_valid(shape, method="structure") for shape in shapes]


def read(*rows: tuple[Any, Any, BaseGeometry | None]) -> Outlines:
    """Return the outlines of some rows."""
    return outlines(rows_of(*rows), mend=mended)


def faces_of(grids: GeoDataFrame, within: Any = None, bounds: Tolerance | None = None) -> Faces:
    """Return the faces of sound outlines."""
    return faces(grids, within=within, bounds=bounds or Tolerance())


def repaired(
    grids: GeoDataFrame, within: Any = None, bounds: Tolerance | None = None
) -> GeoDataFrame:
    """Return the preview of sound outlines."""
    return preview(shares(faces_of(grids, within, bounds)))


def areas(blocks: GeoDataFrame) -> dict[tuple[str, str | None], float]:
    """Return the square metres of each kind of block and code, to the square centimetre."""
    found: dict[tuple[str, str | None], float] = {}
    for kind, code, shape in zip(blocks["kind"], blocks["code"], blocks.geometry, strict=True):
        found[kind, code] = round(found.get((kind, code), 0.0) + shape.area, 4)
    return found
