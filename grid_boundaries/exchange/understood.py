"""From what a file says to the strokes that make a plan say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

import shapely
from geopandas import GeoSeries

from grid_boundaries.crs import in_metres, wgs84_from_gcj02
from grid_boundaries.errors import Refused, TooLarge
from grid_boundaries.exchange.by_ground import LEAST_SHARE, lying, refuse_unclear
from grid_boundaries.exchange.pieces import splits
from grid_boundaries.exchange.same_ground import refuse_other_ground
from grid_boundaries.exchange.told import Told, refusal
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.plans import replayed
from grid_boundaries.refinement import in_terms_of
from grid_boundaries.strokes import Create, Move, Retire, Stroke

Wanted = Mapping[str, str | None]
MOST_GRIDS = 5_000  # that one file makes


@dataclass(frozen=True)
class Base:
    """What a file is held against.

    Parameters
    ----------
    state
        What the plan starts from.
    shapes
        Of its blocks by id, stored degrees; may be empty where the file has no shapes.
    villages
        Village of each block.
    metric_srid
        In which ground is measured.
    """

    state: State
    shapes: GeoSeries
    villages: Mapping[str, str]
    metric_srid: int


@dataclass(frozen=True)
class Understood:
    """What becomes of a file.

    Parameters
    ----------
    strokes
        Made on the base one after another, they say what the file says.
    after
        The base with the strokes on it.
    assigned
        Blocks of `after` that the file speaks of.
    untouched
        Blocks that it does not speak of; they stay as they are.
    differing
        Grids in force of which the file has other facts; they keep their own.
    """

    strokes: tuple[Stroke, ...]
    after: State
    assigned: int
    untouched: tuple[str, ...]
    differing: Mapping[str, Mapping[str, tuple[str | None, str | None]]]


def understood(
    told: Told, base: Base, *, least_share: float = LEAST_SHARE, partial: bool = False
) -> Understood:
    """Return what becomes of a file.

    Parameters
    ----------
    least_share, partial
        See `by_ground`; of no matter where the file names blocks.

    Raises
    ------
    Refused
        Blocks that nobody knows or of which it is not clear where they belong; see `pieces`,
        `same_ground` and `by_ground`.
    """
    if told.what == "blocks":
        refuse_other_ground(base.shapes, told.ground)
        cuts: tuple[Stroke, ...] = splits(base.state, base.shapes, told.grid_of, told.ground)
        state = replayed(base.state, cuts)
        wanted: Wanted = _by_name(state, told.grid_of)
    else:
        cuts, state = (), base.state
        wanted = _by_ground(told, base, least_share, partial)
    moves, after = strokes_to(state, wanted, _placed(told.grids, wanted, base))
    return Understood(
        (*cuts, *moves),
        after,
        len(wanted),
        tuple(sorted(state.grid_of.keys() - wanted.keys())),
        _differing(base.state, told.grids),
    )


def strokes_to(
    state: State, wanted: Wanted, grids: Mapping[str, Grid]
) -> tuple[tuple[Stroke, ...], State]:
    """Return the strokes after which blocks are in the grids where they are wanted, and that state.

    Grids that are left without a block go, unless they are spoken of; where every block is
    spoken of, so do those that had none.

    Parameters
    ----------
    grids
        By code, all that are spoken of; those that are not there are made.

    Raises
    ------
    TooLarge
        More than 5,000 grids to be made.
    """
    going = _going(state, wanted)
    new = sorted(grids.keys() - state.grids.keys())
    _refuse_many(new)
    made = [Create(grids[code], going.pop(code, ())) for code in new]
    moved = [Move(blocks, code) for code, blocks in sorted(going.items(), key=str)]
    between = replayed(state, (*made, *moved))
    is_whole = len(wanted) == len(state.grid_of)
    left = {code for code in state.grids if is_whole or state.blocks_of(code)} - grids.keys()
    gone = [Retire(code) for code in sorted(left) if not between.blocks_of(code)]
    return (*made, *moved, *gone), replayed(between, tuple(gone))


def _going(state: State, wanted: Wanted) -> dict[str | None, tuple[str, ...]]:
    """Return the blocks that come to each grid from elsewhere."""
    going: dict[str | None, list[str]] = {}
    for block, code in sorted(wanted.items()):
        if state.grid_of[block] != code:
            going.setdefault(code, []).append(block)
    return {code: tuple(blocks) for code, blocks in going.items()}


def _refuse_many(new: Collection[str]) -> None:
    if len(new) > MOST_GRIDS:
        raise TooLarge(
            "too-many-grids",
            f"文件新增 {len(new)} 个网格，超过 {MOST_GRIDS} 个；请核对网格编码",
            f"The file makes {len(new)} new grids, more than {MOST_GRIDS}; check its codes",
            found=len(new),
            limit=MOST_GRIDS,
        )


def _by_name(state: State, grid_of: Wanted) -> dict[str, str | None]:
    named = {block: in_terms_of(block, grid_of) for block in state.grid_of}
    return {block: grid_of[name] for block, name in named.items() if name is not None}


def _by_ground(told: Told, base: Base, least_share: float, partial: bool) -> dict[str, str | None]:
    blocks = in_metres(base.shapes, base.metric_srid)
    found = lying(blocks, in_metres(told.ground, base.metric_srid), least_share=least_share)
    if found.shared:
        _refuse_shifted(blocks, told.ground, base.metric_srid, least_share)
    refuse_unclear(found, least_share=least_share, partial=partial)
    return {block: code or None for block, code in found.grid_of.items()}


def _refuse_shifted(
    blocks: GeoSeries, ground: GeoSeries, metric_srid: int, least_share: float
) -> None:
    """Refuse polygons that fit the blocks as soon as they are taken for GCJ-02."""
    back = GeoSeries(
        shapely.transform(ground.to_list(), wgs84_from_gcj02), index=ground.index, crs=ground.crs
    )
    if not lying(blocks, in_metres(back, metric_srid), least_share=least_share).shared:
        raise Refused(
            "looks-like-gcj02",
            "网格边界与图斑错开，按 GCJ-02 换算后正好吻合；请指明 crs=gcj02",
            "The grids do not fit the blocks as they are, and do when taken for GCJ-02: say "
            "crs=gcj02",
        )


def _placed(grids: Mapping[str, Grid], wanted: Wanted, base: Base) -> dict[str, Grid]:
    """Return the file's grids, each in a village of the county: its own, or its blocks'."""
    known = set(base.villages.values())
    held = _villages_of(wanted, base.villages)
    placed = {}
    for code, grid in grids.items():
        village = grid.village_code
        if village not in known and held.get(code):
            village = held[code].most_common(1)[0][0]
        placed[code] = replace(grid, village_code=village)
    lost = {code for code, grid in placed.items() if grid.village_code not in known}
    _refuse_lost(lost - base.state.grids.keys())
    return placed


def _refuse_lost(codes: Collection[str]) -> None:
    if codes:
        raise refusal(
            "grids-without-village",
            "这些网格没有图斑，也没有写明本县的村（社区）：{names}",
            "These grids hold no block and name no village of the county: {names}",
            sorted(codes),
        )


def _villages_of(wanted: Wanted, villages: Mapping[str, str]) -> dict[str | None, Counter[str]]:
    """Return how many blocks of each village every grid gets."""
    held: dict[str | None, Counter[str]] = {}
    for block, code in wanted.items():
        whole = in_terms_of(block, villages)
        held.setdefault(code, Counter())[villages.get(whole or "", "")] += 1
    return held


def _differing(
    state: State, grids: Mapping[str, Grid]
) -> dict[str, dict[str, tuple[str | None, str | None]]]:
    both = [code for code in grids if code in state.grids]
    found = {code: _other_facts(state.grids[code], grids[code]) for code in both}
    return {code: facts for code, facts in found.items() if facts}


def _other_facts(ours: Grid, theirs: Grid) -> dict[str, tuple[str | None, str | None]]:
    kept, said = asdict(ours), asdict(theirs)
    return {name: (kept[name], said[name]) for name in kept if kept[name] != said[name]}
