"""Live numbers of grids while they are redrawn: who and what is in them, how compact they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoSeries
from shapely.geometry.base import BaseGeometry

from grid_boundaries.along import Lines
from grid_boundaries.errors import NotFound
from grid_boundaries.measures import outline_ratios
from grid_boundaries.patchwork import Patchwork
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.rules import BASES, SizeRule

SUMS = ("people", "households", "places", "key_places", "workers", "cameras", "incidents")
RATIOS = ("polsby_popper", "reock", "hull_ratio")
NO_GROUND: Mapping[str, Any] = MappingProxyType(
    {"area_m2": 0.0, "parts": 0, **dict.fromkeys(RATIOS)}
)
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
    street_share, river_share
        Part of the boundary along streets and along rivers, 0 to 1; None for no block, or
        where nobody has said where streets and rivers are. See `grid_boundaries.along`.
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
    street_share: float | None = None
    river_share: float | None = None


class Gauge:
    """Counts and measures sets of blocks, and remembers those it has measured.

    Parameters
    ----------
    sums
        By block id, with the columns `SUMS`; a count that is missing counts as none.
    shapes
        Polygons by block id in a metric CRS, edge-matched.
    along
        Where "street" and "river" are.
    """

    def __init__(
        self, sums: pd.DataFrame, shapes: GeoSeries, along: Mapping[str, Lines] | None = None
    ) -> None:
        self._along = dict(along or {})
        self._shapes = shapes.to_numpy()
        self._row = {block: row for row, block in enumerate(shapes.index.tolist())}
        counted = sums.index.get_indexer(shapes.index)
        self._uncounted = frozenset(shapes.index[counted < 0])
        counts = np.nan_to_num(sums[list(SUMS)].to_numpy(dtype=float))
        self._counts = counts[counted] if len(counts) else np.zeros((len(shapes), len(SUMS)))
        self._patchwork = Patchwork(self._shapes)
        self._known: dict[frozenset[str], Numbers] = {}

    def numbers(self, blocks: frozenset[str]) -> Numbers:
        """Return the numbers of a set of blocks.

        Raises
        ------
        NotFound
            One of them has no counts or no shape here.
        """
        if blocks not in self._known:
            self._known[blocks] = self._measured(blocks)
        return self._known[blocks]

    def polygon(self, blocks: frozenset[str]) -> BaseGeometry:
        """Return the union of a set of blocks, an empty multipolygon for none."""
        rows = self._rows(blocks)
        return shapely.coverage_union_all(self._shapes[rows]) if len(rows) else EMPTY

    def _measured(self, blocks: frozenset[str]) -> Numbers:
        rows = self._rows(blocks)
        totals = map(int, self._counts[rows].sum(axis=0).tolist())
        facts: dict[str, Any] = dict(zip(SUMS, totals, strict=True))
        if not len(rows):
            return Numbers(0, **facts, **NO_GROUND)
        found = self._patchwork.outline(rows)
        ratios = outline_ratios(found.area_m2, found.perimeter_m, found.hull)
        facts |= dict(zip(RATIOS, ratios, strict=True))
        facts |= {f"{name}_share": lines.share_of(found.border)
                  for name, lines in self._along.items()}  # fmt: skip
        return Numbers(len(rows), area_m2=found.area_m2, parts=found.parts, **facts)

    def _rows(self, blocks: frozenset[str]) -> npt.NDArray[np.int64]:
        try:
            rows = [self._row[block] for block in blocks]
        except KeyError as error:
            raise _uncounted(str(error.args[0])) from None
        if not self._uncounted.isdisjoint(blocks):
            raise _uncounted(min(self._uncounted & blocks))
        return np.array(sorted(rows), dtype=np.int64)


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

    def against(self, rule: SizeRule | None, basis: str) -> dict[str, Any]:
        """Return the change as plain JSON values with the rule and the population basis.

        Parameters
        ----------
        rule
            That the grid is held to; None for a grid without one.
        basis
            "present", "registered" or "usual".
        """
        zh, en = BASES[basis]
        told: dict[str, Any] = {"basis": {"name": basis, "zh": zh, "en": en}, "rule": None}
        if rule is not None:
            says_zh, says_en = rule.says(basis)
            bands = {
                side: rule.band(getattr(found, rule.measure))
                for side, found in (("before", self.before), ("after", self.after))
                if found is not None
            }
            told["rule"] = {**rule.wire, "says": {"zh": says_zh, "en": says_en}, "band": bands}
        return {**self.wire, **told}


def rule_for(grid: Grid | None, rules: Mapping[str, SizeRule]) -> SizeRule | None:
    """Return the rule that a grid is held to; a special grid has none."""
    return rules.get(grid.setting) if grid is not None and grid.kind == "residential" else None


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
