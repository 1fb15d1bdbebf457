"""One camera changed: its sight and the figures of the grids it touches, within the transaction.

The result is what the whole county's computation would give; the transaction is noted as answered,
so that the county is not computed again because of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, literal, select

from grid_boundaries.crs import in_degrees
from grid_boundaries.view import View, narrowed
from layers.cameras import camera
from layers.coverage import results
from layers.coverage.figures import is_built, is_working, left_out
from layers.coverage.inputs import Box, read_near
from layers.coverage.refresh import EVEN, NOT_WORKING
from layers.coverage.tables import grid_coverage
from layers.coverage.visibility import visible_areas
from layers.coverage.windows import MARGIN_M, Scene, counted_change, patched, window_of
from layers.read import County, outbox_version, the_county

NOTHING: BaseGeometry = shapely.Polygon()
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Area:
    """A part of the county where a camera saw something, or now does.

    Parameters
    ----------
    box
        Metres; all buildings that its sight can depend on meet it.
    paths
        Unit path of each grid of the scene.
    was, now
        What the camera saw here and what it sees; POLYGON EMPTY for nothing.
    """

    box: BaseGeometry
    scene: Scene
    paths: dict[str, str]
    was: BaseGeometry
    now: BaseGeometry

    @property
    def codes(self) -> set[str]:
        """The grids whose figures may change."""
        near = (self.scene.key_places, self.scene.homes, self.scene.blocks)
        held = (set(one["grid_code"].dropna()) for one in near if len(one))
        return set(self.scene.grids.index).union(*held)


@dataclass(frozen=True)
class Followed:
    """What followed from a camera's change.

    Parameters
    ----------
    grids
        Codes of the grids whose figures were computed anew, sorted.
    view_m2
        What the camera sees now.
    """

    grids: Sequence[str]
    view_m2: float


def follow(
    connection: Connection,
    view: View,
    key: str,
    pair: GeoDataFrame,
    now: datetime,
    *,
    is_current: bool = True,
) -> Followed:
    """Compute anew what one camera's change touches, and store it.

    Parameters
    ----------
    connection
        In the transaction that changes the camera. Its scope is the whole county, the camera's row
        is locked, and `results.share_results` was called before anything was read.
    view
        Of the whole county.
    key
        The camera's id.
    pair
        Two rows as of `camera` in the county's metres, indexed "before" and "after".
    now
        Written beside the results, aware.
    is_current
        Whether the results held every other change; if not, they keep the version they had.
    """
    county = the_county(connection)
    was = results.stored_view(connection, view, key, county.metric_srid)
    areas = _areas(connection, view, county, was, pair)
    own = _own_counts(pair)
    codes = set(own.index).union(*(area.codes for area in areas))
    gone = _no_longer_assumed(connection, view, pair)
    held = results.locked_grids(connection, view, None if gone else codes)
    changes = [own, *(_followed(connection, view, area, key, held) for area in areas)]
    seen = GeoSeries([area.now for area in areas if not area.now.is_empty], crs=pair.crs)
    results.store_view(connection, key, pair.loc[AFTER], seen, had=not was.is_empty)
    version = outbox_version(connection) if is_current else None
    figures = _summed(changes, held)
    results.store_figures(connection, figures, now, version)
    results.forget_assumed(connection, gone)
    results.note_answered(connection)
    return Followed(figures.index.tolist(), float(seen.area.sum()))


def _summed(changes: Sequence[pd.DataFrame], held: Collection[str]) -> pd.DataFrame:
    by_grid = pd.concat(changes).groupby(level=0)
    figures = by_grid.sum().reindex(columns=list(results.COUNTS), fill_value=0.0)
    # a grid of two areas was patched twice, and the second time from the first
    figures["blind_m2"] = by_grid["blind_m2"].last() if "blind_m2" in by_grid.obj else np.nan
    return figures[figures.index.isin(list(held))]


def _no_longer_assumed(connection: Connection, view: View, pair: GeoDataFrame) -> list[str]:
    """Return what was assumed of this camera, and now is of none."""
    lost = sorted({*pair.loc[BEFORE, "assumed"]} - {*pair.loc[AFTER, "assumed"]})
    still = narrowed(select(literal(1)), view, camera.c.unit_path).limit(1)
    return [
        word
        for word in lost
        if connection.scalar(still.where(camera.c.assumed.contains([word]))) is None
    ]


def _areas(
    connection: Connection, view: View, county: County, was: BaseGeometry, pair: GeoDataFrame
) -> list[Area]:
    """Return where the camera saw and sees; one area where the two are near each other."""
    looks = AFTER not in left_out(pair).index
    reach = _reach(pair) if looks else NOTHING
    old = window_of(was)
    boxes = [box for box in (old, reach) if not box.is_empty]
    if len(boxes) == 2 and old.intersects(reach):
        boxes = [shapely.envelope(shapely.union(old, reach))]
    areas = []
    for box in boxes:
        scene, paths = _scene(connection, view, county, box)
        is_here = looks and shapely.covers(box, reach)
        seen = _sight(pair, scene) if is_here else NOTHING
        areas.append(Area(box, scene, paths, was if box.covers(old) else NOTHING, seen))
    return areas


def _reach(pair: GeoDataFrame) -> BaseGeometry:
    row = pair.loc[AFTER]
    reach_m = float(row["range_m"]) + MARGIN_M
    x, y = row["geometry"].x, row["geometry"].y
    return shapely.box(x - reach_m, y - reach_m, x + reach_m, y + reach_m)


def _sight(pair: GeoDataFrame, scene: Scene) -> BaseGeometry:
    return visible_areas(pair.loc[[AFTER]], scene.buildings).iloc[0]


def _scene(
    connection: Connection, view: View, county: County, box: BaseGeometry
) -> tuple[Scene, dict[str, str]]:
    near = read_near(connection, view, county, _degrees(box, county.metric_srid))
    blocks = near.blocks if near.homes.empty and _is_areal(connection, view) else near.blocks[:0]
    grids = near.grids
    scene = Scene(grids.geometry, near.buildings.geometry, near.key_places, near.homes, blocks)
    return scene, grids["unit_path"].to_dict()


def _is_areal(connection: Connection, view: View) -> bool:
    """Say whether people were taken as spread over their blocks."""
    statement = narrowed(select(grid_coverage.c.assumed), view, grid_coverage.c.unit_path)
    return EVEN in (connection.scalar(statement.limit(1)) or [])


def _degrees(box: BaseGeometry, srid: int) -> Box:
    # a straight side in metres is bent in degrees, by less than the margin at such lengths
    west, south, east, north = in_degrees(GeoSeries([box], crs=srid)).total_bounds.tolist()
    return (west, south, east, north)


def _followed(
    connection: Connection, view: View, area: Area, key: str, held: Collection[str]
) -> pd.DataFrame:
    """Store an area's blind ground and return how the figures of its grids change."""
    window = window_of(area.was, area.now)
    if window.is_empty:
        return pd.DataFrame()
    scene, crs = area.scene, area.scene.grids.crs
    others = results.views_in(connection, view, _near(scene, window), crs.to_epsg(), but=key)
    before, after = (_with(others, one) for one in (area.was, area.now))
    changes = counted_change(scene, before, after, window)
    met = [code for code in scene.grids.index[scene.grids.intersects(window)] if code in held]
    blind = results.blind_in(connection, view, met, crs.to_epsg())
    blind = patched(blind, scene, after, window)
    results.store_blind(connection, blind, area.paths)
    return changes.join(blind.area.rename("blind_m2"), how="outer")


def _near(scene: Scene, window: BaseGeometry) -> Box:
    """Return the box of all whose being seen is asked about, in degrees."""
    homes = scene.homes[scene.homes.intersects(window)]
    shapes = np.append(homes.geometry.to_numpy(), window)
    return _degrees(window_of(*shapes), scene.grids.crs.to_epsg())


def _with(others: GeoSeries, own: BaseGeometry) -> GeoSeries:
    if own.is_empty:
        return others
    return GeoSeries(np.append(others.to_numpy(), own), crs=others.crs)


def _own_counts(pair: GeoDataFrame) -> pd.DataFrame:
    """Return what the camera itself adds to its new grid and takes from its old one."""
    reasons = left_out(pair).reindex(pair.index)
    counts = pd.DataFrame(
        {
            "cameras_built": is_built(pair).astype(float),
            "cameras_working": is_working(pair).astype(float),
            "cameras_left_out": (reasons.notna() & ~reasons.isin(NOT_WORKING)).astype(float),
        }
    )
    counts.loc[BEFORE] *= -1.0
    return counts.groupby(pair["grid_code"].to_numpy(object)).sum()
