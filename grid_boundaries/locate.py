"""Which block and grid a point lies in: the boundary law, and an index in step with redraws."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoSeries
from rtree.index import Index
from shapely import Polygon

from grid_boundaries.errors import Refused
from grid_boundaries.topology import measurable

NEAR_M = 1.0  # a point in nothing belongs to the nearest polygon up to this far, and is flagged
SEARCH_M = 1.01 * NEAR_M  # so that rounding loses no candidate at exactly that distance

How = Literal["inside", "near", "outside"]


@dataclass(frozen=True)
class Place:
    """Where a point lies.

    Parameters
    ----------
    block_id
        None outside every block.
    grid_code
        None outside, and in a block that no grid holds.
    how
        "inside" (or on a border), "near" (in nothing, the block is within 1 m), "outside".
    """

    block_id: str | None
    grid_code: str | None
    how: How


def claimant(
    x_m: float, y_m: float, ids: npt.NDArray[Any], shapes: npt.NDArray[Any]
) -> tuple[int | None, How]:
    """Return the position of the polygon that a point belongs to (None for none), and how.

    The boundary law for one point among few candidates: of the polygons that hold the
    point inside or on the border the one with the lowest id in text order; else the
    nearest within 1 m, ties again to the lowest id.
    """
    order = np.argsort(ids, kind="stable")
    holding = np.flatnonzero(shapely.intersects_xy(shapes[order], x_m, y_m))
    if len(holding):
        return int(order[holding[0]]), "inside"
    distances_m = shapely.distance(shapes[order], shapely.Point(x_m, y_m))
    # an empty polygon is at no distance, which numpy says as NaN
    distances_m = np.where(np.isnan(distances_m), np.inf, distances_m)
    nearest = int(np.argmin(distances_m)) if len(distances_m) else 0
    if len(distances_m) and distances_m[nearest] <= NEAR_M:
        return int(order[nearest]), "near"
    return None, "outside"


def prepared_copies(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return equal shapes that answer many points fast.

    Copies, because what is prepared inside a shape is built at the first question, and the
    caller's shapes may be asked by another thread in that moment.
    """
    copies: npt.NDArray[Any] = np.asarray(shapely.from_wkb(shapely.to_wkb(shapes)), dtype=object)
    shapely.prepare(copies)
    return copies


class BlockIndex:
    """The blocks in force and their grids, answering for single points.

    Safe to ask and to change from several threads. A change that is refused changes nothing.

    Parameters
    ----------
    blocks
        Valid polygons, metres, indexed by block id.
    grid_codes
        Block id to grid code; blocks left out belong to no grid.

    Raises
    ------
    Refused
        A block twice, or one that `topology.measurable` refuses; a grid for an unknown block.
    """

    def __init__(self, blocks: GeoSeries, grid_codes: Mapping[str, str] | None = None) -> None:
        shapes = _checked_blocks(blocks)
        self._lock = RLock()
        self._shapes: dict[str, Polygon] = shapes
        self._ids: dict[int, str] = dict(enumerate(shapes))
        self._numbers = {block_id: number for number, block_id in self._ids.items()}
        self._next_number = count(len(shapes))
        self._grids: dict[str, str] = {}
        self._tree = Index(self._entries(shapes)) if _has_area(shapes) else Index()
        self.assign(grid_codes or {})

    def __len__(self) -> int:
        return len(self._shapes)

    def place(self, x_m: float, y_m: float) -> Place:
        """Return the block and grid of a point in metres; not a number lies outside."""
        if not (math.isfinite(x_m) and math.isfinite(y_m)):
            return Place(None, None, "outside")
        with self._lock:
            box = (x_m - SEARCH_M, y_m - SEARCH_M, x_m + SEARCH_M, y_m + SEARCH_M)
            ids = [self._ids[number] for number in self._tree.intersection(box)]
            shapes = np.array([self._shapes[block_id] for block_id in ids], dtype=object)
            position, how = claimant(x_m, y_m, np.array(ids, dtype=object), shapes)
            block_id = None if position is None else ids[position]
            return Place(block_id, self._grids.get(block_id or ""), how)

    def replace(
        self,
        removed: Collection[str],
        added: GeoSeries,
        grid_codes: Mapping[str, str] | None = None,
    ) -> None:
        """Take out blocks by id and put others in, with their grids.

        Raises
        ------
        Refused
            A removed block is not there, an added one already is (unless also removed)
            or cannot be measured, or a grid is given for a block that is not there.
        """
        shapes = _checked_blocks(added)
        with self._lock:
            left = self._shapes.keys() - set(removed)
            _checked_known(removed, self._shapes)
            _checked_new(shapes, left)
            _checked_known(grid_codes or {}, left | shapes.keys())
            for block_id in removed:
                self._remove(block_id)
            for block_id, shape in shapes.items():
                number = next(self._next_number)
                self._numbers[block_id], self._ids[number] = number, block_id
                self._shapes[block_id] = shape
            for entry in self._entries(shapes):
                self._tree.insert(*entry)
            self._grids.update(grid_codes or {})

    def assign(self, grid_codes: Mapping[str, str]) -> None:
        """Give blocks to grids; block id to grid code.

        Raises
        ------
        Refused
            A block is not there.
        """
        with self._lock:
            _checked_known(grid_codes, self._shapes)
            self._grids.update(grid_codes)

    def unassign(self, block_ids: Collection[str]) -> None:
        """Take blocks out of their grids, which leaves a blind area that the map shows.

        Raises
        ------
        Refused
            A block is not there.
        """
        with self._lock:
            _checked_known(block_ids, self._shapes)
            for block_id in block_ids:
                self._grids.pop(block_id, None)

    def _remove(self, block_id: str) -> None:
        shape, number = self._shapes.pop(block_id), self._numbers.pop(block_id)
        self._grids.pop(block_id, None)
        del self._ids[number]
        if not shape.is_empty:
            self._tree.delete(number, shape.bounds)

    def _entries(
        self, shapes: Mapping[str, Polygon]
    ) -> Iterator[tuple[int, tuple[float, float, float, float], None]]:
        for block_id, shape in shapes.items():
            if not shape.is_empty:
                yield self._numbers[block_id], shape.bounds, None


def _checked_blocks(blocks: GeoSeries) -> dict[str, Polygon]:
    shapes = measurable(blocks)
    if not blocks.index.is_unique:
        twice = str(blocks.index[blocks.index.duplicated()][0])
        raise _refused_block("block-twice", twice, "出现两次", "comes twice")
    return dict(zip(blocks.index, prepared_copies(shapes), strict=True))


def _has_area(shapes: Mapping[str, Polygon]) -> bool:
    return any(not shape.is_empty for shape in shapes.values())


def _checked_known(asked: Collection[str], known: Collection[str]) -> None:
    for block_id in asked:
        if block_id not in known:
            raise _refused_block("no-such-block", block_id, "不存在", "is not there")


def _checked_new(asked: Collection[str], known: Collection[str]) -> None:
    for block_id in asked:
        if block_id in known:
            raise _refused_block("block-twice", block_id, "已存在", "is there already")


def _refused_block(word: str, block_id: str, zh: str, en: str) -> Refused:
    return Refused(
        word,
        f"图斑 {block_id} {zh}；请刷新后重试",
        f"block {block_id} {en}; reload and try again",
        block_id=block_id,
    )
