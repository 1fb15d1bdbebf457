"""Strokes on a plan: which block belongs to which grid, and blocks cut in pieces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import Series
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import NotFound, Refused
from grid_boundaries.slicing import Points, new_nodes, piece_names, sliced, with_vertices


def move(assignment: Series[str], blocks: Iterable[str], to: str | None) -> Series[str]:
    """Return the assignment with some blocks given to another grid.

    Parameters
    ----------
    assignment
        Grid code by block id; None where a block is in no grid.
    blocks
        Ids of the blocks to move, or one id; an empty list changes nothing.
    to
        The grid that takes them; None leaves them unassigned.

    Raises
    ------
    NotFound
        A block is not in the assignment; nothing was changed.
    """
    chosen = _names(blocks)
    _refuse_unknown(chosen, assignment.index, "block", "图斑")
    # text stays text; all-missing or categorical codes must be able to take a new one
    is_text = pd.api.types.is_string_dtype(assignment.dtype)
    moved = assignment.copy() if is_text else assignment.astype(object)
    moved.loc[chosen] = to
    return moved


def merge(assignment: Series[str], grids: Iterable[str], into: str) -> Series[str]:
    """Return the assignment with all blocks of some grids given to one of them or a new one.

    Parameters
    ----------
    assignment
        Grid code by block id.
    grids
        Codes of the grids to be dissolved, or one code; `into` may be among them.
    into
        The grid that holds their blocks afterwards.

    Raises
    ------
    NotFound
        A grid holds no block; nothing was changed.
    """
    codes = _names(grids)
    _refuse_unknown(codes, pd.Index(assignment.dropna().unique()), "grid", "网格")
    return move(assignment, list(assignment.index[assignment.isin(codes)]), into)


def split(blocks: GeoDataFrame, block: str, line: LineString) -> GeoDataFrame:
    """Return the blocks with one of them cut along a line.

    The pieces are named ``{block}.1``, ``{block}.2`` … from west to east, pieces level with one
    another from north to south, and keep the other columns of the block. Where the cut meets
    the block's border, neighbours get the same vertex, so that the blocks stay edge-matched;
    their shape does not change. Everything else is returned as it was.

    Parameters
    ----------
    blocks
        Blocks indexed by id, edge-matched, in a metric CRS.
    block
        Id of the block to cut.
    line
        Line in the same CRS; parts of it outside the block are ignored.

    Raises
    ------
    NotFound
        There is no such block.
    Refused
        The line does not cut the block in two.
    """
    _refuse_unknown([block], blocks.index, "block", "图斑")
    whole = {block: blocks.geometry.loc[block]}
    found = sliced(whole, line)
    if not found:
        raise does_not_cut(block)
    rest = _renoded(blocks.drop(index=block), whole[block], new_nodes(whole, found))
    parts = _named_pieces(blocks, block, found[block])
    return GeoDataFrame(pd.concat([rest, parts]), geometry=blocks.geometry.name, crs=blocks.crs)


def does_not_cut(block: str) -> Refused:
    """Return the refusal of a line that leaves a block in one piece."""
    return Refused(
        "line-does-not-cut",
        f"这条线没有把图斑 {block} 切成两块；请让线的两端都伸出图斑边界",
        f"The line does not cut block {block} in two; let both ends leave the block",
        block=block,
    )


def _named_pieces(
    blocks: GeoDataFrame, block: str, pieces: tuple[BaseGeometry, ...]
) -> GeoDataFrame:
    parts = blocks.loc[[block] * len(pieces)].copy()
    parts.index = pd.Index(piece_names(block, len(pieces)), name=blocks.index.name)
    return parts.set_geometry(np.array(pieces, dtype=object), crs=blocks.crs)


def _renoded(rest: GeoDataFrame, whole: BaseGeometry, nodes: Points) -> GeoDataFrame:
    near = rest.sindex.query(whole, predicate="intersects")
    shapes = rest.geometry.to_numpy().copy()
    for position in near:  # a block has a handful of neighbours
        shapes[position] = with_vertices(shapes[position], nodes)
    return rest.set_geometry(shapes, crs=rest.crs)


def _names(asked: Iterable[str]) -> list[str]:
    # a bare text would be taken letter by letter
    return [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))


def _refuse_unknown(asked: list[str], known: pd.Index[str], kind: str, zh: str) -> None:
    missing = [name for name in asked if name not in known]
    if missing:
        raise NotFound(
            f"no-such-{kind}",
            f"没有{zh} {missing[0]}；什么都没有改动",
            f"There is no {kind} {missing[0]}; nothing was changed",
            **{kind: missing},
        )
