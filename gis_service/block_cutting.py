"""The first blocks of a unit, cut out of what it has: looked at first, then written in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
import structlog
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import func, select, update

from gis_service.block_requests import FirstCut
from gis_service.importing import collection
from gis_service.plan_area import unit_path_of
from gis_service.plan_strokes import polygon
from gis_service.planning import Desk
from gis_service.publishing import as_service
from grid_boundaries.codes import MOST_BLOCKS, first_block_ids
from grid_boundaries.crs import in_metres
from grid_boundaries.division.corners import corners_of, with_corners
from grid_boundaries.division.county_lines import county_lines
from grid_boundaries.division.parting import parted
from grid_boundaries.division.plane import Plane, plane_of
from grid_boundaries.errors import Conflict, NotAllowed, Refused
from grid_boundaries.store import block, county
from grid_boundaries.tables import STORED_SRID
from layers.cutting_ground import CuttingGround, blocks_round, cutting_ground
from layers.first_blocks import count_residents, insert_blocks, locate_in, reshape
from layers.read import County, the_county

Progress = Callable[[str, int, int], None]  # step, done, in all
MOST_ASTRAY_M2 = 1.0  # by which the blocks may miss, or villages share, ground
SNAP_DEG, SNAP_M = 1e-9, 1e-4  # a tenth of a millimetre
STEPS = ("read", "cut", "write")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Cut:
    """The blocks that a unit would get.

    Parameters
    ----------
    blocks
        By id: village_code, unit_path, kind, people, area_m2 and geometry, stored degrees.
    most_people
        How many people a block was to have at most; None where nothing was asked.
    """

    unit_path: str
    blocks: GeoDataFrame
    most_people: float | None

    @property
    def summary(self) -> dict[str, Any]:
        """What was cut in numbers; ``crowded`` are blocks whose homes could not be parted."""
        people, area_m2 = self.blocks["people"], self.blocks["area_m2"]
        limit = np.inf if self.most_people is None else self.most_people
        kinds = self.blocks["kind"].value_counts()
        return {
            "unit_path": self.unit_path,
            "blocks": len(self.blocks),
            "villages": int(self.blocks["village_code"].nunique()),
            "kinds": {str(kind): int(number) for kind, number in kinds.items()},
            "area_m2": round(float(area_m2.sum()), 1),
            "largest": {"id": area_m2.idxmax(), "area_m2": round(float(area_m2.max()), 1)},
            "people": int(people.sum()),
            "people_per_block": {
                "most": int(people.max()), "mean": round(float(people.mean()), 2),
                "median": float(people.median()),
            },
            "most_people_per_block": self.most_people,
            "crowded": sorted(people.index[people > limit]),
        }  # fmt: skip


def silent(_step: str, _done: int, _in_all: int) -> None:
    """Tell nobody how far it is."""


def refuse_part_of_county(desk: Desk) -> None:
    """Refuse a planner of a part of the county: ids and borders are the whole county's.

    Raises
    ------
    NotAllowed
        The view's scope is not the county.
    """
    whole = the_county(desk.connection).unit_path
    if not any(whole.startswith(path) for path in desk.view.scope):
        raise NotAllowed(
            "county-scope-needed",
            "只有全县范围的规划员可以切分图斑",
            "Only a planner of the whole county can cut its blocks",
        )


def preview(desk: Desk, asked: FirstCut, progress: Progress = silent) -> bytes:
    """Return the blocks that a unit would get as GeoJSON, with the member ``summary``.

    Raises
    ------
    Conflict
        The unit has blocks.
    NotAllowed, NotFound, Refused
        As `cut_first_blocks`.
    """
    refuse_part_of_county(desk)
    with as_service(desk) as own:
        cut = _cut(own, asked, progress)
    columns = ("village_code", "kind", "people", "area_m2")
    rows = cut.blocks.round({"area_m2": 1}).reset_index(names="id")[["id", *columns]]
    properties: list[Any] = rows.astype(object).to_dict("records")
    return collection(cut.blocks.geometry, properties, summary=cut.summary)


def cut_first_blocks(desk: Desk, asked: FirstCut, progress: Progress = silent) -> dict[str, Any]:
    """Write the first blocks of a unit, put its features in them, and return the summary.

    Raises
    ------
    Conflict
        The unit has blocks; nothing was changed.
    NotAllowed
        The view's scope is not the county.
    NotFound
        There is no such unit.
    Refused
        There is no village, two of them share ground, or a limit has nobody to count.
    """
    refuse_part_of_county(desk)
    with as_service(desk) as own:
        cut = _cut(own, asked, progress)
        progress(STEPS[2], 2, len(STEPS))
        day, known = own.now.date(), the_county(own.connection)
        insert_blocks(own.connection, cut.blocks, day)
        _renode(own, cut)
        metric = in_metres(GeoSeries(cut.blocks.geometry), known.metric_srid)
        located = locate_in(own.connection, cut.unit_path, metric, progress)
        count_residents(own.connection, cut.blocks, known.population_basis)
        noted = _noted(own, cut)
    return {**cut.summary, **noted, "features": located}


def _noted(desk: Desk, cut: Cut) -> dict[str, Any]:
    """Write who cut what when among the county's facts, where its sources stand."""
    noted = {
        "by": desk.view.actor, "at": desk.now.isoformat(), "unit_path": cut.unit_path,
        "most_people_per_block": cut.most_people, "blocks": len(cut.blocks),
    }  # fmt: skip
    facts = desk.connection.execute(select(county.c.facts).with_for_update()).scalar_one()
    cuts = [*facts.get("blocks_cut", []), noted]
    desk.connection.execute(update(county).values(facts={**facts, "blocks_cut": cuts}))
    log.info("blocks-cut", **noted)
    return {"by": noted["by"], "at": noted["at"]}


