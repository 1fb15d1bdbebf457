"""Geometry checks before anything else is done: finite, in range, not swapped, valid."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from grid_boundaries.incoming.tangle import MOST_CROSSINGS, meetings
from layers.load.limits import DEFAULT, Limits

Shapes = npt.NDArray[np.object_]
Fault = tuple[str, dict[str, Any]]

POINTS = frozenset({"Point"})
LINES = frozenset({"LineString", "MultiLineString"})
AREAS = frozenset({"Polygon", "MultiPolygon"})
ANY = POINTS | LINES | AREAS | {"MultiPoint"}

LON_DEG, LAT_DEG = 180.0, 90.0
FEW_VERTICES = 2_000  # whose segments cannot meet more often than is borne


def shape_faults(
    shapes: Shapes, allowed: frozenset[str] = ANY, *, limits: Limits = DEFAULT
) -> dict[int, Fault]:
    """Return what is wrong with geometries in degrees, by position; sound ones are left out.

    Checked in this order, the first fault counts: missing or empty; of another kind than
    `allowed`; too many vertices; a coordinate that is not finite; outside ±180/±90 degrees, or
    swapped; so intricate that GEOS would take long over it; invalid, with the coordinate of the
    fault. Never repairs anything.

    Parameters
    ----------
    shapes
        Shapely objects or None, longitude and latitude in degrees.
    allowed
        Names of the kinds of geometry taken.
    """
    faults: dict[int, Fault] = {}
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    _note(faults, missing, "no-geometry")
    kinds = np.array([shape.geom_type if shape is not None else "" for shape in shapes])
    wrong = ~missing & ~np.isin(kinds, sorted(allowed))
    _note(faults, wrong, "wrong-shape", [{"kind": str(kind)} for kind in kinds])
    counts = shapely.get_num_coordinates(shapes)
    many = counts > limits.vertices
    _note(faults, many, "too-many-vertices", [{"vertices": int(count)} for count in counts])
    _note_coordinates(faults, shapes)
    _note_intricate(faults, shapes, counts)
    _note_invalid(faults, shapes)
    return faults


def _note(
    faults: dict[int, Fault],
    wrong: npt.NDArray[np.bool_],
    code: str,
    facts: list[dict[str, Any]] | None = None,
) -> None:
    for position in np.flatnonzero(wrong).tolist():
        faults.setdefault(position, (code, facts[position] if facts else {}))


def _note_coordinates(faults: dict[int, Fault], shapes: Shapes) -> None:
    """Note the first vertex of each geometry that is no longitude and latitude."""
    lonlat, owner = shapely.get_coordinates(shapes, return_index=True)
    finite: npt.NDArray[np.bool_] = np.isfinite(lonlat.sum(axis=1))
    in_range = _in_degrees(lonlat)
    swapped = _in_degrees(lonlat[:, ::-1])
    first = np.searchsorted(owner, owner)
    for vertex in np.flatnonzero(~(finite & in_range)).tolist():
        code = "looks-swapped" if swapped[vertex] else "out-of-range"
        facts = {
            "vertex": int(vertex - first[vertex]),
            "at": [str(value) for value in lonlat[vertex].tolist()],
        }
        faults.setdefault(int(owner[vertex]), (code if finite[vertex] else "not-finite", facts))


def _in_degrees(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    lon, lat = np.abs(lonlat).T
    inside: npt.NDArray[np.bool_] = (lon <= LON_DEG) & (lat <= LAT_DEG)
    return inside


def _note_intricate(
    faults: dict[int, Fault], shapes: Shapes, counts: npt.NDArray[np.integer[Any]]
) -> None:
    # GEOS compares each segment with all whose boxes meet it: 40 s for a star of 100,000 points
    for position in np.flatnonzero(counts > FEW_VERTICES).tolist():
        if position not in faults and shapes[position].geom_type in AREAS:
            met = meetings(shapes[[position]])
            if met > MOST_CROSSINGS:
                faults[position] = ("too-intricate", {"vertices": int(counts[position])})


def _note_invalid(faults: dict[int, Fault], shapes: Shapes) -> None:
    # GEOS is asked only about what can be asked: finite, of bounded size
    askable = np.ones(len(shapes), dtype=bool)
    askable[list(faults)] = False
    positions = np.flatnonzero(askable)
    invalid = positions[~shapely.is_valid(shapes[positions])]
    reasons = shapely.is_valid_reason(shapes[invalid])
    for position, reason in zip(invalid.tolist(), np.atleast_1d(reasons), strict=True):
        faults[position] = ("invalid-polygon", _place_of(str(reason)))


def _place_of(reason: str) -> dict[str, Any]:
    """Return GEOS's reason and coordinate, such as ``Self-intersection[121.5 25.0]``, apart."""
    found = re.fullmatch(r"(.*?)\[([-\d.eE+]+) ([-\d.eE+]+)\]", reason)
    if found is None:
        return {"reason": reason}
    return {"reason": found[1], "at": [float(found[2]), float(found[3])]}
