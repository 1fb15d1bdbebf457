"""A layer of points in a shifted datum: told by its fit with houses and streets, never by guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box
from sqlalchemy import Connection

from grid_boundaries.crs import (
    bd09_from_wgs84,
    crs_of,
    gcj02_from_wgs84,
    lonlat_from_metres,
    metres_from_lonlat,
)
from grid_boundaries.errors import Refused
from layers.load import datum_shift as module
from layers.load.datum_shift import bearings, datum_shift, shift_findings
from layers.load.description import Source
from layers.load.single import known_county, load_file
from layers.streets import street
from tests import county

SRID = 4545
METRIC = crs_of(SRID)
EAST_M, NORTH_M = 500_000.0, 3_680_000.0  # of the town's south-west corner
Floats = npt.NDArray[np.float64]
Shift = Callable[[Floats], Floats]
SHIFTS: dict[str, Shift] = {"GCJ-02": gcj02_from_wgs84, "BD-09": bd09_from_wgs84}


def houses(count: int = 900, seed: int = 5) -> npt.NDArray[Any]:
    """Houses of 10 m scattered over a town of 3 km: 3 % of the ground."""
    xy = np.random.default_rng(seed).uniform(0, 3_000, (count, 2)) + np.array([EAST_M, NORTH_M])
    x, y = xy.T
    return np.asarray(shapely.box(x, y, x + 10, y + 10), dtype=object)


def at_houses(count: int = 300, seed: int = 7) -> Floats:
    """Points inside houses, degrees."""
    rng = np.random.default_rng(seed)
    chosen = shapely.centroid(rng.choice(houses(), count))
    return lonlat_from_metres(
        shapely.get_coordinates(chosen) + rng.uniform(-3, 3, (count, 2)), SRID
    )


def anywhere(count: int = 300, seed: int = 9) -> Floats:
    xy = np.random.default_rng(seed).uniform(0, 3_000, (count, 2)) + np.array([EAST_M, NORTH_M])
    return lonlat_from_metres(xy, SRID)


def test_points_at_their_houses_are_not_suspected() -> None:
    assert datum_shift(at_houses(), houses(), SRID) is None


@pytest.mark.parametrize("datum", SHIFTS)
def test_points_shifted_as_a_whole_are_suspected_with_their_vector(datum: str) -> None:
    true = at_houses()
    shifted = SHIFTS[datum](true)
    found = datum_shift(shifted, houses(), SRID)
    assert found is not None
    assert (found.datum, found.points) == (datum, len(true))
    assert found.near_then > 0.99
    assert found.near_now < 0.3
    moved_m = metres_from_lonlat(shifted, SRID) - metres_from_lonlat(true, SRID)
    assert (found.east_m, found.north_m) == pytest.approx(tuple(moved_m.mean(axis=0)), abs=1e-3)


@pytest.mark.parametrize("datum", SHIFTS)
def test_points_that_stand_anywhere_are_not_suspected_in_any_datum(datum: str) -> None:
    assert datum_shift(anywhere(), houses(), SRID) is None
    assert datum_shift(SHIFTS[datum](anywhere()), houses(), SRID) is None


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(30, 200))
def test_chance_alone_is_never_suspected(seed: int, count: int) -> None:
    assert datum_shift(anywhere(count, seed), houses(seed=seed + 1), SRID) is None


def test_a_third_of_the_points_at_houses_is_enough_to_tell() -> None:
    mixed = np.concatenate([at_houses(200), anywhere(400)])
    found = datum_shift(gcj02_from_wgs84(mixed), houses(), SRID)
    assert found is not None
    assert 0.3 < found.near_then < 0.5


@pytest.mark.parametrize("count", [0, 1, 29])
def test_few_points_tell_nothing(count: int) -> None:
    assert datum_shift(gcj02_from_wgs84(at_houses(count)), houses(), SRID) is None


def test_thirty_points_at_their_houses_do_tell() -> None:
    assert datum_shift(gcj02_from_wgs84(at_houses(30)), houses(), SRID) is not None


def test_without_houses_and_streets_nothing_can_be_told() -> None:
    assert datum_shift(gcj02_from_wgs84(at_houses()), np.empty(0, dtype=object), SRID) is None


def test_rows_without_a_number_are_passed_over() -> None:
    holed = gcj02_from_wgs84(at_houses(40))
    holed[:10] = np.nan
    found = datum_shift(holed, houses(), SRID)
    assert found is not None
    assert found.points == 30


def test_a_large_layer_is_looked_at_in_part_and_always_the_same_part() -> None:
    many = gcj02_from_wgs84(at_houses(5_000))
    first, second = (datum_shift(many, houses(), SRID) for _ in range(2))
    assert first is not None
    assert first.points == module.LOOKED_AT
    assert first == second


def test_points_beside_streets_are_told_as_well() -> None:
    x = EAST_M + np.arange(0, 3_000, 150)
    lines = [LineString([(at, NORTH_M), (at, NORTH_M + 3_000)]) for at in x]
    rng = np.random.default_rng(3)
    xy = np.column_stack([rng.choice(x, 300), NORTH_M + rng.uniform(0, 3_000, 300)])
    on_streets = lonlat_from_metres(xy, SRID)
    known = np.array(lines, dtype=object)
    assert datum_shift(on_streets, known, SRID) is None
    found = datum_shift(gcj02_from_wgs84(on_streets), known, SRID)
    assert found is not None
    assert found.datum == "GCJ-02"


def test_another_displacement_than_a_known_datum_is_not_named_as_one() -> None:
    moved = metres_from_lonlat(at_houses(), SRID) + np.array([-450.0, 200.0])
    assert datum_shift(lonlat_from_metres(moved, SRID), houses(), SRID) is None


def test_bearings_are_footprints_and_streets_in_metres_but_those_of_the_layer_itself() -> None:
    square = box(108, 33, 108.001, 33.001)
    line = LineString([(108, 33), (108.01, 33)])
    frames = {
        "building": pd.DataFrame({"geom": [square]}),
        "street": pd.DataFrame({"geom": [line]}),
    }
    both = bearings(frames, METRIC)
    assert [shape.geom_type for shape in both] == ["Polygon", "LineString"]
    assert both[1].length == pytest.approx(934, abs=2)
    assert [shape.geom_type for shape in bearings(frames, METRIC, but="building")] == ["LineString"]
    assert len(bearings({"building": pd.DataFrame({"geom": []})}, METRIC)) == 0


def test_a_finding_tells_the_vector_once_for_the_layer() -> None:
    shapes = pd.Series(list(map(Point, gcj02_from_wgs84(at_houses()))), dtype=object)
    found = shift_findings("a.csv", "place", shapes, houses(), METRIC)
    assert found[["source", "layer", "row", "code"]].to_numpy().tolist() == [
        ["a.csv", "place", "place", "suspected-shift"]
    ]
    facts = found["facts"].iloc[0]
    assert facts["datum"] == "GCJ-02"
    assert 200 < np.hypot(facts["east_m"], facts["north_m"]) < 800


@pytest.mark.parametrize("shape", [None, box(108, 33, 108.1, 33.1), LineString([(0, 0), (1, 1)])])
def test_a_layer_without_points_has_no_finding(shape: Any) -> None:
    shapes = pd.Series([shape] * 50, dtype=object)
    assert shift_findings("a.csv", "place", shapes, houses(), METRIC).empty


@pytest.fixture
def known(connection: Connection) -> dict[str, pd.DataFrame]:
    """The made-up county with a net of streets."""
    county.build(connection)
    frames = known_county(connection)
    lines = [
        LineString([(county.WEST + n * 0.0009, county.SOUTH), (county.WEST + n * 0.0009, 33.32)])
        for n in range(1, 44)
    ]
    frames["street"] = pd.DataFrame({"geom": pd.Series(lines, dtype=object)})
    return frames


def street_file(path: Path, shift: Shift) -> Path:
    """Places on the county's streets, well inside it, as a table."""
    rng = np.random.default_rng(1)
    columns = [county.WEST + rng.integers(10, 30, 80) * 0.0009, rng.uniform(33.306, 33.314, 80)]
    lonlat = shift(np.column_stack(columns))
    rows = [f"P{n},x,shop,0,{lon:.8f},{lat:.8f}" for n, (lon, lat) in enumerate(lonlat)]
    path.write_text("id,name,kind,is_key,lon,lat\n" + "\n".join(rows) + "\n", "utf-8")
    return path


