"""Each element of a page by itself: what it puts on the page, what it asks for, what it calls."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from layers.registry import LAYERS
from map_ui import assets, base
from map_ui.elements import controls, panels
from map_ui.elements import layers as drawn
from map_ui.elements.part import Filled, Made, Part
from map_ui.externalise import Parts
from map_ui.texts import LANGUAGES, texts
from map_ui.themes import PALETTE, THEMES, theme_css
from map_ui.wall import wall_map

PANELS = [
    panels.Kpi, panels.Ranking, panels.Staff, panels.Coverage, panels.Hotspots, panels.PlaceCard,
    panels.Alerts, panels.Ticker, panels.Legend,
]  # fmt: skip
CONTROLS = [
    controls.Title, controls.Clock, controls.Badge, controls.LangSwitch, controls.ThemeSwitch,
    controls.Zoom,
]  # fmt: skip
MADE = [drawn.TileStack, drawn.Marks, drawn.LivePoints, drawn.LiveFeed, drawn.Start]
OWN_SCRIPTS = {path.name: path.read_text("utf-8") for path in assets.STATIC.glob("js/*.js")}
OWN_STYLES = {path.name: path.read_text("utf-8") for path in assets.STATIC.glob("css/*.css")}
EVERY_SCRIPT = "\n".join(OWN_SCRIPTS.values())


class Reader(HTMLParser):
    """The tags of a piece of markup, and whether each that was opened was closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_with(part: Part) -> Parts:
    """The parts of a map's page that holds one element."""
    page = base.GisMap()
    page.add_child(part)
    return base.rendered(page)


@pytest.mark.parametrize("kind", [*PANELS, *CONTROLS], ids=lambda kind: kind.__name__)
def test_markup_is_well_formed_and_carries_kind_and_id(kind: type[Filled]) -> None:
    part = kind()
    read = Reader(part.markup())
    assert read.open == []
    outer = read.tags[0][1]
    assert kind.kind in outer["class"].split()
    assert outer["id"] == part.get_name()


@pytest.mark.parametrize("kind", PANELS, ids=lambda kind: kind.__name__)
def test_a_panel_has_a_heading_that_names_it_and_an_empty_body(kind: type[panels.Panel]) -> None:
    read = Reader(kind().markup())
    (heading,) = [attributes for tag, attributes in read.tags if tag == "h2"]
    assert read.tags[0][1]["aria-labelledby"] == heading["id"]
    assert heading["data-t"] == f"{kind.kind}.title"
    for language in LANGUAGES:
        assert texts(language)[heading["data-t"]]
    bodies = [attributes for _, attributes in read.tags if attributes.get("class") == "body"]
    assert len(bodies) == 1


def test_only_the_ticker_is_read_aloud_and_politely() -> None:
    for kind in PANELS:
        live = [a["aria-live"] for _, a in Reader(kind().markup()).tags if "aria-live" in a]
        assert live == (["polite"] if kind is panels.Ticker else [])


@pytest.mark.parametrize("kind", [*PANELS, *CONTROLS], ids=lambda kind: kind.__name__)
def test_its_script_knows_how_to_fill_it(kind: type[Filled]) -> None:
    own = "".join(OWN_SCRIPTS[path.removeprefix("js/")] for path in kind.scripts)
    family = "panels" if issubclass(kind, panels.Panel) else "controls"
    assert re.search(rf"\b{family}\.{kind.kind}\s*=|\b{kind.kind}\s*[(:=]", own)


@pytest.mark.parametrize("kind", [*PANELS, *CONTROLS], ids=lambda kind: kind.__name__)
def test_its_call_names_it_by_constants_only(kind: type[Filled]) -> None:
    part = kind()
    if isinstance(part, panels.Panel):
        column: Part = panels.Column("left", part)
    else:
        assert isinstance(part, controls.Control)
        column = controls.Header(part)
    made = page_with(column)
    assert json.dumps(kind.kind) in made.script
    assert made.markup.count(f'id="{part.get_name()}"') == 1


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_a_part_without_markup_is_one_call_with_its_options(kind: type[Made]) -> None:
    part = kind()
    made = page_with(part)
    calls = re.findall(rf"{re.escape(kind.call)}\((.*?)\);", made.script)
    assert len(calls) == 1
    assert (json.loads(calls[0]) if calls[0] else {}) == part.options
    assert made.markup == page_with(Part("nothing")).markup


def test_options_of_tiles_and_feed_are_what_was_asked() -> None:
    assert drawn.TileStack(tile_px=256, deepest_tile_zoom=12).options == {
        "tileSize": 256,
        "maxNativeZoom": 12,
        "keepBuffer": 1,
        "updateWhenZooming": False,
    }
    assert drawn.LiveFeed(stale_after_s=9, lost_after_s=2).options == {
        "staleAfterS": 9,
        "lostAfterS": 2,
    }


@pytest.mark.parametrize("kind", [*PANELS, *CONTROLS, *MADE], ids=lambda kind: kind.__name__)
def test_every_file_that_a_part_asks_for_is_ours(kind: type[Part]) -> None:
    for path in (*kind.scripts, *kind.styles):
        assert assets.url(path).endswith(path)


@pytest.mark.parametrize("kind", [*PANELS, *CONTROLS, *MADE], ids=lambda kind: kind.__name__)
def test_every_element_has_a_place_on_the_wall(kind: type[Part]) -> None:
    def below(element: object) -> list[object]:
        children = list(getattr(element, "_children", {}).values())
        return [*children, *(inner for child in children for inner in below(child))]

    assert sum(type(one) is kind for one in below(wall_map())) == 1


