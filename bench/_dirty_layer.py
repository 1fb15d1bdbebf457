"""A made-up layer of 660 grids with every fault that offices' files have, and where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.random import Generator
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

COLUMNS, ROWS, SIDE_M = 30, 22, 300.0
VILLAGE_COLUMNS, VILLAGE_ROWS = 5, 11
CORNER_M = np.array([500_000.0, 3_690_000.0])
METRIC_SRID = 4545
COUNTY = "610999"
SIZES_M2 = (0.14, 0.5, 2.0, 9.0, 60.0, 400.0)


@dataclass
class Planted:
    """One fault that was put in.

    Parameters
    ----------
    kind
        Of the finding that must tell it.
    where
        Ground that such a finding must touch; None where `row` tells.
    row
        Number that such a finding must name.
    """

    kind: str
    where: BaseGeometry | None = None
    row: int | None = None


@dataclass
class DirtyLayer:
    """A layer, the ground it should divide, and what is wrong with it.

    Parameters
    ----------
    truth
        Grids as they should be: code, village and geometry; edge-matched.
    rows
        As a file has them: code, name and geometry (perhaps None or invalid) by row number.
    """

    truth: GeoDataFrame
    villages: GeoDataFrame
    county: BaseGeometry
    rows: GeoDataFrame
    planted: list[Planted] = field(default_factory=list)


def true_grids(seed: int = 1, *, columns: int = COLUMNS, rows: int = ROWS) -> GeoDataFrame:
    """Return grids with crooked borders that tile a county exactly, each in one village."""
    rng = np.random.default_rng(seed)
    steps = np.meshgrid(np.arange(2 * columns + 1), np.arange(2 * rows + 1), indexing="ij")
    lattice = np.stack(steps, axis=-1) * (SIDE_M / 2)
    lattice = lattice + rng.integers(-12, 13, lattice.shape) * (SIDE_M / 100) + CORNER_M
    ring = np.array([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)])
    places = [(column, row) for row in range(rows) for column in range(columns)]
    shapes = [
        shapely.Polygon(lattice[2 * column + ring[:, 0], 2 * row + ring[:, 1]])
        for column, row in places
    ]
    villages = [_village(column, row) for column, row in places]
    numbers: dict[str, int] = {}
    codes = []
    for village in villages:
        numbers[village] = numbers.get(village, 0) + 1
        codes.append(f"{village}{numbers[village]:03d}")
    return GeoDataFrame({"code": codes, "village": villages}, geometry=shapes, crs=METRIC_SRID)


def _village(column: int, row: int) -> str:
    return f"{COUNTY}1{row // VILLAGE_ROWS:02d}{201 + column // VILLAGE_COLUMNS}"


def jittered(shapes: NDArray[Any], rng: Generator, by_m: float) -> NDArray[Any]:
    """Return polygons whose vertices are moved, each on its own, by up to `by_m` east and north."""
    moved = []
    for shape in shapes:
        ring = shapely.get_coordinates(shape)[:-1]
        moved.append(shapely.Polygon(ring + rng.uniform(-by_m, by_m, ring.shape)))
    return np.array(moved, dtype=object)


def layer_of(truth: GeoDataFrame, shapes: NDArray[Any]) -> DirtyLayer:
    """Return a layer of given outlines, as yet without planted faults."""
    known = truth[["village", "geometry"]].dissolve("village", as_index=False)
    villages = GeoDataFrame(known.rename(columns={"village": "code"}))
    county = shapely.union_all(truth.geometry.to_numpy())
    columns = {"code": truth["code"], "name": [f"网格{code[-3:]}" for code in truth["code"]]}
    rows = GeoDataFrame(columns, geometry=shapes, crs=METRIC_SRID)
    rows.index = rows.index + 1
    return DirtyLayer(truth, villages, county, rows)


def jittered_layer(seed: int = 1, *, by_m: float = 0.5) -> DirtyLayer:
    """Return the layer with drawing noise on every vertex and no other fault."""
    truth = true_grids(seed)
    rng = np.random.default_rng(seed + 1)
    return layer_of(truth, jittered(truth.geometry.to_numpy(), rng, by_m))


def dirty_layer(seed: int = 1, *, by_m: float = 0.5) -> DirtyLayer:
    """Return the layer with noise and every kind of fault that a report must find."""
    layer = jittered_layer(seed, by_m=by_m)
    shapes = dict(zip(layer.rows.index.tolist(), layer.rows.geometry, strict=True))
    free = [row for row in shapes if not _is_rim(row)]
    chosen = iter(np.random.default_rng(seed + 2).permutation(free)[::2].tolist())
    for size_m2 in SIZES_M2:
        _plant_gap(layer, shapes, next(chosen), size_m2)
        _plant_overlap(layer, shapes, next(chosen), size_m2)
    _plant_parts(layer, shapes, chosen)
    layer.rows = layer.rows.set_geometry(
        np.array([shapes[row] for row in layer.rows.index], dtype=object), crs=METRIC_SRID
    )
    _plant_labels(layer, chosen)
    _plant_rows(layer, chosen)
    return layer


def _is_rim(row: int) -> bool:
    column, line = (row - 1) % COLUMNS, (row - 1) // COLUMNS
    return column in (0, COLUMNS - 1) or line in (0, ROWS - 1)


def _square(middle: Any, size_m2: float) -> BaseGeometry:
    half = size_m2**0.5 / 2
    x, y = shapely.get_coordinates(middle)[0]
    return shapely.Polygon(shapely.box(x - half, y - half, x + half, y + half))


def _middle(layer: DirtyLayer, row: int) -> BaseGeometry:
    return layer.truth.geometry.iloc[row - 1].centroid


def _plant_gap(layer: DirtyLayer, shapes: dict[int, Any], row: int, size_m2: float) -> None:
    gap = _square(_middle(layer, row), size_m2)
    shapes[row] = shapes[row].difference(gap)
    layer.planted += [Planted("gap", gap), Planted("hole", gap)]


def _plant_overlap(layer: DirtyLayer, shapes: dict[int, Any], row: int, size_m2: float) -> None:
    """Let the eastern neighbour claim a square in a grid's middle, as a part of its own."""
    claimed = _square(_middle(layer, row), size_m2)
    shapes[row + 1] = shapes[row + 1].union(claimed)
    layer.planted += [Planted("overlap", claimed), Planted("multipart", claimed)]