FIELDS = {
    "into": "place",
    "point": ["lon", "lat"],
    "id_column": "id",
    "columns": {"name": "name", "kind": "kind"},
    "constants": {"is_key": False},
}


def test_a_shifted_file_is_loaded_with_a_warning_and_without_one_when_it_is_declared(
    tmp_path: Path, known: dict[str, pd.DataFrame]
) -> None:
    path = street_file(tmp_path / "a.csv", gcj02_from_wgs84)
    plain = load_file(path, Source.model_validate(FIELDS), known, time_zone="Asia/Shanghai")
    found = plain.findings[plain.findings["code"] == "suspected-shift"]
    assert len(found) == 1
    assert found["unit_path"].tolist() == [county.COUNTY_PATH]
    assert plain.counts["loaded"].tolist() == [80]
    declared = Source.model_validate({**FIELDS, "crs": "GCJ-02"})
    mended = load_file(path, declared, known, time_zone="Asia/Shanghai")
    assert "suspected-shift" not in set(mended.findings["code"])
    true = street_file(tmp_path / "b.csv", lambda lonlat: lonlat)
    right = load_file(true, Source.model_validate(FIELDS), known, time_zone="Asia/Shanghai")
    for ours, theirs in zip(
        mended.frames["place"]["geom"], right.frames["place"]["geom"], strict=True
    ):
        assert ours.distance(theirs) < 1e-7
    assert "suspected-shift" not in set(right.findings["code"])


@pytest.mark.parametrize("crs", ["EPSG:999999", "GCJ02", "", "not a crs", "{{7*7}}"])
def test_a_crs_that_does_not_exist_is_refused_by_name(
    tmp_path: Path, known: dict[str, pd.DataFrame], crs: str
) -> None:
    path = street_file(tmp_path / "a.csv", lambda lonlat: lonlat)
    source = Source.model_validate({**FIELDS, "crs": crs})
    with pytest.raises(Refused) as refused:
        load_file(path, source, known, time_zone="Asia/Shanghai")
    assert (refused.value.code, refused.value.where["crs"]) == ("no-such-crs", crs)


def test_the_county_in_the_database_gives_the_bearings(connection: Connection) -> None:
    county.build(connection)
    frames = known_county(connection)
    stored = connection.execute(street.select()).all()
    assert len(frames["street"]) == len(stored)
    assert len(bearings(frames, METRIC)) == len(frames["street"]) + len(frames["building"])
