"""What is wrong with polygons of a level: overlaps, gaps, nesting faults, slivers, loose parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import Refused

POLYGON, MULTIPOLYGON = 3, 6  # shapely.GeometryType

Polygons = GeoSeries | GeoDataFrame
Territory = BaseGeometry | GeoSeries | GeoDataFrame


def overlaps(grids: Polygons, *, smallest_m2: float = 0.0) -> GeoDataFrame:
    """Return where two grids claim the same ground.

    Borders digitised twice overlap by hairlines, whose area the sum over a long border
    makes visible; leave them out by `smallest_m2`, not by a tolerance on coordinates.

    Parameters
    ----------
    grids
        Valid polygons of one level, metres.
    smallest_m2
        Area in square metres under which what two grids share is noise.

    Returns
    -------
    GeoDataFrame
        One row for two grids: a, b (index labels, in the order of `grids`), area_m2,
        geometry (polygons only); largest first, empty where no ground is shared.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry (by index), degrees for metres.
    """
    _checked_area(smallest_m2)
    shapes = measurable(grids)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    # neighbours that share a border and nothing else are most of the pairs
    crossing = ~shapely.touches(shapes[first], shapes[second])
    first, second = first[crossing], second[crossing]
    shared = polygons_only(shapely.intersection(shapes[first], shapes[second]))
    found = {"a": grids.index[first], "b": grids.index[second]}
    return _largest_first(found, "area_m2", shared, grids.crs, smallest_m2)


def gaps(grids: Polygons, within: Territory, *, smallest_m2: float = 0.0) -> GeoSeries:
    """Return the parts of `within` that no grid covers.

    A boundary digitised twice leaves hairline gaps; parts under `smallest_m2` are
    left out. Grids may overlap and may reach outside; a lake that is a hole in
    `within` is no gap.

    Parameters
    ----------
    grids
        Valid polygons of one level, metres.
    within
        The parent they should fill: see `territory`.
    smallest_m2
        Area in square metres under which a gap is noise.

    Returns
    -------
    GeoSeries
        One polygon per gap, largest first; empty where the grids fill `within`.

    Raises
    ------
    Refused
        As `measurable` and `territory` do.

    Examples
    --------
    >>> from shapely import box
    >>> gaps(GeoSeries([box(0, 0, 6, 10)]), box(0, 0, 10, 10)).area.tolist()
    [40.0]
    """
    _checked_area(smallest_m2)
    shapes = measurable(grids)
    uncovered = shapely.difference(territory(within, grids.crs), shapely.union_all(shapes))
    parts = shapely.get_parts(polygons_only(np.array([uncovered], dtype=object)))
    areas_m2 = shapely.area(parts)
    kept = _order(areas_m2, smallest_m2)
    return GeoSeries(parts[kept], crs=grids.crs, name="gap")


def nesting_faults(
    children: GeoDataFrame, parents: Polygons, *, smallest_m2: float = 0.0
) -> GeoDataFrame:
    """Return the parts of children that lie outside the parent they name.

    Parameters
    ----------
    children
        Valid polygons in metres with a column `parent`, a label of `parents`. A child
        whose parent is not there is outside with its whole area.
    parents
        Valid polygons, metres, each label once.
    smallest_m2
        Area in square metres under which a part outside is noise.

    Returns
    -------
    GeoDataFrame
        One row a child: child (index label), parent, outside_m2, geometry (polygons
        only); largest first, empty where all nest.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry (by index), degrees for metres,
        two CRS, or a parent's label that comes twice.
    """
    _checked_area(smallest_m2)
    shapes = measurable(children.geometry)
    outlines = np.array([*measurable(parents), shapely.Polygon()], dtype=object)
    _checked_same_crs(children.crs, parents.crs)
    if not parents.index.is_unique:
        twice = str(parents.index[parents.index.duplicated()][0])
        raise Refused(
            "label-twice",
            f"上级“{twice}”出现两次，无法判断归属；请先合并或删除重复的上级",
            f"parent {twice} comes twice; merge or remove one first",
            index=twice,
        )
    # an unknown parent is -1, which is the empty polygon at the end
    position = parents.index.get_indexer(pd.Index(children["parent"]))
    outside = polygons_only(shapely.difference(shapes, outlines[position]))
    found = {"child": children.index, "parent": children["parent"].to_numpy()}
    return _largest_first(found, "outside_m2", outside, children.crs, smallest_m2)


def slivers(grids: Polygons, *, narrower_than_m: float) -> GeoDataFrame:
    """Return the parts of grids whose mean width is small.

    The mean width of a part is 2 · area / perimeter: the true width of a long strip,
    half the side of a square.

    Returns
    -------
    GeoDataFrame
        grid (index label), width_m, area_m2, geometry (one polygon a row); narrowest
        first, empty where there is none.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry (by index), degrees for metres.
    """
    parts, owner = shapely.get_parts(measurable(grids), return_index=True)
    solid = ~shapely.is_empty(parts)
    parts, owner = parts[solid], owner[solid]
    areas_m2 = shapely.area(parts)
    widths_m = 2.0 * areas_m2 / shapely.length(parts)
    narrow = np.flatnonzero(widths_m < narrower_than_m)
    narrow = narrow[np.argsort(widths_m[narrow], kind="stable")]
    found = {
        "grid": grids.index[owner[narrow]],
        "width_m": widths_m[narrow],
        "area_m2": areas_m2[narrow],
    }
    return GeoDataFrame(found, geometry=parts[narrow], crs=grids.crs)


def detached_parts(grids: Polygons, *, expected_parts: int = 1) -> GeoDataFrame:
    """Return the parts of grids beyond the largest ones expected.

    Parts that meet in a point only are detached from each other: nobody walks through a point.

    Parameters
    ----------
    grids
        Valid polygons of one level, metres.
    expected_parts
        How many parts a grid may have, 1 unless islands are meant.

    Returns
    -------
    GeoDataFrame
        grid (index label), area_m2, geometry (one polygon a row), grid by grid in the
        order given, largest first; empty where every grid is in one piece.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry (by index), degrees for metres.
    """
    parts, owner = shapely.get_parts(measurable(grids), return_index=True)
    areas_m2 = shapely.area(parts)
    order = np.lexsort((-areas_m2, owner))
    parts, owner, areas_m2 = parts[order], owner[order], areas_m2[order]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    extra = rank >= expected_parts
    found = {"grid": grids.index[owner[extra]], "area_m2": areas_m2[extra]}
    return GeoDataFrame(found, geometry=parts[extra], crs=grids.crs)


def territory(within: Territory, crs: Any) -> Any:
    """Return ground as one shape: a polygon as it is, a series or frame as its union.

    Parameters
    ----------
    within
        A valid polygon or multipolygon in `crs`, or a GeoSeries or GeoDataFrame of them.
    crs
        Of what will be compared with the ground; where both are stated they must agree.

    Raises
    ------
    Refused
        No geometry at all, one that `measurable` refuses, or another CRS.
    """
    if isinstance(within, BaseGeometry):
        within = GeoSeries([within], index=["within"], crs=crs)
    if not isinstance(within, Polygons):
        raise Refused(
            "not-a-territory",
            f"范围应为面或一组面，而不是 {type(within).__name__}",
            f"the ground must be a polygon or a series of them, not {type(within).__name__}",
        )
    _checked_same_crs(within.crs, crs)
    shapes = measurable(within)
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def measurable(polygons: Polygons) -> npt.NDArray[Any]:
    """Return the polygons as an array, or say which one cannot be measured and why.

    Parameters
    ----------
    polygons
        A series, or a frame whose geometry column is meant.

    Returns
    -------
    ndarray
        Polygons and multipolygons, possibly empty ones, in the order given.

    Raises
    ------
    Refused
        The CRS is in degrees; a geometry is missing, no polygon, or invalid (first by
        order, with its index label, the reason and the place in `where`).
    """
    if polygons.crs is not None and polygons.crs.is_geographic:
        raise Refused(
            "crs-not-metric",
            "图形坐标为经纬度，不能量算；请先换算到本县的投影坐标系",
            "the geometries are in degrees and cannot be measured; project them first",
        )
    shapes: npt.NDArray[Any] = np.asarray(polygons.geometry.array, dtype=object)
    unusable = ~np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))
    unusable |= ~shapely.is_valid(shapes)
    if unusable.any():
        position = int(np.argmax(unusable))
        raise _not_measurable(shapes[position], polygons.index[position])
    return shapes


def polygons_only(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return shapes without the points and lines an overlay leaves; empty where nothing stays."""
    shapes = shapes.copy()
    kinds = shapely.get_type_id(shapes)
    mixed = np.flatnonzero((kinds != POLYGON) & (kinds != MULTIPOLYGON))
    if not len(mixed):
        return shapes
    parts, owner = shapely.get_parts(shapes[mixed], return_index=True)
    solid = shapely.get_type_id(parts) == POLYGON
    shapes[mixed] = shapely.Polygon()
    places, group = np.unique(mixed[owner[solid]], return_inverse=True)
    shapes[places] = unwrapped(shapely.multipolygons(parts[solid], indices=group))
    return shapes


