"""Imported boundaries: report and repaired preview of a dirty layer, and of the real city's units.

The city's files are looked for at GIS_SHARED_DATA/taipei.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import shapely
from geopandas import GeoDataFrame

from bench._dirty_layer import DirtyLayer, Planted, dirty_layer, jittered_layer
from grid_boundaries.codes import profile
from grid_boundaries.incoming.crosswalk import crosswalk
from grid_boundaries.incoming.findings import Finding
from grid_boundaries.incoming.fitting import divided, fitted
from grid_boundaries.incoming.nesting import Ground
from grid_boundaries.incoming.outlines import Outlines, outlines
from grid_boundaries.incoming.owners import shares
from grid_boundaries.incoming.preview import preview
from grid_boundaries.incoming.report import Report, report
from grid_boundaries.topology import gaps, overlaps
from layers.load.repair import repaired

ROOT = Path(__file__).parent.parent
CITY_SRID = 3826
Figures = dict[str, float | str]


def figures() -> Figures:
    """Return CPU seconds (this process and its repairing child) and what was found."""
    return {**noise_figures(), **dirty_figures(), **city_figures()}


def noise_figures() -> Figures:
    """Return what drawing noise of half a metre on 660 grids comes to, and what repair leaves."""
    layer = jittered_layer()
    known = outlines(layer.rows, mend=repaired)
    found, report_s = _reported(known, Ground(layer.county, None, None, profile("cn")))
    blocks, preview_s = _previewed(found)
    drawn = shapely.intersection(found.grids.geometry.to_numpy(), layer.county)
    drawn_m2 = dict(zip(found.grids["code"], shapely.area(drawn), strict=True))
    off = [abs(area / drawn_m2[code] - 1) for code, area in
           zip(blocks["code"], blocks.geometry.area, strict=True)]  # fmt: skip
    return {
        "noise_overlapping_faces": int((found.faces.claims_of > 1).sum()),
        "noise_gap_faces": int((found.faces.claims_of == 0).sum()),
        "noise_report_cpu_s": report_s,
        "noise_preview_cpu_s": preview_s,
        "noise_overlaps_after": len(overlaps(blocks.geometry)),
        "noise_gaps_after": len(gaps(blocks.geometry, layer.county, smallest_m2=1e-6)),
        "noise_largest_change_of_area_percent": round(100 * max(off), 3),
    }


def dirty_figures() -> Figures:
    """Return what a layer with noise and every kind of planted fault comes to."""
    layer = dirty_layer()
    start = _cpu_s()
    known = outlines(layer.rows, mend=repaired)
    reading_s = _cpu_s() - start
    ground = Ground(layer.county, layer.villages, _counted(layer), profile("cn"))
    found, report_s = _reported(known, ground)
    blocks, preview_s = _previewed(found)
    told = [is_told(planted, found.findings) for planted in layer.planted]
    return {
        "dirty_planted": len(told),
        "dirty_found_percent": 100 * sum(told) / len(told),
        "dirty_findings": len(found.findings),
        "dirty_outlines_cpu_s": round(reading_s, 3),
        "dirty_report_cpu_s": report_s,
        "dirty_preview_cpu_s": preview_s,
        "dirty_overlaps_after": len(overlaps(blocks.geometry)),
        "dirty_gaps_after": len(gaps(blocks.geometry, layer.county, smallest_m2=1e-6)),
    }


def is_told(planted: Planted, findings: Sequence[Finding]) -> bool:
    """Say whether a planted fault has a finding of its kind in its row or place."""
    alike = [one for one in findings if one.kind == planted.kind]
    if planted.row is not None:
        return any(one.facts.get("row") == planted.row for one in alike)
    places = [one.geometry for one in alike if one.geometry is not None]
    return any(place.intersects(planted.where) for place in places)


def city_figures() -> Figures:
    """Return what villages' outlines come to on 11,490 units as blocks, and the other way round."""
    folder = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data")) / "taipei"
    if not folder.is_dir():
        return {"city": "no Taipei files at GIS_SHARED_DATA"}
    villages, units = city(folder)
    start = _cpu_s()
    known = outlines(villages, mend=repaired)
    within = shapely.union_all(units.geometry.to_numpy())
    found, report_s = _reported(known, Ground(within, None, units))
    blocks, preview_s = _previewed(found)
    fit = fitted(units, blocks)
    crossed = list(divided(units, fit))
    total_s = _cpu_s() - start
    own = GeoDataFrame({"code": units.index}, geometry=units.geometry.to_numpy(), crs=CITY_SRID)
    begun = process_time()
    table = crosswalk(own, known.grids, units)
    return {
        "city_units": len(units),
        "city_villages": len(known.grids),
        "city_report_cpu_s": report_s,
        "city_preview_cpu_s": preview_s,
        "city_with_blocks_fitted_cpu_s": round(total_s, 2),
        "city_findings": len(found.findings),
        "city_divided_units": len(crossed),
        "city_people_in_their_lesser_parts": round(sum(one.people or 0 for one in crossed)),
        "city_overlaps_after": len(overlaps(blocks.geometry)),
        "city_crosswalk_rows": len(table),
        "city_crosswalk_cpu_s": round(process_time() - begun, 2),
        **_units_as_layer(units, known),
    }


