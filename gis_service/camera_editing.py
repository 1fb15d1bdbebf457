"""One camera changed through the API: checked, written down, and followed by what it touches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import (
    Connection,
    Insert,
    RowMapping,
    Select,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)

from gis_service.access import Asker, writing_view
from gis_service.database import enter_scope
from gis_service.ingest import Ingest
from gis_service.refresh import job_named, stale
from grid_boundaries.errors import Conflict, NotAllowed, NotFound, Refused
from grid_boundaries.tables import STORED_SRID
from grid_boundaries.view import View, narrowed
from layers.camera_changes import camera_change
from layers.cameras import camera
from layers.coverage.figures import BUILT_STATES
from layers.coverage.forbidden import forbidden_at, forbidden_word
from layers.coverage.live import Place, follow
from layers.coverage.results import JOB, share_results
from layers.coverage.tables import grid_coverage

FARTHEST_M = 5_000.0
State = Literal["planned", "building", "built", "networked", "out_of_service"]
MEASURED = ("azimuth_deg", "view_angle_deg", "range_m", "height_m")
EDITED = ("lon", "lat", *MEASURED, "online", "state")
PLACED = ("unit_path", "block_id", "grid_code", "placed")
Row = Mapping[str, Any]


class CameraEdit(BaseModel):
    """What is to change of a camera; what is not named stays.

    `base_version` is the version that the asker has seen: another one is refused.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    base_version: Annotated[str | None, Field(max_length=64)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None
    lat: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False)] = None
    azimuth_deg: Annotated[float | None, Field(ge=-360, le=720, allow_inf_nan=False)] = None
    view_angle_deg: Annotated[float | None, Field(gt=0, le=360, allow_inf_nan=False)] = None
    range_m: Annotated[float | None, Field(gt=0, le=FARTHEST_M, allow_inf_nan=False)] = None
    height_m: Annotated[float | None, Field(ge=0, le=500, allow_inf_nan=False)] = None
    online: bool | None = None
    state: State | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Take at least one field, no nulls, and a place with both of its numbers."""
        named = self.model_fields_set
        if not named & set(EDITED) or any(getattr(self, name) is None for name in named):
            raise PydanticCustomError(
                "nothing-to-change",
                "name at least one field, and none with null",
                {"zh": "至少改一个字段，且不能为 null"},
            )
        if len(named & {"lon", "lat"}) == 1:
            raise PydanticCustomError(
                "half-a-place", "give lon and lat together", {"zh": "lon 与 lat 须同时给出"}
            )
        return self

    @property
    def values(self) -> dict[str, Any]:
        """The columns that are named, a bearing within one turn; without the place."""
        named = {name: getattr(self, name) for name in EDITED if name in self.model_fields_set}
        named = {name: value for name, value in named.items() if name not in {"lon", "lat"}}
        if "azimuth_deg" in named:
            named["azimuth_deg"] %= 360.0
        return named


@dataclass(frozen=True)
class Edited:
    """A camera after its change, and what followed from it."""

    row: Row
    view_m2: float
    figures: Sequence[Row]


def edit_camera(
    connection: Connection, asker: Asker, ingest: Ingest, key: str, asked: CameraEdit, now: datetime
) -> Edited:
    """Change one camera and all that follows from it, in one transaction.

    Parameters
    ----------
    connection
        In a transaction in the asker's scope.
    ingest
        Knows which block a point lies in.

    Raises
    ------
    NotFound
        There is no such camera in the asker's area.
    NotAllowed
        It would stand outside the asker's area.
    Conflict
        Somebody changed it since the version that the asker has seen.
    Refused
        It would stand outside the county or in a forbidden place, or work without being built.
    """
    county = share_results(connection)
    before, is_current = _locked(connection, asker.view, key)
    refuse_other_version(before, asked)
    view = asker.view
    if not county.unit_path.startswith(view.scope):
        # what follows reaches beyond the asker's area; what is theirs has been looked up above
        view = writing_view(asker)
        enter_scope(connection, view)
    after = {**before, **asked.values, **_place(connection, view, asker, ingest, asked)}
    after["assumed"] = [word for word in before["assumed"] if word not in asked.values]
    _refuse_unbuilt(after)
    _write(connection, asker, before, after, now)
    followed = follow(Place(connection, view, county), before, after, now, is_current=is_current)
    own = [row for row in followed.figures if row["unit_path"].startswith(asker.view.scope)]
    return Edited(after, followed.view_m2, own)


def camera_row(connection: Connection, view: View, key: str) -> Row:
    """Return a camera's row with `lon` and `lat` for its geometry.

    Raises
    ------
    NotFound
        There is none of that id within the view's scope.
    """
    return _found(connection.execute(_one_camera(view), {"key": key}).mappings().one_or_none())


def _locked(connection: Connection, view: View, key: str) -> tuple[Row, bool]:
    """Return a camera's row as `camera_row` does, locked, and whether the results are current."""
    row = connection.execute(_camera_to_change(view), {"key": key}).mappings().one_or_none()
    found = _found(row)
    return found, not found.pop("is_stale")


