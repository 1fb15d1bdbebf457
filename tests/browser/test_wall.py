"""The wall in a real browser over the real service: what it asks, draws, says and survives."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, FloatRect, expect

from gis_service.access import RIGHTS_OF_ROLE
from layers.registry import LAYERS
from tests.browser.conftest import Watched, signed_in, watched
from tests.browser.hostile import TEXT
from tests.county import COUNTY, TOWNS, VILLAGES, blocks
from tests.serving import Client

BLOCK = blocks()[8]
# what no panel lies over at 1080p
MIDDLE: FloatRect = {"x": 400, "y": 80, "width": 1120, "height": 780}
SCREENS = [(1920, 1080), (3840, 2160), (390, 844)]


@pytest.fixture(params=SCREENS, ids=["1080p", "4k", "phone"])
def screen(browser: Browser, service: Client, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page on one of the screens the wall is made for."""
    context = signed_in(browser, service, "command", *request.param)
    yield watched(context, service)
    context.close()


def picture(wall: Watched, clip: FloatRect | None = None) -> Image.Image:
    """Return what is on screen."""
    return Image.open(io.BytesIO(wall.page.screenshot(clip=clip))).convert("RGB")


def differing(one: Image.Image, other: Image.Image) -> int:
    """Return how many pixels differ to the eye."""
    apart = ImageChops.difference(one, other).convert("L")
    return sum(apart.histogram()[6:])


def test_a_screen_is_calm_and_draws_its_county_in_both_languages(screen: Watched) -> None:
    screen.open()
    for other in ("Live", "实时"):
        assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        box = screen.page.locator(".map").bounding_box()
        assert box is not None
        inner: FloatRect = {
            "x": box["x"] + box["width"] * 0.35,
            "y": box["y"] + box["height"] * 0.35,
            "width": box["width"] * 0.3,
            "height": box["height"] * 0.3,
        }
        colours = picture(screen, inner).getcolors(1 << 20)
        assert colours is not None
        assert len(colours) > 50
        screen.page.locator(".language button").click()
        expect(screen.page.locator(".badge")).to_contain_text(other)
    assert (screen.foreign(), screen.refused(), screen.complaints) == ([], [], [])


@pytest.mark.parametrize("unit", [COUNTY, TOWNS[0], VILLAGES[0]], ids=["county", "town", "village"])
def test_a_cold_wall_takes_at_most_25_requests_and_200_kb(wall: Watched, unit: str) -> None:
    wall.open(unit)
    assert len(wall.requests) <= 25, [one.url for one in wall.requests]
    assert sum(wall.weight) <= 200_000
    tiles = [one.url for one in wall.requests if "/tiles/" in one.url]
    assert len({url.split("/")[-4] for url in tiles}) == 1
    assert len([one for one in wall.requests if "/api/events" in one.url]) == 1


def test_no_zoom_needs_more_tiles_than_the_most_there_may_be(wall: Watched) -> None:
    wall.open()
    most = wall.page.evaluate("GIS.tiles.mostTiles")
    at = BLOCK.at(0.5, 0.5)
    for zoom in (12, 12.25, 12.5, 13, 13.75, 16, 16.25, 17):
        wall.page.evaluate(f"GIS.map.setView([{at.y}, {at.x}], {zoom}, {{animate: false}})")
        wall.settle()
        tiles = wall.page.evaluate("GIS.tiles.onScreen().map((tile) => tile.coords)")
        assert 0 < len(tiles) <= most, zoom
        # at most one zoom coarser than the map's own
        assert {tile["z"] for tile in tiles} <= {int(zoom), int(zoom) - 1}


ON_THE_WALL = [
    layer.name
    for layer in LAYERS.values()
    if layer.right in RIGHTS_OF_ROLE["command"] | {""} and layer.name != "workers"
]


@pytest.mark.parametrize("name", ON_THE_WALL)
def test_a_layer_leaves_its_mark_on_the_map(closer: Watched, name: str) -> None:
    # the choropleth is for the view from far away and fades towards the ground
    closer.page.evaluate(f"GIS.map.setZoom({12 if name == 'coverage' else 16}, {{animate: false}})")
    closer.settle()
    toggle = closer.page.locator(f'[data-layer="{name}"]')
    if toggle.get_attribute("aria-checked") == "false":
        toggle.click()
        closer.settle()
    shown = picture(closer, MIDDLE)
    toggle.click()
    closer.settle()
    assert toggle.get_attribute("aria-checked") == "false"
    assert differing(shown, picture(closer, MIDDLE)) > 20


@pytest.fixture(scope="module")
def closer(browser: Browser, service: Client) -> Iterator[Watched]:
    """One wall for all layers, near enough for all of them."""
    context = signed_in(browser, service, "command", 1920, 1080)
    wall = watched(context, service)
    wall.open()
    at = BLOCK.at(0.5, 0.5)
    wall.page.evaluate(f"GIS.map.setView([{at.y}, {at.x}], 16, {{animate: false}})")
    wall.settle()
    yield wall
    context.close()


