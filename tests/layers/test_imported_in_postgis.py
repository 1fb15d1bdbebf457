"""Imported layers by PostGIS, another engine: the same faults before repair, and none after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from bench._dirty_layer import METRIC_SRID, jittered, true_grids
from bench.imports import CITY_SRID, city
from grid_boundaries.incoming.fitting import divided, fitted
from grid_boundaries.incoming.nesting import Ground
from grid_boundaries.incoming.outlines import Outlines, outlines
from grid_boundaries.incoming.owners import shares
from grid_boundaries.incoming.preview import preview
from grid_boundaries.incoming.report import Report, report
from grid_boundaries.topology import gaps, overlaps
from tests.grid_boundaries.incoming.kit import mended
from tests.taipei import taipei_folder

PAIRS = """
select a.code as a, b.code as b, st_area(st_intersection(a.geom, b.geom)) as area_m2
from {table} a join {table} b on a.code < b.code and a.geom && b.geom
where st_relate(a.geom, b.geom, '2********')
"""
UNCOVERED = """
select st_area(st_difference(st_geomfromwkb(:county, 4545), (select st_union(geom) from {table})))
"""


def jittered_grids(seed: int) -> tuple[GeoDataFrame, Any]:
    truth = true_grids(seed, columns=8, rows=6)
    shapes = jittered(truth.geometry.to_numpy(), np.random.default_rng(seed), 0.5)
    grids = GeoDataFrame({"code": truth["code"], "name": ""}, geometry=shapes, crs=METRIC_SRID)
    return grids, shapely.union_all(truth.geometry.to_numpy())


def put(connection: Connection, table: str, codes: list[str], shapes: NDArray[Any]) -> None:
    connection.execute(text(f"create temp table {table} (code text, geom geometry)"))
    rows = [
        {"code": code, "wkb": shapely.to_wkb(shape)}
        for code, shape in zip(codes, shapes, strict=True)
    ]
    connection.execute(
        text(f"insert into {table} values (:code, st_geomfromwkb(:wkb, 4545))"), rows
    )
    connection.execute(text(f"create index on {table} using gist (geom)"))


def overlap_m2(found: Report) -> dict[tuple[str, str], float]:
    """The square metres that each pair of grids shares, by the report's faces."""
    shared: dict[tuple[str, str], float] = {}
    table = found.faces.table
    for codes, area_m2 in zip(table["claimants"], table["area_m2"], strict=True):
        for place, first in enumerate(codes):
            for second in codes[place + 1 :]:
                shared[first, second] = shared.get((first, second), 0.0) + area_m2
    return shared


@pytest.mark.parametrize("seed", [1, 2])
def test_overlaps_and_gaps_are_those_of_postgis(connection: Connection, seed: int) -> None:
    grids, county = jittered_grids(seed)
    found = report(Outlines(grids, ()), Ground(county))
    put(connection, "drawn", grids["code"].tolist(), grids.geometry.to_numpy())
    theirs = {(row.a, row.b): row.area_m2 for row in
              connection.execute(text(PAIRS.format(table="drawn")))}  # fmt: skip
    mine = {pair: area for pair, area in overlap_m2(found).items() if area > 1e-6}
    assert set(mine) <= set(theirs)
    for pair, area_m2 in theirs.items():
        assert mine.get(pair, 0.0) == pytest.approx(area_m2, abs=1e-5)
    uncovered = connection.execute(
        text(UNCOVERED.format(table="drawn")), {"county": shapely.to_wkb(county)}
    ).scalar_one()
    gap_m2 = found.faces.table["area_m2"][found.faces.claims_of == 0].sum()
    assert gap_m2 == pytest.approx(uncovered, abs=1e-4)


@pytest.mark.parametrize("seed", [1, 2])
def test_after_repair_postgis_finds_neither(connection: Connection, seed: int) -> None:
    grids, county = jittered_grids(seed)
    blocks = preview(shares(report(Outlines(grids, ()), Ground(county)).faces))
    put(connection, "repaired", blocks["code"].tolist(), blocks.geometry.to_numpy())
    left = connection.execute(text(PAIRS.format(table="repaired"))).all()
    assert sum(row.area_m2 for row in left) < 1e-6
    uncovered = connection.execute(
        text(UNCOVERED.format(table="repaired")), {"county": shapely.to_wkb(county)}
    ).scalar_one()
    assert uncovered < 1e-5
    valid = connection.execute(text("select bool_and(st_isvalid(geom)) from repaired"))
    assert valid.scalar_one()


def test_the_real_citys_villages_on_its_units() -> None:
    villages, units = city(taipei_folder())
    known = outlines(villages, mend=mended)
    assert [one.kind for one in known.findings if one.kind == "invalid-polygon"] == [
        "invalid-polygon"
    ]  # 63000080037, as its publisher has it
    within = shapely.union_all(units.geometry.to_numpy())
    found = report(known, Ground(within, None, units))
    assert set(found.counts) <= {"gap", "outside-county", "slivers", "invalid-polygon"}
    blocks = preview(shares(found.faces))
    assert set(blocks["code"].dropna()) == set(villages["code"])
    assert len(overlaps(blocks.geometry)) == 0
    assert len(gaps(blocks.geometry, within, smallest_m2=1e-3)) == 0
    fit = fitted(units, blocks)
    assert set(fit["kind"]) == {"settled"}
    # what the publisher's readers measured: 97.3 % of a unit in its main village on average
    assert fit["share"].mean() == pytest.approx(0.973, abs=0.005)
    assert (fit["share"] >= 0.95).mean() == pytest.approx(0.833, abs=0.01)
    crossed = list(divided(units, fit))
    assert len(crossed) == (fit["share"] < 0.95).sum()
    concerned = sum(one.people or 0.0 for one in crossed)
    lesser = (1 - fit["share"]) * units["people"].fillna(0)
    assert concerned == pytest.approx(float(lesser[fit["share"] < 0.95].sum()), abs=0.1 * 2000)
    assert units.crs is not None
    assert units.crs.to_epsg() == CITY_SRID