def test_two_parts_of_one_kind_keep_their_own_files() -> None:
    first, second = panels.Kpi(), panels.Kpi()
    first.default_js.append(("x", "y"))
    assert second.default_js == [(path, path) for path in panels.Kpi.scripts]


def test_a_column_holds_its_panels_in_order() -> None:
    made = page_with(panels.Column("right", panels.Ticker(), panels.Staff(), panels.Kpi()))
    places = [made.markup.index(f'class="panel {kind}"') for kind in ("ticker", "staff", "kpi")]
    assert places == sorted(places)
    assert 'class="column right"' in made.markup
    assert Reader(made.markup).open == []


def test_an_empty_column_and_an_empty_header_are_empty_boxes() -> None:
    assert 'class="column left"' in page_with(panels.Column("left")).markup
    assert '<header class="head">' in page_with(controls.Header()).markup


@pytest.mark.parametrize("name", sorted(OWN_STYLES))
def test_a_style_sheet_closes_what_it_opens_and_never_repeats_a_rule(name: str) -> None:
    sheet = re.sub(r"/\*.*?\*/", "", OWN_STYLES[name], flags=re.DOTALL)
    assert sheet.count("{") == sheet.count("}")
    depth = 0
    for letter in sheet:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert 0 <= depth <= 2 + ("@page" in sheet)
    # a rule that stands twice with the same words at the same depth was pasted
    sheet = re.sub(r"@page[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", "", sheet)
    outer = re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", "", sheet)
    rules = [" ".join(rule.split()) for rule in re.findall(r"[^{}]+\{[^{}]*\}", outer)]
    assert len(rules) == len(set(rules))


@pytest.mark.parametrize("name", sorted(OWN_STYLES))
def test_a_rule_inside_a_query_is_indented_as_one(name: str) -> None:
    inside = False
    for line in OWN_STYLES[name].splitlines():
        if line.startswith("@media"):
            inside = True
        elif inside and line == "}":
            inside = False
        elif inside and line.strip():
            assert line.startswith("  "), (name, line)


def test_every_colour_that_a_style_sheet_uses_is_in_the_palette_or_its_own() -> None:
    whole = "".join(OWN_STYLES.values())
    used = set(re.findall(r"var\(--([\w-]+)", whole))
    own = set(re.findall(r"--([\w-]+)\s*:", whole + theme_css()))
    assert len(used) > 10
    assert used <= own


@pytest.mark.parametrize("word", sorted(PALETTE))
def test_a_colour_has_six_digits_in_both_themes(word: str) -> None:
    assert len(PALETTE[word]) == len(THEMES)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in PALETTE[word])


# papers fill a form of their own, whose words are looked up by the papers' tests
PAPERS = frozenset(
    {
        "band",
        "count",
        "handover",
        "paper",
        "poster",
        "report",
        "severity",
        "status",
        "step",
    }
)


def used_keys() -> set[str]:
    """Keys that a page, a script or an element names, whole or by their family."""
    pages = "".join(
        path.read_text("utf-8") for path in assets.HERE.rglob("*.py") if "test" not in path.parts
    )
    quoted = set(re.findall(r"[\"'`]([a-z_]+\.[a-z_0-9.]+)[\"'`]", EVERY_SCRIPT + pages))
    return {key for key in texts("zh") if key in quoted}


def families() -> set[str]:
    """Families whose members are named by data: a prefix that a script or page completes."""
    pages = "".join(path.read_text("utf-8") for path in assets.HERE.rglob("*.py"))
    found = set(re.findall(r"[\"'`]([a-z_]+(?:\.[a-z_]+)*)\.[\"'`$]", EVERY_SCRIPT))
    found |= set(re.findall(r"[`\"']([a-z_]+(?:\.[a-z_]+)*)\.(?:\$\{|\{)", EVERY_SCRIPT + pages))
    # words of data are looked up as `family.value`
    found |= set(re.findall(r"""\b(?:named|word|said)\("([a-z_]+)",""", EVERY_SCRIPT))
    return found | {kind.kind for kind in PANELS}


def test_no_text_is_written_that_nothing_names() -> None:
    known = families()
    unused = [
        key
        for key in texts("zh")
        if key not in used_keys() and key.removesuffix(".of").rpartition(".")[0] not in known
    ]
    assert [key for key in unused if key.partition(".")[0] not in PAPERS] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_stand_beside_their_family(language: str) -> None:
    names = [key.partition(".")[0] for key in texts(language)]
    seen: list[str] = []
    for name in names:
        if not seen or seen[-1] != name:
            assert name not in seen, f"{name} stands in two places"
            seen.append(name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_of_texts_gives_no_key_twice(language: str) -> None:
    file = (assets.HERE / f"texts.{language}.json").read_text("utf-8")
    pairs: list[tuple[str, str]] = json.loads(file, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys))


def test_a_map_has_no_prefix_and_no_foreign_layer() -> None:
    made = page_with(Part("nothing"))
    assert "setPrefix(false)" in made.script
    assert "tileLayer" not in made.script
    assert "openstreetmap" not in made.script.lower()


def test_every_layer_of_the_registry_can_be_named_to_a_browser() -> None:
    for name in LAYERS:
        assert re.fullmatch(r"[a-z_]+", name)
        assert "," not in name