def test_switching_the_language_leaves_no_key_and_no_word_behind(wall: Watched) -> None:
    wall.open()
    wall.page.locator(".language button").click()
    expect(wall.page.locator(".kpi h2")).to_have_text("Figures")
    said = wall.page.locator("body").inner_text()
    assert not re.findall(r"\b[a-z_]+\.[a-z_]+\b", said.replace(TEXT, ""))
    marked = wall.page.evaluate(
        "[...document.querySelectorAll('[data-t]')].map((one) => one.textContent)"
    )
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert [word for word in marked if chinese.search(word)] == ["中文"]
    assert wall.page.locator("html").get_attribute("lang") == "en"
    assert len([one for one in wall.requests if one.url.endswith("texts.en.json")]) == 1


def test_coverage_stands_beside_what_is_certain_and_what_is_possible(wall: Watched) -> None:
    wall.open()
    panel = wall.page.locator(".coverage")
    expect(panel).to_contain_text("按任务等级看得清的重点部位")
    expect(panel).to_contain_text("个探头的方位或点位不确定")
    said = panel.locator(".between").all_inner_texts()
    assert len([one for one in said if re.fullmatch(r"（确定 [\d.]+%，至多 [\d.]+%）", one)]) == 2
    assert len([one for one in said if re.fullmatch(r"（至少 [\d.]+%，至多 [\d.]+%）", one)]) == 1
    for one in said:
        least, most = map(float, re.findall(r"([\d.]+)%", one))
        assert 0 <= least < most <= 100
    wall.page.locator(".language button").click()
    expect(panel.locator(".between").last).to_contain_text("at most")


def test_names_that_would_do_harm_are_shown_as_text(wall: Watched) -> None:
    wall.open()
    said = wall.page.locator("body").inner_text()
    assert said.count(TEXT) >= 3
    assert "{{7*7}}" in wall.page.title()
    wall.page.locator(".ticker button").first.click()
    wall.settle()
    assert wall.page.evaluate("window.harmed") is None
    assert wall.page.locator("img").count() == 0
    assert wall.page.locator("body script").count() == 0
    assert (wall.refused(), wall.complaints) == ([], [])


def test_a_worker_who_reports_moves_on_the_wall(wall: Watched, service: Client) -> None:
    wall.open()
    # the first places come with the stream's snapshot
    wall.until("GIS.points.workers.places.has('W000009')")
    before = wall.page.evaluate(place_of("W000009"))
    at = blocks()[9].at(0.8, 0.2)
    report = {
        "id": str(uuid.uuid4()),
        "worker_id": "W000009",
        "located_at": datetime.now(UTC).isoformat(),
        "lon": at.x,
        "lat": at.y,
    }
    answer = service.post("/api/positions", json=report, headers=service.by("worker"))
    assert answer.status_code == 201, answer.text
    wall.until(f"{place_of('W000009')} !== '{before}'")
    x, _ = wall.page.evaluate(f"JSON.parse({place_of('W000009')})")
    assert x == pytest.approx((at.x + 180) / 360 * 256, abs=1e-6)


def place_of(worker: str) -> str:
    """Return the script that tells where a worker is drawn, as text."""
    return (
        "(() => { const held = GIS.points.workers; const row = held.places.get('" + worker + "');"
        " return JSON.stringify([held.x1[row], held.y1[row]]); })()"
    )


def test_an_incident_that_comes_in_heads_the_list_and_pulses(
    wall: Watched, service: Client
) -> None:
    wall.open()
    # a pulse is over in some seconds, so it is counted when it begins
    wall.page.evaluate("GIS.on('inc', () => { window.pulsing = GIS.points.pulses.length; })")
    at = BLOCK.at(0.5, 0.5)
    report = {
        "id": str(uuid.uuid4()),
        "title": f"刚刚 {TEXT}",
        "kind": "event",
        "category": "noise",
        "source": "grid_app",
        "urgency": "red",
        "occurred_at": datetime.now(UTC).isoformat(),
        "lon": at.x,
        "lat": at.y,
    }
    answer = service.post("/api/incidents", json=report, headers=service.by("command"))
    assert answer.status_code == 201, answer.text
    first = wall.page.locator(".ticker li").first
    expect(first).to_contain_text("刚刚")
    expect(first.locator(".urgency")).to_have_text("红")
    wall.until("window.pulsing === 1")
    assert wall.page.evaluate("window.harmed") is None


def test_a_pulled_cable_is_told_and_mends_itself(wall: Watched) -> None:
    wall.open()
    # in one step: the next beat may come at any moment
    said = wall.page.evaluate(
        "(() => { GIS.feed.heard = performance.now() - 16000; GIS.feed.judge();"
        " return document.querySelector('.badge').textContent; })()"
    )
    assert "数据已停更 16 秒" in said
    wall.page.context.set_offline(True)
    wall.page.evaluate("GIS.feed.open(GIS.state.unit)")
    expect(wall.page.locator(".badge")).to_contain_text("连接中断")
    assert "grayscale" in wall.page.locator(".map").evaluate("one => getComputedStyle(one).filter")
    wall.page.context.set_offline(False)
    wall.page.evaluate("GIS.feed.open(GIS.state.unit)")
    expect(wall.page.locator(".badge")).to_contain_text("实时")


