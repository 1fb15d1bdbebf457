"""Plans on a made-up board, written to files and read again, for tests of exchange."""

from __future__ import annotations

import random
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.crs import in_metres
from grid_boundaries.cutting import current_shapes
from grid_boundaries.exchange.delimited import plain
from grid_boundaries.exchange.fields import keyed
from grid_boundaries.exchange.files import File, Style, written
from grid_boundaries.exchange.references import reference
from grid_boundaries.exchange.sheets import Sheet, What, block_sheet, counts_by_grid, grid_sheet
from grid_boundaries.exchange.told import Told, told
from grid_boundaries.exchange.understood import Base, Understood, understood
from grid_boundaries.file_crs import STORED, crs_name, in_stored_degrees
from grid_boundaries.plan_state import Grid, State
from grid_boundaries.strokes import Create, Move
from layers.load.readers import given
from tests.plan_ground import METRIC_SRID, ROWS, VILLAGES, board, random_stroke, sums_of

VILLAGE_NAMES = dict(zip(VILLAGES, ("东风村", "四亩地社区"), strict=True))
ZONES = tuple(str(srid) for srid in range(4513, 4555))
EVERY_CRS = ("4490", "4326", "gcj02", *ZONES)
# one of every family
SOME_CRS = ("4490", "gcj02", "4524", "4545")
HARD_NAME = "=1+1,“二”\n三'"  # computed, separated, quoted


@dataclass(frozen=True)
class Board:
    """The blocks in force and a plan over them."""

    shapes: GeoSeries
    base: State
    state: State

    @property
    def now(self) -> GeoSeries:
        """The shapes as the plan has them."""
        return current_shapes(self.state, self.shapes)

    @property
    def held(self) -> Base:
        """What a file is held against."""
        return Base(self.base, self.shapes, villages(self.base), METRIC_SRID)

    def sheet(self, what: What) -> Sheet:
        """Return the plan as rows."""
        if what == "blocks":
            return block_sheet(self.state, self.now, VILLAGE_NAMES)
        areas_m2 = in_metres(self.now, METRIC_SRID).area
        counts = counts_by_grid(self.state, sums_of(self.state), areas_m2)
        return grid_sheet(self.state, self.now, VILLAGE_NAMES, counts)


def villages(state: State) -> dict[str, str]:
    """Return the village of each block of the board: four columns are the first."""
    numbers = {block: int(block[1:7]) - 1 for block in state.grid_of}
    return {block: VILLAGES[int(number // ROWS >= 4)] for block, number in numbers.items()}


def plain_plan() -> Board:
    """Return a plan with a block moved, one in no grid, and a new grid that has every fact."""
    shapes, base = board()
    grid = Grid(f"{VILLAGES[1]}~7.1", "河滩新区", VILLAGES[1], "special", "学校", "city", "旧-12")
    strokes = (
        Move(("B000005",), f"{VILLAGES[0]}001"),
        Move(("B000024",), None),
        Create(grid, ("B000020", "B000019")),
    )
    state = base
    for stroke in strokes:
        state = stroke.on(state)
    return Board(shapes, base, state)


def random_plan(seed: int, *, cuts: bool, strokes: int = 20) -> Board:
    """Return a plan after random strokes."""
    shapes, base = board()
    rng, state = random.Random(seed), base
    for _ in range(strokes):
        state = random_stroke(rng, state, shapes, cuts=cuts).on(state)
    return Board(shapes, base, state)


def file_of(sheet: Sheet, kind: Any, crs: str = "4490", encoding: Any = "utf-8") -> File:
    """Return a sheet as a file."""
    return written(sheet, Style(kind, reference(crs), encoding), "方案 3/西", "plan_3")


def read_by_product(file: File) -> tuple[pd.DataFrame, NDArray[Any] | None, str]:
    """Return keyed columns, shapes and the stated reference, as the service reads them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.plain_name
        path.write_bytes(file.body)
        read = given(path)
    assert read.rows.rejected == ()
    table = read.rows.table.map(plain) if read.kind == "CSV" else read.rows.table
    return keyed(table), read.rows.geometry, read.crs


def read_by_ogr(file: File) -> tuple[pd.DataFrame, NDArray[Any] | None, str]:
    """Return the same, read by OGR alone in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.plain_name
        path.write_bytes(file.body)
        # a Shapefile's own .cpg says its encoding
        inner = "/".join([str(path), *_shapefile_in(path)])
        place = f"/vsizip/{inner}" if path.suffix == ".zip" else inner
        meta, _, wkb, columns = pyogrio.raw.read(place)
    table = pd.DataFrame(
        {str(name): list(column) for name, column in zip(meta["fields"], columns, strict=True)},
        dtype=object,
    )
    return keyed(table), shapely.from_wkb(np.array(wkb, dtype=object)), meta["crs"] or ""


def _shapefile_in(path: Path) -> list[str]:
    if path.suffix != ".zip":
        return []
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if name.endswith(".shp")]


def said(read: tuple[pd.DataFrame, NDArray[Any] | None, str]) -> Told:
    """Return what rows say in the reference that they state themselves."""
    table, shapes, crs = read
    if shapes is None:
        return told(table, None)
    marks = table["coordinate_system"].dropna() if "coordinate_system" in table else ()
    stated = crs_name(next(iter(marks), crs)) or STORED
    return told(table, in_stored_degrees(shapes, stated))


def come_back(plan: Board, file: File, read: Any = read_by_product) -> Understood:
    """Return what becomes of a plan's file on the ground that the plan started from."""
    return understood(said(read(file)), plan.held)


def farthest_m(one: State, other: State) -> float:
    """Return how far the shapes of two states are apart, in metres; they have the same blocks."""
    assert one.shapes.keys() == other.shapes.keys()
    distances = [
        shapely.hausdorff_distance(shapely.from_wkb(wkb), shapely.from_wkb(other.shapes[block]))
        for block, wkb in one.shapes.items()
    ]
    return 111_320.0 * max(distances, default=0.0)
