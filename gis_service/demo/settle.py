"""Where towns, villages and hamlets settle, and the ground that each of them has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import binary_dilation, gaussian_filter, zoom

from gis_service.demo.chance import fractal
from gis_service.demo.outline import Box
from gis_service.demo.raster import Flags, Floats, Ints, graph, labels_of, reach, without_fragments
from gis_service.demo.size import Size
from gis_service.demo.terrain import Terrain, above_stream, finer

URBAN = 1_000_000  # labels from here on are towns
HAMLET_REACH = 6.0  # cost distance, about cells on flat ground
STREAM_KM2 = 2.5


@dataclass(frozen=True)
class Ground:
    """The fine raster: its cell, heights, drained area, cost of crossing and county mask."""

    cell_m: float
    height_m: Floats
    drained_km2: Floats
    above_m: Floats  # above the stream that a cell drains to
    cost: Floats  # of crossing a cell, 1 on flat ground
    county: Flags

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return (self.height_m.shape[0], self.height_m.shape[1])

    def centre_m(self, cells: Ints) -> Floats:
        """Return the middle of cells, metres east and north of the box's corner."""
        row, column = np.divmod(cells, self.shape[1])
        return np.column_stack([(column + 0.5) * self.cell_m, (row + 0.5) * self.cell_m])

    def cell_of(self, points_m: Floats) -> Ints:
        """Return the flat index of the cells that hold the points."""
        at = np.floor(points_m / self.cell_m).astype(np.int64)
        row = np.clip(at[:, 1], 0, self.shape[0] - 1)
        return np.asarray(row * self.shape[1] + np.clip(at[:, 0], 0, self.shape[1] - 1))


@dataclass(frozen=True)
class Settled:
    """Villages, groups and towns: where they sit and which cells are theirs (−1 for none)."""

    villages: pd.DataFrame  # code, name, kind, town, seat (cell), urban_only
    groups: pd.DataFrame  # village (row of `villages`), seat (cell), households
    town_seats: Ints  # cells, in the order of the site's
    town_owners: Ints  # the village (row of `villages`) that each town's built-up ground is of
    group: Ints
    hamlet: Flags  # the built-up and farmed cells round a group's seat
    urban: Ints  # which town's built-up ground, in the order of the site's


def ground(land: Terrain, box: Box, scale: Size, rng: np.random.Generator) -> Ground:
    """Return the fine raster of the county whose border follows the ridges."""
    times = scale.terrain_cells
    height = finer(land, rng, times)
    drained = zoom(land.drained_km2, times, order=0)
    above = zoom(gaussian_filter(above_stream(land, STREAM_KM2), 0.7), times, order=1)
    rough = np.exp(0.35 * fractal(rng, height.shape[0], height.shape[1], 0.9))
    cost = rough * (1.0 + (np.maximum(above, 0.0) / 45.0) ** 1.3)
    county = zoom(_county(land, box), times, order=0).astype(bool)
    return Ground(land.cell_m / times, height, drained, above, cost, county)


def _county(land: Terrain, box: Box) -> Ints:
    rows, columns = land.height_m.shape
    y, x = np.mgrid[0:rows, 0:columns]
    points = shapely.points((x + 0.5) * land.cell_m, (y + 0.5) * land.cell_m)
    outline, band_m = shapely.Polygon(box.outline_m), box.site.border_band_m
    inner, outer = outline.buffer(-band_m), outline.buffer(band_m)
    shapely.prepare([inner, outer])
    inside = shapely.contains(inner, points)
    outside = ~shapely.contains(outer, points)
    # both sides flood uphill and meet on the ridges between them
    cost = np.exp((land.height_m - gaussian_filter(land.height_m, 12)) / 160.0)
    seeds = np.flatnonzero(inside | outside)
    taken = labels_of(reach(graph(cost), seeds), seeds)
    mask = inside.ravel()[seeds][taken].reshape(rows, columns)
    return without_fragments(mask.astype(np.int64))


def settled(
    land: Ground, box: Box, units: pd.DataFrame, scale: Size, rng: np.random.Generator
) -> Settled:
    """Return the villages of `units` and their groups, each on its own ground."""
    cost = np.where(land.county, land.cost, np.inf)
    net = graph(cost)
    seats = np.array([_valley_near(land, point) for point in box.seats_m])
    urban = _urban(land, seats, scale)
    town = labels_of(reach(net, seats), seats).reshape(land.shape)
    town = without_fragments(np.where(urban >= 0, urban, town))
    villages = _villages(land, box, np.where(urban < 0, town, -1), units, scale, rng)
    own = villages.index[~villages["urban_only"]].to_numpy()
    own_seats = villages["seat"].to_numpy()[own]
    label = labels_of(reach(graph(cost, apart=town), own_seats), own_seats)
    village = np.where(label >= 0, own[label], -1).reshape(land.shape)
    # towns cut what is round them; what they cut off goes to a neighbour
    mixed = without_fragments(np.where(urban >= 0, URBAN + urban, village))
    urban = np.where(mixed >= URBAN, mixed - URBAN, -1)
    groups = _groups(land, villages, mixed, scale, rng)
    group_seats = groups["seat"].to_numpy()
    inner = reach(graph(cost, apart=mixed), group_seats)
    group = labels_of(inner, group_seats).reshape(land.shape)
    near = (inner.distance.reshape(land.shape) < HAMLET_REACH) & (group >= 0)
    owners = _owners(villages, mixed, box)
    return Settled(villages, groups, seats, owners, group, near, urban)


