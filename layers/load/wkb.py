"""Well-known binary that others made: walked without recursion before any library reads it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from layers.load.limits import DEFAULT, Limits

POINT, LINE, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION = range(1, 8)
Z, M, SRID = 0x80000000, 0x40000000, 0x20000000
ISO_HEIGHTS = {0: 0, 1: 1, 2: 1, 3: 2}  # thousands of the kind: Z, M, both; numbers added


def wkb_fault(data: bytes, *, limits: Limits = DEFAULT) -> str | None:
    """Return why bytes are not a geometry that may be read, or None for a good one.

    Follows the counts through the bytes with a list of what is still to come, so that no
    depth of nesting costs stack, and refuses any count that the bytes left cannot hold.
    ISO and extended (EWKB) flags are known; an SRID other than 4326 and 4490 is refused.
    """
    place, waiting, vertices = 0, [1], 0
    try:
        while waiting:
            if waiting[-1] == 0:
                waiting.pop()
                continue
            waiting[-1] -= 1
            place, kind, order, ordinates = _head(data, place)
            if kind in (MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION):
                count, place = _count(data, place, order, 5)
                waiting.append(count)
                if len(waiting) > limits.nesting + 1:
                    return "nested-too-deep"
                continue
            place, found = _skipped(data, place, kind, order, ordinates)
            vertices += found
            if vertices > limits.vertices:
                return "too-many-vertices"
    except (struct.error, ValueError):
        return "broken-geometry"
    return None if place == len(data) else "broken-geometry"


def shapes_of(parts: Sequence[bytes | None]) -> tuple[npt.NDArray[np.object_], dict[int, str]]:
    """Return geometries, None where there is none, and the faults of those not read."""
    looked_at = {at: wkb_fault(part) for at, part in enumerate(parts) if part is not None}
    faults = {at: fault for at, fault in looked_at.items() if fault is not None}
    good = np.array([None if at in faults else part for at, part in enumerate(parts)], dtype=object)
    shapes = shapely.from_wkb(good, on_invalid="ignore")
    unread = shapely.is_missing(shapes) & np.array([part is not None for part in good], dtype=bool)
    faults |= dict.fromkeys(np.flatnonzero(unread).tolist(), "broken-geometry")
    return shapes, faults


def _head(data: bytes, place: int) -> tuple[int, int, str, int]:
    """Return where the body begins, the kind, the byte order and the numbers per position."""
    if data[place : place + 1] not in (b"\x00", b"\x01"):
        raise ValueError("no byte order")
    order = "<" if data[place] else ">"
    (kind,) = struct.unpack_from(order + "I", data, place + 1)
    place += 5
    if kind & SRID:
        (srid,) = struct.unpack_from(order + "I", data, place)
        place += 4
        if srid not in (4326, 4490):
            raise ValueError("another SRID")
    iso, plain = divmod(kind & 0x0FFFFFFF, 1000)
    if not 1 <= plain <= COLLECTION or iso not in ISO_HEIGHTS:
        raise ValueError("no kind of geometry")
    flagged = bool(kind & Z) + bool(kind & M)
    return place, plain, order, 2 + (ISO_HEIGHTS[iso] if iso else flagged)


def _count(data: bytes, place: int, order: str, least_bytes: int) -> tuple[int, int]:
    (count,) = struct.unpack_from(order + "I", data, place)
    if count * least_bytes > len(data) - place - 4:
        raise ValueError("more parts than bytes")
    return count, place + 4


def _skipped(data: bytes, place: int, kind: int, order: str, ordinates: int) -> tuple[int, int]:
    """Return the place after a point, line or polygon, and the positions passed."""
    size = 8 * ordinates
    if kind == POINT:
        positions = 1
        place += size
    elif kind == LINE:
        positions, place = _count(data, place, order, size)
        place += positions * size
    else:
        rings, place = _count(data, place, order, 4)
        positions = 0
        for _ in range(rings):
            count, place = _count(data, place, order, size)
            positions += count
            place += count * size
    if place > len(data):
        raise ValueError("cut short")
    return place, positions
