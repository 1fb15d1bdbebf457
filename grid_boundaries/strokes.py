"""The strokes of a plan as frozen values: each says what it does to a state, and can be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Any, TypeAlias

from grid_boundaries.errors import Malformed, Refused
from grid_boundaries.plan_state import Grid, State, known_block, known_grid

Shapes = tuple[tuple[str, bytes], ...]
Touched = tuple[frozenset[str], frozenset[str]]  # blocks, grids


@dataclass(frozen=True)
class Move:
    """Give blocks to a grid; `to` None leaves them in none."""

    blocks: tuple[str, ...]
    to: str | None

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        NotFound
            A block or the grid is not there.
        """
        return state.with_blocks(self.blocks, self.to)

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        return _given(state, self.blocks, self.to)


@dataclass(frozen=True)
class Merge:
    """Give all blocks of some grids to one grid; the others are no more."""

    grids: tuple[str, ...]
    into: str

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        NotFound
            One of the grids is not there.
        """
        for code in (*self.grids, self.into):
            known_grid(state, code)
        gone = [code for code in dict.fromkeys(self.grids) if code != self.into]
        blocks = [block for code in gone for block in state.blocks_of(code)]
        return _without_grids(state.with_blocks(blocks, self.into), gone)

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        blocks = frozenset[str]().union(*(state.blocks_of(code) for code in self.grids))
        return blocks, frozenset({*self.grids, self.into})


@dataclass(frozen=True)
class Create:
    """Make a grid of some blocks, whichever grids hold them now."""

    grid: Grid
    blocks: tuple[str, ...]

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        Refused
            A grid of that code is there already.
        NotFound
            A block is not there.
        """
        code = self.grid.code
        if code in state.grids:
            raise Refused(
                "grid-code-taken",
                f"方案中已有网格 {code}；请换一个编号",
                f"The plan has a grid {code} already; take another code",
                grid=code,
            )
        made = replace(state, grids={**state.grids, code: self.grid})
        return made.with_blocks(self.blocks, code)

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        return _given(state, self.blocks, self.grid.code)


@dataclass(frozen=True)
class Retire:
    """Take a grid away; its blocks are in none."""

    grid: str

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        NotFound
            There is no such grid.
        """
        known_grid(state, self.grid)
        return _without_grids(state.with_blocks(state.blocks_of(self.grid), None), [self.grid])

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        return state.blocks_of(self.grid), frozenset({self.grid})


@dataclass(frozen=True)
class Declare:
    """Say of how many parts a grid rightly consists: an enclave or island is no fault then."""

    grid: str
    parts: int

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        NotFound
            There is no such grid.
        Refused
            A grid has at least one part.
        """
        known_grid(state, self.grid)
        if self.parts < 1:
            raise Refused(
                "parts-under-one",
                f"网格 {self.grid} 至少有一个部分；请给出 1 或更大的数",
                f"Grid {self.grid} has at least one part; give 1 or more",
                grid=self.grid,
                parts=self.parts,
            )
        declared = replace(state.grids[self.grid], expected_parts=self.parts)
        return replace(state, grids={**state.grids, self.grid: declared})

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        return frozenset(), frozenset({self.grid})