def _plant_parts(layer: DirtyLayer, shapes: dict[int, Any], chosen: Any) -> None:
    row = next(chosen)  # a bow-tie: two vertices of the ring change places
    ring = shapely.get_coordinates(shapes[row])
    ring[[2, 4]] = ring[[4, 2]]
    shapes[row] = Polygon(ring)
    layer.planted.append(Planted("invalid-polygon", row=row))
    west, south, _, north = layer.county.bounds  # ground beyond the county's rim
    row = 1 + COLUMNS * (ROWS // 2)
    beyond = shapely.box(west - 40, (south + north) / 2 - 40, west + 60, (south + north) / 2 + 40)
    shapes[row] = shapes[row].union(beyond)
    layer.planted.append(Planted("outside-county", beyond.difference(layer.county)))
    row = VILLAGE_COLUMNS + COLUMNS * 5  # the last column of a village takes ground of the next
    taken = _square(_middle(layer, row + 1), 2500.0)
    shapes[row] = shapes[row].union(taken)
    shapes[row + 1] = shapes[row + 1].difference(taken)
    layer.planted.append(Planted("outside-unit", taken))


def _plant_labels(layer: DirtyLayer, chosen: Any) -> None:
    rows = layer.rows
    faults = {
        "missing-code": ("code", None),
        "malformed-code": ("code", "6.10999E+14"),
        "unknown-unit": ("code", f"{COUNTY}999999001"),
        "garbled-name": ("name", "城关网格".encode().decode("gb18030", errors="replace")),
    }
    for kind, (column, value) in faults.items():
        row = next(chosen)
        rows.loc[row, column] = value
        layer.planted.append(Planted(kind, _middle(layer, row)))


def _plant_rows(layer: DirtyLayer, chosen: Any) -> None:
    """Add rows: one grid twice, drawn again under another code, a code twice, and no outlines."""
    first, again, same = (next(chosen) for _ in range(3))
    known, number = layer.rows, len(layer.rows) + 1
    middle = _middle(layer, same)
    added = [
        (known["code"][first], known["name"][first], known.geometry[first], "duplicate-row"),
        (f"{known['code'][again][:12]}900", "重复网格", known.geometry[again], "duplicate-outline"),
        (known["code"][same], known["name"][same], _square(middle, 4.0), "duplicate-code"),
        (f"{COUNTY}100201901", "线", known.geometry[first].boundary, "not-a-polygon"),
        (f"{COUNTY}100201902", "空", None, "no-geometry"),
    ]
    for place, (code, name, shape, kind) in enumerate(added):
        row = number + place
        known = layer.rows
        layer.rows = GeoDataFrame(
            {"code": [*known["code"], code], "name": [*known["name"], name]},
            geometry=np.array([*known.geometry, shape], dtype=object),
            index=[*known.index, row], crs=METRIC_SRID,
        )  # fmt: skip
        by_row = kind in {"duplicate-row", "not-a-polygon", "no-geometry"}
        layer.planted.append(Planted(kind, None if by_row else shape, row if by_row else None))
