"""Tiles that a process keeps, each valid until a change touches it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gis_service.outbox_reader import Box, Change

CHANGES_KEPT = 4096
ENTRY_BYTES = 300  # what an entry takes besides its tile

Key = tuple[tuple[str, ...], tuple[str, ...], object, int, int, int]


@dataclass
class Kept:
    """One tile: its gzip bytes, its ETag, and the number of changes it was checked against."""

    body: bytes
    etag: str
    checked: int


class TileCache:
    """The tiles of a process, least recently used out first, and the latest changes.

    Parameters
    ----------
    limit_bytes
        Upper bound of what is kept, entries' overhead included.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._tiles: OrderedDict[Key, Kept] = OrderedDict()
        self._changes: deque[tuple[int, str, Box | None]] = deque(maxlen=CHANGES_KEPT)
        self.changes_seen = 0

    def __len__(self) -> int:
        return len(self._tiles)

    def note(self, changes: Iterable[Change]) -> None:
        """Take note of changes; tiles they touch are no longer given out."""
        for change in changes:
            self.changes_seen += 1
            self._changes.append((self.changes_seen, change.layer, change.box))

    def get(self, key: Key) -> Kept | None:
        """Return the tile if nothing has touched it since it was made."""
        kept = self._tiles.get(key)
        if kept is None:
            return None
        if self._is_touched(key, kept.checked):
            self._drop(key)
            return None
        kept.checked = self.changes_seen
        self._tiles.move_to_end(key)
        return kept

    def put(self, key: Key, body: bytes, etag: str, checked: int) -> None:
        """Keep a tile that was asked for when `checked` changes had been seen."""
        self._drop(key)
        self._tiles[key] = Kept(body, etag, checked)
        self._size += len(body) + ENTRY_BYTES
        while self._size > self._limit and self._tiles:
            self._drop(next(iter(self._tiles)))

    def _drop(self, key: Key) -> None:
        kept = self._tiles.pop(key, None)
        if kept is not None:
            self._size -= len(kept.body) + ENTRY_BYTES

    def _is_touched(self, key: Key, checked: int) -> bool:
        if checked == self.changes_seen:
            return False
        if not self._changes or self._changes[0][0] > checked + 1:
            return True  # too long ago to know
        names, box = key[0], tile_box(*key[3:])
        boxes = [touched for layer, touched in self._since(checked) if layer in names]
        return any(touched is None or _meet(touched, box) for touched in boxes)

    def _since(self, checked: int) -> Iterator[tuple[str, Box | None]]:
        """Yield layer and box of the changes after that many, the newest first."""
        for number, layer, box in reversed(self._changes):
            if number <= checked:
                return
            yield layer, box


def tile_box(z: int, x: int, y: int) -> Box:
    """Return the west, south, east and north of a tile in degrees, with a margin of 1/32."""
    side = 360.0 / (1 << z)
    west, east = x * side - 180 - side / 32, (x + 1) * side - 180 + side / 32
    edges = np.pi * (1 - 2 * np.array([y + 1 + 1 / 32, y - 1 / 32]) / (1 << z))
    south, north = np.degrees(np.arctan(np.sinh(edges)))
    return (west, float(south), east, float(north))


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    west, south, east, north = one
    return west <= other[2] and east >= other[0] and south <= other[3] and north >= other[1]
