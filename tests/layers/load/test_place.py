"""Placing: the block gives the grid, the official outline gives the unit, and differences show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiPolygon, Point, box

from grid_boundaries.errors import Refused
from layers.load.place import SOURCE, placed

METRIC = CRS.from_epsg(4545)
PATHS = {"V1": "/C/T/V1/", "V2": "/C/T/V2/"}


def frames(**tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A county of two villages; blocks B1 and B2 meet 0.001° east of the villages' border.

    Village V1 is west of 108.01°, V2 east of it; block B1 reaches to 108.011°. The strip
    north of 33.009° belongs to no block.
    """
    outlines = [box(108, 33, 108.01, 33.01), box(108.01, 33, 108.02, 33.01)]
    units = pd.DataFrame(
        {
            "code": ["C", "T", "V1", "V2"],
            "level": ["county", "town", "village", "village"],
            "name": ["县", "镇", "甲村", "乙村"],
            "unit_path": ["/C/", "/C/T/", *PATHS.values()],
            "geom": [*[MultiPolygon([box(108, 33, 108.02, 33.01)])] * 2, *outlines],
        }
    )
    blocks = pd.DataFrame(
        {
            "id": ["B1", "B2"],
            "unit_path": list(PATHS.values()),
            "geom": [box(108, 33, 108.011, 33.009), box(108.011, 33, 108.02, 33.009)],
        }
    )
    pairs = pd.DataFrame(
        {
            "block_id": ["B1", "B1", "B2"],
            "grid_code": ["old", "G1", "G2"],
            "valid_to": [pd.Timestamp("2020-01-01"), None, None],
        }
    )
    county = pd.DataFrame({"code": ["C"], "metric_srid": [4545]})
    return {"county": county, "unit": units, "block": blocks, "grid_block": pairs, **tables}


def rows(*shapes: Any, **columns: Any) -> pd.DataFrame:
    geom = pd.Series(list(shapes), dtype=object)
    return pd.DataFrame({"id": [f"R{n}" for n in range(len(shapes))], "geom": geom, **columns})


def test_a_row_gets_block_grid_in_force_unit_and_how() -> None:
    done = placed(frames(place=rows(Point(108.005, 33.005))), METRIC)
    row = done["place"].iloc[0]
    assert (row["block_id"], row["grid_code"]) == ("B1", "G1")
    assert (row["unit_path"], row["placed"]) == ("/C/T/V1/", "inside")
    assert len(done["finding"]) == 0


def test_where_block_and_outline_disagree_the_outline_counts_and_a_finding_says_so() -> None:
    done = placed(frames(place=rows(Point(108.0105, 33.005))), METRIC)
    row = done["place"].iloc[0]
    assert (row["grid_code"], row["unit_path"]) == ("G1", "/C/T/V2/")
    found = done["finding"].iloc[0]
    assert (found["source"], found["code"], found["row"]) == (
        SOURCE,
        "block-outline-disagree",
        "R0",
    )
    assert found["facts"] == {
        "block_id": "B1",
        "unit_path": "/C/T/V2/",
        "block_village_path": "/C/T/V1/",
    }


def test_in_a_village_but_in_no_block_is_outside_every_block() -> None:
    row = placed(frames(place=rows(Point(108.005, 33.0095))), METRIC)["place"].iloc[0]
    assert (row["unit_path"], row["placed"]) == ("/C/T/V1/", "outside")
    assert row["block_id"] is None
    assert row["grid_code"] is None


def test_outside_everything_belongs_to_the_county_with_a_finding() -> None:
    done = placed(frames(place=rows(Point(109, 33))), METRIC)
    row = done["place"].iloc[0]
    assert (row["unit_path"], row["placed"], row["grid_code"]) == ("/C/", "outside", None)
    assert done["finding"]["code"].tolist() == ["outside-every-village"]
    assert done["finding"]["unit_path"].tolist() == ["/C/"]


@pytest.mark.parametrize(("offset_m", "how"), [(0.5, "near"), (1.5, "outside")])
def test_within_a_metre_is_near(offset_m: float, how: str) -> None:
    beside = Point(108 - offset_m / 93_000, 33.005)
    assert placed(frames(place=rows(beside)), METRIC)["place"]["placed"].tolist() == [how]


def test_a_point_on_a_shared_border_has_the_lower_block_and_the_lower_village() -> None:
    done = placed(frames(place=rows(Point(108.011, 33), Point(108.01, 33))), METRIC)
    assert done["place"]["block_id"].tolist() == ["B1", "B1"]
    assert done["place"]["unit_path"].tolist() == ["/C/T/V2/", "/C/T/V1/"]


