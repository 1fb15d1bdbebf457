"""A planner redraws a district of a real city into grids of 300–500 households, through HTTP.

`make real-city` runs it: load, draw, check, hand in, approve, publish, export, import again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
import shapely
from sqlalchemy import create_engine

from gis_service.database import Database
from gis_service.loading import load_county
from grid_boundaries.crs import crs_of
from layers.load.seal import Sealer
from tests.gis_service.test_plans import drawn, get, post
from tests.serving import Client, serving, sqlalchemy_url
from tests.taipei import taipei

DISTRICT = "萬華區"
AT_LEAST, AT_MOST = 300, 500
BAND = {"measure": "households", "at_least": AT_LEAST, "at_most": AT_MOST}
RULES = dict.fromkeys(("city", "market_town", "village"), BAND)
Parts = dict[str, list[set[str]]]  # of each village, the blocks of each grid to be


def district() -> gpd.GeoDataFrame:
    """The district's blocks with households, village and grid, in metres."""
    frames = taipei().frames
    units = frames["unit"]
    path = units.loc[units["name"] == DISTRICT, "unit_path"].item()
    blocks = frames["block"][frames["block"]["unit_path"].str.startswith(path)]
    table = blocks.merge(frames["block_count"], left_on="id", right_on="block_id")
    table = table.merge(frames["grid_block"][["block_id", "grid_code"]], on="block_id")
    crs = crs_of(int(frames["county"]["metric_srid"].iloc[0]))
    shapes = gpd.GeoSeries(table["geom"].to_numpy(), crs=4490).to_crs(crs)
    kept = table[["id", "village_code", "households", "grid_code"]].fillna({"households": 0})
    return gpd.GeoDataFrame(kept, geometry=shapes, crs=crs).set_index("id")


def touching(blocks: gpd.GeoDataFrame) -> nx.Graph:
    """Which blocks share more than a corner."""
    shapes = blocks.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="touches")
    shared_m = shapely.length(shapely.intersection(shapes[one], shapes[other]))
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(blocks.index)
    for a, b, length_m in zip(one, other, shared_m, strict=True):
        if length_m > 1.0:
            graph.add_edge(blocks.index[a], blocks.index[b])
    return graph


def grown(near: nx.Graph, households: dict[str, float]) -> list[set[str]]:
    """Blocks of one village in parts of 300–500 households, as a planner would go round them."""
    parts: list[set[str]] = []
    for component in nx.connected_components(near):
        left = set(component)
        while left:
            part = {min(left)}
            while sum(households[name] for name in part) < AT_LEAST:
                ring = {n for name in part for n in near[name]} & left - part
                room = AT_MOST - sum(households[name] for name in part)
                fit = [name for name in ring if households[name] <= room]
                if not fit:
                    break
                # rather what would be left alone otherwise
                part.add(min(fit, key=lambda name: (len(set(near[name]) & left - part), name)))
            left -= part
            parts.append(part)
    return joined(parts, near, households)


def joined(parts: list[set[str]], near: nx.Graph, households: dict[str, float]) -> list[set[str]]:
    """Parts under the band given to a neighbour that has room for them."""
    for small in sorted(parts, key=len):
        count = sum(households[name] for name in small)
        beside = {n for name in small for n in near[name]} - small
        for other in parts:
            room = AT_MOST - sum(households[name] for name in other)
            if count < AT_LEAST and other is not small and other & beside and count <= room:
                other |= small
                small.clear()
                break
    return [part for part in parts if part]


@pytest.fixture(scope="module")
def city(server: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a service over the whole real city."""
    name = f"{template}_taipei"
    server.ensure_database(name, template=template)
    database = Database(server.url("gis_service", name), server.url("gis_owner", name))
    owner = create_engine(sqlalchemy_url(database.owner_url))
    load_county(owner, taipei().frames, Sealer(bytes(32)))
    owner.dispose()
    folder: Path = tmp_path_factory.mktemp("taipei")
    with serving(database, folder, refresh_interval_s=3600) as client:
        client.timeout = 120
        yield client
    server.drop_database(name)


def wanted_parts(blocks: gpd.GeoDataFrame) -> list[set[str]]:
    """The grids to be, inside each village."""
    near = touching(blocks)
    parts = []
    for _, members in blocks.groupby("village_code"):
        households = dict(zip(members.index, members["households"], strict=True))
        parts += grown(nx.subgraph(near, members.index), households)
    return parts


def grids_of(assignment: dict[str, Any], blocks: pd.Index[str]) -> set[frozenset[str]]:
    """Which blocks of the district are together in a grid."""
    table = pd.Series(assignment["blocks"]).reindex(blocks)
    return {frozenset(members) for members in table.groupby(table).groups.values()}


def redrawn(city: Client, blocks: gpd.GeoDataFrame, parts: list[set[str]]) -> tuple[int, int]:
    """A plan in which each part is one grid, and its version."""
    units = taipei().frames["unit"]
    unit = units.loc[units["name"] == DISTRICT, "code"].item()
    plan = int(post(city, "", title="萬華重劃", unit=unit, rules=RULES)["id"])
    version = 0
    for part in parts:
        grids = sorted(blocks.loc[sorted(part), "grid_code"])
        if len(grids) > 1:
            stroke = {"kind": "merge", "grids": grids[1:], "into": grids[0]}
            version = drawn(city, plan, version, **stroke)["version"]
    return plan, version


def put_in_force(city: Client, plan: int, version: int) -> None:
    """Hand in, with the soft faults accepted by name; approve; publish."""
    found = get(city, f"/plans/{plan}/checks")["faults"]
    mine = [fault for fault in found if not fault["inherited"]]
    assert not [fault for fault in mine if fault["severity"] == "hard"]
    accept = [fault["key"] for fault in mine]
    step = post(city, f"/{plan}/submit", base_version=version, accept=accept)
    step = post(city, f"/{plan}/approve", "approver", base_version=step["version"])
    post(city, f"/{plan}/publish", base_version=step["version"])


def there_and_back(city: Client, what: str, kind: str) -> int:
    """Export what is in force and import the file; the new plan."""
    headers = city.by("planner")
    asked = {"format": kind, "what": what}
    file = city.get("/api/grids/export", params=asked, headers=headers)
    assert file.status_code == 200, file.text
    media = {"content-type": file.headers["content-type"].partition(";")[0]}
    named = {"name": f"city.{kind}", "title": f"{kind} {what}"}
    sent = city.post(
        "/api/plans/import", params=named, content=file.content, headers=headers | media
    )
    assert sent.status_code == 201, sent.text
    return int(sent.json()["id"])


def test_a_real_district_is_redrawn_published_and_comes_back_from_its_file(city: Client) -> None:
    blocks = district()
    parts = wanted_parts(blocks)
    assert sum(map(len, parts)) == len(blocks)
    households = [blocks.loc[sorted(part), "households"].sum() for part in parts]
    in_band = sum(AT_LEAST <= count <= AT_MOST for count in households)
    assert in_band > 0.85 * len(parts)
    plan, version = redrawn(city, blocks, parts)
    want = {frozenset(part) for part in parts}
    assert grids_of(get(city, f"/plans/{plan}/assignment"), blocks.index) == want
    put_in_force(city, plan, version)
    for what, kind in (("grids", "gpkg"), ("grids", "geojson"), ("blocks", "csv")):
        again = there_and_back(city, what, kind)
        assert grids_of(get(city, f"/plans/{again}/assignment"), blocks.index) == want
        whole = get(city, f"/plans/{again}")
        assert whole["hash"] == whole["base_hash"]  # a file of what is in force changes nothing
