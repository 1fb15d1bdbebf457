"""What is drawn on the map: one stack of vector tiles, signs and names over it, moving points."""

from __future__ import annotations

from map_ui.elements.part import Made


class TileStack(Made):
    """All layers of the map in one vector-tile layer of 512 px tiles, drawn on canvas.

    Which layers, and how each looks, comes from the service (``/api/layers``); the addresses of
    the tiles name every layer on show, so that a screenful is one request per tile.
    """

    scripts = ("vendor/pbf.js", "js/mvt.js", "js/paint.js", "js/tile_stack.js")

    call = "GIS.tiles = new GIS.TileStack"

    def __init__(self, *, tile_px: int = 512, deepest_tile_zoom: int = 17) -> None:
        super().__init__(
            tileSize=tile_px,
            maxNativeZoom=deepest_tile_zoom,
            keepBuffer=1,
            updateWhenZooming=False,
        )


class Marks(Made):
    """Signs of points, counts of many points, and names that never lie over one another.

    Drawn over the tiles on one canvas, from what the tiles hold: nothing is cut at tile edges.
    """

    scripts = ("js/symbols.js", "js/labels.js", "js/marks.js")

    call = "GIS.marks = new GIS.Marks"


class LivePoints(Made):
    """Workers moving and new incidents pulsing, on a canvas of their own."""

    scripts = ("js/live_points.js",)

    call = "GIS.points = new GIS.LivePoints"


class LiveFeed(Made):
    """The page's single event stream, with the clock that tells when it has gone stale."""

    scripts = ("js/live_feed.js",)

    call = "GIS.feed = new GIS.LiveFeed"

    def __init__(self, *, stale_after_s: int = 15, lost_after_s: int = 4) -> None:
        super().__init__(staleAfterS=stale_after_s, lostAfterS=lost_after_s)


class Start(Made):
    """The last element of a page: fetches the first data and shows them."""

    scripts = ("js/wall.js",)

    call = "GIS.start"
