"""The street plan of a town: a bent grid of streets along its valley, and the faces between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.lines import Lines
from gis_service.demo.raster import Flags, Floats
from gis_service.demo.tiling import Borders, cut_towns, faces_of

BANK_M = 7.0
EDGE_M = 4.0
BRIDGED_SHARE = 0.3
BRIDGE_M = 110.0
DROPPED_SHARE = 0.14


@dataclass(frozen=True)
class Town:
    """A town's ground and faces, its streets with their kinds, and its bridges, local metres."""

    area: shapely.Polygon
    faces: Lines
    streets: pd.DataFrame  # kind, geom


@dataclass(frozen=True)
class Draft:
    """A town before its ground is cut: its streets, where they run dry, and what cuts it."""

    area: shapely.Polygon
    streets: pd.DataFrame  # kind, geom
    cuts: Lines


def draft_town(
    borders: Borders,
    label: int,
    spacing_m: tuple[float, float],
    water: pd.DataFrame,
    rng: np.random.Generator,
) -> Draft:
    """Return a town's streets and the lines that cut its ground.

    Streets run along and across the long axis of the town, `spacing_m` apart on average; one
    in three of those that meet a river has a bridge.
    """
    area = faces_of(_only(borders, label))[0]
    grid, is_main = _thinned(*_streets(area, spacing_m, rng), rng)
    near = water[shapely.intersects(water["geom"].to_numpy(), area)]
    banks = shapely.union_all(
        shapely.buffer(near["geom"].to_numpy(), near["width_m"].to_numpy() / 2 + BANK_M)
    )
    # a bridge is short; a street that would run along in the river ends at the bank
    in_river = shapely.length(shapely.intersection(grid, banks))
    bridged = (is_main | (rng.random(len(grid)) < BRIDGED_SHARE)) & (in_river < BRIDGE_M)
    dry = np.where(bridged, grid, shapely.difference(grid, banks))
    edges = shapely.intersection(near["geom"].to_numpy(), area.buffer(60.0))
    inside, row = shapely.get_parts(
        shapely.intersection(dry, area.buffer(-EDGE_M)), return_index=True
    )
    kind = np.where(is_main[row], "primary", "street")
    streets = pd.DataFrame({"kind": kind, "geom": inside})
    long_enough = streets[shapely.length(inside) > 40.0]
    return Draft(area, long_enough, np.concatenate([grid, edges]))


def built(borders: Borders, drafts: dict[int, Draft]) -> tuple[Borders, dict[int, Town]]:
    """Return the borders noded by the streets of all towns, and the towns, by label.

    Towns that touch are cut together, so that both have the nodes of their common border.
    """
    towns: dict[int, Town] = {}
    for together in _clusters(borders, sorted(drafts)):
        cuts = np.concatenate([_cuts(drafts[label], together) for label in together])
        borders, faces = cut_towns(borders, together, cuts)
        for label in together:
            draft = drafts[label]
            towns[label] = Town(draft.area, faces[label], draft.streets)
    return borders, towns


def _clusters(borders: Borders, labels: list[int]) -> list[list[int]]:
    """Return the towns that touch one another, directly or through others, by their least."""
    joined = {label: {label} for label in labels}
    for one, other in np.unique(borders.sides, axis=0).tolist():
        if one in joined and other in joined:
            both = joined[one] | joined[other]
            joined.update(dict.fromkeys(both, both))
    return [sorted(joined[label]) for label in labels if label == min(joined[label])]


def _cuts(draft: Draft, together: list[int]) -> Lines:
    # a lone town's streets may end outside it; another town's ground must not be cut by them
    if len(together) == 1:
        return draft.cuts
    parts = shapely.get_parts(shapely.intersection(draft.cuts, draft.area))
    lines: Lines = parts[shapely.get_type_id(parts) == 1]
    return lines


