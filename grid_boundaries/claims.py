"""Who claims which ground, where outlines from several hands overlap or leave gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from grid_boundaries.edges import shared_edges
from grid_boundaries.topology import Territory, measurable, territory

Shapes = NDArray[Any]


def claims(
    polygons: GeoDataFrame,
    *,
    within: Territory | None = None,
    smallest_m2: float = 0.0,
) -> GeoDataFrame:
    """Return the faces that the outlines cut the ground into, and who claims each.

    All borders are noded together and polygonised, so the faces tile the ground exactly: one
    claimant is a settled face, two or more a contested one, none (only inside `within`) a gap.

    Parameters
    ----------
    polygons
        Outlines with a column ``code``, valid, in a metric CRS; they may overlap, repeat
        and leave gaps. One code may come in several rows.
    within
        The ground that should be claimed (see `topology.territory`); None lists no gaps.
    smallest_m2
        Faces under this area are given to the neighbour with which they share the longest
        border; the neighbour's claimants stay. 0 keeps every face.

    Returns
    -------
    GeoDataFrame
        ``claimants`` (tuple of codes in order) and ``geometry``; one row a face, west to east,
        then north to south.

    Raises
    ------
    Refused
        An outline is invalid, missing or no polygon (its index and the place of the fault are
        named); degrees for metres; `within` is no ground, or in another CRS.
    """
    shapes = shapely.force_2d(measurable(polygons))
    ground = None if within is None else shapely.force_2d(territory(within, polygons.crs))
    faces = _faces(shapes, ground)
    if not len(faces):
        return GeoDataFrame({"claimants": []}, geometry=[], crs=polygons.crs)
    claimants = _claimants(faces, shapes, polygons["code"].to_numpy())
    kept = _wanted(faces, claimants, ground)
    faces, claimants = _without_slivers(faces[kept], claimants[kept], smallest_m2)
    order = _west_to_east(faces)
    return GeoDataFrame({"claimants": claimants[order]}, geometry=faces[order], crs=polygons.crs)


def _faces(shapes: Shapes, ground: Any) -> Shapes:
    borders = [*shapely.boundary(shapes), *([] if ground is None else [ground.boundary])]
    noded = shapely.union_all(borders)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts([noded]))))


def _claimants(faces: Shapes, shapes: Shapes, codes: NDArray[Any]) -> Shapes:
    inner = shapely.point_on_surface(faces)
    face, shape = shapely.STRtree(shapes).query(inner, predicate="intersects")
    named: list[set[str]] = [set() for _ in range(len(faces))]
    for position, code in zip(face.tolist(), codes[shape], strict=True):
        named[position].add(code)
    result = np.empty(len(faces), dtype=object)
    result[:] = [tuple(sorted(own)) for own in named]
    return result


def _wanted(faces: Shapes, claimants: Shapes, ground: Any) -> NDArray[np.bool_]:
    claimed = np.array([bool(codes) for codes in claimants])
    if ground is None:
        return claimed
    shapely.prepare(ground)
    return claimed | shapely.intersects(ground, shapely.point_on_surface(faces))


def _without_slivers(faces: Shapes, claimants: Shapes, smallest_m2: float) -> tuple[Shapes, Shapes]:
    area_m2 = shapely.area(faces)
    if not (area_m2 < smallest_m2).any():
        return faces, claimants
    taker = _takers(area_m2, shared_edges(faces), smallest_m2)
    kept = np.unique(taker)
    merged = faces[kept].copy()
    for place, face in enumerate(kept):  # only faces that took a sliver are built anew
        members = faces[taker == face]
        if len(members) > 1:
            merged[place] = shapely.coverage_union_all(members)
    return merged, claimants[kept]


def _takers(area_m2: NDArray[np.float64], edges: pd.DataFrame, smallest_m2: float) -> Shapes:
    """Return for each face the one it ends up in: itself unless it is a sliver."""
    taker = np.arange(len(area_m2))
    both = pd.concat([edges, edges.rename(columns={"a": "b", "b": "a"})])
    both = both.sort_values(["length", "b"], ascending=[False, True])
    settled = area_m2 >= smallest_m2
    while True:  # each round settles the slivers beside settled ground; chains take several
        beside = both[~settled[both["a"]] & settled[both["b"]]].drop_duplicates("a")
        if beside.empty:
            return taker
        slivers = beside["a"].to_numpy()
        taker[slivers] = taker[beside["b"].to_numpy()]
        settled[slivers] = True


def _west_to_east(faces: Shapes) -> NDArray[np.intp]:
    inner = np.round(shapely.get_coordinates(shapely.point_on_surface(faces)), 2)
    return np.lexsort((-inner[:, 1], inner[:, 0]))
