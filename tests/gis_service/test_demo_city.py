"""The made-up city: dense, whole, nowhere, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from gis_service.demo import CITY, QINGLAN, demo_city
from gis_service.demo.city import COMMUNITIES, TOWNS, VILLAGES, made_up_units
from gis_service.demo.identity import REGION, id_numbers
from gis_service.demo.units import published_units
from tests.gis_service.demo_county import SEED, SMALL_CITY, TODAY, digest, small_city


def metres(table: str) -> npt.NDArray[np.object_]:
    """The shapes of a table of the city, metres."""
    made = small_city()
    forward = Transformer.from_crs(4490, made.metric_srid, always_xy=True)
    moved = shapely.transform(
        made.frames[table]["geom"].to_numpy(),
        lambda points: np.column_stack(forward.transform(points[:, 0], points[:, 1])),
    )
    return np.asarray(moved)


def test_the_full_city_is_of_the_size_that_was_asked_for() -> None:
    assert (CITY.grids, CITY.people, CITY.cameras, CITY.incidents) == (
        708, 1_200_000, 50_000, 1_000_000,
    )  # fmt: skip
    assert CITY.village_grids >= len(TOWNS) * VILLAGES
    assert CITY.village_households > 0


@pytest.mark.parametrize(
    ("table", "count"),
    [
        ("grid", SMALL_CITY.grids),
        ("household", SMALL_CITY.households),
        ("person", SMALL_CITY.people),
        ("camera", SMALL_CITY.cameras),
        ("worker", SMALL_CITY.workers),
        ("incident", SMALL_CITY.incidents),
        ("visit", SMALL_CITY.visits),
        ("organisation", SMALL_CITY.organisations),
        ("unit", 1 + len(TOWNS) + sum(COMMUNITIES) + len(TOWNS) * VILLAGES),
    ],
)
def test_there_is_as_much_of_everything_as_asked_for(table: str, count: int) -> None:
    assert len(small_city().frames[table]) == count


def test_blocks_tile_the_city_without_gap_or_overlap() -> None:
    blocks = small_city().frames["block"]["geom"].to_numpy()
    assert shapely.is_valid(blocks).all()
    assert shapely.coverage_is_valid(blocks)
    metric = metres("block")
    union = shapely.coverage_union_all(metric)
    assert abs(shapely.area(metric).sum() - union.area) < 1.0
    assert union.area == pytest.approx(QINGLAN.area_m2, abs=1.0)
    assert sum(shapely.get_num_interior_rings(part) for part in shapely.get_parts(union)) == 0


@pytest.mark.parametrize("level", ["county", "town", "village"])
def test_every_level_of_units_is_the_whole_city(level: str) -> None:
    chosen = (small_city().frames["unit"]["level"] == level).to_numpy()
    units = metres("unit")[chosen]
    assert shapely.area(units).sum() == pytest.approx(QINGLAN.area_m2, abs=1.0)


def test_town_streets_meet_at_the_border_of_two_towns() -> None:
    """Built-up ground runs on from one sub-district into the next, so both are cut together."""
    blocks = small_city().frames["block"]
    faces = blocks[blocks["kind"] == "street_face"]
    town = faces["village_code"].str[:9].to_numpy()
    tree = shapely.STRtree(faces["geom"].to_numpy())
    one, other = tree.query(faces["geom"].to_numpy(), predicate="touches")
    across = town[one] != town[other]
    assert across.any()
    shared = shapely.intersection(
        faces["geom"].to_numpy()[one[across]], faces["geom"].to_numpy()[other[across]]
    )
    assert (shapely.length(shared) > 0).any()


def test_every_grid_is_the_union_of_its_blocks_and_of_one_village() -> None:
    frames = small_city().frames
    held = frames["grid_block"].merge(frames["block"], left_on="block_id", right_on="id")
    grids = frames["grid"].set_index("code")
    assert set(held["grid_code"]) == set(grids.index)
    village = held.groupby("grid_code")["village_code"].agg(["nunique", "first"])
    assert (village["nunique"] == 1).all()
    assert (village["first"] == grids["village_code"].loc[village.index]).all()
    area_m2 = held.groupby("grid_code")["area_m2"].sum()
    assert np.allclose(area_m2, grids["area_m2"].loc[area_m2.index])


def test_most_people_live_in_street_blocks() -> None:
    frames = small_city().frames
    counts = frames["block_count"].merge(frames["block"], left_on="block_id", right_on="id")
    by_kind = counts.groupby("kind")["people"].sum()
    assert by_kind["street_face"] > 0.75 * by_kind.sum()


def test_people_come_to_a_city_rather_than_leave_it() -> None:
    person = small_city().frames["person"]
    assert person["present"].mean() > 0.93
    assert 0.6 < person["registered"].mean() < 0.8


def test_city_houses_are_higher_than_a_countys() -> None:
    building = small_city().frames["building"]
    assert building["floors"].max() > 5
    assert building["floors"].max() <= SMALL_CITY.most_floors


def test_no_unit_is_a_real_one() -> None:
    units, real = made_up_units(), published_units()
    assert units["code"].str.startswith("99").all()
    assert units["code"].is_unique
    assert units["name"].is_unique
    assert set(units["code"]).isdisjoint(real["code"])
    assert set(units["name"]).isdisjoint(real["name"])


def test_every_unit_hangs_under_its_parent() -> None:
    units = made_up_units().set_index("code")
    below = units[units["parent_code"].notna()]
    parent = units["unit_path"].loc[below["parent_code"]].to_numpy()
    assert (below["unit_path"] == parent + below.index + "/").all()
    assert units["level"].value_counts().to_dict() == {
        "village": sum(COMMUNITIES) + len(TOWNS) * VILLAGES, "town": 11, "county": 1,
    }  # fmt: skip


def test_persons_are_provably_made_up() -> None:
    person = small_city().frames["person"]
    assert person["id_number"].str.startswith(REGION).all()
    assert person["id_number"].is_unique
    assert person["phone"].dropna().str.startswith("1200").all()


def test_the_row_of_the_city_says_that_it_does_not_exist() -> None:
    (row,) = small_city().frames["county"].to_dict("records")
    assert (row["code"], row["name"], row["dataset"]) == ("990101", "青澜市", "demo")
    assert "不存在" in row["facts"]["zh"]
    assert "does not exist" in row["facts"]["en"]
    assert row["facts"]["today"] == TODAY.isoformat()


def test_cameras_say_the_codes_of_this_city() -> None:
    codes = small_city().frames["camera"]["device_code"]
    assert codes.str.startswith(QINGLAN.code).all()
    assert (codes.str.len() == 20).all()


def test_what_was_planted_is_known() -> None:
    made = small_city()
    assert {"hotspot", "misplaced_camera", "vacant_grid"} <= set(made.truth)
    assert set(made.truth["hotspot"]["grid_code"]) <= set(made.frames["grid"]["code"])
    assert len(made.truth["vacant_grid"]) >= SMALL_CITY.vacant_never


def test_the_same_seed_gives_the_same_city() -> None:
    first = {name: digest(frame) for name, frame in small_city().frames.items()}
    again = demo_city(SEED, TODAY, SMALL_CITY)
    assert {name: digest(frame) for name, frame in again.frames.items()} == first


@pytest.mark.parametrize(
    ("born", "is_female", "number"),
    [
        # the third of a day for a man, the second for a woman: odd and even
        ("1990-01-31", False, "99092319900131003"),
        ("2026-11-21", True, "99092320261121002"),
    ],
)
def test_an_id_number_has_day_serial_and_check(born: str, is_female: bool, number: str) -> None:
    (found,) = id_numbers(pd.Series([pd.Timestamp(born)]), np.array([is_female]))
    assert found[:17] == number
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(found, weights, strict=False))
    assert found[17] == "10X98765432"[total % 11]