def unwrapped(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return multipolygons of one part as that polygon, all others as they are."""
    alone = shapely.get_num_geometries(shapes) == 1
    return np.where(alone, shapely.get_geometry(shapes, 0), shapes)


def _not_measurable(shape: BaseGeometry | None, label: object) -> Refused:
    if shape is None:
        zh, reason = "没有图形", "has no geometry"
    elif shapely.get_type_id(shape) not in (POLYGON, MULTIPOLYGON):
        zh, reason = f"不是面而是 {shape.geom_type}", f"is a {shape.geom_type}, not a polygon"
    else:
        fault = shapely.is_valid_reason(shape)
        zh, reason = f"图形无效（{fault}）", f"is invalid: {fault}"
    return Refused(
        "not-measurable",
        f"“{label}”{zh}；请修正后再试",
        f"{label} {reason}; mend it first",
        index=label if isinstance(label, int) else str(label),
        reason=reason,
    )


def _checked_area(smallest_m2: float) -> None:
    if not (math.isfinite(smallest_m2) and smallest_m2 >= 0):
        raise Refused(
            "area-not-usable",
            f"最小面积 {smallest_m2} 平方米无意义；应为 0 或正数",
            f"a smallest area of {smallest_m2} m² has no meaning; give zero or more",
            smallest_m2=str(smallest_m2),
        )


def _checked_same_crs(children: Any, parents: Any) -> None:
    if None not in (children, parents) and children != parents:
        raise Refused(
            "crs-differ",
            "下级与上级的坐标系不同，无法比较；请先换算到同一投影坐标系",
            "children and parents are in two CRS; project them to one first",
        )


def _order(areas_m2: npt.NDArray[np.float64], smallest_m2: float) -> npt.NDArray[np.intp]:
    kept = np.flatnonzero((areas_m2 > 0) & (areas_m2 >= smallest_m2))
    return kept[np.argsort(-areas_m2[kept], kind="stable")]


def _largest_first(
    found: dict[str, Any], area_name: str, shapes: npt.NDArray[Any], crs: Any, smallest_m2: float
) -> GeoDataFrame:
    areas_m2 = shapely.area(shapes)
    rows = pd.DataFrame({**found, area_name: areas_m2})
    kept = _order(areas_m2, smallest_m2)
    return GeoDataFrame(rows.iloc[kept].reset_index(drop=True), geometry=shapes[kept], crs=crs)
