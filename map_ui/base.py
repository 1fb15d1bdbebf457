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

CHINESE = "zh-CN"
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
        # lists of this map alone: Folium's own belong to the class and name other hosts
        self.default_js = [(path, path) for path in ("vendor/leaflet.js", "js/gis.js")]
        self.default_css = [(path, path) for path in ("vendor/leaflet.css", "css/page.css")]


class Shell:
    """One kind of page: how its parts are made, and what they came out as.

    The parts are made of constants, so all pages of a kind share one pair of page files; only
    the attributes of the ``html`` element, or the markup of a page without a map, differ from
    page to page, and those never meet Folium.
    """

    def __init__(self, name: str, make: Callable[[], Parts]) -> None:
        self.name = name
        self._parts = make
        self._made: tuple[Parts, dict[str, bytes]] | None = None
        _shells[name] = self

    def _make(self) -> tuple[Parts, dict[str, bytes]]:
        if self._made is None:
            made = self._parts()
            texts = {"css": theme_css() + made.style, "js": made.script}
            files = {f"{self.name}.{kind}": text.encode() for kind, text in texts.items() if text}
            self._made = made, files
        return self._made

    def file(self, name: str) -> bytes | None:
        """Return the page file of that name."""
        return self._make()[1].get(name)

    def page(
        self,
        title: str,
        attributes: Mapping[str, str],
        markup: str | None = None,
        language: str = CHINESE,
    ) -> Page:
        """Return the page for one set of attributes of its ``html`` element.

        `title` and the attributes' values may hold anything: they are escaped here and are
        never compiled as a template. `markup`, already escaped, stands in for the parts' own.
        """
        made, files = self._make()
        own = {
            name.rpartition(".")[2]: f"/static/{sha8(text)}/{name}" for name, text in files.items()
        }
        return document(
            title=title,
            attributes=attributes,
            styles=(*made.styles, *(address for kind, address in own.items() if kind == "css")),
            scripts=(*made.scripts, *(address for kind, address in own.items() if kind == "js")),
            markup=made.markup if markup is None else markup,
            language=language,
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
    language: str = CHINESE,
) -> Page:
    """Return a complete page: Chinese first, zoomable, with nothing inline.

    `title` and the values of `attributes` are escaped here; `markup` is taken as it stands.
    """
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in attributes.items())
    head = [f'<link rel="stylesheet" href="{address}">' for address in styles]
    head += [f'<script src="{address}" defer></script>' for address in scripts]
    html = (
        f'<!DOCTYPE html>\n<html lang="{language}"{data}>\n<head>\n<meta charset="utf-8">\n'
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
