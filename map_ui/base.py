"""The map page: Folium gives the structure, and out come a small page and its page files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

import folium
from branca.element import Element, Figure
from folium.template import Template

from map_ui import assets
from map_ui.externalise import Parts, localise, parts, sha8
from map_ui.themes import theme_css

VIEWPORT = "width=device-width, initial-scale=1"
_shells: dict[str, Shell] = {}


@dataclass(frozen=True)
class Page:
    """A finished page and the validator under which a browser may keep it."""

    html: str
    etag: str


class GisMap(folium.Map):
    """A Folium map that loads nothing but our own Leaflet and fills the page.

    It starts without a place: the county's bounds come with the data. `maxZoom` is passed to
    Leaflet as an option, since Folium drops ``max_zoom`` when there are no raster tiles.
    """

    default_js = (("leaflet", "vendor/leaflet.js"), ("gis", "js/gis.js"))
    default_css = (("leaflet_css", "vendor/leaflet.css"), ("page", "css/page.css"))

    _template = Template("""
        {% macro html(this, kwargs) %}
            <main class="map" id={{ this.get_name()|tojson }} tabindex="0"
                data-t-label="map.label"></main>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            GIS.map = L.map({{ this.get_name()|tojson }}, {{ this.options|tojavascript }});
            GIS.map.attributionControl && GIS.map.attributionControl.setPrefix(false);
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__(
            location=(0, 0),
            zoom_start=5,
            tiles=None,
            zoom_control=False,
            attributionControl=False,
            minZoom=5,
            maxZoom=20,
            zoomSnap=0.25,
            zoomDelta=0.5,
            wheelPxPerZoomLevel=90,
        )


class Shell:
    """One kind of page: how its map is built, and what it came out as.

    The map is built of constants, so all pages of a kind share one pair of page files; only
    the attributes of the ``html`` element differ from page to page, and those never meet Folium.
    """

    def __init__(self, name: str, build: Callable[[], GisMap]) -> None:
        self.name = name
        self._build = build
        self._made: tuple[Parts, dict[str, bytes]] | None = None
        _shells[name] = self

    def _make(self) -> tuple[Parts, dict[str, bytes]]:
        if self._made is None:
            made = rendered(self._build())
            style = theme_css() + made.style
            files = {f"{self.name}.js": made.script.encode(), f"{self.name}.css": style.encode()}
            self._made = made, files
        return self._made

    def file(self, name: str) -> bytes | None:
        """Return the page file of that name."""
        return self._make()[1].get(name)

    def page(self, title: str, theme: str, attributes: Mapping[str, str]) -> Page:
        """Return the page for one set of attributes of its ``html`` element.

        `title` and the attributes' values may hold anything: they are escaped here and are
        never compiled as a template.
        """
        made, files = self._make()
        addresses = {name: f"/static/{sha8(text)}/{name}" for name, text in files.items()}
        known = {
            "theme": theme,
            "texts-zh": assets.url("texts.zh.json"),
            "texts-en": assets.url("texts.en.json"),
        }
        return document(
            title=title,
            attributes=known | dict(attributes),
            styles=(*made.styles, addresses[f"{self.name}.css"]),
            scripts=(*made.scripts, addresses[f"{self.name}.js"]),
            markup=made.markup,
        )


def rendered(page_map: GisMap) -> Parts:
    """Return the parts of a map's page; the same map gives the same bytes in every process."""
    for number, element in enumerate(_tree(page_map)):
        # Folium names elements at random, and a page's address is made of its bytes
        element._id = f"{number:x}"
    figure = page_map.get_root()
    assert isinstance(figure, Figure)
    for child in list(figure._children.values()):
        child.render()
    localise(figure)
    return parts(figure)


def document(
    *,
    title: str,
    attributes: Mapping[str, str],
    styles: tuple[str, ...] = (),
    scripts: tuple[str, ...] = (),
    markup: str,
) -> Page:
    """Return a complete page: Chinese first, zoomable, with nothing inline.

    `title` and the values of `attributes` are escaped here; `markup` is taken as it stands.
    """
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in attributes.items())
    head = [f'<link rel="stylesheet" href="{address}">' for address in styles]
    head += [f'<script src="{address}" defer></script>' for address in scripts]
    html = (
        f'<!DOCTYPE html>\n<html lang="zh-CN"{data}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="{VIEWPORT}">\n<title>{escape(title)}</title>\n'
        f'<link rel="icon" href="{assets.url("icon.svg")}">\n'
        + "\n".join(head)
        + f"\n</head>\n<body>\n{markup.strip()}\n</body>\n</html>\n"
    )
    return Page(html, f'"{hashlib.sha256(html.encode()).hexdigest()[:16]}"')


def page_file(sha8_asked: str, name: str) -> bytes | None:
    """Return a generated script or style by the digest and name in its address, else None.

    Any worker process can answer for a page that another one made, since a shell's files do
    not depend on what the page shows.
    """
    shell = _shells.get(name.rpartition(".")[0])
    text = None if shell is None else shell.file(name)
    return text if text is not None and sha8(text) == sha8_asked else None


def _tree(element: Element) -> Iterator[Element]:
    yield element
    for child in element._children.values():
        yield from _tree(child)
