"""Sightings: which camera sees which place or home, and what each sees that no other does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoSeries
from scipy.sparse import csr_array

from layers.coverage.checks import require_one_metric_crs
from layers.coverage.figures import TOLERANCE_M

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def sightings(
    views: GeoSeries, shapes: GeoSeries, *, tolerance_m: float = TOLERANCE_M
) -> csr_array[Any]:
    """Return which view comes within `tolerance_m` of which point or footprint.

    Parameters
    ----------
    views
        One a camera; empty ones see nothing.
    shapes
        Places as points, homes as footprints, in the same metric CRS.

    Returns
    -------
    csr_array
        Shape (views, shapes), 1 where seen; the counterpart, pair by pair, of `is_seen`.

    Raises
    ------
    CoverageRefused
        CRS missing, not metric or not the same.
    """
    require_one_metric_crs(views, shapes)
    tree = shapely.STRtree(shapes.to_numpy())
    found = tree.query(views.to_numpy(), predicate="dwithin", distance=tolerance_m)
    ones = np.ones(found.shape[1], dtype=np.float64)
    return csr_array((ones, (found[0], found[1])), shape=(len(views), len(shapes)))


def times_seen(sees: csr_array[Any], active: Bools) -> Floats:
    """Return by how many of the active cameras each thing is seen."""
    return np.asarray(active.astype(np.float64) @ sees, dtype=np.float64)


def added_by_each(sees: csr_array[Any], active: Bools, weights: Floats) -> Floats:
    """Return for each camera the weight of what it sees and no active camera but itself does.

    For a camera that is not active this is what it would add; for one that is, what would be
    lost without it.

    Parameters
    ----------
    sees
        As from `sightings`.
    active
        Per camera.
    weights
        Per thing seen: people, or 1 a place.
    """
    times = times_seen(sees, active)
    unseen, seen_once = weights * (times == 0), weights * (times == 1)
    return np.asarray(np.where(active, sees @ seen_once, sees @ unseen), dtype=np.float64)


def added_in_turn(sees: csr_array[Any], active: Bools, weights: Floats, order: Any) -> Floats:
    """Return for each camera of `order` what it adds once those before it in that order count.

    Parameters
    ----------
    order
        Positions of cameras that are not active, each once.
    """
    own = sees[np.asarray(order, dtype=np.intp)].tocoo()
    first = np.full(sees.shape[1], len(order), dtype=np.intp)
    np.minimum.at(first, own.coords[1], own.coords[0])
    first[times_seen(sees, active) > 0] = len(order)
    added = np.bincount(first, weights, minlength=len(order) + 1)[: len(order)]
    return np.asarray(added, dtype=np.float64)


def weight_seen(sees: csr_array[Any], active: Bools, weights: Floats) -> float:
    """Return the weight of all that at least one active camera sees."""
    return float(weights[times_seen(sees, active) > 0].sum())
