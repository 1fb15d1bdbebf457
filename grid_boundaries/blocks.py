"""Blocks (基础图斑) as polygons: made, cut along lines, joined into grids, and who touches whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from grid_boundaries.claims import claims as claims  # a public name of this module
from grid_boundaries.codes import first_block_ids
from grid_boundaries.division.cells import crowded_cuts
from grid_boundaries.edges import shared_edges
from grid_boundaries.errors import Refused
from grid_boundaries.topology import (
    Territory,
    measurable,
    polygons_only,
    territory,
    unwrapped,
)

WHOLE_SHARE = 0.95  # a block with less of itself in its village is worth a planner's look


@dataclass(frozen=True)
class BlockFrame:
    """Blocks made from polygons, with what a planner should look at.

    Parameters
    ----------
    blocks
        GeoDataFrame with columns id, village_code, village_share (part of the block in
        that village), area_m2 and geometry, in the order and index of the polygons.
    findings
        DataFrame with columns block_id, fault ("between-villages", "outside-villages"),
        village_code, village_share, zh, en; lowest share first.
    """

    blocks: GeoDataFrame
    findings: pd.DataFrame


def block_frame(
    polygons: GeoSeries, villages: GeoSeries, *, smallest_share: float = WHOLE_SHARE
) -> BlockFrame:
    """Return blocks out of ready-made polygons, each in the village it overlaps most.

    Parameters
    ----------
    polygons
        Valid polygons that are to be blocks, metres; ids are given W→E, then N→S by a
        point inside each.
    villages
        Valid outlines in the same CRS, indexed by village code. Of two villages with
        the same share the lower code is taken.
    smallest_share
        Share of a block's area in its village under which it becomes a finding.

    Raises
    ------
    Refused
        An invalid, missing or non-polygon geometry (by index), an empty polygon,
        degrees for metres.
    """
    shapes = measurable(polygons)
    _checked_solid(shapes, polygons.index)
    areas_m2 = shapely.area(shapes)
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes))
    village_codes, shares = _largest_overlaps(shapes, GeoSeries(villages.sort_index()))
    blocks = GeoDataFrame(
        {
            "id": first_block_ids(inside),
            "village_code": village_codes,
            "village_share": shares,
            "area_m2": areas_m2,
        },
        geometry=shapes,
        crs=polygons.crs,
        index=polygons.index,
    )
    return BlockFrame(blocks, _findings(blocks[blocks["village_share"] < smallest_share]))


def cut_along(within: Territory, lines: GeoSeries) -> GeoSeries:
    """Return the faces into which lines cut a polygon; they tile it.

    Lines need not be noded, may cross, overlap, reach outside and end anywhere; an end
    that meets no other line cuts nothing.

    Parameters
    ----------
    within
        Valid polygon or multipolygon, or several (see `topology.territory`), metres; holes
        stay holes.
    lines
        Lines in the same CRS: streets, rivers, a planner's stroke. None gives `within`.

    Returns
    -------
    GeoSeries
        One polygon a face, W→E then N→S by a point inside each.

    Raises
    ------
    Refused
        `within` is invalid, missing, no polygon or in another CRS; degrees for metres.
    """
    outline = territory(within, lines.crs)
    # blocks are flat: a height along a street would spread over half of the corners
    flat = shapely.force_2d([outline.boundary, *lines[~lines.isna()].array])
    noded = shapely.union_all(flat)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    middles = shapely.point_on_surface(faces)
    shapely.prepare(outline)
    kept = shapely.intersects(outline, middles)
    faces, points = faces[kept], shapely.get_coordinates(middles[kept])
    order = np.argsort(first_block_ids(points), kind="stable")
    return GeoSeries(faces[order], crs=lines.crs, name="face")


def blocks_from_lines(
    within: Territory,
    lines: GeoSeries,
    *,
    points: GeoDataFrame | None = None,
    most_people_per_block: float | None = None,
) -> GeoDataFrame:
    """Return the blocks into which streets, rivers and other lines cut a territory.

    Faces with too many people are cut further, by straight lines between their homes.

    Parameters
    ----------
    within
        As for `cut_along`.
    lines
        In the same CRS; see `cut_along`.
    points
        Homes with a column ``people``; None counts nobody.
    most_people_per_block
        Over 0; None leaves faces as they are. Homes at one point are never parted.

    Returns
    -------
    GeoDataFrame
        ``people`` and geometry, indexed by block id W→E, N→S; the blocks tile `within`.

    Raises
    ------
    Refused
        As `cut_along`; a limit without homes to count, or one that is not over 0.
    """
    faces = cut_along(within, lines)
    homes = points if points is not None else GeoDataFrame({"people": []}, geometry=[])
    if most_people_per_block is not None:
        _checked_limit(most_people_per_block, points)
        cuts = _cuts_of_crowded(faces, homes, most_people_per_block)
        # one noding of old and new lines together keeps all blocks edge-matched
        faces = cut_along(within, GeoSeries([*lines, *cuts], crs=lines.crs)) if cuts else faces
    middles = shapely.get_coordinates(shapely.point_on_surface(faces.to_numpy()))
    ids = pd.Index(first_block_ids(middles), name="block_id")
    people = np.zeros(len(faces))
    np.add.at(people, *_homes_per_face(faces, homes))
    return GeoDataFrame({"people": people}, index=ids, geometry=faces.to_numpy(), crs=lines.crs)


def _homes_per_face(faces: GeoSeries, homes: GeoDataFrame) -> tuple[Any, Any]:
    """Return the face of each home inside one, the first where it stands on a border."""
    home, face = faces.sindex.query(homes.geometry.to_numpy(), predicate="intersects")
    first = pd.DataFrame({"home": home, "face": face}).groupby("home")["face"].min()
    people = homes["people"].to_numpy(dtype=float)[first.index.to_numpy(dtype=int)]
    return first.to_numpy(dtype=int), people


def _cuts_of_crowded(faces: GeoSeries, homes: GeoDataFrame, most_people: float) -> list[Any]:
    face, home = homes.sindex.query(faces.to_numpy(), predicate="intersects")
    xy = shapely.get_coordinates(homes.geometry.to_numpy())
    people = homes["people"].to_numpy(dtype=float)
    total = np.bincount(face, people[home], minlength=len(faces))
    cuts: list[Any] = []
    for crowded in np.flatnonzero(total > most_people):  # each is cut by its own homes
        mine = home[face == crowded]
        shape = faces.iloc[crowded]
        cuts += crowded_cuts(shape, xy[mine], people[mine], most_people=most_people)
    return cuts


def _checked_limit(most_people: float, points: GeoDataFrame | None) -> None:
    if points is None or not most_people > 0:
        raise Refused(
            "people-per-block",
            "每个图斑的人数上限须大于 0，并须给出带人数的住户点",
            "The most people per block must be over 0, and homes with people must be given",
            most_people_per_block=str(most_people),
        )


def grid_polygons(shapes: GeoSeries, grid_codes: pd.Series[Any]) -> GeoSeries:
    """Return the polygon of each grid: the coverage union of its blocks.

    Shared borders vanish only where both blocks have the very same vertices, as blocks
    of one cut do; nothing is snapped.

    Parameters
    ----------
    shapes
        The blocks' polygons.
    grid_codes
        Grid code of each block, same index; missing for a block in no grid.

    Returns
    -------
    GeoSeries
        Polygons and multipolygons, indexed by grid code in text order.
    """
    joined = {
        code: shapely.coverage_union_all(np.asarray(members.array, dtype=object))
        for code, members in shapes.groupby(grid_codes, sort=True)  # GEOS joins one at a time
    }
    index = pd.Index(list(joined), dtype=object, name="grid_code")
    unions = np.array([*joined.values(), None], dtype=object)[:-1]
    return GeoSeries(unwrapped(unions), index=index, crs=shapes.crs)


def neighbours(shapes: GeoSeries, *, shortest_m: float = 0.0) -> pd.DataFrame:
    """Return which blocks share a border, and how long it is; a shared point is no border.

    Parameters
    ----------
    shapes
        Valid polygons that do not overlap, metres, each label once.
    shortest_m
        Length in metres up to which a shared border does not count.

    Returns
    -------
    DataFrame
        a, b (labels, a before b in the order given), shared_m; one row for two blocks.
    """
    edges = shared_edges(measurable(shapes))
    edges = edges[edges["length"] > shortest_m]
    names = shapes.index
    found = {"a": names[edges["a"]], "b": names[edges["b"]], "shared_m": edges["length"]}
    return pd.DataFrame(found).reset_index(drop=True)


def pieces(grid_codes: pd.Series[Any], touching: pd.DataFrame) -> pd.Series[Any]:
    """Return of how many pieces each grid consists, by rook contiguity of its blocks.

    Parameters
    ----------
    grid_codes
        Grid code by block id; blocks in no grid (missing) are passed over.
    touching
        Columns a, b of block ids that share a border, as `neighbours` gives them; pairs
        with a block that is not in `grid_codes` are passed over.

    Returns
    -------
    Series
        Number of pieces by grid code, in text order; 1 is contiguous.
    """
    held = grid_codes.dropna()
    if held.empty:
        return pd.Series(np.zeros(0, dtype=int), pd.Index([], name="grid_code"), name="pieces")
    first = held.index.get_indexer(pd.Index(touching["a"]))
    second = held.index.get_indexer(pd.Index(touching["b"]))
    codes, grids = pd.factorize(held, sort=True)
    same = (first >= 0) & (second >= 0) & (codes[first] == codes[second])
    links = csr_array(
        (np.ones(same.sum(), dtype=bool), (first[same], second[same])), shape=(len(held),) * 2
    )
    part = connected_components(links, directed=False)[1]
    _, one_a_part = np.unique(part, return_index=True)
    counts = np.bincount(codes[one_a_part], minlength=len(grids))
    return pd.Series(counts, index=pd.Index(grids, name="grid_code"), name="pieces")


def is_contiguous(block_ids: Collection[str], touching: pd.DataFrame) -> bool:
    """Say whether blocks hang together over shared borders; no block and one block do."""
    if not block_ids:
        return True
    return bool(pieces(pd.Series("grid", index=pd.Index(list(block_ids))), touching).iloc[0] == 1)


def _checked_solid(shapes: npt.NDArray[Any], labels: pd.Index[Any]) -> None:
    empty = np.flatnonzero(shapely.is_empty(shapes))
    if len(empty):
        label = str(labels[empty[0]])
        raise Refused(
            "block-empty",
            f"“{label}”是空图形，不能作为图斑；请删除或补全",
            f"{label} is empty and cannot be a block; remove or complete it",
            index=label,
        )


def _largest_overlaps(
    shapes: npt.NDArray[Any], villages: GeoSeries
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Return the village and the share in it of each polygon; None and 0 where none is met."""
    outlines = measurable(villages)
    block, village = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    shared = polygons_only(shapely.intersection(shapes[block], outlines[village]))
    shared_m2 = shapely.area(shared)
    order = np.lexsort((village, -shared_m2, block))
    order = order[shared_m2[order] > 0]
    found, first = np.unique(block[order], return_index=True)
    codes = np.full(len(shapes), None, dtype=object)
    shares = np.zeros(len(shapes))
    codes[found] = villages.index.to_numpy(dtype=object)[village[order][first]]
    shares[found] = shared_m2[order][first] / shapely.area(shapes[found])
    return codes, np.minimum(shares, 1.0)


def _findings(doubtful: GeoDataFrame) -> pd.DataFrame:
    found = [
        _finding(*row)
        for row in doubtful.sort_values("village_share", kind="stable")[
            ["id", "village_code", "village_share"]
        ].itertuples(index=False)
    ]
    columns = ["block_id", "fault", "village_code", "village_share", "zh", "en"]
    return pd.DataFrame(found, columns=columns)


def _finding(block_id: str, village: str | None, share: float) -> tuple[Any, ...]:
    if not isinstance(village, str):
        zh, en = f"图斑 {block_id} 不在任何村(社区)内", f"block {block_id} lies in no village"
        return block_id, "outside-villages", None, share, zh, en
    zh = f"图斑 {block_id} 只有 {share:.1%} 在 {village} 内，请核对边界"
    en = f"only {share:.1%} of block {block_id} lies in {village}; check the border"
    return block_id, "between-villages", village, share, zh, en
