"""Reading of what stands and lives in blocks that change grids, and of who holds the grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from geoalchemy2 import Geometry
from geopandas import GeoSeries
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, func, or_, select

from grid_boundaries.refinement import wholes_of
from grid_boundaries.store import villagers_group
from grid_boundaries.view import View, narrowed
from layers.assign import assign_xy
from layers.block_sums import LIVING, pieces_of, srid_of
from layers.buildings import building
from layers.cameras import camera
from layers.duty.kpis import ENDED
from layers.handover.lists import Item, Post, hands_of
from layers.incidents import incident
from layers.people import household, person
from layers.places import place
from layers.plan_ground import COUNTED_POSTS
from layers.postings import posting
from layers.read import metric_frame


@dataclass(frozen=True)
class Moved:
    """Blocks that change grids.

    Parameters
    ----------
    table
        By block: ``from_grid``, ``to_grid`` and counts (`grid_boundaries.plans.diff`).
    shapes
        Metres, by id: these blocks, and every sibling of one that is a piece of a stored block.
    """

    table: pd.DataFrame
    shapes: GeoSeries


def posts_before(connection: Connection, view: View, day: date | None) -> list[Post]:
    """Return who held which grid until a day; None asks for who holds them now."""
    current: ColumnElement[bool] = posting.c.valid_to.is_(None)
    if day is not None:
        ended = or_(posting.c.valid_to.is_(None), posting.c.valid_to >= day)
        current = and_(posting.c.valid_from < day, ended)
    statement = (
        select(posting.c.worker_id, posting.c.role, posting.c.grid_code)
        .where(current, posting.c.role.in_(COUNTED_POSTS), posting.c.grid_code.is_not(None))
        .order_by(posting.c.grid_code, posting.c.role, posting.c.worker_id)
        .distinct()
    )
    rows = connection.execute(narrowed(statement, view, posting.c.unit_path))
    return [Post(row.worker_id, row.role, row.grid_code) for row in rows]


def items_in(connection: Connection, view: View, moved: Moved) -> list[Item]:
    """Return the things in moved blocks that a hand-over list names, by kind, grids and id."""
    found: list[Item] = []
    for kind, (table, columns, rows) in _listed(view).items():
        frame = located_in(connection, _select(view, table, columns, rows), table, moved)
        found += _items(kind, frame, moved.table)
    return found


def _listed(view: View) -> Mapping[str, tuple[Table, Sequence[Column[Any]], list[Any]]]:
    is_open = [incident.c.closed_at.is_(None), incident.c.state.not_in(ENDED)]
    # an incident's title and address may name people: its number must do
    dealt = [incident.c[name] for name in ("kind", "urgency", "state", "due_at")]
    listed: dict[str, tuple[Table, Sequence[Column[Any]], list[Any]]] = {
        "building": (building, [building.c[n] for n in ("kind", "address", "floors")], []),
        "key_place": (place, [place.c[n] for n in ("name", "kind", "address")], [place.c.is_key]),
    }
    if "cameras" in view.rights:
        listed["camera"] = (camera, [camera.c[n] for n in ("name", "kind", "state")], [])
    return {**listed, "incident": (incident, dealt, is_open)}


def _select(
    view: View, table: Table, columns: Sequence[Column[Any]], rows: Sequence[Any]
) -> Select[Any]:
    middle = func.st_pointonsurface(table.c.geom, type_=Geometry).label("geom")
    chosen = select(table.c.id, table.c.block_id, *columns, middle).where(*rows)
    return narrowed(chosen, view, table.c.unit_path)


def located_in(
    connection: Connection, narrow: Select[Any], table: Table, moved: Moved
) -> pd.DataFrame:
    """Return the rows of a statement that lie in moved blocks, with the block as ``block``.

    Parameters
    ----------
    narrow
        Narrowed to a view; selects ``block_id`` of `table` and a point ``geom``. Rows of a block
        that the plan has cut are put in the piece they lie in, those on a cut in the lowest id.
    """
    names = sorted({whole for name in moved.table.index for whole in wholes_of(str(name))})
    own = narrow.where(table.c.block_id.in_(names))
    frame = metric_frame(connection, own, srid_of(moved.shapes))
    blocks = frame.pop("block_id").astype(object)
    for whole in sorted(set(blocks) - set(moved.table.index)):
        pieces = pieces_of(moved.shapes, whole)
        here = blocks == whole
        xy = frame.geometry[here].get_coordinates().to_numpy()
        blocks[here] = assign_xy(xy, pieces, pieces.index.to_numpy(object))
    frame["block"] = blocks
    found = frame[blocks.isin(list(moved.table.index))]
    plain = pd.DataFrame(found.drop(columns="geometry")).astype(object)
    return plain.where(plain.notna(), None)


def households_in(connection: Connection, view: View, moved: Moved, basis: str) -> pd.DataFrame:
    """Return the households in moved blocks, by their villagers' group, else their building.

    Returns
    -------
    DataFrame
        Columns ``block``, ``kind`` ("group", "building", "other"), ``group``, ``name`` and
        ``people`` on the basis; nothing that tells a household or a person from another.
    """
    frame = located_in(connection, _households(view, basis), household, moved)
    names = {**_named(connection, view, building, building.c.address, frame["building_id"]),
             **_named(connection, view, villagers_group, villagers_group.c.name,
                      frame["group_id"])}  # fmt: skip
    keys = list(_keys(frame))
    return pd.DataFrame(
        {
            "block": frame["block"].to_list(),
            "kind": [kind for kind, _ in keys],
            "group": [key for _, key in keys],
            "name": pd.Series([names.get(key) for _, key in keys], dtype=object),
            "people": frame["people"].astype("int64").to_list(),
        }
    )


def _households(view: View, basis: str) -> Select[*tuple[Any, ...]]:
    """Select every household, where it is and how many people live in it."""
    living = func.count(person.c.id).filter(LIVING[basis]).label("people")
    columns = [household.c[n] for n in ("id", "block_id", "group_id", "building_id")]
    statement = (
        select(*columns, household.c.geom, living)
        .outerjoin(person, person.c.household_id == household.c.id)
        .group_by(household.c.id)
    )
    return narrowed(statement, view, household.c.unit_path)


def _keys(frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for group, home in zip(frame["group_id"], frame["building_id"], strict=True):
        yield ("group", group) if group else ("building", home) if home else ("other", "")


def _named(
    connection: Connection, view: View, table: Table, name: Column[Any], ids: pd.Series[Any]
) -> dict[str, str | None]:
    wanted = sorted({one for one in ids if one})
    statement = select(table.c.id, name).where(table.c.id.in_(wanted))
    rows = connection.execute(narrowed(statement, view, table.c.unit_path))
    return {row[0]: row[1] for row in rows}


def _items(kind: str, frame: pd.DataFrame, moved: pd.DataFrame) -> list[Item]:
    old, new = (hands_of(moved, way) for way in ("from_grid", "to_grid"))
    items = [
        Item(
            kind,
            str(row.pop("id")),
            row["block"],
            old[row["block"]],
            new[row.pop("block")],
            {str(name): value for name, value in row.items()},
        )
        for row in frame.to_dict("records")
    ]
    return sorted(items, key=lambda one: (one.from_grid or "", one.to_grid or "", one.id))
