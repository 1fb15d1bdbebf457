"""Checks: what coverage refuses to measure, each with the rows at fault by their index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray

from grid_boundaries.errors import Refused

Spatial = GeoDataFrame | GeoSeries
# a message names this many rows and counts the rest
NAMED_ROWS = 20
# its metres stretch with latitude: +44 % in area at 33°N
PSEUDO_MERCATOR = "popular visualisation pseudo mercator"


class CoverageRefused(Refused):
    """Cameras, footprints, views or grids that cannot be measured as they are."""


def refuse_rows(wrong: NDArray[np.bool_], of: Spatial, code: str, zh: str, en: str) -> None:
    """Refuse the rows of `of` that are marked wrong, naming them by index.

    Parameters
    ----------
    wrong
        One flag a row.
    of
        Frame or series whose index names the rows.
    code, zh, en
        As in `Refused`; the named rows are put before the sentences.

    Raises
    ------
    CoverageRefused
        When any flag is set; ``where["index"]`` lists all rows at fault.
    """
    if not wrong.any():
        return
    rows = of.index[wrong].tolist()
    named = _listed(rows)
    raise CoverageRefused(code, f"{named}：{zh}", f"{named}: {en}", index=rows)


def _listed(rows: Iterable[Any]) -> str:
    words = [str(row) for row in rows]
    more = f", … (+{len(words) - NAMED_ROWS})" if len(words) > NAMED_ROWS else ""
    return ", ".join(words[:NAMED_ROWS]) + more


def require_one_metric_crs(*layers: Spatial) -> None:
    """Refuse layers that are not all in one and the same metric CRS.

    A missing CRS is refused too, on all sides alike: nobody could tell its units. Only a layer
    without any row may lack one. Degrees are refused, other units than the metre, and Web Mercator,
    whose metres stretch with latitude.

    Raises
    ------
    CoverageRefused
    """
    told = [layer.crs for layer in layers if len(layer) or layer.crs is not None]
    if not all(_is_metric(crs) for crs in told):
        raise CoverageRefused(
            "crs-not-metric",
            "坐标系缺失或不是以米为单位的投影坐标系；请先转换到本县的米制坐标系",
            "the CRS is missing or not in metres; project to the county's metric CRS first",
        )
    if any(crs != told[0] for crs in told[1:]):
        raise CoverageRefused(
            "crs-differs",
            "各图层的坐标系不同；请先转换到同一个米制坐标系",
            "the layers are in different CRS; project them to one metric CRS first",
        )


def require_one_plane(*layers: Spatial) -> None:
    """Refuse layers as `require_one_metric_crs` does, unless none of them states a CRS.

    Areas of plain coordinates are in the square of their unit, so all without a CRS are taken as
    metres, as in `grid_boundaries.topology`; one with and one without stay refused.

    Raises
    ------
    CoverageRefused
    """
    if any(layer.crs is not None for layer in layers):
        require_one_metric_crs(*layers)


def _is_metric(crs: Any) -> bool:
    if crs is None:
        return False
    metres = all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])
    operation = crs.coordinate_operation
    stretched = operation is not None and PSEUDO_MERCATOR in operation.method_name.lower()
    return bool(crs.is_projected and metres and not stretched)


def is_placed(shapes: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which geometries are points with both coordinates."""
    # the bounds of an empty or missing point are NaN, where asking for its x would fail
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    placed: NDArray[np.bool_] = (shapely.get_type_id(shapes) == 0) & finite
    return placed


def require_areas(areas: Spatial, zh: str, en: str) -> None:
    """Refuse rows that are neither empty nor valid (multi)polygons; `zh`, `en` say what they are.

    Raises
    ------
    CoverageRefused
    """
    shapes = areas.geometry.to_numpy()
    none = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    flat = np.isin(shapely.get_type_id(shapes), [3, 6])
    refuse_rows(
        ~none & ~flat, areas, "not-a-polygon", f"{zh}不是面；请改为面", f"{en} must be polygons"
    )
    refuse_rows(
        ~none & ~shapely.is_valid(shapes),
        areas,
        "invalid-polygon",
        f"{zh}的面无效（如自相交、坐标非数）；请修正后再算",
        f"{en} must be valid polygons; mend self-crossings and missing numbers first",
    )
