"""References in which files go out: their words, what files say of them, there and back again."""

from __future__ import annotations

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
    Reference,
    from_degrees,
    reference,
)
from grid_boundaries.file_crs import asked_crs, crs_name, in_stored_degrees
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
        assert crs_name(one.definition) == crs_name(one.word) == asked_crs(one.word) == one.label
        if one.srid is not None:
            crs = pyproj.CRS.from_epsg(one.srid)
            assert crs_name(crs.to_wkt("WKT1_ESRI")) == one.label
            assert crs_name(crs.to_wkt("WKT2_2019")) == one.label


def test_gcj02_has_a_name_but_no_number() -> None:
    crs = pyproj.CRS.from_wkt(GCJ02_WKT)
    assert crs.to_epsg(min_confidence=20) is None
    assert "GCJ-02" in crs.name
    assert crs.is_geographic


def test_degrees_keep_their_very_bytes() -> None:
    given_shapes = shapes(HERE, None)
    for word in ("4490", "4326"):
        assert from_degrees(given_shapes, reference(word)) is given_shapes
        assert in_stored_degrees(given_shapes, reference(word).label) is given_shapes


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
    back = in_stored_degrees(there, one.label)[0]
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
        assert len(in_stored_degrees(shapes(), reference(word).label)) == 0