def _owners(villages: pd.DataFrame, mixed: Ints, box: Box) -> Ints:
    """Return per town the village that its built-up ground is of: the community, if any."""
    codes = list(box.site.town_seats)
    owners = np.zeros(len(codes), dtype=np.int64)
    for number, code in enumerate(codes):
        mine = villages.index[villages["town"] == code]
        community = mine[villages["urban_only"][mine]]
        round_it = mixed[binary_dilation(mixed == URBAN + number)]
        beside = [int((round_it == village).sum()) for village in mine]
        owners[number] = community[0] if len(community) else mine[int(np.argmax(beside))]
    return owners


def _urban(land: Ground, seats: Ints, scale: Size) -> Ints:
    # a town is the ground that is soonest reached from its seat, along the valley floor
    floor = np.where(land.county, 1.0 + np.maximum(land.above_m, 0.0) ** 1.5 / 40.0, np.inf)
    reached = reach(graph(floor), seats)
    nearest = labels_of(reached, seats)
    urban = np.full(land.height_m.size, -1)
    cell_km2 = (land.cell_m / 1000.0) ** 2
    for number in range(len(seats)):
        wanted = scale.city_km2 if number == 0 else scale.market_km2
        away = np.where(nearest == number, reached.distance, np.inf)
        urban[np.argsort(away, kind="stable")[: round(wanted / cell_km2)]] = number
    return without_fragments(urban.reshape(land.shape))


def _villages(
    land: Ground,
    box: Box,
    town: Ints,
    units: pd.DataFrame,
    scale: Size,
    rng: np.random.Generator,
) -> pd.DataFrame:
    seats = np.array([_valley_near(land, point) for point in box.seats_m])
    rows = units[units["level"] == "village"].reset_index(drop=True)
    urban_only = rows["kind"] == "community"
    seat = np.zeros(len(rows), dtype=np.int64)
    for number, code in enumerate(box.site.town_seats):
        mine = rows.index[rows["parent_code"] == code].to_numpy()
        community = urban_only[mine].to_numpy()
        seat[mine[community]] = seats[number]
        others, own = mine[~community], np.flatnonzero((town == number).ravel())
        by_stream = own[land.drained_km2.ravel()[own] > scale.village_stream_km2]
        fit = by_stream if len(by_stream) > 10 * len(others) else own
        seat[others] = spread(land, fit, seats[number : number + 1], len(others), rng)
    return rows.assign(seat=seat, town=rows["parent_code"], urban_only=urban_only)


def _valley_near(land: Ground, point_m: Floats, within_m: float = 2_500.0) -> int:
    cells = np.arange(land.height_m.size)
    away = np.hypot(*(land.centre_m(cells) - point_m).T)
    score = 1.5 * np.log(land.drained_km2.ravel()) - away / 1_000.0
    return int(np.argmax(np.where((away < within_m) & land.county.ravel(), score, -np.inf)))


def spread(
    land: Ground,
    fit: Ints,
    taken: Ints,
    count: int,
    rng: np.random.Generator,
    pull: Floats | None = None,
) -> Ints:
    """Return `count` of the cells `fit`, each far from those before (farthest point first)."""
    at = land.centre_m(fit)
    score = np.ones(len(fit)) if pull is None else pull
    away = np.full(len(fit), np.inf)
    for cell in taken:
        away = np.minimum(away, np.hypot(*(at - land.centre_m(np.array([cell]))).T))
    chosen = []
    for _ in range(count):
        pick = int(np.argmax(away * score * rng.uniform(0.75, 1.0, len(fit))))
        chosen.append(int(fit[pick]))
        away = np.minimum(away, np.hypot(*(at - at[pick]).T))
    return np.array(chosen, dtype=np.int64)


def _groups(
    land: Ground, villages: pd.DataFrame, village: Ints, scale: Size, rng: np.random.Generator
) -> pd.DataFrame:
    rural = villages.index[~villages["urban_only"]].to_numpy()
    households = parts(scale.village_households, rng.lognormal(0.0, 0.35, len(rural)))
    flat, low = village.ravel(), 1.0 / land.cost.ravel() ** 2
    frames = []
    for number, total in zip(rural, households, strict=True):
        count = max(3, round(total / scale.group_households))
        seat = np.array([villages["seat"][number]])
        mine = flat == number
        fit = np.flatnonzero(mine & (land.drained_km2.ravel() > scale.village_stream_km2 / 2))
        fit = fit if len(fit) > 5 * count else np.flatnonzero(mine)
        away = np.hypot(*(land.centre_m(fit) - land.centre_m(seat)).T)
        seats = spread(
            land, fit, np.zeros(0, dtype=np.int64), count, rng, low[fit] / (1.0 + away / 4_000.0)
        )
        share = rng.lognormal(0.0, 0.25, count)
        rows = {"village": number, "seat": seats, "households": parts(total, share)}
        frames.append(pd.DataFrame(rows))
    return pd.concat(frames, ignore_index=True)


def parts(total: int, share: Floats) -> Ints:
    """Return whole numbers in proportion to `share` that add up to `total`."""
    exact = np.cumsum(share) / share.sum() * total
    return np.asarray(np.diff(np.round(exact), prepend=0.0), dtype=np.int64)
