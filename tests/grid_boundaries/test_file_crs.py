"""References of files that come in: one set of words, one reading, whoever states them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from grid_boundaries.crs import bd09_from_wgs84, gcj02_from_wgs84
from grid_boundaries.errors import Refused
from grid_boundaries.exchange.references import Reference, from_degrees
from grid_boundaries.file_crs import (
    BD09,
    GCJ02,
    STORED,
    SWAPPED,
    asked_crs,
    crs_name,
    in_stored_degrees,
    meant,
    reading,
)
from tests.exchanging import EVERY_CRS

HERE = shapely.box(108.30, 33.30, 108.31, 33.32)
SPELLED = [
    ("4490", STORED), ("EPSG:4326", "EPSG:4326"), ("epsg:4545", "EPSG:4545"),
    (" 4513 ", "EPSG:4513"), ("gcj02", GCJ02), ("GCJ-02", GCJ02), ("GCJ_02", GCJ02),
    ("bd09", BD09), ("BD-09", BD09), ("lat-lon", SWAPPED), ("LatLon", SWAPPED),
    ("3857", "EPSG:3857"),
]  # fmt: skip


def metres(srid: int) -> NDArray[np.object_]:
    return from_degrees(np.array([HERE], dtype=object), Reference(srid))


def x_of(srid: int) -> NDArray[np.float64]:
    return shapely.get_coordinates(metres(srid))[:, 0]


@pytest.mark.parametrize(("word", "name"), SPELLED)
def test_a_reference_has_one_name_however_it_is_spelled(word: str, name: str) -> None:
    assert asked_crs(word) == name
    assert crs_name(word) == name
    assert asked_crs(name) == name


@pytest.mark.parametrize(
    "word",
    ["", "EPSG:1", "EPSG:999999", "nonsense", "EPSG:4978", "file:///etc/passwd", "٤٤٩٠", "9" * 400,
     "http://x/crs", "4490; drop", "+proj=longlat", "+init=epsg:4326", "lat lon"],
)  # fmt: skip
def test_no_other_word_can_be_asked_for(word: str) -> None:
    with pytest.raises(Refused) as refused:
        asked_crs(word)
    assert refused.value.code == "no-such-crs"
    assert len(refused.value.zh) < 200 and "EPSG" in refused.value.en


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("", ""), ("no such thing", ""), ("EPSG:0", ""),
        (CRS.from_epsg(4545).to_wkt(), "EPSG:4545"),
        (CRS.from_epsg(4524).to_wkt("WKT1_ESRI"), "EPSG:4524"),
        (CRS.from_epsg(32649).to_wkt("WKT1_ESRI"), "EPSG:32649"),
        ('GEOGCS["GCJ02",DATUM["x",SPHEROID["y",6378245,298.3]]]', GCJ02),
        ('GEOGCS["BD_09",DATUM["x",SPHEROID["y",6378245,298.3]]]', BD09),
    ],
)  # fmt: skip
def test_what_a_file_states_has_a_name(stated: str, name: str) -> None:
    assert crs_name(stated) == name


def test_a_reference_without_a_number_is_read_by_its_own_words() -> None:
    own = CRS.from_proj4("+proj=tmerc +lon_0=108.5 +k=1 +x_0=500000 +ellps=GRS80 +units=m")
    name = crs_name(own.to_wkt("WKT1_ESRI"))
    assert not name.startswith("EPSG") and len(name) > 200
    there = Transformer.from_crs(4490, own, always_xy=True)
    point = shapely.Point(there.transform(108.3, 33.3))
    (back,) = in_stored_degrees([point], name)
    assert (back.x, back.y) == pytest.approx((108.3, 33.3), abs=1e-7)


@pytest.mark.parametrize("name", ["EPSG:999999", "EPSG:0", "nonsense", "EPSG:4978", "LOCAL_CS[]"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        reading(name)
    assert refused.value.code == "no-such-crs"


def test_a_reading_agrees_with_proj() -> None:
    points = np.array([[36_500_000.0, 3_690_000.0], [36_510_000.0, 3_700_000.0]])
    other = Transformer.from_crs(4524, 4490, always_xy=True)
    expected = np.column_stack(other.transform(points[:, 0], points[:, 1]))
    assert reading("EPSG:4524")(points) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "change"), [(GCJ02, gcj02_from_wgs84), (BD09, bd09_from_wgs84)]
)  # fmt: skip
def test_shifted_places_go_back_to_where_they_are(name: str, change: object) -> None:
    assert callable(change)
    moved = shapely.transform(HERE, change)
    (back,) = in_stored_degrees([moved], name)
    assert shapely.hausdorff_distance(back, HERE) < 1e-7
    assert shapely.hausdorff_distance(moved, HERE) > 1e-3


def test_swapped_places_are_turned_round() -> None:
    (back,) = in_stored_degrees([shapely.Point(33.3, 108.3)], SWAPPED)
    assert (back.x, back.y) == (108.3, 33.3)


def test_places_that_are_no_numbers_come_back_as_infinite() -> None:
    north, no_number = (struct.pack("<d", value) for value in (33.32, float("nan")))
    with np.errstate(invalid="ignore"):
        broken = shapely.from_wkb(shapely.to_wkb(HERE).replace(north, no_number))
    assert np.isnan(shapely.get_coordinates(broken)).any()
    for name in (GCJ02, "EPSG:4545", "EPSG:4513"):
        (found,) = in_stored_degrees([broken], name)
        assert not np.isfinite(shapely.get_coordinates(found)).all()


def test_missing_shapes_stay_missing() -> None:
    for word in (*EVERY_CRS, "bd09", "lat-lon"):
        assert list(in_stored_degrees([None], asked_crs(word))) == [None]
        assert len(in_stored_degrees([], asked_crs(word))) == 0


def test_a_zone_number_in_x_goes_before_what_the_file_states() -> None:
    assert meant(x_of(4524), "EPSG:4545") == "EPSG:4524"
    assert meant(x_of(4524), "") == "EPSG:4524"


def test_an_x_without_the_stated_zone_number_is_of_the_twin() -> None:
    assert meant(x_of(4545), "EPSG:4524") == "EPSG:4545"


@pytest.mark.parametrize("word", EVERY_CRS)
def test_what_is_stated_rightly_is_believed(word: str) -> None:
    name = asked_crs(word)
    srid = None if name == GCJ02 else int(name[5:])
    shapes = from_degrees(np.array([HERE], dtype=object), Reference(srid))
    assert meant(shapely.get_coordinates(shapes)[:, 0], name) == name


def test_what_states_nothing_is_taken_for_degrees() -> None:
    assert meant(shapely.get_coordinates(HERE)[:, 0], "") == STORED
    assert meant(np.array([]), "") == STORED
    assert meant(np.array([]), "EPSG:4524") == "EPSG:4524"


def test_places_that_are_no_numbers_prove_nothing() -> None:
    odd = np.array([np.inf, np.nan])
    assert meant(odd, "EPSG:4524") == "EPSG:4524"
    assert meant(odd, "") == STORED
