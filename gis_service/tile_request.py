"""What tile a request asks for: layers, address and date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from starlette.requests import Request

from gis_service.access import on_date, seen_layer
from gis_service.tile_cache import Key
from grid_boundaries.errors import Malformed
from grid_boundaries.view import View
from layers.layer import Layer
from layers.tiles import check_address

PREFIX = "/tiles/"
LAYERS_LIMIT = 30


@dataclass(frozen=True)
class Asked:
    """One tile as it was asked for."""

    layers: tuple[Layer, ...]
    view: View
    z: int
    x: int
    y: int

    @property
    def key(self) -> Key:
        """What tells it from every other tile: layers, scope, date, address."""
        names = tuple(layer.name for layer in self.layers)
        return (names, self.view.scope, self.view.as_of, self.z, self.x, self.y)


def asked_tile(request: Request, view: View, deepest: int) -> Asked:
    """Read what tile a request asks for.

    Parameters
    ----------
    deepest
        The largest zoom.

    Raises
    ------
    Malformed, NotFound, NotAllowed
        No tile address, an unknown layer, or one that the view may not see.
    """
    names, z, x, y = _address(request.url.path)
    check_address(z, x, y, deepest)
    layers = tuple(seen_layer(view, name) for name in names)
    return Asked(layers, on_date(view, _date(request.query_params.get("as_of"))), z, x, y)


def _address(path: str) -> tuple[tuple[str, ...], int, int, int]:
    parts = path.removeprefix(PREFIX).split("/")
    names = tuple(dict.fromkeys(parts[0].split(",")))
    if len(parts) != 4 or len(names) > LAYERS_LIMIT:
        raise _no_address()
    z, x, y = (_number(part.removesuffix(".mvt")) for part in parts[1:])
    return names, z, x, y


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise _no_address()
    return int(text)


def _no_address() -> Malformed:
    return Malformed(
        "bad-tile-address",
        "瓦片地址应为 /tiles/图层,图层/级别/列/行",
        "A tile's address is /tiles/layer,layer/zoom/x/y",
    )


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed(
            "bad-date", "日期应为 2026-01-31 的形式", "A date looks like 2026-01-31", field="as_of"
        ) from None
