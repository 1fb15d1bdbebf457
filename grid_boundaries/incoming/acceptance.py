"""What accepting an imported layer does to a plan: strokes that give it the layer's grids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from grid_boundaries.plan_state import Grid, State
from grid_boundaries.strokes import Create, Move, Retire, Stroke


@dataclass(frozen=True)
class LayerGrid:
    """A grid of the layer: its code there, its name, the village that it lies in."""

    code: str
    name: str
    village_code: str
    setting: str = "village"


def strokes_for(
    state: State,
    grids: Mapping[str, LayerGrid],
    fit: pd.DataFrame,
    new_code: Callable[[LayerGrid], str],
    *,
    take_proposals: bool = False,
) -> Iterator[Stroke]:
    """Yield strokes, in order, after which the blocks are as the layer says.

    A grid in force of the same code takes the blocks; any other is made, with the layer's code
    as its alias. What the layer contests or leaves open ends in no grid, to be settled by a
    planner, unless its proposals are taken. Blocks where the layer does not reach stay where
    they are; grids that lose their last block are retired.

    Parameters
    ----------
    grids
        By their code in the layer.
    fit
        As `fitted` gives it; blocks that the state does not have are passed over.
    new_code
        The plan's own code for a grid that it makes.
    """
    after = dict(state.grid_of)
    for code, blocks in _wanted(state, fit, take_proposals=take_proposals):
        to = code
        if code is not None and code not in state.grids:
            to = new_code(grids[code])
            yield Create(_made(to, grids[code]), blocks)
        elif coming := tuple(name for name in blocks if state.grid_of[name] != to):
            yield Move(coming, to)
        after.update(dict.fromkeys(blocks, to))
    yield from map(Retire, _left_empty(state, after))


def _left_empty(state: State, after: Mapping[str, str | None]) -> list[str]:
    """Return the grids that had blocks and have none afterwards."""
    gone = state.grids.keys() - set(after.values())
    return sorted(code for code in gone if state.blocks_of(code))


def _wanted(
    state: State, fit: pd.DataFrame, *, take_proposals: bool
) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    reached = fit[(fit["kind"] != "outside") & fit.index.isin(list(state.grid_of))]
    codes: Any = reached["proposed"] if take_proposals else reached["code"]
    wanted: dict[str | None, list[str]] = {}
    for name, code in zip(reached.index, codes, strict=True):
        wanted.setdefault(code, []).append(str(name))
    # grids by code, and what is in none last
    for code in sorted(wanted, key=lambda code: (code is None, code or "")):
        yield code, tuple(sorted(wanted[code]))


def _made(code: str, grid: LayerGrid) -> Grid:
    name = grid.name or grid.code
    return Grid(code, name, grid.village_code, setting=grid.setting, alias=grid.code)
