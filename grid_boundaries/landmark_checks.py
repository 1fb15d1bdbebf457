"""Checks of where borders run: across a street, a building, a village, a group, a special area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from grid_boundaries import remedies
from grid_boundaries.faults import Fault, Standards
from grid_boundaries.ground import Ground
from grid_boundaries.landmarks import THINGS
from grid_boundaries.plan_state import State
from grid_boundaries.strokes import Move

CROSSED_M = 100.0  # a grid may reach so far along both sides of a main street
Thing = tuple[str, str, str | None]  # kind, id, name
BUILT_UP = frozenset({"city", "market_town"})  # a valley's road runs through every rural grid
WORDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "building": ("cuts-building", "房屋", "Building"),
        "natural-village": ("cuts-natural-village", "自然村", "Natural village"),
        "group": ("cuts-group", "村民小组", "Villagers' group"),
    }
)


def landmark_checks(state: State, ground: Ground, standards: Standards) -> Iterator[Fault]:
    """Yield the faults of a state's borders, all soft.

    A main street crosses a built-up grid when the grid lies on both sides of it for `CROSSED_M`
    metres. Natural villages and groups are looked at in rural grids, and not where they are
    larger than a grid may be.
    """
    yield from _crossed(state, ground)
    grid_of = pd.Series(dict(state.grid_of), dtype=object)
    things = ground.landmarks.things
    held = things.assign(grid=things["block"].map(grid_of)).dropna(subset=["grid"])
    yield from _parted(state, ground, standards, held)
    yield from _not_of_their_own(state, ground, held)


def _crossed(state: State, ground: Ground) -> Iterator[Fault]:
    grid_of = pd.Series(dict(state.grid_of), dtype=object)
    streets = ground.landmarks.streets
    codes = {side: streets[side].map(grid_of) for side in ("a", "b")}
    inside = streets.loc[(codes["a"] == codes["b"]) & codes["a"].notna()].assign(grid=codes["a"])
    crossed_m = inside.groupby("grid")["street_m"].sum()
    for code, length_m in crossed_m[crossed_m >= CROSSED_M].items():
        grid = state.grids[str(code)]
        if grid.kind != "residential" or grid.setting not in BUILT_UP:
            continue
        own = inside[inside["grid"] == code]
        severed = [(min(a, b), max(a, b)) for a, b in own[["a", "b"]].itertuples(index=False)]
        people, households = ground.concerned(state.blocks_of(grid.code))
        yield Fault(
            "crosses-street", "soft", grid.code, (), people, households,
            f"网格 {code} 跨越主要道路 {length_m:.0f} 米，涉及 {people} 人；请以道路为界",
            f"Grid {code} lies on both sides of a main street for {length_m:.0f} m"
            f" ({people} people); let the street be the border",
            remedies.to_one_side(state, ground, grid.code, severed),
        )  # fmt: skip


def _parted(
    state: State, ground: Ground, standards: Standards, held: pd.DataFrame
) -> Iterator[Fault]:
    named = held[held["kind"].isin(list(WORDS))]
    rural = named["grid"].map({code: grid.setting == "village" for code, grid in
                               state.grids.items()}).astype(bool)  # fmt: skip
    named = named[rural | (named["kind"] == "building")]
    # plain rows: there may be thousands of things, and a table for each is slow
    parted: dict[Thing, dict[str, list[str]]] = {}
    for kind, thing, name, block, code in _in_several(named):
        parted.setdefault((kind, thing, name), {}).setdefault(code, []).append(block)
    for (kind, thing, name), blocks in parted.items():
        main = min(blocks, key=lambda code: (-ground.concerned(blocks[code])[0], code))
        if kind == "building":
            yield _cut_building(ground, thing, main, blocks)
        elif not _too_large(state, ground, standards, main, blocks):
            home = state.grids[main].village_code
            yield _parted_fault(ground, (kind, thing, name), (main, home), blocks)


def _in_several(named: pd.DataFrame) -> Iterable[tuple[str, str, str | None, str, str]]:
    """Return the rows of the things that lie in several grids."""
    pairs = named[["kind", "thing", "grid"]].drop_duplicates()
    several = pairs.loc[pairs.duplicated(["kind", "thing"]), ["kind", "thing"]].drop_duplicates()
    rows = named.merge(several, on=["kind", "thing"])
    columns = [rows[name].tolist() for name in (*THINGS, "grid")]
    return zip(*columns, strict=True)


def _parted_fault(
    ground: Ground, thing: Thing, whole: tuple[str, str], blocks: Mapping[str, list[str]]
) -> Fault:
    """Return the fault of a thing in several grids; `whole` is the one to hold it, its village."""
    kind, word_zh, word_en = WORDS[thing[0]]
    main, home = whole
    away = _away(main, blocks)
    # a grid belongs to one village: what lies in another one cannot be moved to it
    is_near = all(ground.village_of[block] == home for block in away)
    people, households = ground.concerned(away)
    called = f"“{thing[2]}”" if isinstance(thing[2], str) else thing[1]
    return Fault(
        kind, "soft", None, away, people, households,
        f"{word_zh}{called}被分在 {len(blocks)} 个网格，涉及 {people} 人；请划归网格 {main}",
        f"{word_en} {called} lies in {len(blocks)} grids ({people} people);"
        f" give it to grid {main}",
        Move(away, main) if is_near else None,
        thing[1],
    )  # fmt: skip


def _away(main: str, blocks: Mapping[str, list[str]]) -> tuple[str, ...]:
    return tuple(sorted(block for code, own in blocks.items() if code != main for block in own))


def _cut_building(ground: Ground, thing: str, main: str, blocks: Mapping[str, list[str]]) -> Fault:
    away, codes = _away(main, blocks), sorted(blocks)
    people, households = ground.landmarks.living.get(thing, (0, 0))
    area = ground.landmarks.areas.get(thing)
    return Fault(
        "cuts-building", "soft", None, away, people, households,
        f"网格边界穿过房屋 {thing}（{'、'.join(codes)}），涉及 {people} 人；请绕开房屋",
        f"A border runs through building {thing} ({', '.join(codes)}; {people} people);"
        " lead it round the building",
        None if area is None else remedies.Transfer(area, main),
        thing,
    )  # fmt: skip


def _too_large(
    state: State, ground: Ground, standards: Standards, code: str, blocks: Mapping[str, list[str]]
) -> bool:
    rule = standards.rules.get(state.grids[code].setting)
    if rule is None:
        return False
    people, households = ground.concerned(block for own in blocks.values() for block in own)
    return {"people": people, "households": households}[rule.measure] > rule.at_most


def _not_of_their_own(state: State, ground: Ground, held: pd.DataFrame) -> Iterator[Fault]:
    """Yield the special areas that lie in a residential grid."""
    kinds = {code: grid.kind for code, grid in state.grids.items()}
    special = held[held["kind"] == "special-area"]
    for thing, rows in special[special["grid"].map(kinds) != "special"].groupby("thing"):
        blocks = tuple(sorted(rows["block"]))
        people, households = ground.concerned(blocks)
        name: Any = rows["name"].iloc[0]
        called = name if isinstance(name, str) else str(thing)
        yield Fault(
            "special-not-own", "soft", str(rows["grid"].iloc[0]), blocks, people, households,
            f"重点区域“{called}”没有单独建格，涉及 {people} 人；请单独建格",
            f"Special area “{called}” is not a grid of its own ({people} people); carve it out",
            remedies.grid_of_its_own(state, blocks, called, None),
            str(thing),
        )  # fmt: skip
