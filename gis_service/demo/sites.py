"""Where houses stand: rows along roads, clear of each other, of roads and of water."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.grids import Parting
from gis_service.demo.lines import Lines
from gis_service.demo.plan import Plan
from gis_service.demo.raster import Flags, Floats, Ints

HALF_WIDTH_M = {"trunk": 5.5, "primary": 4.5, "secondary": 3.5, "street": 4.5, "lane": 2.2}
GAP_M = 1.2


def hamlet_lanes(plan: Plan, rng: np.random.Generator) -> pd.DataFrame:
    """Return short bent lanes that leave a hamlet's road by turns to its left and right."""
    roads = plan.streets.loc[plan.streets["kind"] != "street", "geom"].to_numpy()
    groups = plan.home.groups
    seat = np.asarray(shapely.points(plan.land.centre_m(groups["seat"].to_numpy())))
    road = shapely.STRtree(roads).nearest(seat)
    count = np.clip(groups["households"].to_numpy() // 7, 2, 6)
    hub = np.repeat(np.arange(len(groups)), count)
    nth = np.arange(len(hub)) - np.repeat(np.cumsum(count) - count, count)
    line = roads[road][hub]
    where = shapely.line_locate_point(line, seat[hub]) + (nth - (count[hub] - 1) / 2) * 48.0
    where = np.clip(where + rng.normal(0, 9, len(hub)), 2.0, shapely.length(line) - 2.0)
    start, along = _on_line(line, where)
    side = np.where(nth % 2 == 0, np.pi / 2, -np.pi / 2) + rng.normal(0, 0.3, len(hub))
    angle = np.arctan2(along[:, 1], along[:, 0]) + side
    length = rng.uniform(45.0, 150.0, len(hub))
    bend = rng.normal(0.0, 0.5, len(hub))
    way = angle[:, None] + bend[:, None] * np.linspace(0.0, 1.0, 6)[None, :]
    moves = np.stack([np.cos(way), np.sin(way)], axis=-1) * (length[:, None, None] / 5)
    moves[:, 0] = 0.0
    lines = np.asarray(shapely.linestrings(start[:, None, :] + np.cumsum(moves, axis=1)))
    return pd.DataFrame({"kind": "lane", "geom": _in_hamlet(plan, lines, hub)})


def _in_hamlet(plan: Plan, lines: Lines, group: Ints) -> Lines:
    blocks = plan.blocks[plan.blocks["kind"] == "hamlet"]
    home = np.full(len(plan.home.groups), None, dtype=object)
    home[blocks["group"].to_numpy()] = shapely.buffer(blocks["geom"].to_numpy(), -6.0)
    wet = shapely.union_all(
        shapely.buffer(plan.waters["geom"].to_numpy(), plan.waters["width_m"].to_numpy() / 2 + 3)
    )
    parts = shapely.get_parts(shapely.difference(shapely.intersection(lines, home[group]), wet))
    return np.asarray(parts[(shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 20.0)])


def houses(
    plan: Plan, parting: Parting, streets: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return geom, block, floors of the houses, about as many as each block's households need."""
    need = _needed(plan, parting)
    sites = pd.concat(
        [_roadside(plan, streets, need, rng), _street_faces(plan, need, rng)], ignore_index=True
    )
    sites["rank"] = sites["away"] * rng.lognormal(0.0, 0.35, len(sites))
    sites = sites.sort_values(["block", "rank"], kind="stable").reset_index(drop=True)
    place = sites.groupby("block").cumcount().to_numpy()
    sites = sites[place < 4 * need[sites["block"].to_numpy()] + 12].reset_index(drop=True)
    shapes = _boxes(sites)
    clear = _clear(shapes, plan, sites["block"].to_numpy(), streets)
    sites, shapes = sites[clear].reset_index(drop=True), shapes[clear]
    kept = _accepted(shapes, sites["block"].to_numpy(), need)
    return pd.DataFrame({"geom": shapes[kept], "block": sites["block"].to_numpy()[kept]})


def _needed(plan: Plan, parting: Parting) -> Ints:
    setting = plan.setting
    wanted = [setting == "city", setting == "market_town"]
    city, market, village = plan.scale.households_per_house
    per_house = np.select(wanted, [city, market], village)
    need = np.ceil(parting.households / per_house).astype(np.int64)
    # towns have shops and halls besides
    return np.asarray(need + np.select(wanted, plan.scale.spare_houses, 0))


def _roadside(
    plan: Plan, streets: pd.DataFrame, need: Ints, rng: np.random.Generator
) -> pd.DataFrame:
    roads = streets[streets["kind"] != "street"]
    lines = roads["geom"].to_numpy()
    half = roads["kind"].map(HALF_WIDTH_M).to_numpy()
    frames = []
    for row, spacing in ((0, 15.0), (1, 19.0)):
        line, at, along = _stations(lines, spacing)
        for side in (-1.0, 1.0):
            deep = rng.uniform(8.0, 11.5, len(at))
            wide = rng.uniform(8.5, 14.0, len(at))
            off = side * (half[line] + 2.5 + deep / 2 + row * 16.0 + rng.uniform(0, 4, len(at)))
            middle = at + np.column_stack([-along[:, 1], along[:, 0]]) * off[:, None]
            frames.append(_site_frame(middle, along, wide, deep))
    sites = pd.concat(frames, ignore_index=True)
    hamlets = np.flatnonzero((plan.blocks["kind"] == "hamlet").to_numpy() & (need > 0))
    tree = shapely.STRtree(plan.blocks["geom"].to_numpy()[hamlets])
    point, home = tree.query(shapely.points(sites[["x", "y"]].to_numpy()), predicate="within")
    found: pd.DataFrame = sites.iloc[point].reset_index(drop=True)
    found["block"] = hamlets[home]
    group = plan.blocks["group"].to_numpy()[found["block"].to_numpy()]
    seat = plan.land.centre_m(plan.home.groups["seat"].to_numpy()[group])
    found["away"] = np.hypot(found["x"] - seat[:, 0], found["y"] - seat[:, 1]) + 20.0
    return found


def _street_faces(plan: Plan, need: Ints, rng: np.random.Generator) -> pd.DataFrame:
    faces = np.flatnonzero((plan.blocks["town"].to_numpy() >= 0) & (need > 0))
    geom = plan.blocks["geom"].to_numpy()[faces]
    frames = []
    for inset, spacing in ((12.0, 17.0), (30.0, 21.0)):
        rings, row = shapely.get_parts(
            shapely.boundary(shapely.buffer(geom, -inset, join_style="mitre")), return_index=True
        )
        line, at, along = _stations(rings, spacing)
        city = plan.setting[faces[row[line]]] == "city"
        wide = np.where(city, rng.uniform(12, 20, len(at)), rng.uniform(9, 15, len(at)))
        deep = np.where(city, rng.uniform(10, 13, len(at)), rng.uniform(9, 12, len(at)))
        site = _site_frame(at, along, wide, deep)
        frames.append(site.assign(block=faces[row[line]], away=inset * 3))
    return pd.concat(frames, ignore_index=True)


def _stations(lines: Lines, spacing_m: float) -> tuple[Ints, Floats, Floats]:
    """Return line, point and unit direction of stations `spacing_m` apart along the lines."""
    length = shapely.length(lines)
    count = np.maximum((length / spacing_m).astype(np.int64), 0)
    line = np.repeat(np.arange(len(lines)), count)
    nth = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    where = (nth + 0.5) * spacing_m
    at, along = _on_line(lines[line], where)
    return line, at, along


def _on_line(lines: Lines, where_m: Floats) -> tuple[Floats, Floats]:
    """Return the point and the unit direction of each line at a distance along it."""
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines, where_m))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, where_m + 3.0))
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, np.maximum(where_m - 3.0, 0.0))
    )
    step = ahead - behind
    return at, step / np.maximum(np.hypot(*step.T), 1e-9)[:, None]


