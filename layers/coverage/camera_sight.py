"""What every camera of the ledger sees, or would see once it stands: homes and key places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from scipy.sparse import csr_array
from sqlalchemy import Connection, Select, func, select

from grid_boundaries.view import View, narrowed
from layers.buildings import building
from layers.cameras import camera
from layers.coverage.figures import left_out
from layers.coverage.sightings import Bools, Floats, sightings
from layers.coverage.visibility import visible_areas
from layers.people import household, person
from layers.places import place
from layers.read import County, metric_frame

CAMERA_COLUMNS = (
    "id", "name", "grid_code", "unit_path", "state", "online", "indoor", "site_class", "contract",
    "due", "builder", "azimuth_deg", "view_angle_deg", "range_m", "assumed", "geom",
)  # fmt: skip


@dataclass(frozen=True)
class CameraSight:
    """The cameras of an area with what each would see.

    Parameters
    ----------
    cameras
        Every camera, indexed by id; those that cannot be drawn see nothing.
    left_out
        Why those cannot be drawn, by id, as in `layers.coverage.figures.left_out`.
    views
        Their visible areas, in the cameras' order.
    places, homes
        Key places, and footprints with `people`; each with its `unit_path`.
    sees_places, sees_homes
        As from `sightings`.
    """

    cameras: GeoDataFrame
    left_out: pd.Series[str]
    views: GeoSeries
    places: GeoDataFrame
    homes: GeoDataFrame
    sees_places: csr_array[Any]
    sees_homes: csr_array[Any]

    @property
    def people(self) -> tuple[csr_array[Any], Floats]:
        """Which camera sees which home, and how many live there."""
        return self.sees_homes, self.homes["people"].to_numpy(dtype=np.float64)

    @property
    def key_places(self) -> tuple[csr_array[Any], Floats]:
        """Which camera sees which key place, each of weight 1."""
        return self.sees_places, np.ones(len(self.places))

    def of(self, scope: tuple[str, ...], grid: str | None = None) -> CameraSight:
        """Return the same for the homes and places of a scope; all cameras stay, to see them.

        Parameters
        ----------
        grid
            Only those of this grid.
        """
        places, homes = (_under(frame, scope, grid) for frame in (self.places, self.homes))
        return replace(
            self,
            places=self.places[places],
            homes=self.homes[homes],
            sees_places=self.sees_places[:, np.flatnonzero(places)],
            sees_homes=self.sees_homes[:, np.flatnonzero(homes)],
        )

    def is_in(self, scope: tuple[str, ...]) -> Bools:
        """Return which cameras stand in a scope."""
        return _under(self.cameras, scope)


def camera_sight(connection: Connection, view: View, county: County) -> CameraSight:
    """Read cameras, buildings, key places and homes within a view, and compute who sees what."""
    cameras = _read(connection, _cameras(view), county).set_index("id")
    buildings = _read(connection, narrowed(select(building.c.geom), view, None), county)
    places = _read(connection, _key_places(view), county)
    homes = _read(connection, _homes(view, county), county)
    # a camera that is planned or off-line is drawn as it would see if it worked
    reasons = left_out(cameras.assign(state="networked", online=True))
    drawn = cameras.drop(index=reasons.index)
    views = pd.Series(shapely.Polygon(), index=cameras.index, dtype=object)
    views[drawn.index] = visible_areas(drawn, buildings.geometry).to_numpy()
    seen = GeoSeries(views.to_numpy(), index=cameras.index, crs=cameras.crs)
    return CameraSight(
        cameras,
        reasons,
        seen,
        places,
        homes,
        sightings(seen, places.geometry),
        sightings(seen, homes.geometry),
    )


def _read(connection: Connection, statement: Select[Any], county: County) -> GeoDataFrame:
    return metric_frame(connection, statement, county.metric_srid)


def _under(frame: pd.DataFrame, scope: tuple[str, ...], grid: str | None = None) -> Bools:
    under = np.array([str(path).startswith(scope) for path in frame["unit_path"]], dtype=bool)
    return under if grid is None else under & (frame["grid_code"] == grid).to_numpy(dtype=bool)


def _cameras(view: View) -> Select[Any]:
    columns = [camera.c[name] for name in CAMERA_COLUMNS]
    return narrowed(select(*columns), view, camera.c.unit_path).order_by(camera.c.id)


def _key_places(view: View) -> Select[Any]:
    names = ("id", "name", "kind", "unit_path", "grid_code", "geom")
    owed = select(*(place.c[name] for name in names)).where(place.c.is_key)
    return narrowed(owed, view, place.c.unit_path).order_by(place.c.id)


def _homes(view: View, county: County) -> Select[Any]:
    """Select footprints in which people live, with how many."""
    living = (
        select(household.c.building_id, func.count().label("people"))
        .join(person, person.c.household_id == household.c.id)
        .where(person.c[county.population_basis])
        .group_by(household.c.building_id)
    )
    homes = narrowed(living, view, household.c.unit_path).subquery()
    own = (building.c[name] for name in ("id", "unit_path", "grid_code", "geom"))
    lived_in = select(*own, homes.c.people).join(homes, homes.c.building_id == building.c.id)
    return narrowed(lived_in, view, None).order_by(building.c.id)
