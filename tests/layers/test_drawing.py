"""What a tile draws and from where: bands of outlines, counts of points, marks by zoom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from geopandas import GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, update

from gis_service.access import RIGHTS
from gis_service.database import enter_scope
from grid_boundaries.errors import Malformed, Refused
from grid_boundaries.store import grid
from grid_boundaries.view import View
from layers.assign import assign_xy
from layers.grids import LAYER as GRIDS
from layers.layer import Layer
from layers.places import LAYER as PLACES
from layers.places import place
from layers.registry import LAYERS
from layers.style import Mark, Style, Title
from layers.tile_counts import CELL_BITS, EDGE_M, refresh_counts, tile_count
from layers.tile_shapes import BANDS, SHAPED, band_of, refresh_shapes, tile_shape
from layers.tiles import check_address, newest_changes, tile_statement
from layers.units import LAYER as UNITS
from tests.county import COUNTY_PATH, SOUTH, VILLAGES, WEST, WIDTH_DEG, build, path_of

EVERYBODY = View("tester", (COUNTY_PATH,), RIGHTS)
VILLAGE = View("tester", (path_of(VILLAGES[0]),), RIGHTS)
TITLE = Title("甲", "A")


@pytest.fixture
def county(connection: Connection) -> Connection:
    build(connection)
    enter_scope(connection, EVERYBODY)
    return connection


@pytest.mark.parametrize(("z", "x", "y"), [(0, 0, 0), (1, 1, 1), (20, 0, (1 << 20) - 1)])
def test_an_address_in_the_pyramid_is_taken(z: int, x: int, y: int) -> None:
    check_address(z, x, y, 20)


@pytest.mark.parametrize(
    ("z", "x", "y"),
    [(-1, 0, 0), (21, 0, 0), (0, 1, 0), (0, 0, 1), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1),
     (2**31, 0, 0), (5, 2**31, 0), (99, 0, 0)],
)  # fmt: skip
def test_an_address_outside_it_is_refused_with_its_numbers(z: int, x: int, y: int) -> None:
    with pytest.raises(Malformed) as refused:
        check_address(z, x, y, 20)
    assert refused.value.where == {"z": z, "x": x, "y": y}


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 25))
def test_bands_get_finer_with_the_zoom_and_end_where_true_outlines_begin(zoom: int) -> None:
    band = band_of(zoom)
    deepest = BANDS[-1][0]
    assert (band is None) is (zoom > deepest)
    if band is not None:
        assert BANDS[band][0] >= zoom
        assert band == 0 or BANDS[band - 1][0] < zoom
    tolerances = [tolerance_m for _, tolerance_m in BANDS]
    assert tolerances == sorted(tolerances, reverse=True)


def test_a_shape_goes_no_further_than_a_pixel_of_its_deepest_zoom() -> None:
    for deepest, tolerance_m in BANDS:
        pixel_m = 2 * EDGE_M / 2**deepest / 512
        assert tolerance_m <= 1.05 * pixel_m


def test_layers_drawn_with_coarse_outlines_are_in_the_registry() -> None:
    for drawn, source in SHAPED.items():
        assert LAYERS[drawn].shape == LAYERS[source].shape == "polygon"


@pytest.mark.parametrize("layer", [UNITS, GRIDS], ids=lambda layer: layer.name)
def test_every_outline_has_a_shape_in_every_band_and_keeps_its_ground(
    county: Connection, layer: Layer
) -> None:
    features = county.execute(layer.features(EVERYBODY)).all()
    assert refresh_shapes(county, layer, EVERYBODY) == len(features)
    rows = county.execute(select(tile_shape).where(tile_shape.c.layer == layer.name)).all()
    assert len(rows) == len(features) * len(BANDS)
    keys = {(row.band, row.key) for row in rows}
    assert keys == {(band, str(row.id)) for band in range(len(BANDS)) for row in features}


def test_made_coarse_again_they_are_the_same_and_gone_ones_go(county: Connection) -> None:
    refresh_shapes(county, GRIDS, EVERYBODY)
    statement = select(tile_shape.c.key, func.st_asbinary(tile_shape.c.geom)).order_by(
        tile_shape.c.key, tile_shape.c.band
    )
    first = [(key, bytes(shape)) for key, shape in county.execute(statement)]
    refresh_shapes(county, GRIDS, EVERYBODY)
    assert [(key, bytes(shape)) for key, shape in county.execute(statement)] == first
    refresh_shapes(county, GRIDS, VILLAGE)
    assert {key[:12] for key, _ in county.execute(statement)} == {VILLAGES[0]}


def test_neighbouring_grids_keep_one_border_in_the_coarsest_band(county: Connection) -> None:
    refresh_shapes(county, GRIDS, EVERYBODY)
    statement = select(func.st_asbinary(tile_shape.c.geom)).where(tile_shape.c.band == 0)
    shapes = shapely.from_wkb([bytes(shape) for (shape,) in county.execute(statement)])
    parts = shapely.get_parts(shapes)
    assert shapely.coverage_is_valid(parts)


def sums(connection: Connection, layer: Layer, zoom: int) -> int:
    statement = select(func.coalesce(func.sum(tile_count.c.n), 0)).where(
        tile_count.c.layer == layer.name, tile_count.c.zoom == zoom
    )
    return int(connection.scalar(statement) or 0)


def test_at_every_zoom_the_counts_are_all_points(county: Connection) -> None:
    counted = replace(PLACES, counts_below_zoom=14)
    assert refresh_counts(county, counted, EVERYBODY) == 16
    assert [sums(county, counted, zoom) for zoom in range(14)] == [16] * 14
    assert sums(county, counted, 14) == 0


def test_a_point_that_is_gone_is_counted_no_more(county: Connection) -> None:
    counted = replace(PLACES, counts_below_zoom=10)
    refresh_counts(county, counted, EVERYBODY)
    county.execute(delete(place).where(place.c.id.in_(["P1", "P2"])))
    assert refresh_counts(county, counted, EVERYBODY) == 14
    assert {sums(county, counted, zoom) for zoom in range(10)} == {14}
    county.execute(delete(place))
    assert refresh_counts(county, counted, EVERYBODY) == 0
    assert sums(county, counted, 0) == 0


def test_a_layer_that_is_never_counted_has_no_counts(county: Connection) -> None:
    never = replace(PLACES, counts_below_zoom=0)
    assert refresh_counts(county, never, EVERYBODY) == 0
    assert sums(county, never, 0) == 0


def test_counts_of_units_are_kept_apart(county: Connection) -> None:
    counted = replace(PLACES, counts_below_zoom=3)
    refresh_counts(county, counted, EVERYBODY)
    statement = (
        select(tile_count.c.unit_path, func.sum(tile_count.c.n))
        .where(tile_count.c.layer == "places", tile_count.c.zoom == 0)
        .group_by(tile_count.c.unit_path)
    )
    found = {path: int(n) for path, n in county.execute(statement)}
    assert found == {path_of(village): 4 for village in VILLAGES}


def test_the_mean_place_of_a_cell_is_that_of_its_points(county: Connection) -> None:
    counted = replace(PLACES, counts_below_zoom=2)
    refresh_counts(county, counted, EVERYBODY)
    points = county.execute(
        select(func.st_x(place.c.geom_3857), func.st_y(place.c.geom_3857))
    ).all()
    rows = county.execute(select(tile_count).where(tile_count.c.zoom == 0)).all()
    n = np.array([row.n for row in rows])
    mean = np.array([[row.x_m, row.y_m] for row in rows])
    assert np.average(mean, axis=0, weights=n) == pytest.approx(np.mean(points, axis=0))
    side = 1 << CELL_BITS
    for row in rows:
        assert 0 <= row.cell_x < side
        assert row.cell_x == int((row.x_m + EDGE_M) / (2 * EDGE_M) * side)
        assert row.cell_y == int((EDGE_M - row.y_m) / (2 * EDGE_M) * side)


def marked(**from_zooms: int) -> Layer:
    """The grids with marks by their kind, each drawn from a zoom on."""
    names = {"rest": "", "home": "residential", "other": "special"}
    marks = {names[key]: Mark(TITLE, "grid", from_zoom=zoom) for key, zoom in from_zooms.items()}
    return replace(GRIDS, style=Style(marks=marks, by="kind"), dated=False)


def drawn(connection: Connection, layer: Layer, zoom: int) -> set[str]:
    """Kinds of grids that are in the tile of the county at a zoom."""
    side = 1 << zoom
    lon, lat = WEST + 4 * WIDTH_DEG, SOUTH + 0.0099
    x = int((lon + 180) / 360 * side)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * side)
    statement = tile_statement([layer], EVERYBODY, zoom)
    body = bytes(connection.execute(statement, {"z": zoom, "x": x, "y": y}).scalar_one())
    decoded: dict[str, Any] = mapbox_vector_tile.decode(body) if body else {}
    found = decoded.get(layer.name, {"features": []})["features"]
    ids = [feature["properties"]["id"] for feature in found]
    kinds = {row.id: row.kind for row in connection.execute(layer.features(EVERYBODY))}
    return {kinds[key] for key in ids}


@pytest.mark.parametrize(
    ("zooms", "expected"),
    [
        ({"rest": 0}, {"residential", "special"}),
        ({"rest": 12}, set()),
        ({"home": 0, "rest": 12}, {"residential"}),
        ({"home": 12, "rest": 0}, {"special"}),
        ({"home": 12, "other": 12, "rest": 0}, set()),
        ({"home": 0, "other": 12}, {"residential"}),
        ({"home": 12, "other": 0}, {"special"}),
        ({"home": 0, "other": 0, "rest": 12}, {"residential", "special"}),
    ],
)
def test_a_class_is_drawn_from_the_zoom_of_its_mark_on(
    county: Connection, zooms: dict[str, int], expected: set[str]
) -> None:
    codes = [row.code for row in county.execute(select(grid.c.code).order_by(grid.c.code))]
    county.execute(update(grid).where(grid.c.code.in_(codes[::2])).values(kind="special"))
    layer = marked(**zooms)
    assert drawn(county, layer, 11) == expected
    assert drawn(county, layer, 12) == {"residential", "special"}


def test_nothing_is_drawn_before_the_layers_own_zoom(county: Connection) -> None:
    late = replace(GRIDS, style=replace(GRIDS.style, from_zoom=12))
    assert drawn(county, late, 11) == set()
    assert drawn(county, late, 12) != set()


def test_a_layer_that_never_changed_has_the_first_version(connection: Connection) -> None:
    assert newest_changes(connection, [PLACES, GRIDS]) == {"places": "0", "grids": "0"}


SQUARES = np.array([shapely.box(n, 0, n + 1, 1) for n in range(3)], dtype=object)
MIDDLES = np.array([[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]])


@pytest.mark.parametrize(
    ("codes", "position"),
    [
        (["a", None, "c"], 1),
        (["a", 2, "c"], 1),
        ([1, "b", 3], 0),
        ([1, 2, float("nan")], 2),
        ([None, None, None], 0),
        ([(1,), "b", "c"], 0),
    ],
)
def test_a_code_that_has_no_place_in_the_order_is_named_by_its_position(
    codes: list[Any], position: int
) -> None:
    polygons = shapely_series(SQUARES)
    with pytest.raises(Refused) as refused:
        assign_xy(MIDDLES, polygons, np.array(codes, dtype=object))
    assert (refused.value.code, refused.value.where["position"]) == ("code-unusable", position)


@pytest.mark.parametrize(
    "codes", [["a", "b", "c"], [1, 2, 3], [1.5, 2, 3], [True, 2, 3], ["", "b", "c"]]
)
def test_codes_of_one_kind_come_back_as_they_are(codes: list[Any]) -> None:
    found = assign_xy(MIDDLES, shapely_series(SQUARES), np.array(codes, dtype=object))
    assert found.tolist() == codes


@pytest.mark.parametrize("count", [0, 2, 4])
def test_codes_must_be_as_many_as_polygons(count: int) -> None:
    with pytest.raises(Refused) as refused:
        assign_xy(MIDDLES, shapely_series(SQUARES), np.array(["a"] * count, dtype=object))
    assert refused.value.code == "codes-differ"


def shapely_series(shapes: Any) -> GeoSeries:
    return GeoSeries(shapes, crs=4545)