def _units_as_layer(units: GeoDataFrame, villages: Outlines) -> Figures:
    """Return what 11,490 units come to as grids to be imported under the villages."""
    rows = GeoDataFrame({"code": units.index, "name": ""}, geometry=units.geometry.to_numpy(),
                        crs=CITY_SRID)  # fmt: skip
    within = shapely.union_all(villages.grids.geometry.to_numpy())
    start = process_time()
    known = outlines(rows, mend=repaired)
    found, _ = _reported(known, Ground(within, villages.grids, units))
    reported = process_time()
    blocks, preview_s = _previewed(found)
    return {
        "city_units_as_grids_report_cpu_s": round(reported - start, 2),
        "city_units_as_grids_preview_cpu_s": preview_s,
        "city_units_as_grids_blocks": len(blocks),
    }


def city(folder: Path) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return villages as rows of a file, and units as blocks with their counts, in metres."""
    path = folder / "boundaries.gpkg"
    villages = gpd.read_file(path, layer="villages").to_crs(CITY_SRID)
    units = gpd.read_file(path, layer="units").to_crs(CITY_SRID)
    rows = villages.rename(columns={"VILLCODE": "code", "VILLNAME": "name"})
    rows.index = rows.index + 1
    blocks = units.rename(columns={"P_CNT": "people", "H_CNT": "households"})
    blocks = GeoDataFrame(blocks.set_index("CODEBASE")[["people", "households", "geometry"]])
    return GeoDataFrame(rows[["code", "name", "geometry"]]), blocks


def _counted(layer: DirtyLayer) -> GeoDataFrame:
    """Return four blocks a true grid, with people."""
    rng = np.random.default_rng(1)
    west, south, east, north = layer.county.bounds
    step = 150.0
    xs, ys = np.arange(west, east, step), np.arange(south, north, step)
    x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    counts = {"people": rng.integers(0, 60, len(x)), "households": rng.integers(0, 20, len(x))}
    shapes = shapely.box(x, y, x + step, y + step)
    return GeoDataFrame(counts, geometry=shapes, crs=layer.rows.crs)


def _reported(known: Outlines, ground: Ground) -> tuple[Report, float]:
    start = process_time()
    found = report(known, ground)
    return found, round(process_time() - start, 3)


def _previewed(found: Report) -> tuple[GeoDataFrame, float]:
    start = process_time()
    blocks = preview(shares(found.faces))
    return blocks, round(process_time() - start, 3)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(figures(), ensure_ascii=False, indent=2) + "\n")
