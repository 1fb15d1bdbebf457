"""A county into an empty database: frames placed and written, with demo users, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, insert, select

from gis_service.access import system_view
from gis_service.database import enter_scope
from grid_boundaries.actors import actor
from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Conflict
from grid_boundaries.store import county
from layers.load.place import placed
from layers.load.seal import Sealer
from layers.load.write import Progress, write_frames

# one demo user per role: name, titles, and the level of unit that its scope is
ROLES: tuple[tuple[str, str, str, str], ...] = (
    ("command", "指挥中心", "Command centre", "county"),
    ("leader", "县领导", "County leader", "county"),
    ("planner", "规划员", "Planner", "county"),
    ("approver", "规划审批员", "Plan approver", "county"),
    ("town_centre", "镇综治中心", "Town centre", "town"),
    ("village_centre", "村综治中心", "Village centre", "village"),
    ("chief", "网格长", "Grid chief", "village"),
    ("worker", "网格员", "Grid worker", "village"),
    ("cadre", "兼职网格员", "Cadre", "village"),
    ("department", "部门", "Department", "county"),
    ("auditor", "审计", "Auditor", "county"),
    ("integration", "系统对接", "Integration", "county"),
)


def loaded_dataset(engine: Engine) -> str | None:
    """Return the dataset of the county that a database holds; None for an empty one."""
    with engine.connect() as connection:
        return connection.execute(select(county.c.dataset)).scalar_one_or_none()


def load_county(
    engine: Engine,
    frames: Mapping[str, pd.DataFrame],
    sealer: Sealer,
    *,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Load a county's frames into a database that holds none, in one transaction.

    Parameters
    ----------
    engine
        As the service's role or the tables' owner.
    frames
        By table; located features are placed here.
    sealer
        Seals personal fields.
    progress
        Called as ``progress(table, rows_done, rows_in_all)``.

    Returns
    -------
    dict
        Rows written of each table.

    Raises
    ------
    Conflict
        The database holds a county already; nothing was changed.
    """
    metric_crs = crs_of(int(frames["county"]["metric_srid"].iloc[0]))
    ready = placed(frames, metric_crs)
    with engine.begin() as connection:
        enter_scope(connection, system_view("loader"))
        _refuse_second_county(connection, str(frames["county"]["name"].iloc[0]))
        written = write_frames(connection, ready, sealer, progress=progress)
        connection.execute(insert(actor), demo_actors(frames))
    return written


def demo_actors(frames: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return one demo user per role, at home in the first town and village by code."""
    units = frames["unit"].sort_values("code")
    paths = units.groupby("level")["unit_path"].first()
    village = str(paths["village"])
    return [
        {
            "name": role,
            "title_zh": title_zh,
            "title_en": title_en,
            "role": role,
            "scope": [str(paths[level])],
            "worker_id": _worker_in(frames, village) if role in ("chief", "worker") else None,
        }
        for role, title_zh, title_en, level in ROLES
    ]


def _worker_in(frames: Mapping[str, pd.DataFrame], path: str) -> str | None:
    postings = frames.get("posting")
    if postings is None or postings.empty:
        return None
    here = postings[(postings["unit_path"] == path) & postings["valid_to"].isna()]
    return None if here.empty else str(here["worker_id"].min())


def _refuse_second_county(connection: Connection, name: str) -> None:
    held = connection.execute(select(county.c.name)).scalar_one_or_none()
    if held is not None:
        raise Conflict(
            "database-holds-a-county",
            f"数据库里已有{held}，不能再载入{name}；请用 GIS_COUNTY 另选一个数据库",
            f"The database holds {held} already and takes no second county ({name});"
            " choose another database by GIS_COUNTY",
            held=held,
            asked=name,
        )