def led_into(roads: pd.DataFrame, towns: list[Town]) -> pd.DataFrame:
    """Return the roads ended where they reach a town and joined there to its nearest street."""
    ground = shapely.union_all([town.area for town in towns])
    shapely.prepare(ground)
    geom = roads["geom"].to_numpy()
    touched = shapely.intersects(geom, ground)
    cut = geom.copy()
    cut[touched] = shapely.difference(geom[touched], ground)
    streets = shapely.union_all(np.concatenate([town.streets["geom"] for town in towns]))
    ends = shapely.intersection(geom[touched], ground.boundary)
    points, row = shapely.get_parts(ends, return_index=True)
    link = shapely.shortest_line(points, streets)
    kinds = roads["kind"].to_numpy()[touched][row]
    real = shapely.length(link) > 1.0
    parts, of = shapely.get_parts(cut, return_index=True)
    return pd.DataFrame(
        {
            "kind": np.concatenate([roads["kind"].to_numpy()[of], kinds[real]]),
            "geom": np.concatenate([parts, link[real]]),
        }
    )


def _only(borders: Borders, label: int) -> Borders:
    ring = (borders.sides == label).any(axis=1)
    return Borders(borders.lines[ring], np.where(borders.sides[ring] == label, 0, -1))


def _streets(
    area: shapely.Polygon, spacing_m: tuple[float, float], rng: np.random.Generator
) -> tuple[Lines, Flags]:
    """Return lines right across the town, and which of them are main streets."""
    box = shapely.get_coordinates(shapely.oriented_envelope(area))[:4]
    sides = box[1:3] - box[:2]
    long = int(np.argmax(np.hypot(*sides.T)))
    along = sides[long] / np.hypot(*sides[long])
    frame = np.array([along, [-along[1], along[0]]])
    middle = np.array(area.centroid.coords[0])
    local = (shapely.get_coordinates(area) - middle) @ frame.T
    low, high = local.min(axis=0) - 80.0, local.max(axis=0) + 80.0
    phase = rng.uniform(0.0, 2 * np.pi, 4)
    lines, is_main = [], []
    for axis in (0, 1):
        at = _ticks(low[1 - axis], high[1 - axis], spacing_m[axis], rng)
        run = np.arange(low[axis], high[axis], 20.0)
        for place in at:
            points = np.empty((len(run), 2))
            points[:, axis], points[:, 1 - axis] = run, place
            lines.append(shapely.LineString(_bent(points, phase) @ frame + middle))
        is_main += (np.arange(len(at)) == int(np.argmin(np.abs(at)))).tolist()
    return np.array(lines, dtype=object), np.array(is_main)


def _thinned(grid: Lines, is_main: Flags, rng: np.random.Generator) -> tuple[Lines, Flags]:
    """Return the grid without some stretches between junctions, so that blocks differ in size."""
    stretches = shapely.get_parts(shapely.union_all(grid))
    middle = shapely.line_interpolate_point(stretches, 0.5, normalized=True)
    main = shapely.dwithin(middle, shapely.union_all(grid[is_main]), 0.01)
    kept = main | (rng.random(len(stretches)) > DROPPED_SHARE)
    side = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(stretches[kept & ~main])))
    lines = np.concatenate([grid[is_main], side])
    return lines, np.arange(len(lines)) < int(is_main.sum())


def _ticks(low: float, high: float, spacing_m: float, rng: np.random.Generator) -> Floats:
    count = int((high - low) / spacing_m) + 2
    ticks = low + np.cumsum(rng.uniform(0.75, 1.25, count) * spacing_m)
    return np.asarray(ticks[ticks < high])


def _bent(points: Floats, phase: Floats) -> Floats:
    # one smooth shift of the whole plane, so that streets bend together and never meet wrongly
    x, y = points[:, 0], points[:, 1]
    right = 18.0 * np.sin(y / 260.0 + phase[0]) + 9.0 * np.sin(x / 190.0 + phase[1])
    up = 26.0 * np.sin(x / 420.0 + phase[2]) + 9.0 * np.sin(y / 170.0 + phase[3])
    return np.column_stack([x + right, y + up])
