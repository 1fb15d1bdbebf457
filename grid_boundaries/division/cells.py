"""Cuts through crowded faces, so that no piece holds more people than a block should."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

OVERSHOOT_M = 0.001  # a cut that only just reaches a border might not be noded with it

Floats = NDArray[np.float64]
Piece = tuple[BaseGeometry, Floats, Floats]


def crowded_cuts(
    face: BaseGeometry, xy: Floats, people: Floats, *, most_people: float
) -> list[LineString]:
    """Return straight cuts that leave at most `most_people` between them.

    The face is halved again and again across the longer axis of its homes, between the two
    homes where the people on both sides are nearest to equal; homes are never cut through.

    Parameters
    ----------
    face
        The crowded face, metres.
    xy
        Homes inside it, shape (n, 2), metres.
    people
        Residents of each home, shape (n,).
    most_people
        Over 0. Homes at one and the same point stay together even when they exceed it.

    Returns
    -------
    list of LineString
        Each reaches a millimetre over the borders it meets; empty when nothing is crowded.
    """
    cuts: list[LineString] = []
    pieces: list[Piece] = [(face, xy, people)]
    while pieces:  # a face is halved until no half is crowded
        shape, homes, weights = pieces.pop()
        if weights.sum() <= most_people or not np.ptp(homes, axis=0).any():
            continue
        along, position, cut_at = _halving(homes, weights)
        first = position <= cut_at
        line = _across(shape, along, cut_at)
        cuts.extend(_reaching(part) for part in shapely.get_parts(line.intersection(shape)))
        pieces.append((_half(shape, along, cut_at), homes[first], weights[first]))
        pieces.append((_half(shape, -along, -cut_at), homes[~first], weights[~first]))
    return cuts


def _halving(homes: Floats, weights: Floats) -> tuple[Floats, Floats, float]:
    """Return the axis, each home's position on it, and where to cut."""
    centred = homes - np.average(homes, axis=0, weights=np.maximum(weights, 1e-9))
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    along: Floats = axes[0] * np.where(axes[0][np.abs(axes[0]).argmax()] < 0, -1.0, 1.0)
    position = homes @ along
    order = np.argsort(position, kind="stable")
    steps = np.flatnonzero(np.diff(position[order]) > 0)
    before = np.cumsum(weights[order])[steps]
    best = steps[np.abs(before - weights.sum() / 2).argmin()]
    return along, position, float(position[order][best : best + 2].mean())


def _across(shape: BaseGeometry, along: Floats, cut_at: float) -> LineString:
    across = np.array([-along[1], along[0]])
    middle = along * cut_at + across * (np.array(shape.centroid.coords[0]) @ across)
    reach_m = _size_m(shape)
    return LineString([middle - across * reach_m, middle + across * reach_m])


def _half(shape: BaseGeometry, along: Floats, cut_at: float) -> BaseGeometry:
    """Return the part of a shape whose position on the axis is at most `cut_at`."""
    line = shapely.get_coordinates(_across(shape, along, cut_at))
    back = along * 2 * _size_m(shape)
    return shape.intersection(Polygon([line[0], line[1], line[1] - back, line[0] - back]))


def _size_m(shape: BaseGeometry) -> float:
    west, south, east, north = shape.bounds
    return float(np.hypot(east - west, north - south)) + 1.0


def _reaching(part: LineString) -> LineString:
    start, end = shapely.get_coordinates(part)[[0, -1]]
    over = (end - start) / max(float(np.hypot(*(end - start))), OVERSHOOT_M) * OVERSHOOT_M
    return LineString([start - over, end + over])
