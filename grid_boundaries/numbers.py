"""Live numbers of grids while they are redrawn: who and what is in them, how compact they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from grid_boundaries.errors import NotFound
from grid_boundaries.measures import compactness
from grid_boundaries.plan_state import State

SUMS = ("people", "households", "places", "key_places", "workers", "cameras", "incidents")
RATIOS = ("polsby_popper", "reock", "hull_ratio")
EMPTY = shapely.MultiPolygon()


@dataclass(frozen=True)
class Numbers:
    """What a set of blocks holds and how it is shaped.

    Parameters
    ----------
    incidents
        Of the window that the sums were taken over.
    polsby_popper, reock, hull_ratio
        Between 0 and 1; None for no block. See `grid_boundaries.measures`.
    parts
        Pieces that share no border with one another; 0 for no block.
    """

    blocks: int
    people: int
    households: int
    places: int
    key_places: int
    workers: int
    cameras: int
    incidents: int
    area_m2: float
    polsby_popper: float | None
    reock: float | None
    hull_ratio: float | None
    parts: int


class Gauge:
    """Counts and measures sets of blocks, and remembers those it has measured.

    Parameters
    ----------
    sums
        By block id, with the columns `SUMS`; a count that is missing counts as none.
    shapes
        Polygons by block id in a metric CRS, edge-matched.
    """

    def __init__(self, sums: pd.DataFrame, shapes: GeoSeries) -> None:
        counts = np.nan_to_num(sums[list(SUMS)].to_numpy(dtype=float))
        self._counts = dict(zip(sums.index, counts, strict=True))
        self._shapes = dict(zip(shapes.index, shapes.to_numpy(), strict=True))
        self._known: dict[frozenset[str], tuple[Numbers, BaseGeometry]] = {}

    def numbers(self, blocks: frozenset[str]) -> Numbers:
        """Return the numbers of a set of blocks.

        Raises
        ------
        NotFound
            One of them has no counts or no shape here.
        """
        return self._measured(blocks)[0]

    def polygon(self, blocks: frozenset[str]) -> BaseGeometry:
        """Return the union of a set of blocks, an empty multipolygon for none."""
        return self._measured(blocks)[1]

    def _measured(self, blocks: frozenset[str]) -> tuple[Numbers, BaseGeometry]:
        if blocks not in self._known:
            self._known[blocks] = self._measure(blocks)
        return self._known[blocks]

    def _measure(self, blocks: frozenset[str]) -> tuple[Numbers, BaseGeometry]:
        try:
            counts = sum((self._counts[block] for block in blocks), np.zeros(len(SUMS)))
            shapes = [self._shapes[block] for block in sorted(blocks)]
        except KeyError as error:
            raise _uncounted(str(error.args[0])) from None
        whole = shapely.coverage_union_all(np.array(shapes, dtype=object)) if shapes else EMPTY
        ratios = compactness(np.array([whole], dtype=object))[0].tolist()
        facts: dict[str, Any] = {
            "blocks": len(blocks),
            **dict(zip(SUMS, map(int, counts.tolist()), strict=True)),
            "area_m2": float(whole.area),
            **{
                name: None if math.isnan(ratio) else ratio
                for name, ratio in zip(RATIOS, ratios, strict=True)
            },
            "parts": int(shapely.get_num_geometries(whole)) if shapes else 0,
        }
        return Numbers(**facts), whole


@dataclass(frozen=True)
class Change:
    """The numbers of one grid before and after; None where it is not there."""

    grid: str
    before: Numbers | None
    after: Numbers | None

    @property
    def wire(self) -> dict[str, Any]:
        """The change as plain JSON values."""
        return asdict(self)


def changes(
    before: State, after: State, gauge: Gauge, codes: Iterable[str], *, then: Gauge | None = None
) -> list[Change]:
    """Return the numbers of some grids before and after a stroke, in text order.

    Parameters
    ----------
    then
        Measures what is after, where a cut has given blocks other shapes.

    Raises
    ------
    NotFound
        A block of theirs has no counts or no shape in its gauge.
    """
    later = gauge if then is None else then
    return [
        Change(code, _numbers(before, gauge, code), _numbers(after, later, code))
        for code in sorted(set(codes))
    ]


def frame_of(numbers: Mapping[str, Numbers]) -> pd.DataFrame:
    """Return numbers by grid code as a table; compactness is NaN where there is none."""
    index = pd.Index(list(numbers), dtype=object, name="grid_code")
    columns = list(Numbers.__dataclass_fields__)
    return pd.DataFrame([asdict(one) for one in numbers.values()], index=index, columns=columns)


def _numbers(state: State, gauge: Gauge, code: str) -> Numbers | None:
    return gauge.numbers(state.blocks_of(code)) if code in state.grids else None


def _uncounted(block: str) -> NotFound:
    return NotFound(
        "block-not-counted",
        f"没有图斑 {block} 的统计数或图形",
        f"There are no counts or no shape of block {block}",
        block=block,
    )
