"""Repair: off-line cameras in the order of what only they would see, and those not to be lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoSeries
from scipy.sparse import csr_array

from layers.coverage.checks import require_areas, require_one_metric_crs
from layers.coverage.sightings import Bools, Floats, added_by_each, added_in_turn

PEOPLE_PER_PLACE = 100.0  # a key place weighs as much as so many people
LEAST_SHARED_M2 = 1.0


def repair_order(
    people: tuple[csr_array[Any], Floats],
    places: tuple[csr_array[Any], Floats],
    off_line: Bools,
    working: Bools,
    *,
    people_per_place: float = PEOPLE_PER_PLACE,
) -> pd.DataFrame:
    """Return the off-line cameras, those first whose repair would show most that nobody sees.

    Parameters
    ----------
    people, places
        What each camera would see if it worked, as from `sightings`, and the weight of each
        thing seen: people in a home, 1 a key place.
    off_line, working
        Per camera; none is both, and what is neither counts nowhere.
    people_per_place
        How many people a key place weighs as much as.

    Returns
    -------
    DataFrame
        Indexed by the camera's position, most worth first, then by position: `people` and
        `key_places` that it would add to what is seen now, `worth`; and `people_in_turn`,
        `key_places_in_turn`, what it adds once all before it are mended.
    """
    ranked = _ranked(people, places, working, off_line, people_per_place)
    order = ranked.index.to_numpy()
    for name, (sees, weights) in (("people", people), ("key_places", places)):
        ranked[f"{name}_in_turn"] = added_in_turn(sees, working, weights, order)
    return ranked


def dearest(
    people: tuple[csr_array[Any], Floats],
    places: tuple[csr_array[Any], Floats],
    working: Bools,
    *,
    people_per_place: float = PEOPLE_PER_PLACE,
) -> pd.DataFrame:
    """Return the working cameras, those first whose loss would hide most that no other sees.

    Parameters and columns as in `repair_order`, without what is seen in turn.
    """
    return _ranked(people, places, working, working, people_per_place)


def _ranked(
    people: tuple[csr_array[Any], Floats],
    places: tuple[csr_array[Any], Floats],
    working: Bools,
    asked: Bools,
    people_per_place: float,
) -> pd.DataFrame:
    found = pd.DataFrame(
        {
            "people": added_by_each(people[0], working, people[1]),
            "key_places": added_by_each(places[0], working, places[1]),
        }
    )
    found["worth"] = found["people"] + people_per_place * found["key_places"]
    return found[asked].sort_values("worth", ascending=False, kind="stable")


def shared_views(views: GeoSeries) -> tuple[pd.Series[float], pd.DataFrame]:
    """Return how much of each view other cameras see too, and what each two of them share.

    Parameters
    ----------
    views
        Valid polygons in a metric CRS; empty ones see nothing.

    Returns
    -------
    Series
        Share of each view, 0 to 1, that at least one other covers; 0 for an empty one.
    DataFrame
        `one`, `other` (labels of the index) and `area_m2` of the pairs that share at least
        1 m², most first.

    Raises
    ------
    CoverageRefused
        CRS missing or not metric, or a view that is no valid polygon.
    """
    require_one_metric_crs(views)
    require_areas(views, "可视范围", "views")
    shapes = views.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one != other], other[one != other]
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    common = shapely.intersection(shapes[one], shapes[other])
    return _shares(views, one, common), _pairs(views, one, other, shapely.area(common))


def _shares(
    views: GeoSeries, one: npt.NDArray[np.intp], common: npt.NDArray[Any]
) -> pd.Series[float]:
    starts = np.searchsorted(one, np.arange(len(views) + 1))
    shared_m2 = np.zeros(len(views))
    # a view at a time, because one union of all is far dearer than many small ones
    for row in np.unique(one):
        mine = common[starts[row] : starts[row + 1]]
        shared_m2[row] = shapely.area(shapely.union_all(mine, grid_size=1e-6))
    whole_m2 = views.area.to_numpy()
    share = np.divide(shared_m2, whole_m2, out=np.zeros(len(views)), where=whole_m2 > 0)
    return pd.Series(np.minimum(share, 1.0), index=views.index)


def _pairs(
    views: GeoSeries, one: npt.NDArray[np.intp], other: npt.NDArray[np.intp], area_m2: Floats
) -> pd.DataFrame:
    kept = (one < other) & (area_m2 >= LEAST_SHARED_M2)
    found = {"one": views.index[one[kept]], "other": views.index[other[kept]]}
    pairs = pd.DataFrame({**found, "area_m2": area_m2[kept]})
    return pairs.sort_values("area_m2", ascending=False, kind="stable", ignore_index=True)
