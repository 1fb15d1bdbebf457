"""A repaired layer as bytes to be kept, and back: its grids and the blocks that tile the ground."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import shapely
from geopandas import GeoDataFrame

from grid_boundaries.crs import in_degrees, in_metres
from grid_boundaries.incoming.acceptance import LayerGrid
from grid_boundaries.incoming.preview import BLOCK_COLUMNS
from grid_boundaries.tables import STORED_SRID


@dataclass(frozen=True)
class Cover:
    """A repaired layer.

    Parameters
    ----------
    grids
        By code.
    blocks
        As `preview` gives them, in stored degrees.
    """

    grids: dict[str, LayerGrid]
    blocks: GeoDataFrame

    def in_metres(self, srid: int) -> GeoDataFrame:
        """Return the blocks in a metric CRS."""
        return self.blocks.set_geometry(in_metres(self.blocks.geometry, srid))


def cover_of(blocks: GeoDataFrame, grids: dict[str, LayerGrid]) -> Cover:
    """Return a repaired layer from a preview in metres."""
    return Cover(grids, blocks.set_geometry(in_degrees(blocks.geometry)))


def cover_bytes(cover: Cover) -> bytes:
    """Return a repaired layer as compressed JSON; `cover_from` reads it."""
    columns = {name: cover.blocks[name].tolist() for name in BLOCK_COLUMNS}
    shapes = shapely.to_wkb(cover.blocks.geometry.to_numpy(), hex=True).tolist()
    grids = [asdict(grid) for grid in cover.grids.values()]
    whole = {"grids": grids, "blocks": columns, "wkb": shapes}
    return zlib.compress(json.dumps(whole, ensure_ascii=False).encode(), 6)


def cover_from(body: bytes) -> Cover:
    """Return the repaired layer that `cover_bytes` wrote."""
    kept: dict[str, Any] = json.loads(zlib.decompress(body))
    whole = kept["blocks"] | {"claimants": [tuple(codes) for codes in kept["blocks"]["claimants"]]}
    columns = {name: pd.Series(whole[name], dtype=object) for name in BLOCK_COLUMNS}
    shapes = shapely.from_wkb(kept["wkb"])
    blocks = GeoDataFrame(columns, geometry=shapes, crs=STORED_SRID)
    return Cover({one["code"]: LayerGrid(**one) for one in kept["grids"]}, blocks)
