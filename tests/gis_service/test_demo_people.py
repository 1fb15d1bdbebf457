"""The made-up county's people and houses: how many, provably made up, clear of each other."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis_service.demo.identity import credit_codes, id_numbers
from tests.gis_service.demo_county import TODAY, county, metric

ORG_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _id_checks(text: str) -> bool:
    # GB 11643: the weighted sum of all 18, X for 10, leaves 1 over 11
    values = [10 if c == "X" else int(c) for c in text]
    return sum(v * pow(2, 17 - i, 11) for i, v in enumerate(values)) % 11 == 1


def _credit_checks(text: str) -> bool:
    # GB 32100: weights are the powers of 3 modulo 31; the whole sum is 0 modulo 31
    values = [ORG_ALPHABET.index(c) for c in text]
    weights = [pow(3, i, 31) for i in range(17)]
    total = sum(v * w for v, w in zip(values, weights, strict=False)) + values[17]
    return total % 31 == 0


def test_a_published_example_of_an_id_number_checks_by_the_oracle() -> None:
    assert _id_checks("11010519491231002X")  # the standard's own example
    assert not _id_checks("110105194912310021")


def test_there_are_26000_households_and_70000_persons() -> None:
    frames = county().frames
    assert len(frames["household"]) == 26_000
    assert len(frames["person"]) == 70_000
    assert set(frames["person"]["household_id"]) == set(frames["household"]["id"])


def test_id_numbers_are_valid_unique_and_of_no_region() -> None:
    numbers = county().frames["person"]["id_number"]
    assert numbers.is_unique
    assert numbers.str.startswith("99").all()
    assert all(_id_checks(number) for number in numbers)


def test_id_numbers_agree_with_birth_date_and_sex() -> None:
    people = county().frames["person"]
    stamp = people["id_number"].str[6:14]
    assert (stamp == people["born_on"].map(lambda day: day.strftime("%Y%m%d"))).all()
    is_odd = people["id_number"].str[16].astype(int) % 2 == 1
    assert (is_odd == (people["sex"] == "男")).all()


def test_many_people_of_one_day_still_get_numbers_of_their_own() -> None:
    people = county().frames["person"]
    born = people["born_on"].iloc[:1].repeat(300)
    numbers = id_numbers(born.astype("datetime64[ns]"), np.zeros(300, dtype=bool))
    assert len(set(numbers)) == 300
    assert all(len(number) == 18 for number in numbers)


def test_phones_are_eleven_digits_of_no_assigned_block() -> None:
    frames = county().frames
    for phones in (frames["person"]["phone"].dropna(), frames["worker"]["phone"]):
        assert phones.str.fullmatch(r"12\d{9}").all()
        assert phones.is_unique


def test_credit_codes_check_and_belong_to_no_region() -> None:
    codes = county().frames["organisation"]["credit_code"]
    assert codes.is_unique
    assert (codes.str[2:4] == "99").all()
    assert all(_credit_checks(code) for code in codes)
    assert all(_credit_checks(code) for code in credit_codes(500, np.random.default_rng(5)))


def test_every_household_has_one_head_and_plausible_ages() -> None:
    people = county().frames["person"]
    heads = people[people["relation"] == "户主"]
    assert heads["household_id"].is_unique and len(heads) == 26_000
    age = people["born_on"].map(lambda day: (TODAY - day).days / 365.25)
    assert age.min() >= 0 and age.max() < 105
    assert age[people["relation"] == "户主"].min() > 18
    assert 0.1 < (age < 16).mean() < 0.25


def test_about_three_in_ten_of_the_registered_are_away() -> None:
    people = county().frames["person"]
    away = ~people.loc[people["registered"], "present"]
    assert 0.25 < away.mean() < 0.35
    assert people.loc[~people["registered"], "present"].all()


def test_counts_per_block_are_the_people_who_live_there() -> None:
    frames = county().frames
    counts = frames["block_count"]
    assert counts["households"].sum() == 26_000
    assert counts["people"].sum() == frames["person"]["present"].sum()
    assert counts["registered"].sum() == frames["person"]["registered"].sum()
    assert set(counts["block_id"]) == set(frames["block"]["id"])
    tree = shapely.STRtree(metric("block"))
    home, block = tree.query(metric("household"), predicate="within")
    assert len(home) == 26_000
    lived = np.bincount(block, minlength=len(frames["block"]))
    by_block = counts.set_index("block_id")["households"].loc[frames["block"]["id"]]
    assert (lived == by_block.to_numpy()).all()


def test_no_two_houses_overlap() -> None:
    houses = metric("building")
    first, second = shapely.STRtree(houses).query(houses, predicate="intersects")
    assert (first == second).all()


@pytest.mark.parametrize(("table", "share"), [("street", 0.5), ("water", 0.5)])
def test_no_house_stands_on_a_road_or_in_a_river(table: str, share: float) -> None:
    frame = county().frames[table]
    width = frame["width_m"].to_numpy() if table == "water" else np.full(len(frame), 4.0)
    beds = shapely.buffer(metric(table), width * share)
    hit = shapely.STRtree(beds).query(metric("building"), predicate="intersects")[0]
    assert len(set(hit)) == 0


def test_footprints_are_of_house_size() -> None:
    houses = metric("building")
    corners = shapely.get_coordinates(shapely.get_exterior_ring(shapely.get_geometry(houses, 0)))
    sides = np.hypot(*np.diff(corners.reshape(-1, 5, 2), axis=1).transpose(2, 0, 1))
    assert sides.min() > 7.5 and sides.max() < 24.5
    assert np.allclose(shapely.area(houses), county().frames["building"]["area_m2"], rtol=1e-4)


def test_houses_cluster_instead_of_spreading_evenly() -> None:
    middles = shapely.centroid(metric("building"))
    tree = shapely.STRtree(middles)
    near = tree.query(middles, predicate="dwithin", distance=120.0)[0]
    # spread evenly over the county, a circle of 120 m would hold a quarter of a house
    assert np.median(np.bincount(near)) > 12


def test_every_household_lives_in_a_standing_house() -> None:
    frames = county().frames
    houses = frames["building"].set_index("id")
    kinds = houses.loc[frames["household"]["building_id"], "kind"]
    assert (kinds == "dwelling").all()
    index = {name: row for row, name in enumerate(houses.index)}
    row = np.array([index[name] for name in frames["household"]["building_id"]])
    assert shapely.within(metric("household"), metric("building")[row]).all()
