"""Benchmark of exchange: 708 grids of 18,000 blocks written and read in every kind of file."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

from bench.redraw import CRS, counts, drawn_over, lattice, villages
from grid_boundaries.crs import in_degrees
from grid_boundaries.exchange.delimited import plain
from grid_boundaries.exchange.fields import keyed
from grid_boundaries.exchange.files import Style, written
from grid_boundaries.exchange.references import STORED, reference
from grid_boundaries.exchange.sheets import Sheet, What, block_sheet, counts_by_grid, grid_sheet
from grid_boundaries.exchange.told import Told, told
from grid_boundaries.exchange.understood import Base, understood
from grid_boundaries.file_crs import in_stored_degrees
from grid_boundaries.plan_state import State
from layers.load.readers import given

CASES: tuple[tuple[Style, What], ...] = (
    (Style("geojson"), "grids"),
    (Style("geojson", reference("gcj02")), "grids"),
    (Style("gpkg", reference("4545")), "grids"),
    (Style("shp", STORED, "gbk"), "grids"),
    (Style("kml"), "grids"),
    (Style("geojson"), "blocks"),
    (Style("geojson", reference("gcj02")), "blocks"),
    (Style("gpkg", reference("4545")), "blocks"),
    (Style("shp", STORED, "gbk"), "blocks"),
    (Style("csv"), "blocks"),
)


def figures() -> dict[str, float]:
    """Return CPU seconds a file, out and in, the reading child's among them, and megabytes."""
    shapes, base = lattice()
    degrees = in_degrees(shapes)
    state = drawn_over(base)
    found = {}
    with _timed(found, "sheet_of_grids_cpu_s"):
        numbers = counts_by_grid(state, counts(shapes), shapes.area)
        grids = grid_sheet(state, degrees, {}, numbers)
    with _timed(found, "sheet_of_blocks_cpu_s"):
        blocks = block_sheet(state, degrees, {})
    held = Base(base, degrees, villages(base), CRS)
    for style, what in CASES:
        found |= case(blocks if what == "blocks" else grids, style, held, state)
    return {name: round(value, 3) for name, value in found.items()}


def case(sheet: Sheet, style: Style, base: Base, state: State) -> dict[str, float]:
    """Return what one kind of file costs; a file that says another plan ends the benchmark."""
    name = f"{sheet.what}_{style.kind}_{style.to.word}"
    found: dict[str, float] = {}
    with _timed(found, f"{name}_out_cpu_s"):
        file = written(sheet, style, "plan", "plan")
    found[f"{name}_mb"] = len(file.body) / 1e6
    if style.kind == "kml":
        return found
    with _timed(found, f"{name}_in_cpu_s"):
        after = understood(_read(file.plain_name, file.body), base).after
    if after.grid_of != state.grid_of or after.grids != state.grids:
        raise ValueError(f"{name} says another plan")
    return found


@contextmanager
def _timed(found: dict[str, float], name: str) -> Iterator[None]:
    start = _cpu_s()
    yield
    found[name] = _cpu_s() - start


def _cpu_s() -> float:
    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def _read(name: str, body: bytes) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(body)
        read = given(path)
    table = keyed(read.rows.table.map(plain) if read.kind == "CSV" else read.rows.table)
    shapes = read.rows.geometry
    return told(
        table, None if shapes is None else in_stored_degrees(shapes, read.crs or STORED.label)
    )


if __name__ == "__main__":
    json.dump(figures(), sys.stdout, indent=1)