def _cut(desk: Desk, asked: FirstCut, progress: Progress) -> Cut:
    progress(STEPS[0], 0, len(STEPS))
    path, known = unit_path_of(desk.connection, desk.view, asked.unit), the_county(desk.connection)
    _refuse_blocks(desk, path)
    ground = cutting_ground(desk.connection, desk.view, path, known.population_basis)
    if ground.villages.empty:
        raise Refused(
            "no-villages",
            "辖区内还没有村（社区），无法建立图斑；请先装载行政区划",
            "There is no village yet that blocks could belong to; load the units first",
            unit_path=path,
        )
    refuse_uncountable(ground, asked.most_people_per_block)
    progress(STEPS[1], 1, len(STEPS))
    return Cut(path, _blocks(desk, asked, ground, known), asked.most_people_per_block)


def _refuse_blocks(desk: Desk, path: str) -> None:
    current = block.c.valid_to.is_(None) & block.c.unit_path.startswith(path)
    number = desk.connection.scalar(select(func.count()).select_from(block).where(current))
    if number:
        raise Conflict(
            "blocks-exist",
            f"辖区内已有 {number} 个图斑；请用重新切分方案（/api/plans/recut）改动",
            f"There are {number} blocks already; change them by a plan (/api/plans/recut)",
            blocks=number,
            unit_path=path,
        )


def refuse_uncountable(ground: CuttingGround, most_people: float | None) -> None:
    """Refuse a limit on people where nobody is counted at a home.

    Raises
    ------
    Refused
        A limit was asked for, and no home has people.
    """
    if most_people is not None and not ground.homes["people"].any():
        raise Refused(
            "nobody-counted",
            "没有带人口的住户，无法按人数切分；请先装载人口，或不设人数上限",
            "No home has people, so nothing can be cut by people; load residents first, or"
            " give no limit",
        )


def _blocks(desk: Desk, asked: FirstCut, ground: CuttingGround, known: County) -> GeoDataFrame:
    plane = plane_of(GeoSeries(ground.villages.geometry))
    drawn = GeoSeries([polygon(area) for area in asked.special_areas], crs=STORED_SRID)
    special = GeoSeries([*ground.special, *drawn], crs=STORED_SRID)
    around = blocks_round(desk.connection, desk.view, GeoSeries(ground.villages.geometry))
    drawn_limits = plane.flat(GeoSeries(ground.villages.set_index("code").geometry))
    _refuse_overlap(drawn_limits)
    corners = corners_of(GeoSeries([*drawn_limits, *plane.flat(around)]))
    villages = with_corners(drawn_limits, corners, snap=SNAP_M)
    found = parted(
        villages, lines_of(plane, ground, special), flat_homes(plane, ground),
        most_people=asked.most_people_per_block, special=plane.flat(special),
    )  # fmt: skip
    _refuse_astray(villages, found)
    known_corners = GeoSeries([*ground.villages.geometry, *around], crs=STORED_SRID)
    geometry = plane.stored(GeoSeries(found.geometry), known_corners)
    paths = ground.villages.set_index("code")["unit_path"]
    village = found["owner"].to_numpy()
    columns = {
        "village_code": village, "unit_path": paths[village].to_numpy(),
        "kind": found["kind"].to_numpy(), "people": found["people"].to_numpy(dtype=int),
        "area_m2": in_metres(geometry, known.metric_srid).area.to_numpy(),
    }  # fmt: skip
    return GeoDataFrame(columns, geometry=geometry.array, index=free_ids(desk, found))


