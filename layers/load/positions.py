"""Where the rows of a source lie: points made, shapes checked, repaired and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from grid_boundaries.crs import named_crs, wgs84_from_bd09, wgs84_from_gcj02
from grid_boundaries.errors import Refused
from grid_boundaries.tables import STORED_SRID
from layers.load.columns import numbers
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.repair import repaired
from layers.load.shapes import ANY, AREAS, LINES, POINTS, shape_faults

Floats = npt.NDArray[np.float64]

KINDS = {"Point": POINTS, "LineString": LINES, "MultiPolygon": AREAS}
MULTIPOLYGON = 6  # shapely's number of the kind
UNSHIFTED: Mapping[str, Callable[[Floats], Floats]] = {
    "GCJ-02": wgs84_from_gcj02,
    "BD-09": wgs84_from_bd09,
}


def make_points(intake: Intake, source: Source) -> None:
    """Fill the shapes from two columns; rows without a position, or a broken one, fall out."""
    if source.point is None:
        return
    columns = [intake.table[name] for name in source.point]
    read = [numbers(column) for column in columns]
    lon, lat = (values for values, _ in read)
    bad = read[0][1] | read[1][1]
    shapes = shapely.points(lon, lat)
    intake.shapes = pd.Series(np.asarray(shapes), index=intake.table.index, dtype=object)
    facts = [
        dict(zip(source.point, map(str, cells), strict=True))
        for cells in zip(*(column[bad] for column in columns), strict=True)
    ]
    intake.reject(bad.index[bad], "not-a-number", facts)
    lacking = (lon.isna() | lat.isna())[~bad]
    intake.reject(lacking.index[lacking], "no-position")


def to_stored_crs(intake: Intake, source: Source, stated_crs: str) -> None:
    """Bring the shapes to EPSG:4490; refuse a file that contradicts its description.

    A source in GCJ-02 or BD-09 is moved back, whatever its file says: no file can say those.
    """
    if source.crs in UNSHIFTED:
        moved = shapely.transform(intake.shapes.to_numpy(), UNSHIFTED[source.crs])
        intake.shapes = pd.Series(moved, index=intake.shapes.index, dtype=object)
        return
    declared = named_crs(source.crs)
    if stated_crs and not declared.equals(named_crs(stated_crs), ignore_axis_order=True):
        raise Refused(
            "crs-differ",
            f"{source.name} 自称 {stated_crs[:40]}，而说明为 {source.crs}；请核对",
            f"{source.name} says {stated_crs[:40]}, its description {source.crs}; check them",
            source=source.name,
        )
    if declared.to_epsg() not in (4326, STORED_SRID):
        series = gpd.GeoSeries(intake.shapes.to_numpy(), crs=declared)
        moved = series.to_crs(STORED_SRID).to_numpy()
        intake.shapes = pd.Series(moved, index=intake.shapes.index, dtype=object)


def check_shapes(intake: Intake, source: Source, shape: str, metric_crs: CRS) -> None:
    """Take out the rows whose geometry is faulty, repairing invalid polygons where told to."""
    allowed = KINDS.get(shape, ANY)
    if source.unique_shapes:
        _reject_copies(intake, "duplicate-geometry")
    for code, seen in _by_code(intake.shapes, allowed).items():
        if code == "invalid-polygon" and source.repair:
            _repair(intake, list(seen), metric_crs)
        else:
            intake.reject(seen, code, list(seen.values()))
    if source.unique_shapes:
        _reject_copies(intake, "repaired-into-copy")


def reject_far(
    intake: Intake, county_m: BaseGeometry | None, metric_crs: CRS, farthest_m: float
) -> None:
    """Take out rows that lie further outside the county than a mistake of outline explains."""
    if county_m is None or intake.shapes.empty:
        return
    distance_m = shapely.distance(in_metres(intake.shapes, metric_crs).to_numpy(), county_m)
    far = np.flatnonzero(distance_m > farthest_m).tolist()
    facts = [{"distance_m": round(float(distance_m[position]))} for position in far]
    intake.reject([intake.shapes.index[position] for position in far], "outside-county", facts)


def in_metres(shapes: pd.Series[Any], metric_crs: CRS) -> gpd.GeoSeries:
    """Return stored shapes in the county's metric CRS, with their index."""
    series = gpd.GeoSeries(shapes.to_numpy(), index=shapes.index, crs=STORED_SRID)
    return series.to_crs(metric_crs)


def as_stored(shapes: pd.Series[Any], shape: str) -> pd.Series[Any]:
    """Return shapes as the table's column takes them: areas as multi-polygons."""
    if shape != "MultiPolygon":
        return shapes
    values = shapes.to_numpy().copy()
    single = shapely.get_type_id(values) != MULTIPOLYGON
    values[single] = [shapely.MultiPolygon([polygon]) for polygon in values[single]]
    return pd.Series(values, index=shapes.index, dtype=object)


def _by_code(
    shapes: pd.Series[Any], allowed: frozenset[str]
) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the faults of geometries: by code, then by row number, what was seen."""
    by_code: dict[str, dict[int, dict[str, Any]]] = {}
    for position, (code, facts) in shape_faults(shapes.to_numpy(), allowed).items():
        by_code.setdefault(code, {})[int(shapes.index[position])] = facts
    return by_code


def _repair(intake: Intake, numbers: list[int], metric_crs: CRS) -> None:
    before = intake.shapes.loc[numbers]
    mended = pd.Series(repaired(before.tolist()), index=numbers, dtype=object)
    lost = [number for number in numbers if mended[number] is None]
    kept = [number for number in numbers if mended[number] is not None]
    area_m2 = in_metres(before.loc[kept], metric_crs).area
    changed_m2 = in_metres(mended.loc[kept], metric_crs).area - area_m2
    intake.shapes = intake.shapes.where(~intake.shapes.index.isin(kept), mended)
    facts = [
        {"area_before_m2": round(area, 2), "area_change_m2": round(change, 2)}
        for area, change in zip(area_m2, changed_m2, strict=True)
    ]
    intake.note(kept, "repaired-polygon", facts)
    intake.reject(lost, "not-repaired")


def _reject_copies(intake: Intake, code: str) -> None:
    bytes_of = pd.Series(
        shapely.to_wkb(shapely.normalize(intake.shapes.to_numpy())), index=intake.shapes.index
    )
    copies = bytes_of.duplicated()
    intake.reject(copies.index[copies], code)
