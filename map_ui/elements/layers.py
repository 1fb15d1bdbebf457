"""What is drawn on the map: one stack of vector tiles, signs and names over it, moving points."""

from __future__ import annotations

from folium.template import Template

from map_ui.elements.part import Part


class TileStack(Part):
    """All layers of the map in one vector-tile layer of 512 px tiles, drawn on canvas.

    Which layers, and how each looks, comes from the service (``/api/layers``); the addresses of
    the tiles name every layer on show, so that a screenful is one request per tile.
    """

    scripts = ("vendor/pbf.js", "js/mvt.js", "js/paint.js", "js/tile_stack.js")

    _template = Template("""
        {% macro script(this, kwargs) %}
            GIS.tiles = new GIS.TileStack({{ this.options|tojson }});
        {% endmacro %}
    """)

    def __init__(self, *, tile_px: int = 512, deepest_tile_zoom: int = 17) -> None:
        super().__init__("TileStack")
        self.options = {
            "tileSize": tile_px,
            "maxNativeZoom": deepest_tile_zoom,
            "keepBuffer": 1,
            "updateWhenZooming": False,
        }


class Marks(Part):
    """Signs of points, counts of many points, and names that never lie over one another.

    Drawn over the tiles on one canvas, from what the tiles hold: nothing is cut at tile edges.
    """

    scripts = ("js/symbols.js", "js/labels.js", "js/marks.js")

    _template = Template("""
        {% macro script(this, kwargs) %}
            GIS.marks = new GIS.Marks();
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__("Marks")


class LivePoints(Part):
    """Workers moving and new incidents pulsing, on a canvas of their own."""

    scripts = ("js/live_points.js",)

    _template = Template("""
        {% macro script(this, kwargs) %}
            GIS.points = new GIS.LivePoints();
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__("LivePoints")


class LiveFeed(Part):
    """The page's single event stream, with the clock that tells when it has gone stale."""

    scripts = ("js/live_feed.js",)

    _template = Template("""
        {% macro script(this, kwargs) %}
            GIS.feed = new GIS.LiveFeed({{ this.options|tojson }});
        {% endmacro %}
    """)

    def __init__(self, *, stale_after_s: int = 15, lost_after_s: int = 4) -> None:
        super().__init__("LiveFeed")
        self.options = {"staleAfterS": stale_after_s, "lostAfterS": lost_after_s}


class Start(Part):
    """The last element of a page: fetches the first data and shows them."""

    scripts = ("js/wall.js",)

    _template = Template("""
        {% macro script(this, kwargs) %}
            GIS.start();
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__("Start")
