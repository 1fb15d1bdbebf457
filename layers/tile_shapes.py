"""Outlines made coarser for small scales: a whole level at once, so that borders stay shared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import (
    Column,
    Connection,
    SmallInteger,
    Table,
    Text,
    delete,
    func,
    insert,
    literal,
    select,
)

from grid_boundaries.tables import TILE_SRID, code, metadata
from grid_boundaries.view import View
from layers.layer import Layer

# Deepest zoom of each band, and the detail that may go: about one pixel of a 512-pixel tile
# there, in web-Mercator metres (nothing is measured with these shapes).
BANDS: tuple[tuple[int, float], ...] = ((8, 305.0), (9, 110.0), (11, 38.0), (13, 9.5))

# layers drawn with simplified outlines, and the layer whose outlines they are
SHAPED: Mapping[str, str] = MappingProxyType(
    {"units": "units", "grids": "grids", "coverage": "grids"}
)

# no `unit_path`: outlines are reached only through the features of a layer, which are narrowed
tile_shape = Table(
    "tile_shape",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("band", SmallInteger, primary_key=True),
    code("key", primary_key=True),
    Column("geom", Geometry("Geometry", srid=TILE_SRID, spatial_index=False), nullable=False),
)


def band_of(zoom: int) -> int | None:
    """Return the band whose outlines are drawn at a zoom; None where the true ones are."""
    return next((band for band, (deepest, _) in enumerate(BANDS) if zoom <= deepest), None)


def refresh_shapes(connection: Connection, layer: Layer, everything: View) -> int:
    """Simplify the outlines of a layer for every band; return how many there are.

    Polygons of one level (an attribute `level` where the layer has one) are simplified
    together (`shapely.coverage_simplify`), so that neighbours keep one common border.
    """
    keys, levels, shapes = _outlines(connection, layer, everything)
    connection.execute(delete(tile_shape).where(tile_shape.c.layer == layer.name))
    for band, (_, tolerance_m) in enumerate(BANDS):
        coarse = _by_level(shapes, levels, tolerance_m)
        rows = [
            {"layer": layer.name, "band": band, "key": key, "geom": f"SRID={TILE_SRID};{shape.wkt}"}
            for key, shape in zip(keys, coarse, strict=True)
            if not shape.is_empty  # too small for the band: the true outline is drawn
        ]
        if rows:
            connection.execute(insert(tile_shape), rows)
    return len(keys)


def _outlines(
    connection: Connection, layer: Layer, everything: View
) -> tuple[list[str], npt.NDArray[Any], npt.NDArray[Any]]:
    feature = layer.features(everything).subquery().c
    level = feature.level if "level" in feature else literal("")
    outline = func.st_asbinary(feature.geom_3857)
    rows = connection.execute(select(feature.id, level, outline).order_by(feature.id)).all()
    shapes = shapely.from_wkb([bytes(row[2]) for row in rows])
    return [row[0] for row in rows], np.array([row[1] for row in rows]), np.asarray(shapes)


def _by_level(
    shapes: npt.NDArray[Any], levels: npt.NDArray[Any], tolerance_m: float
) -> npt.NDArray[Any]:
    coarse = np.empty(len(shapes), dtype=object)
    for level in np.unique(levels):
        chosen = levels == level
        coarse[chosen] = shapely.coverage_simplify(shapes[chosen], tolerance_m)
    return coarse