def _site_frame(at: Floats, along: Floats, wide: Floats, deep: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": at[:, 0],
            "y": at[:, 1],
            "dx": along[:, 0],
            "dy": along[:, 1],
            "wide": wide,
            "deep": deep,
        }
    )


def _boxes(sites: pd.DataFrame) -> Lines:
    along = sites[["dx", "dy"]].to_numpy() * sites["wide"].to_numpy()[:, None] / 2
    across = np.column_stack([-sites["dy"], sites["dx"]]) * sites["deep"].to_numpy()[:, None] / 2
    middle = sites[["x", "y"]].to_numpy()
    corners = [
        middle - along - across,
        middle + along - across,
        middle + along + across,
        middle - along + across,
    ]
    return np.asarray(shapely.polygons(np.stack(corners, axis=1)))


def _clear(shapes: Lines, plan: Plan, block: Ints, streets: pd.DataFrame) -> Flags:
    half = streets["kind"].map(HALF_WIDTH_M).to_numpy()
    water = plan.waters
    banks = shapely.buffer(water["geom"].to_numpy(), water["width_m"].to_numpy() / 2 + 6.0)
    carriageways = shapely.buffer(streets["geom"].to_numpy(), half + 0.8)
    blocked = shapely.STRtree(np.concatenate([banks, carriageways]))
    hit = np.zeros(len(shapes), dtype=bool)
    hit[blocked.query(shapes, predicate="intersects")[0]] = True
    geom = plan.blocks["geom"].to_numpy()
    shapely.prepare(geom)
    return ~hit & shapely.contains_properly(geom[block], shapes)


def _accepted(shapes: Lines, block: Ints, need: Ints) -> Ints:
    """Return the sites taken: in order, clear of those taken before, no more than needed."""
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="dwithin", distance=GAP_M)
    real = first > second
    first, second = first[real], second[real]
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    start = np.searchsorted(first, np.arange(len(shapes) + 1))
    left = need.tolist()
    taken = [False] * len(shapes)
    before, starts, home = second.tolist(), start.tolist(), block.tolist()
    for site in range(len(shapes)):
        if left[home[site]] <= 0:
            continue
        if any(taken[o] for o in before[starts[site] : starts[site + 1]]):
            continue
        taken[site] = True
        left[home[site]] -= 1
    return np.flatnonzero(np.array(taken))
