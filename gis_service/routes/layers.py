"""Layers and their features: ``/api/layers``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from gis_service.access import on_date, seen_layer, seen_layers
from gis_service.errors import problem_answers
from gis_service.routes.asking import Bounds, Day, Service, Who, scoped
from gis_service.routes.bodies import gives
from layers import features
from layers.layer import Layer
from layers.tiles import newest_changes

GEOJSON = "application/geo+json"
REFUSALS = problem_answers(400, 401, 403, 404, 422, 503)
router = APIRouter(prefix="/api/layers", tags=["layers"], responses=REFUSALS)
Name = Annotated[str, Path(max_length=64)]


@router.get("")
def layers(service: Service, who: Who) -> list[dict[str, Any]]:
    """List the layers that the asker may see, in drawing order."""
    seen = seen_layers(who.view)
    with scoped(service, who.view) as connection:
        versions = newest_changes(connection, seen)
    return [described(layer, versions[layer.name]) for layer in seen]


@router.get("/{name}/items", response_class=Response, responses=gives(GEOJSON))
def items(
    service: Service,
    who: Who,
    name: Name,
    box: Bounds,
    limit: Annotated[int, Query(ge=1)] = 100,
    after: Annotated[str | None, Query(max_length=200)] = None,
    as_of: Day = None,
) -> Response:
    """Give a page of a layer's features as GeoJSON; ``next`` names the page that follows."""
    layer = seen_layer(who.view, name)
    view = on_date(who.view, as_of)
    most = min(limit, service.settings.page_limit)
    with scoped(service, view) as connection:
        page = features.page(connection, layer, view, limit=most, after=after, box=box)
    return _private(page.body)


@router.get("/{name}/items/{key}", response_class=Response, responses=gives(GEOJSON))
def item(
    service: Service,
    who: Who,
    name: Name,
    key: Annotated[str, Path(max_length=200)],
    as_of: Day = None,
) -> Response:
    """Give one feature as GeoJSON."""
    layer = seen_layer(who.view, name)
    view = on_date(who.view, as_of)
    with scoped(service, view) as connection:
        return _private(features.one(connection, layer, view, key))


def described(layer: Layer, version: str) -> dict[str, Any]:
    """Return a layer as the pages know it."""
    return {
        "name": layer.name,
        "title": asdict(layer.title),
        "shape": layer.shape,
        "style": asdict(layer.style),
        "counts_below_zoom": layer.counts_below_zoom,
        "version": version,
    }


def _private(body: bytes) -> Response:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    return Response(body, media_type=GEOJSON, headers=headers)