def lines_of(plane: Plane, ground: CuttingGround, special: GeoSeries) -> GeoSeries:
    """Return what a unit's blocks end at besides its limits, on the plane.

    Parameters
    ----------
    special
        Special ground, stored degrees.
    """
    return county_lines(
        streets=plane.flat(ground.streets), rivers=plane.flat(ground.waters),
        railways=plane.flat(ground.railways), unit_limits=GeoSeries([]),
        special_areas=plane.flat(special),
    )  # fmt: skip


def flat_homes(plane: Plane, ground: CuttingGround) -> GeoDataFrame:
    """Return the homes of a unit on the plane."""
    points = plane.flat(GeoSeries(ground.homes.geometry))
    return GeoDataFrame({"people": ground.homes["people"].to_numpy()}, geometry=points.array)


def free_ids(desk: Desk, found: GeoDataFrame) -> pd.Index[str]:
    """Return ids for new blocks, W→E then N→S, after the last that any block ever had."""
    last = desk.connection.scalar(select(func.max(func.substr(block.c.id, 2, 6))))
    given = 0 if last is None else int(last)
    inner = shapely.get_coordinates(shapely.point_on_surface(found.geometry.to_numpy()))
    if given + len(inner) > MOST_BLOCKS:
        raise Refused(
            "too-many-blocks",
            f"图斑编号只剩 {MOST_BLOCKS - given} 个，不够 {len(inner)} 个",
            f"{MOST_BLOCKS - given} block ids are left, not {len(inner)}",
            blocks=len(inner),
        )
    ids = [f"B{int(name[1:]) + given:06d}" for name in first_block_ids(inner)]
    return pd.Index(ids, name="block_id")


def _refuse_overlap(villages: GeoSeries) -> None:
    shared_m2 = float(villages.area.sum() - shapely.union_all(villages.to_numpy()).area)
    if shared_m2 > MOST_ASTRAY_M2:
        raise Refused(
            "villages-overlap",
            f"村（社区）界线互相重叠约 {shared_m2:,.0f} m²，图斑无法恰好铺满；请先修正界线",
            f"Outlines of villages overlap by about {shared_m2:,.0f} m², so no blocks fill them"
            " exactly; mend the outlines first",
            overlap_m2=round(shared_m2, 1),
        )


def _refuse_astray(villages: GeoSeries, found: GeoDataFrame) -> None:
    own_m2 = found.geometry.area.groupby(found["owner"].to_numpy()).sum()
    astray_m2 = (villages.area - own_m2.reindex(villages.index).fillna(0.0)).abs()
    if astray_m2.max() > MOST_ASTRAY_M2:
        code = str(astray_m2.idxmax())
        raise Refused(
            "blocks-astray",
            f"切出的图斑与 {code} 的面积相差 {astray_m2.max():,.1f} m²；请检查该村界线",
            f"The blocks miss {code} by {astray_m2.max():,.1f} m²; look at its outline",
            unit=code,
        )


def _renode(desk: Desk, cut: Cut) -> None:
    """Give blocks of other units the corners that the new blocks have on their borders."""
    around = blocks_round(desk.connection, desk.view, GeoSeries(cut.blocks.geometry))
    beside = GeoSeries(around[~around.index.isin(cut.blocks.index)])
    if beside.empty:
        return
    corners = corners_of(GeoSeries(cut.blocks.geometry))
    noded = with_corners(beside, corners, snap=SNAP_DEG)
    changed = noded.to_numpy() != beside.to_numpy()
    reshape(desk.connection, noded[changed].to_dict())