@dataclass(frozen=True)
class Split:
    """Cut a block in pieces; `grid_boundaries.cutting.cut` makes it.

    Parameters
    ----------
    line
        WKB, stored degrees.
    pieces
        Ids of the pieces.
    before, after
        Id and WKB of the block and the neighbours that get a vertex, and of what they become.
    """

    block: str
    line: bytes
    pieces: tuple[str, ...]
    before: Shapes
    after: Shapes

    def on(self, state: State) -> State:
        """Return the state after the stroke.

        Raises
        ------
        NotFound
            The block is not there.
        Refused
            A block is not shaped as it was when the stroke was made.
        """
        known_block(state, self.block)
        shapes = dict(state.shapes)
        for block, wkb in self.before:
            if shapes.pop(block, wkb) != wkb:
                raise _does_not_fit(block)
        shapes.update(self.after)
        cut = state.with_pieces(self.block, self.pieces)
        return replace(cut, shapes=shapes, cuts={**state.cuts, self.block: self.line})

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the stroke changes."""
        blocks = frozenset({block for block, _ in self.before} | set(self.pieces))
        holder = state.grid_of.get(self.block)
        return blocks, frozenset() if holder is None else frozenset({holder})


@dataclass(frozen=True)
class Together:
    """Strokes that are one to the planner: made, undone and made again as one.

    Parameters
    ----------
    what
        "split_grid", "move_border", "carve", "transfer", "absorb" or "recut".
    """

    what: str
    strokes: tuple[Stroke, ...]

    def on(self, state: State) -> State:
        """Return the state after the strokes.

        Raises
        ------
        Refused
            One of them does not fit; nothing was changed.
        """
        return reduce(lambda before, stroke: stroke.on(before), self.strokes, state)

    def touches(self, state: State) -> Touched:
        """Return the blocks and the grids that the strokes change."""
        blocks, grids = set[str](), set[str]()
        for stroke in self.strokes:  # one after another: a later one moves what an earlier one cut
            own_blocks, own_grids = stroke.touches(state)
            blocks |= own_blocks
            grids |= own_grids
            state = stroke.on(state)
        return frozenset(blocks), frozenset(grids)


Stroke: TypeAlias = Move | Merge | Create | Retire | Declare | Split | Together


def touched(stroke: Stroke, state: State) -> Touched:
    """Return the blocks and the grids that a stroke on a state changes.

    Two strokes without a block and without a grid in common can be made in either order.
    """
    return stroke.touches(state)


def word_of(stroke: Stroke) -> str:
    """Return what a planner calls the stroke."""
    return stroke.what if isinstance(stroke, Together) else _WORD[type(stroke)]


def is_cutting(stroke: Stroke) -> bool:
    """Say whether a stroke cuts a block."""
    if isinstance(stroke, Together):
        return any(is_cutting(one) for one in stroke.strokes)
    return isinstance(stroke, Split)


def wire_of(stroke: Stroke) -> dict[str, Any]:
    """Return a stroke as plain JSON values; `stroke_from` reads it."""
    if isinstance(stroke, Together):
        own = [wire_of(one) for one in stroke.strokes]
        return {"kind": "together", "what": stroke.what, "strokes": own}
    plain = asdict(stroke)
    if isinstance(stroke, Split):
        plain["line"] = stroke.line.hex()
        for side in ("before", "after"):
            plain[side] = {block: wkb.hex() for block, wkb in getattr(stroke, side)}
    return {"kind": _WORD[type(stroke)], **plain}


def stroke_from(wire: Mapping[str, Any]) -> Stroke:
    """Return the stroke that `wire_of` wrote.

    Raises
    ------
    Malformed
        It says no kind of stroke, or not what that kind needs.
    """
    plain = dict(wire)
    try:
        return _READ[plain.pop("kind")](plain)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed(
            "no-such-stroke",
            "无法读懂这一笔；请给出 kind 及其字段",
            "The stroke cannot be read; give its kind and the fields of that kind",
            kind=str(wire.get("kind"))[:40],
        ) from None


def _split_from(plain: dict[str, Any]) -> Split:
    return Split(
        plain["block"],
        bytes.fromhex(plain["line"]),
        tuple(plain["pieces"]),
        tuple((block, bytes.fromhex(wkb)) for block, wkb in plain["before"].items()),
        tuple((block, bytes.fromhex(wkb)) for block, wkb in plain["after"].items()),
    )


_WORD: Mapping[type, str] = MappingProxyType(
    {
        Move: "move",
        Merge: "merge",
        Create: "create",
        Retire: "retire",
        Declare: "declare",
        Split: "split",
    }
)
_READ: Mapping[str, Callable[[dict[str, Any]], Stroke]] = MappingProxyType(
    {
        "move": lambda plain: Move(tuple(plain["blocks"]), plain["to"]),
        "merge": lambda plain: Merge(tuple(plain["grids"]), plain["into"]),
        "create": lambda plain: Create(Grid(**plain["grid"]), tuple(plain["blocks"])),
        "retire": lambda plain: Retire(plain["grid"]),
        "declare": lambda plain: Declare(plain["grid"], int(plain["parts"])),
        "split": _split_from,
        "together": lambda plain: Together(
            plain["what"], tuple(stroke_from(one) for one in plain["strokes"])
        ),
    }
)


def _given(state: State, blocks: Iterable[str], to: str | None) -> Touched:
    own = frozenset(blocks)
    grids = {to, *(state.grid_of.get(block) for block in own)}
    return own, frozenset(code for code in grids if code is not None)


def _without_grids(state: State, codes: list[str]) -> State:
    grids = {code: grid for code, grid in state.grids.items() if code not in codes}
    members = {code: blocks for code, blocks in state.members.items() if code not in codes}
    return replace(state, grids=grids, members=members)


def _does_not_fit(block: str) -> Refused:
    return Refused(
        "stroke-does-not-fit",
        f"图斑 {block} 的形状已与切分时不同；请重新切分",
        f"Block {block} is not shaped as it was when it was cut; cut it anew",
        block=block,
    )