def test_a_click_goes_down_one_level_and_the_path_leads_back(wall: Watched) -> None:
    wall.open()
    at = BLOCK.at(0.9, 0.9)
    for unit in (TOWNS[0], VILLAGES[0]):
        click_at(wall, at.x, at.y)
        wall.until(f"GIS.state.wall.unit.code === '{unit}'")
        wall.settle()
        assert wall.page.url.endswith(f"/wall/{unit}")
    click_at(wall, at.x, at.y)
    expect(wall.page.locator(".place")).to_contain_text(BLOCK.id)
    expect(wall.page.locator("path.outline")).to_have_count(1)
    wall.page.locator(".path button").first.click()
    wall.until(f"GIS.state.wall.unit.code === '{COUNTY}'")
    wall.page.go_back()
    wall.until(f"GIS.state.wall.unit.code === '{VILLAGES[0]}'")


def click_at(wall: Watched, lon: float, lat: float) -> None:
    """Click the map at a place given in degrees."""
    place = wall.page.evaluate(f"GIS.map.latLngToContainerPoint([{lat}, {lon}])")
    x, y = place["x"], place["y"]
    wall.page.mouse.click(x, y)


def test_every_control_is_reached_and_worked_by_keyboard(wall: Watched) -> None:
    wall.open()
    names = set()
    for _ in range(60):
        wall.page.keyboard.press("Tab")
        names.add(
            wall.page.evaluate(
                "(() => { const e = document.activeElement; return e.dataset.layer"
                " || e.dataset.tLabel || e.dataset.t || e.className; })()"
            )
        )
    assert {"zoom.in", "zoom.out", "zoom.whole", "language.other", "theme.other"} <= names
    assert {"grids", "cameras", "coverage"} <= names
    wall.page.locator('[data-layer="grids"]').focus()
    wall.page.keyboard.press("Space")
    assert wall.page.evaluate("GIS.state.off.has('grids')")
    assert wall.page.evaluate("document.activeElement.dataset.layer") == "grids"


def test_a_wall_without_rights_shows_what_is_left_without_complaint(
    browser: Browser, service: Client
) -> None:
    context = signed_in(browser, service, "department", 1920, 1080)
    wall = watched(context, service)
    wall.open()
    shown = wall.page.evaluate("GIS.state.layers.map((layer) => layer.name)")
    assert "incidents" in shown
    assert not {"cameras", "workers", "coverage"} & set(shown)
    assert wall.complaints == []
    context.close()


def test_the_light_theme_is_light_and_as_calm(wall: Watched) -> None:
    wall.open(query="?theme=light")
    pixel = picture(wall, MIDDLE).resize((1, 1)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert sum(pixel) > 3 * 130
    wall.page.locator(".theme button").click()
    wall.settle()
    dark = picture(wall, MIDDLE).resize((1, 1)).getpixel((0, 0))
    assert isinstance(dark, tuple)
    assert sum(dark) < 3 * 110
    assert (wall.foreign(), wall.refused(), wall.complaints) == ([], [], [])


@pytest.mark.parametrize("path", ["/", "/licences"])
def test_pages_without_a_map_are_calm(wall: Watched, path: str) -> None:
    wall.page.goto(f"{wall.base}{path}")
    assert wall.page.locator("h1").inner_text()
    assert (wall.foreign(), wall.refused(), wall.complaints) == ([], [], [])


OVERLAP = """() => {
  // clockwise outlines, anticlockwise holes, as the tile specification asks
  const left = [0, 0, 60, 0, 60, 60, 0, 60], right = [40, 0, 100, 0, 100, 60, 40, 60];
  const hole = [45, 20, 45, 40, 55, 40, 55, 20], own = [10, 20, 10, 40, 30, 40, 30, 20];
  const layer = { name: "views", style: { by: null, marks: { "": {
    colour: "ink", symbol: "plain", opacity: 1, width_px: 1 } } } };
  const type = GIS.readTile.POLYGON, properties = {};
  const features = [{ type, properties, lines: [left, hole, own] },
                    { type, properties, lines: [right] }];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 100;
  const pen = canvas.getContext("2d");
  for (const group of GIS.paint.groups(layer, { features })) {
    GIS.paint.drawGroup(pen, layer, group, 1, 15);
  }
  return [[5, 30], [50, 10], [50, 30], [20, 30], [80, 30], [50, 80]].map(
    ([x, y]) => pen.getImageData(x, y, 1, 1).data[3] > 0);
}"""


def test_ground_that_two_cameras_see_is_drawn_as_seen(wall: Watched) -> None:
    wall.open()
    one, both, hole_of_one, hole, other, none = wall.page.evaluate(OVERLAP)
    assert (one, both, hole_of_one, other) == (True, True, True, True)
    assert (hole, none) == (False, False)
