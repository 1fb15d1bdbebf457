"""Bounds: what of each grid is seen for certain and at most, where cameras are not known exactly.

A camera whose bearing and place are known counts with what it sees in both. Every table has one row
a grid code, in the order given, and its certain, stated and possible figures ascend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.areal import seen_areas_m2
from layers.coverage.figures import home_figures, unit_figures
from layers.coverage.place_tasks import best_densities, needed_densities
from layers.coverage.visibility import ERRORS, certain_areas, possible_areas, visible_areas
from layers.coverage.walls import Bools, Floats


@dataclass(frozen=True)
class BoundViews:
    """Views of cameras, each in the cameras' order.

    Parameters
    ----------
    cameras
        As in `certain_areas`.
    unsure
        Which cameras have an error that their views depend on.
    certain, stated, possible
        What they see whatever the truth is, as drawn, and at most.
    """

    cameras: GeoDataFrame
    unsure: Bools
    certain: GeoSeries
    stated: GeoSeries
    possible: GeoSeries

    @property
    def error_m(self) -> Floats:
        """How far each camera may stand from where it is drawn."""
        return _errors(self.cameras)[1]


def bound_views(cameras: GeoDataFrame, buildings: GeoSeries) -> BoundViews:
    """Return the views of cameras; those without errors are computed once."""
    azimuth_deg, error_m = _errors(cameras)
    all_round = cameras["view_angle_deg"].to_numpy(dtype=np.float64) >= 360
    unsure: Bools = (error_m > 0) | ((azimuth_deg > 0) & ~all_round)
    stated = visible_areas(cameras, buildings)
    some = GeoDataFrame(cameras[unsure])
    certain, possible = (
        _replaced(stated, unsure, areas_of(some, buildings))
        for areas_of in (certain_areas, possible_areas)
    )
    return BoundViews(cameras, unsure, certain, stated, possible)


def ground_bounds(grids: GeoSeries, views: BoundViews, stated: pd.DataFrame) -> pd.DataFrame:
    """Return what of each grid's open ground is seen for certain and at most.

    Parameters
    ----------
    grids
        By grid code.
    stated
        ``open_m2`` and ``seen_m2`` by grid code: figures of the views as drawn.

    Returns
    -------
    DataFrame
        ``certain_m2``, ``possible_m2``.
    """
    own = stated.loc[grids.index]
    seen_m2, open_m2 = (own[name].to_numpy(dtype=np.float64) for name in ("seen_m2", "open_m2"))
    # where no camera is unsure both are what is stated
    moving = GeoSeries(views.possible[views.unsure])
    near = np.unique(shapely.STRtree(grids.to_numpy()).query(moving.to_numpy())[1])
    found = {"certain_m2": seen_m2.copy(), "possible_m2": seen_m2.copy()}
    for name, sights, bound in (
        ("certain_m2", views.certain, np.minimum),
        ("possible_m2", views.possible, np.maximum),
    ):
        # views hold no ground inside buildings but what drawn arcs stand out
        area_m2 = seen_areas_m2(grids.to_numpy()[near], _standing(sights).to_numpy())
        found[name][near] = bound(area_m2, seen_m2[near])
    within = {name: np.clip(area_m2, 0.0, open_m2) for name, area_m2 in found.items()}
    return pd.DataFrame(within, index=grids.index)


def people_bounds(
    homes: GeoDataFrame, blocks: GeoDataFrame, views: BoundViews, codes: Sequence[str]
) -> pd.DataFrame:
    """Return how many people are seen for certain and at most.

    Parameters
    ----------
    homes
        As in `home_figures`; where there are none `blocks` count, as in `unit_figures`.

    Returns
    -------
    DataFrame
        ``people_certain``, ``people_possible``.
    """
    figures: Callable[..., pd.DataFrame] = home_figures if len(homes) else unit_figures
    residents = homes if len(homes) else blocks
    seen = {}
    for name, sights in (("certain", views.certain), ("possible", views.possible)):
        counted = figures(residents, _standing(sights), codes)
        seen[f"people_{name}"] = counted["people_total"] - counted["people_unseen"]
    return pd.DataFrame(seen)


def place_bounds(places: GeoDataFrame, views: BoundViews, codes: Sequence[str]) -> pd.DataFrame:
    """Return how many key places are shown as densely as their kind needs.

    Parameters
    ----------
    places
        Points with ``kind`` and ``grid_code``.

    Returns
    -------
    DataFrame
        ``places_certain``, ``places_at_task`` (as drawn), ``places_possible``.
    """
    needed = needed_densities(places["kind"])
    met = []
    for sights, farther_m in (
        (views.certain, views.error_m), (views.stated, 0.0), (views.possible, -views.error_m),
    ):  # fmt: skip
        best = best_densities(places.geometry, sights, views.cameras, farther_m=farther_m)
        met.append(best >= needed)
    # a camera drawn inside a house sees nothing as drawn, and something wherever it may stand
    met = [met[0] & met[1], met[1], met[1] | met[2]]
    names = ("places_certain", "places_at_task", "places_possible")
    counted = pd.DataFrame(dict(zip(names, met, strict=True)), dtype=np.int64)
    sums = counted.groupby(places["grid_code"].to_numpy()).sum()
    return sums.reindex(pd.Index(codes), fill_value=0)


def _errors(cameras: GeoDataFrame) -> tuple[Floats, Floats]:
    azimuth_deg, error_m = (
        np.nan_to_num(cameras[name].to_numpy(dtype=np.float64, na_value=np.nan)) for name in ERRORS
    )
    return azimuth_deg, error_m


def _replaced(stated: GeoSeries, unsure: Bools, areas: GeoSeries) -> GeoSeries:
    shapes: Any = stated.to_numpy().copy()
    shapes[unsure] = areas.to_numpy()
    return GeoSeries(shapes, index=stated.index, crs=stated.crs)


def _standing(views: GeoSeries) -> GeoSeries:
    return GeoSeries(views[~views.is_empty])
