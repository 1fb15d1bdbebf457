"""One camera changed gives what the whole county computed anew gives, however it is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, func, select, text, update

from grid_boundaries.view import View
from layers.cameras import camera
from layers.coverage.live import Followed, Place, follow
from layers.coverage.refresh import refresh
from layers.coverage.results import COUNTS, share_results
from layers.coverage.tables import blind_ground, camera_view, grid_coverage
from layers.people import household
from layers.read import the_county
from tests.county import COUNTY_PATH, NOW, build
from tests.layers.coverage.town import block_at, build_town, points

COUNTY = View(actor="tester", scope=(COUNTY_PATH,))
Row = dict[str, Any]
# of `grid_coverage`, what must be the same to a millionth
FIGURES = ("open_m2", "seen_m2", "key_places", "people", "households", "road_m", *COUNTS)


@pytest.fixture
def town(connection: Connection) -> Connection:
    build(connection)
    build_town(connection, np.random.default_rng(7))
    refresh(connection, COUNTY, NOW)
    return connection


def row_of(connection: Connection, key: str) -> Row:
    place = (func.st_x(camera.c.geom).label("lon"), func.st_y(camera.c.geom).label("lat"))
    own = [one for one in camera.c if one.name not in {"geom", "geom_3857"}]
    found = connection.execute(select(*own, *place).where(camera.c.id == key)).mappings().one()
    return dict(found)


def change(connection: Connection, key: str, **values: Any) -> Followed:
    """Change a camera as the service does, and follow it."""
    share_results(connection)
    before = row_of(connection, key)
    after = {**before, **values}
    if "lon" in values:
        here = block_at(after["lon"], after["lat"])
        after |= {name: here.placed()[name] for name in ("unit_path", "block_id", "grid_code")}
    put = {name: after[name] for name in after if name not in {"lon", "lat"}}
    put["geom"] = f"SRID=4490;POINT({after['lon']!r} {after['lat']!r})"
    connection.execute(update(camera).where(camera.c.id == key).values(put))
    place = Place(connection, COUNTY, the_county(connection))
    return follow(place, before, after, NOW)


def stored(connection: Connection) -> Mapping[str, Any]:
    """Return all results as plain numbers."""
    grids = connection.execute(select(grid_coverage)).mappings().all()
    views = connection.execute(select(camera_view.c.id, camera_view.c.area_m2))
    blind = connection.execute(select(blind_ground.c.id, blind_ground.c.area_m2))
    return {
        "grids": {row["grid_code"]: [row[name] for name in FIGURES] for row in grids},
        "times": {row["grid_code"]: filled(row["seen_by_m2"]) for row in grids},
        "views": {row.id: row.area_m2 for row in views},
        "blind": {row.id: row.area_m2 for row in blind},
        "assumed": set(map(tuple, connection.scalars(select(grid_coverage.c.assumed)))),
    }


def filled(times_m2: list[float]) -> list[float]:
    """Return areas by times, up to 20 of them: what is rounding at the end may be there or not."""
    return [*times_m2, *[0.0] * (20 - len(times_m2))]


def assert_as_computed_anew(connection: Connection) -> None:
    live = stored(connection)
    outlines = outlines_of(connection)
    refresh(connection, COUNTY, NOW)
    whole = stored(connection)
    for name in ("grids", "times", "views", "blind"):
        assert live[name].keys() == whole[name].keys()
        for key in whole[name]:
            assert live[name][key] == pytest.approx(whole[name][key], rel=1e-6, abs=1e-4), key
    assert live["assumed"] == whole["assumed"]
    # a micrometre along the kilometres of border of a grid
    assert off_m2(connection, outlines) < 1e-2


def outlines_of(connection: Connection) -> dict[str, str]:
    text_of = func.st_astext(blind_ground.c.geom, 15)
    return {row[0]: row[1] for row in connection.execute(select(blind_ground.c.id, text_of))}


def off_m2(connection: Connection, outlines: Mapping[str, str]) -> float:
    """Return the area between outlines and those stored, by PostGIS."""
    statement = text(
        "select coalesce(sum(st_area(st_transform(st_symdifference(geom,"
        " st_geomfromtext(:was, 4490)), 4545))), 0) from blind_ground where id = :id"
    )
    return max(
        float(connection.scalar(statement, {"id": key, "was": was}) or 0.0)
        for key, was in outlines.items()
    )


CHANGES: Mapping[str, Callable[[np.random.Generator], Row]] = {
    "turned": lambda rng: {"azimuth_deg": float(rng.uniform(0, 360))},
    "range": lambda rng: {"range_m": float(rng.uniform(20, 140))},
    "wider": lambda rng: {"view_angle_deg": float(rng.uniform(20, 360))},
    "off": lambda rng: {"online": False},
    "on": lambda rng: {"online": True},
    "unbuilt": lambda rng: {"state": "planned", "online": False},
    "moved": lambda rng: dict(zip(("lon", "lat"), points(rng, 1)[0], strict=True)),
    "no bearing": lambda rng: {"azimuth_deg": None},
    "indoors": lambda rng: {"indoor": True},
    "measured": lambda rng: {"range_m": 50.0, "assumed": []},
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_each_kind_of_change_is_as_computed_anew(town: Connection, what: str) -> None:
    rng = np.random.default_rng(3)
    for number in (1, 2):
        change(town, f"T{number:03d}", **CHANGES[what](rng))
    assert_as_computed_anew(town)


@pytest.mark.parametrize("seed", range(4))
def test_many_random_changes_one_after_another_are_as_computed_anew(
    town: Connection, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(25):
        key = f"T{rng.integers(0, 30):03d}"
        what = CHANGES[str(rng.choice(list(CHANGES)))](rng)
        change(town, key, **what)
    assert_as_computed_anew(town)


@pytest.mark.parametrize("away_deg", [0.0003, 0.0012])
def test_a_result_that_is_behind_its_camera_is_taken_away_where_it_lies(
    town: Connection, away_deg: float
) -> None:
    lon, lat = block_at(*points(np.random.default_rng(5), 1)[0]).at(0.3, 0.5).coords[0]
    change(town, "T001", lon=lon, lat=lat, range_m=25.0, online=True, view_angle_deg=360.0)
    # moved by an import: the row is ahead of what was computed from it
    spot = f"SRID=4490;POINT({lon + away_deg!r} {lat!r})"
    town.execute(update(camera).where(camera.c.id == "T001").values(geom=spot))
    change(town, "T001", range_m=30.0)
    assert_as_computed_anew(town)


@pytest.mark.parametrize("seed", range(3))
def test_a_camera_moved_across_the_town_leaves_one_place_and_takes_up_another(
    town: Connection, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    change(town, "T002", range_m=20.0, online=True, state="networked", indoor=False)
    for lon, lat in points(rng, 4):
        done = change(town, "T002", lon=lon, lat=lat)
        codes = [row["grid_code"] for row in done.figures]
        assert codes == sorted(set(codes))
    assert_as_computed_anew(town)


def test_what_is_told_of_the_grids_is_what_is_stored(town: Connection) -> None:
    done = change(town, "T003", range_m=90.0, online=True, state="networked")
    assert done.view_m2 > 0
    assert done.figures
    for row in done.figures:
        own = grid_coverage.c.grid_code == row["grid_code"]
        assert dict(town.execute(select(grid_coverage).where(own)).mappings().one()) == row


def test_a_grid_that_only_the_window_meets_keeps_its_blind_ground_to_the_bit(
    town: Connection,
) -> None:
    before = outlines_of(town)
    done = change(town, "T004", online=False)
    done = change(town, "T004", online=True, state="networked", range_m=25.0)
    told = {row["grid_code"]: row for row in done.figures}
    after = outlines_of(town)
    kept = [code for code in before if after.get(code) == before[code]]
    assert kept
    assert set(before) - set(kept) <= set(told)


def test_where_homes_are_unknown_people_of_blocks_are_followed(town: Connection) -> None:
    town.execute(update(household).values(building_id=None))
    refresh(town, COUNTY, NOW)
    assert "people_spread_evenly" in next(iter(stored(town)["assumed"]))
    rng = np.random.default_rng(4)
    for number in range(6):
        key, what = f"T{number:03d}", CHANGES[str(rng.choice(["turned", "moved", "on", "range"]))]
        change(town, key, **what(rng))
    assert_as_computed_anew(town)
