"""Territories cut into blocks: along their lines, between hamlets, then between crowded homes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from grid_boundaries.blocks import blocks_from_lines, cut_along, neighbours
from grid_boundaries.codes import first_block_ids
from grid_boundaries.division.county_lines import RURAL_M2, hamlet_lines
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers

LEAST = Tolerance(narrower_than_m=2.0, smaller_than_m2=25.0)  # less is a street beside a limit


def parted(
    territories: GeoSeries,
    lines: GeoSeries,
    homes: GeoDataFrame,
    *,
    most_people: float | None = None,
    special: GeoSeries | None = None,
) -> GeoDataFrame:
    """Return the blocks into which territories are cut; each lies in one of them.

    Faces between the lines are parted between their hamlets where they are large, and between
    homes where they hold too many people. A sliver without homes goes to the block of its
    territory that it shares most border with.

    Parameters
    ----------
    territories
        Valid polygons by name, on one plane in metres; of ground in two the first has it.
    lines
        See `county_lines`; the limits of the territories need not be among them.
    homes
        Points with a column ``people``.
    most_people
        Over 0; None leaves faces as crowded as they are. Homes at one point are never parted.
    special
        Areas, whose blocks are of the kind "special"; their outlines are to be among `lines`.

    Returns
    -------
    GeoDataFrame
        ``owner`` (name of the territory), ``kind`` ("special", "open" without people, "hamlet"
        where it is large, else "street_face"), ``people`` and geometry, indexed by block id
        W→E, N→S; the blocks tile the territories.

    Raises
    ------
    Refused
        As `blocks_from_lines`.
    """
    every = _joined(lines, GeoSeries(territories.boundary))
    houses = shapely.get_coordinates(homes.geometry.to_numpy())
    hamlets = hamlet_lines(cut_along(territories, every), houses)
    faces = blocks_from_lines(
        territories, _joined(every, hamlets), points=homes, most_people_per_block=most_people
    )
    owner = _owners(faces.geometry, territories)
    found = _without_slivers(faces.assign(owner=owner)[owner >= 0], territories)
    areas = GeoSeries([]) if special is None else special
    inside = shapely.point_on_surface(found.geometry.to_numpy())
    found["kind"] = _kinds(found, inside, areas)
    found.index = pd.Index(first_block_ids(shapely.get_coordinates(inside)), name="block_id")
    return GeoDataFrame(found[["owner", "kind", "people", "geometry"]].sort_index())


def _joined(*parts: GeoSeries) -> GeoSeries:
    return GeoSeries(np.concatenate([part.to_numpy() for part in parts]))


def _owners(faces: GeoSeries, territories: GeoSeries) -> NDArray[np.int64]:
    """Return the position of the territory of each face, −1 where it lies in none."""
    inside = shapely.point_on_surface(faces.to_numpy())
    face, territory = territories.sindex.query(inside, predicate="intersects")
    owner = np.full(len(faces), len(territories))
    np.minimum.at(owner, face, territory)
    return np.where(owner == len(territories), -1, owner)


def _without_slivers(faces: GeoDataFrame, territories: GeoSeries) -> GeoDataFrame:
    """Return the faces with slivers joined to a neighbour, and their territory by name."""
    shapes = faces.geometry.to_numpy()
    small = are_slivers(shapes, LEAST) & (faces["people"].to_numpy() == 0)
    touching = neighbours(GeoSeries(shapes))
    whole = _groups(small, _takers(touching, small, faces["owner"].to_numpy()))
    order = np.argsort(whole, kind="stable")
    starts = np.unique(whole[order], return_index=True)[1]
    first, groups = order[starts], np.split(order, starts[1:])
    joined = [_union(shapes[own]) for own in groups if len(own)]
    people = np.bincount(whole, faces["people"], minlength=len(first))
    owner = territories.index.to_numpy(dtype=object)[faces["owner"].to_numpy()[first]]
    return GeoDataFrame({"owner": owner, "people": people}, geometry=joined)


def _takers(touching: pd.DataFrame, small: NDArray[np.bool_], owner: Any) -> pd.DataFrame:
    """Return which face (column b) takes each sliver (a): the longest border in its territory."""
    pairs = touching[["a", "b", "shared_m"]]
    both = pd.concat([pairs, pairs.rename(columns={"a": "b", "b": "a"})])
    a, b = both["a"].to_numpy(dtype=int), both["b"].to_numpy(dtype=int)
    own = both[small[a] & (owner[a] == owner[b])]
    ranked = own.sort_values(["a", "shared_m", "b"], ascending=[True, False, True])
    takers: pd.DataFrame = ranked.drop_duplicates("a")
    return takers


def _groups(small: NDArray[np.bool_], takers: pd.DataFrame) -> NDArray[np.int32]:
    a, b = (takers[name].to_numpy(dtype=int) for name in ("a", "b"))
    links = csr_array((np.ones(len(a), dtype=bool), (a, b)), shape=(len(small),) * 2)
    groups: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return groups


def _union(shapes: NDArray[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapely.coverage_union_all(shapes)


def _kinds(found: GeoDataFrame, inside: NDArray[Any], areas: GeoSeries) -> NDArray[Any]:
    within, _ = areas.sindex.query(inside, predicate="intersects")
    is_special = np.isin(np.arange(len(found)), within)
    is_open, is_large = found["people"].to_numpy() == 0, found.geometry.area.to_numpy() > RURAL_M2
    return np.select(
        [is_special, is_open, is_large], ["special", "open", "hamlet"], "street_face"
    ).astype(object)
