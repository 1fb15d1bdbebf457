"""Repair of invalid polygons, only where a description asks for it and only in a child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import shapely

from layers.load.child import run_child
from layers.load.limits import DEFAULT, Limits
from layers.load.wkb import shapes_of

REPAIR_CPU_S = 20


def repaired(shapes: Sequence[Any], *, limits: Limits = DEFAULT) -> list[Any]:
    """Return each polygon made valid by its structure, or None where that did not succeed.

    Holes are taken out of shells and shells united, as `shapely.make_valid` does with
    ``method="structure"``. A polygon on which the child dies or runs out of time is given up,
    and a new child goes on with the rest.

    Parameters
    ----------
    shapes
        Invalid polygons, bounded in vertices by the caller.
    """
    bounds = replace(limits, reader_cpu_s=REPAIR_CPU_S, reader_wall_s=2 * REPAIR_CPU_S)
    waiting = [shapely.to_wkb(shape, hex=True) for shape in shapes]
    done: list[bytes | None] = []
    while waiting:
        some = _from_one_child(waiting, bounds)
        done += some
        waiting = waiting[len(some) :]
    mended, _ = shapes_of(done)
    return [shape if shape is not None and shape.is_valid else None for shape in mended]


def _from_one_child(waiting: Sequence[str], bounds: Limits) -> list[bytes | None]:
    """Return what a child gets done of the list, at least one answer; None where it died."""
    lines = "".join(f"{line}\n" for line in waiting).encode()
    written, ended_well = run_child("repair_child.py", [], bounds, given=lines)
    # a last line without its end was cut short
    answers = written.decode("ascii").split("\n")[:-1][: len(waiting)]
    done = [bytes.fromhex(answer) if answer else None for answer in answers]
    is_stuck = len(done) < len(waiting) and not (ended_well and done)
    return [*done, None] if is_stuck else done