def test_areas_and_lines_lie_where_their_middle_does() -> None:
    house = box(108.009, 33.001, 108.0098, 33.002)
    road = LineString([(108.012, 33.004), (108.016, 33.004), (108.2, 33.004)])
    short = LineString([(108.012, 33.004), (108.014, 33.004)])
    done = placed(frames(building=rows(house), street=rows(road, short)), METRIC)
    assert done["building"]["block_id"].tolist() == ["B1"]
    assert done["street"]["unit_path"].tolist() == ["/C/", "/C/T/V2/"]


def test_base_map_that_leaves_the_county_is_no_fault() -> None:
    line = LineString([(109, 33), (109.1, 33)])
    done = placed(frames(street=rows(line), water=rows(line)), METRIC)
    assert len(done["finding"]) == 0
    assert done["water"]["unit_path"].tolist() == ["/C/"]


def test_a_position_has_a_unit_and_nothing_else() -> None:
    done = placed(frames(position=rows(Point(108.005, 33.005))), METRIC)
    assert done["position"]["unit_path"].tolist() == ["/C/T/V1/"]
    assert "block_id" not in done["position"]


def test_persons_are_where_their_household_is() -> None:
    homes = rows(Point(108.005, 33.005), Point(108.015, 33.005))
    persons = pd.DataFrame({"id": ["P0", "P1", "P2"], "household_id": ["R1", "R0", "R1"]})
    done = placed(frames(household=homes, person=persons), METRIC)["person"]
    assert done["grid_code"].tolist() == ["G2", "G1", "G2"]
    assert done["unit_path"].tolist() == ["/C/T/V2/", "/C/T/V1/", "/C/T/V2/"]


def test_persons_of_no_household_are_refused() -> None:
    persons = pd.DataFrame({"id": ["P0"], "household_id": ["nobody"]})
    homes = rows(Point(108.005, 33.005))
    with pytest.raises(Refused) as refused:
        placed(frames(household=homes, person=persons), METRIC)
    assert refused.value.where["persons"] == ["P0"]


def test_earlier_findings_stay_and_get_a_unit() -> None:
    early = pd.DataFrame(
        [["a.csv", "place", "7", "missing-value", "缺", "missing", {}, "", None]],
        columns=["source", "layer", "row", "code", "zh", "en", "facts", "unit_path", "geom"],
    )
    done = placed(frames(place=rows(Point(109, 33)), finding=early), METRIC)["finding"]
    assert done["code"].tolist() == ["missing-value", "outside-every-village"]
    assert done["unit_path"].tolist() == ["/C/", "/C/"]


def test_placing_twice_changes_nothing() -> None:
    given = frames(
        place=rows(Point(108.005, 33.005), Point(109, 33)),
        building=rows(box(108.009, 33.001, 108.0098, 33.002)),
    )
    once = placed(given, METRIC)
    twice = placed(once, METRIC)
    for name, frame in once.items():
        pd.testing.assert_frame_equal(frame, twice[name])


def test_the_given_frames_are_left_alone() -> None:
    given = frames(place=rows(Point(108.005, 33.005)))
    placed(given, METRIC)
    assert list(given["place"].columns) == ["id", "geom"]


def test_a_county_without_blocks_still_has_units() -> None:
    given = frames(place=rows(Point(108.005, 33.005)))
    bare = {name: frame for name, frame in given.items() if name not in ("block", "grid_block")}
    row = placed(bare, METRIC)["place"].iloc[0]
    assert (row["unit_path"], row["placed"]) == ("/C/T/V1/", "outside")


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(107.99, 108.03), st.floats(32.99, 33.02)), min_size=1, max_size=40)
)
def test_every_row_keeps_its_place_in_the_frame_and_lies_where_shapely_says(
    lonlat: list[tuple[float, float]],
) -> None:
    given = frames(place=rows(*map(Point, lonlat)))
    done = placed(given, METRIC)["place"]
    blocks, villages = given["block"], given["unit"].iloc[2:]
    points = done["geom"].to_numpy()
    for frame, keys, answers in (
        (blocks, blocks["id"], done["block_id"]),
        (villages, villages["unit_path"], [p if p != "/C/" else None for p in done["unit_path"]]),
    ):
        shapes = frame["geom"].to_numpy()
        # within 20 m of a border a straight line in degrees and one in metres may differ
        clear = shapely.distance(points, shapely.union_all(shapely.boundary(shapes))) > 2e-4
        inside = shapely.contains(shapes[:, None], points)
        expected = [keys.iloc[int(np.argmax(row))] if row.any() else None for row in inside.T]
        assert [a for a, c in zip(answers, clear, strict=True) if c] == [
            e for e, c in zip(expected, clear, strict=True) if c
        ]
