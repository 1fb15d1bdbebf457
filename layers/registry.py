"""The one list of layers; tiles, pages, legends, permissions and tests are generic over it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grid_boundaries.errors import NotFound
from layers import (
    blocks,
    buildings,
    cameras,
    centres,
    devices,
    grids,
    incidents,
    organisations,
    parts,
    people,
    places,
    resources,
    streets,
    units,
    visits,
    waters,
    workers,
)
from layers.alerts import layer as alerts
from layers.coverage import layer as coverage
from layers.hotspots import layer as hotspots
from layers.layer import Layer

STORED = (
    units, centres, grids, blocks, waters, streets, buildings, places, organisations,
    parts, devices, resources, people, cameras, workers, visits, incidents,
)  # fmt: skip
DERIVED = (coverage.COVERAGE, coverage.VIEWS, coverage.BLIND, hotspots.LAYER, alerts.LAYER)

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {layer.name: layer for layer in (*(module.LAYER for module in STORED), *DERIVED)}
)


def layer_named(name: str) -> Layer:
    """Return the layer, or refuse a name that is not in the registry."""
    if name not in LAYERS:
        raise NotFound(
            "no-such-layer", f"没有图层“{name}”", f"There is no layer “{name}”", layer=name
        )
    return LAYERS[name]
