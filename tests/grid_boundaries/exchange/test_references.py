"""References of exchange files: their words, what files say of them, there and back again."""

from __future__ import annotations

import struct

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.crs import gcj02_from_wgs84
from grid_boundaries.errors import Refused
from grid_boundaries.exchange.references import (
    GCJ02_WKT,
    STORED,
    Reference,
    declared,
    from_degrees,
    meant,
    reference,
    to_degrees,
)
from tests.exchanging import EVERY_CRS

HERE = shapely.box(108.30, 33.30, 108.31, 33.32)


def shapes(*found: object) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array([*found, None], dtype=object)[:-1]


@pytest.mark.parametrize(
    ("word", "srid"),
    [
        ("4490", 4490), ("EPSG:4326", 4326), ("epsg:4545", 4545), (" 4513 ", 4513),
        ("4554", 4554), ("gcj02", None), ("GCJ-02", None), ("GCJ_02", None),
    ],
)  # fmt: skip
def test_a_reference_is_asked_for_by_its_usual_words(word: str, srid: int | None) -> None:
    assert reference(word).srid == srid


@pytest.mark.parametrize(
    "word", ["", "3857", "4512", "4555", "bd09", "http://x/crs", "4490; drop", "٤٤٩٠", "9" * 400]
)
def test_every_other_word_is_refused_in_two_languages(word: str) -> None:
    with pytest.raises(Refused) as refused:
        reference(word)
    assert refused.value.code == "crs-not-exchanged"
    assert "4513" in refused.value.zh and "4513" in refused.value.en
    assert len(refused.value.zh) < 200


def test_words_and_labels_lead_back_to_the_reference() -> None:
    for word in EVERY_CRS:
        assert reference(reference(word).word) == reference(word)
        assert reference(reference(word).label) == reference(word)


def test_what_our_files_state_is_understood() -> None:
    for word in EVERY_CRS:
        one = reference(word)
        assert declared(one.definition) == one
        if one.srid is not None:
            crs = pyproj.CRS.from_epsg(one.srid)
            assert declared(crs.to_wkt("WKT1_ESRI")) == one
            assert declared(crs.to_wkt("WKT2_2019")) == one


def test_a_file_that_states_nothing_declares_nothing() -> None:
    assert declared("") is None


@pytest.mark.parametrize("text", ["EPSG:32649", 'LOCAL_CS["x"]', "no CRS at all", "EPSG:0"])
def test_a_file_in_another_reference_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        declared(text)
    assert refused.value.code == "crs-not-exchanged"


def test_gcj02_has_a_name_but_no_number() -> None:
    crs = pyproj.CRS.from_wkt(GCJ02_WKT)
    assert crs.to_epsg(min_confidence=20) is None
    assert "GCJ-02" in crs.name
    assert crs.is_geographic


def test_degrees_keep_their_very_bytes() -> None:
    given_shapes = shapes(HERE, None)
    for word in ("4490", "4326"):
        assert from_degrees(given_shapes, reference(word)) is given_shapes
        assert to_degrees(given_shapes, reference(word)) is given_shapes


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    word=st.sampled_from(EVERY_CRS),
    lon=st.floats(74, 136, allow_nan=False),
    lat=st.floats(4, 53, allow_nan=False),
)
def test_there_and_back_is_the_same_place_to_the_tenth_of_a_millimetre(
    word: str, lon: float, lat: float
) -> None:
    one = reference(word)
    # a county is drawn in its own zone or one nearby
    if one.srid is not None and one.srid > 4500:
        zone = (one.srid - 4513) % 21
        lon = 75 + 3 * zone + (lon - 105) / 8
    there = from_degrees(shapes(shapely.Point(lon, lat)), one)
    back = to_degrees(there, one)[0]
    assert max(abs(back.x - lon), abs(back.y - lat)) * 111_320 < 1e-4


def test_zones_agree_with_pyproj_and_gcj02_with_the_shift() -> None:
    change = pyproj.Transformer.from_crs(4490, 4545, always_xy=True)
    x, y = change.transform(108.30, 33.30)
    (found,) = from_degrees(shapes(shapely.Point(108.30, 33.30)), Reference(4545))
    assert (found.x, found.y) == pytest.approx((x, y), abs=1e-6)
    (shifted,) = from_degrees(shapes(shapely.Point(108.30, 33.30)), Reference(None))
    assert [[shifted.x, shifted.y]] == gcj02_from_wgs84(np.array([[108.30, 33.30]])).tolist()
    assert 300 < shapely.distance(shifted, shapely.Point(108.30, 33.30)) * 100_000 < 900


def test_missing_shapes_stay_missing() -> None:
    for word in EVERY_CRS:
        assert list(from_degrees(shapes(None), reference(word))) == [None]
        assert len(to_degrees(shapes(), reference(word))) == 0


def test_coordinates_that_are_no_numbers_come_back_as_infinite() -> None:
    north, no_number = (struct.pack("<d", value) for value in (33.32, float("nan")))
    with np.errstate(invalid="ignore"):
        broken = shapely.from_wkb(shapely.to_wkb(HERE).replace(north, no_number))
    assert np.isnan(shapely.get_coordinates(broken)).any()
    for word in ("gcj02", "4545", "4513"):
        (found,) = to_degrees(shapes(broken), reference(word))
        assert not np.isfinite(shapely.get_coordinates(found)).all()


def metres(srid: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return from_degrees(shapes(HERE), Reference(srid))


def test_a_zone_number_in_x_goes_before_what_the_file_states() -> None:
    assert meant(metres(4524), Reference(4545)) == Reference(4524)
    assert meant(metres(4524), None) == Reference(4524)


def test_an_x_without_the_stated_zone_number_is_of_the_twin() -> None:
    assert meant(metres(4545), Reference(4524)) == Reference(4545)


@pytest.mark.parametrize("word", EVERY_CRS)
def test_what_is_stated_rightly_is_believed(word: str) -> None:
    one = reference(word)
    assert meant(from_degrees(shapes(HERE), one), one) == one


def test_shapes_that_state_nothing_are_taken_for_degrees() -> None:
    assert meant(shapes(HERE), None) == STORED
    assert meant(shapes(), None) == STORED
    assert meant(shapes(None), Reference(4524)) == Reference(4524)


def test_coordinates_that_are_no_numbers_prove_nothing() -> None:
    odd = shapes(shapely.Point(float("inf"), 1.0), shapely.Point(float("nan"), 1.0))
    assert meant(odd, Reference(4524)) == Reference(4524)