def _found(row: RowMapping | None) -> dict[str, Any]:
    if row is None:
        raise NotFound(
            "no-such-camera",
            "在您的辖区内没有这台摄像机",
            "There is no such camera within your area",
        )
    return dict(row)


@lru_cache(maxsize=64)
def _one_camera(view: View) -> Select[Any]:
    own = [one for one in camera.c if one.name not in {"geom", "geom_3857"}]
    place = (func.st_x(camera.c.geom).label("lon"), func.st_y(camera.c.geom).label("lat"))
    wanted = narrowed(select(*own, *place), view, camera.c.unit_path)
    return wanted.where(camera.c.id == bindparam("key"))


@lru_cache(maxsize=64)
def _camera_to_change(view: View) -> Select[Any]:
    job = job_named(JOB)
    wanted = _one_camera(view).add_columns(stale(job.name, job.sources).label("is_stale"))
    return wanted.with_for_update(of=camera)


def version_of(row: Row) -> str:
    """Return the version of a camera: another one for every other content."""
    plain = orjson.dumps({name: row[name] for name in EDITED}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(plain).hexdigest()[:16]


def refuse_other_version(row: Row, asked: CameraEdit) -> None:
    """Refuse a change by somebody who has seen another version.

    Raises
    ------
    Conflict
    """
    if asked.base_version is not None and asked.base_version != version_of(row):
        raise Conflict(
            "version-differs",
            "这台摄像机刚被别人改过，请刷新后再改",
            "Somebody has just changed this camera; reload it and try again",
            version=version_of(row),
        )


def grid_figures(connection: Connection, view: View, codes: Sequence[str]) -> Sequence[Row]:
    """Return the coverage figures of those grids that are in the view's scope."""
    table = grid_coverage.c
    statement = narrowed(select(grid_coverage), view, table.unit_path)
    statement = statement.where(table.grid_code.in_(codes)).order_by(table.grid_code)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _place(
    connection: Connection, view: View, asker: Asker, ingest: Ingest, asked: CameraEdit
) -> dict[str, Any]:
    """Return the columns of the place that a camera is moved to; none where it stays."""
    if asked.lon is None or asked.lat is None:
        return {}
    here = ingest.locator(connection).place(asked.lon, asked.lat)
    if not here.unit_path.startswith(asker.view.scope):
        raise NotAllowed(
            "not-your-area",
            "该点不在您的辖区内",
            "The point is not in your area",
            lon=asked.lon,
            lat=asked.lat,
        )
    word = forbidden_at(connection, view, asked.lon, asked.lat)
    if word is not None:
        raise _forbidden(word, lon=asked.lon, lat=asked.lat)
    return {"lon": asked.lon, "lat": asked.lat, **{name: getattr(here, name) for name in PLACED}}


def _forbidden(word: str, **where: Any) -> Refused:
    return Refused(
        "forbidden-place",
        f"该处（{word}）依法不得安装摄像机；请换一个位置",
        f"No camera may hang in such a place ({word}); choose another",
        **where,
    )


def _refuse_unbuilt(after: Row) -> None:
    built = after["state"] in BUILT_STATES
    if after["online"] and not built:
        raise Refused(
            "online-unbuilt",
            "未建成或停用的摄像机不能在线；请先改建设状态",
            "A camera that is not built cannot be online; change its state first",
            field="online",
            state=after["state"],
        )
    word = forbidden_word(after["name"], after["address"])
    if word is not None and built:
        raise _forbidden(word, field="address")


def _write(connection: Connection, asker: Asker, before: Row, after: Row, now: datetime) -> None:
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    put = {name: after[name] for name in changed.keys() - {"lon", "lat"}}
    if changed.keys() & {"lon", "lat"}:
        put["geom"] = f"SRID={STORED_SRID};POINT({after['lon']!r} {after['lat']!r})"
    told = {"camera_id": after["id"], "actor": asker.view.actor, "at": now, "changed": changed}
    told["unit_path"] = after["unit_path"]
    given = {f"put_{name}": value for name, value in put.items()}
    given |= {f"told_{name}": value for name, value in told.items()}
    connection.execute(_noting(tuple(sorted(put))), given)


@lru_cache(maxsize=64)
def _noting(names: Sequence[str]) -> Insert:
    """Return what writes a change down, and puts those columns of the camera in place."""
    told = {one.name: bindparam(f"told_{one.name}", type_=one.type)
            for one in camera_change.c if one.name != "id"}  # fmt: skip
    noted = insert(camera_change).values(told)
    if not names:
        return noted
    put = {name: bindparam(f"put_{name}", type_=camera.c[name].type) for name in names}
    moved = update(camera).where(camera.c.id == bindparam("told_camera_id", type_=Text))
    return noted.add_cte(moved.values(put).cte("moved"))
