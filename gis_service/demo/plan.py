"""The laid-out county in local metres: blocks with village, group and kind, streets, waters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely

from gis_service.demo.adjacency import Shared, neighbours, parted, shared_borders
from gis_service.demo.chance import chance
from gis_service.demo.lines import Lines
from gis_service.demo.outline import Box, box_round
from gis_service.demo.raster import Ints
from gis_service.demo.roads import roads
from gis_service.demo.settle import Ground, Settled, ground, settled
from gis_service.demo.site import Site
from gis_service.demo.size import Size
from gis_service.demo.terrain import terrain
from gis_service.demo.tiling import Borders, Pieces, borders_of, faces_of, pieces_of
from gis_service.demo.townplan import Town, built, draft_town, led_into
from gis_service.demo.waters import river_cells, waters

SMALLEST_FACE_M2 = 1_500.0
MARKET_STREETS_M = (62.0, 105.0)


@dataclass(frozen=True)
class Plan:
    """Everything that is laid out before anybody lives there."""

    box: Box
    land: Ground
    home: Settled
    blocks: pd.DataFrame  # geom, village (row of home.villages), group, town, kind
    shared: Shared  # between the rows of `blocks`
    streets: pd.DataFrame  # kind, name, geom
    waters: pd.DataFrame  # kind, name, width_m, geom

    town_names: dict[str, str]
    scale: Size

    @property
    def site(self) -> Site:
        """Return which place this is."""
        return self.box.site

    @cached_property
    def setting(self) -> Lines:
        """Return per block whether it is of a city, a market_town or a village."""
        town = self.blocks["town"].to_numpy()
        is_city = (town >= 0) & (town < self.scale.city_towns)
        settings = np.select([is_city, town >= 0], ["city", "market_town"], "village")
        return np.asarray(settings.astype(object))

    @property
    def outline(self) -> shapely.Geometry:
        """Return the county, the union of its blocks."""
        return shapely.coverage_union_all(self.blocks["geom"].to_numpy())


def laid_out(seed: int, units: pd.DataFrame, scale: Size, site: Site) -> Plan:
    """Return the plan of one seed."""
    box = box_round(site)
    hills = terrain(chance(seed, "terrain"), box, scale.cell_m * scale.terrain_cells)
    land = ground(hills, box, scale, chance(seed, "ground"))
    home = settled(land, box, units, scale, chance(seed, "settle"))
    water = waters(hills, chance(seed, "waters"))
    way = roads(land, home, river_cells(hills, scale.terrain_cells), site, chance(seed, "roads"))
    pieces = pieces_of(land, home, scale, chance(seed, "tiling"))
    borders = borders_of(pieces, land.cell_m, chance(seed, "borders"))
    borders, towns = _towns(seed, pieces, borders, water, scale)
    outside = _rural_blocks(pieces, borders, home)
    inside = [_town_blocks(number, town, home) for number, town in towns.items()]
    blocks, shared = _without_slivers(pd.concat([outside, *inside], ignore_index=True))
    for number, code in enumerate(list(site.town_seats)[: scale.city_towns]):
        blocks["village"] = _city_communities(blocks, shared, home, number, code)
    way = led_into(way, list(towns.values()))
    streets = pd.concat([way, *(t.streets for t in towns.values())], ignore_index=True)
    county = shapely.coverage_union_all(blocks["geom"].to_numpy())
    lines = _within(streets, county), _within(water, county)
    names = dict(zip(units["code"], units["name"], strict=True))
    return Plan(box, land, home, blocks, shared, *lines, names, scale)


def _towns(
    seed: int, pieces: Pieces, borders: Borders, water: pd.DataFrame, scale: Size
) -> tuple[Borders, dict[int, Town]]:
    drafts = {}
    for label in np.flatnonzero(pieces.town >= 0).tolist():
        number = int(pieces.town[label])
        spacing_m = scale.city_streets_m if number < scale.city_towns else MARKET_STREETS_M
        rng = chance(seed, f"town {number}")
        drafts[label] = draft_town(borders, label, spacing_m, water, rng)
    borders, towns = built(borders, drafts)
    return borders, {int(pieces.town[label]): town for label, town in towns.items()}


def _rural_blocks(pieces: Pieces, borders: Borders, home: Settled) -> pd.DataFrame:
    rural = pieces.town < 0
    group = pieces.group[rural]
    return pd.DataFrame(
        {
            "geom": faces_of(borders)[rural],
            "village": home.groups["village"].to_numpy()[group],
            "group": group,
            "town": -1,
            "kind": np.where(pieces.hamlet[rural], "hamlet", "open"),
        }
    )


def _town_blocks(number: int, town: Town, home: Settled) -> pd.DataFrame:
    owner = int(home.town_owners[number])
    shapes = {"geom": town.faces, "village": owner, "group": -1}
    return pd.DataFrame({**shapes, "town": number, "kind": "street_face"})


def _without_slivers(blocks: pd.DataFrame) -> tuple[pd.DataFrame, Shared]:
    # faces too small to build on join the neighbour in town with the longest shared border
    shared = shared_borders(blocks["geom"].to_numpy())
    area = shapely.area(blocks["geom"].to_numpy())
    into = np.arange(len(blocks))
    town = blocks["town"].to_numpy()
    small = np.flatnonzero((area < SMALLEST_FACE_M2) & (town >= 0))
    both = (town[shared.pairs[:, 0]] == town[shared.pairs[:, 1]]) & (town[shared.pairs[:, 0]] >= 0)
    for face in small[np.argsort(area[small], kind="stable")]:
        touch = both & (shared.pairs == face).any(axis=1)
        other = shared.pairs[touch].sum(axis=1) - face
        other = other[into[other] != into[face]]
        if other.size:
            length = shared.length_m[touch][np.isin(shared.pairs[touch].sum(axis=1) - face, other)]
            into[into == into[face]] = into[other[int(np.argmax(length))]]
    return _merged_rows(blocks, into)


def _merged_rows(blocks: pd.DataFrame, into: Ints) -> tuple[pd.DataFrame, Shared]:
    kept = np.unique(into)
    rows = blocks.loc[kept].reset_index(drop=True)
    geom = rows["geom"].to_numpy().copy()
    for number, target in enumerate(kept):
        members = np.flatnonzero(into == target)
        if members.size > 1:
            geom[number] = shapely.coverage_union_all(blocks["geom"].to_numpy()[members])
    rows["geom"] = geom
    return rows, shared_borders(geom)


def _city_communities(
    blocks: pd.DataFrame, shared: Shared, home: Settled, town: int, code: str
) -> Ints:
    """Return the village of each block after a town's blocks are parted among communities."""
    village = blocks["village"].to_numpy().copy()
    city = np.flatnonzero(blocks["town"].to_numpy() == town)
    mine = home.villages.index[(home.villages["town"] == code) & home.villages["urban_only"]]
    geom = blocks["geom"].to_numpy()
    at = {int(b): np.array(shapely.centroid(geom[b]).coords[0]) for b in city}
    weight = {int(b): float(geom[b].area) for b in city}
    part = parted(neighbours(shared, city), weight, at, len(mine))
    for block, number in part.items():
        village[block] = mine[number]
    return village


def _within(lines: pd.DataFrame, county: shapely.Geometry) -> pd.DataFrame:
    shapely.prepare(county)
    geom = lines["geom"].to_numpy()
    cut: Lines = np.where(
        shapely.contains_properly(county, geom), geom, shapely.intersection(geom, county)
    )
    parts, row = shapely.get_parts(cut, return_index=True)
    kept = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 1.0)
    inside: pd.DataFrame = lines.iloc[row[kept]].reset_index(drop=True)
    inside["geom"] = parts[kept]
    return inside
