"""The pages as text: nothing inline, nothing foreign, nothing compiled, small."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import folium
import pytest
from branca.element import Figure

from layers.registry import LAYERS
from map_ui import assets, base
from map_ui.elements.part import Part
from map_ui.externalise import REFUSED, localise, parts
from map_ui.landing import WayIn, landing_page, licences_page
from map_ui.wall import wall_map, wall_page

ALL = list(LAYERS.values())
HOSTILE = [
    "{{ 7*7 }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% raw %}",
    "{% for x in range(9) %}",
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "${alert(1)}",
    "`${7*7}`",
    "javascript:alert(1)",
    "</html>",
    "\u2028\u2029\u202e",
    "&lt;b&gt;",
]


@dataclass(frozen=True)
class Named:
    """A layer with a name of somebody else's choosing."""

    name: str


class Reader(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, page: base.Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def attributes(self, tag: str) -> dict[str, str]:
        return next(attributes for name, attributes in self.tags if name == tag)


def pages() -> dict[str, base.Page]:
    """Return one page of each kind and theme."""
    ways_in = [WayIn("planner", "/sign-in/abc?next=/wall/610923")]
    return {
        "wall dark": wall_page("610923", "dark", ALL),
        "wall light": wall_page("610923", "light", ALL),
        "landing": landing_page("宁陕县", ways_in, "/wall/610923"),
        "landing for nobody": landing_page("", ()),
        "licences": licences_page(),
    }


def addresses(page: base.Page) -> list[str]:
    """Return every address a page names."""
    return [
        attributes[name]
        for _, attributes in Reader(page).tags
        for name in ("src", "href", "action", "data-texts-zh", "data-texts-en")
        if name in attributes
    ]


def contents(address: str) -> bytes:
    """Return the file behind an address of a page, as the server would give it."""
    _, _, sha8, path = address.split("/", 3)
    made = base.page_file(sha8, path)
    if made is not None:
        return made
    found = assets.asset_path(sha8, path)
    assert found is not None, address
    return found.read_bytes()


@pytest.mark.parametrize("name", pages())
def test_a_page_names_only_our_own_addresses(name: str) -> None:
    page = pages()[name]
    assert addresses(page)
    assert all(re.match(r"/(?!/)", address) for address in addresses(page))
    assert "://" not in page.html


@pytest.mark.parametrize("name", pages())
def test_every_file_a_page_names_is_there(name: str) -> None:
    for address in addresses(pages()[name]):
        if address.startswith("/static/"):
            assert contents(address)


@pytest.mark.parametrize("name", pages())
def test_a_page_keeps_the_strict_policy(name: str) -> None:
    page = pages()[name]
    assert REFUSED.search(page.html) is None
    for tag, attributes in Reader(page).tags:
        assert not [one for one in attributes if one.startswith("on") or one == "style"], tag
        assert tag not in {"style", "iframe", "object", "embed", "base"}
        assert tag != "script" or attributes["src"].startswith("/static/")


@pytest.mark.parametrize("name", pages())
def test_a_page_can_be_read_by_everybody(name: str) -> None:
    read = Reader(pages()[name])
    assert read.attributes("html")["lang"] == "zh-CN"
    assert "maximum-scale" not in pages()[name].html
    assert "user-scalable" not in pages()[name].html
    assert "title" in [tag for tag, _ in read.tags]


def test_our_own_scripts_and_styles_fetch_from_nowhere_else() -> None:
    for address in addresses(wall_page("610923", "dark", ALL)):
        if "/wall." in address:
            text = contents(address).decode()
            assert "://" not in text
            assert not re.search(r"@import|url\(\s*['\"]?(?!data:)[a-z]*//", text)


@pytest.mark.parametrize(
    "word",
    [
        "eval(",
        "new Function",
        'setTimeout("',
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "bindPopup",
    ],
)
def test_our_own_scripts_never_turn_text_into_markup(word: str) -> None:
    own = list(assets.STATIC.glob("js/*.js"))
    assert len(own) > 10
    assert not [path.name for path in own if word in path.read_text("utf-8")]


def test_the_wall_is_under_20_kb_however_many_layers_there_are() -> None:
    many = [Named(f"layer{number}") for number in range(200)]
    assert len(wall_page("610923", "dark", many).html.encode()) < 20_000
    assert len(wall_page("610923", "dark", ALL).html.encode()) < 6_000


def test_what_a_cold_wall_loads_before_data_is_under_100_kb() -> None:
    page = wall_page("610923", "dark", ALL)
    files = {address for address in addresses(page) if "texts-en" not in address}
    zipped = sum(len(gzip.compress(contents(address))) for address in files)
    assert zipped + len(gzip.compress(page.html.encode())) < 100_000


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_unit_code_or_layer_name_is_an_attribute_and_nothing_else(text: str) -> None:
    page = wall_page(text, text, [Named(text)])
    root = Reader(page).attributes("html")
    assert (root["data-unit"], root["data-layers"], root["data-theme"]) == (text, text, text)
    plain = Reader(wall_page("610923", "dark", ALL))
    assert [tag for tag, _ in Reader(page).tags] == [tag for tag, _ in plain.tags]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_county_or_role_or_address_is_text(text: str) -> None:
    page = landing_page(text, [WayIn("planner", text)], text)
    read = Reader(page)
    assert text in "".join(read.words)
    links = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert links.count(text) == 2
    assert "script" not in [tag for tag, _ in read.tags]


def test_a_page_has_the_same_bytes_whenever_it_is_made() -> None:
    first, second = (parts_of_a_new_wall() for _ in range(2))
    assert first == second
    assert wall_page("610923", "dark", ALL) == wall_page("610923", "dark", ALL)


def parts_of_a_new_wall() -> object:
    """Return the parts of a wall made anew."""
    return base.rendered(wall_map())


def test_another_unit_has_another_validator_and_the_same_files() -> None:
    one, other = (wall_page(code, "dark", ALL) for code in ("610923", "610923100"))
    assert one.etag != other.etag
    assert addresses(one) == addresses(other)
    assert re.fullmatch(r'"[0-9a-f]{16}"', one.etag)


def test_a_page_file_is_found_by_its_digest_only() -> None:
    script = next(one for one in addresses(wall_page("1", "dark", ALL)) if "/wall.js" in one)
    sha8 = script.split("/")[2]
    assert base.page_file(sha8, "wall.js")
    assert base.page_file("00000000", "wall.js") is None
    assert base.page_file(sha8, "wall.css") is None
    assert base.page_file(sha8, "../wall.js") is None
    assert base.page_file(sha8, "nothing.js") is None


def test_a_stock_folium_map_is_refused() -> None:
    stock = folium.Map(tiles=None)
    figure = stock.get_root()
    assert isinstance(figure, Figure)
    stock.render()
    with pytest.raises(KeyError, match="jquery"):
        localise(figure)


def test_a_plugin_that_asks_for_a_foreign_file_is_refused() -> None:
    class Foreign(Part):
        scripts = ("https://cdn.example.org/npm/other@1/dist/other.js",)

    wall = wall_map()
    wall.add_child(Foreign("foreign"))
    with pytest.raises(KeyError, match=r"cdn\.example\.org"):
        base.rendered(wall)


def test_links_added_to_one_map_do_not_leak_into_the_next() -> None:
    first = wall_map()
    first.add_js_link("foreign", "https://cdn.example.org/x.js")
    assert base.rendered(wall_map()) == base.rendered(wall_map())


def test_markup_with_a_handler_is_refused() -> None:
    class Careless(Part):
        _template = folium.template.Template(
            "{% macro html(this, kwargs) %}<p onclick='x()'>!</p>{% endmacro %}"
        )

    wall = wall_map()
    wall.add_child(Careless("careless"))
    with pytest.raises(ValueError, match="the policy refuses"):
        base.rendered(wall)


def test_inline_code_and_styles_move_to_the_page_files_in_order() -> None:
    class Inline(Part):
        _template = folium.template.Template(
            "{% macro header(this, kwargs) %}<style>b{color:red}</style>"
            "<script>first()</script>{% endmacro %}"
            "{% macro html(this, kwargs) %}<b>text</b>{% endmacro %}"
            "{% macro script(this, kwargs) %}second(){% endmacro %}"
        )

    wall = wall_map()
    wall.add_child(Inline("inline"))
    made = base.rendered(wall)
    assert "b{color:red}" in made.style
    assert made.script.index("first()") < made.script.index("second()")
    assert "first()" not in made.markup
    assert "<b>text</b>" in made.markup


def test_a_map_without_elements_has_leaflet_and_nothing_more() -> None:
    figure = base.GisMap().get_root()
    assert isinstance(figure, Figure)
    for child in figure._children.values():
        child.render()
    localise(figure)
    made = parts(figure)
    assert made.scripts == (assets.url("vendor/leaflet.js"),)
    assert made.styles == (assets.url("vendor/leaflet.css"),)
    assert '"maxZoom": 20' in made.script
