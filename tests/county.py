"""A made-up county small enough to count by hand, with a few of every thing the map shows.

Two towns (west, east) of two villages (south, north) of two grids of two blocks: sixteen
blocks of 0.005° by 0.01°, eight columns and two rows. Everything stands at block centres or a
stated fraction beside them, so a test can say where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from shapely import LineString, MultiPolygon, Point, Polygon, box, union_all
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Table, insert, text

from grid_boundaries.tables import STORED_SRID, metadata

WEST, SOUTH = 108.30, 33.30
WIDTH_DEG, HEIGHT_DEG = 0.005, 0.01
COUNTY = "610999"
COUNTY_PATH = f"/{COUNTY}/"
METRIC_SRID = 4545
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
TOWNS = (f"{COUNTY}100", f"{COUNTY}101")
VILLAGES = tuple(f"{town}{number}" for town in TOWNS for number in ("001", "201"))
ROLES = (
    "leader", "command", "planner", "approver", "town_centre", "village_centre", "chief",
    "worker", "cadre", "department", "auditor", "integration",
)  # fmt: skip

Frames = dict[str, pd.DataFrame]
Row = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """One block of the made-up county and where it hangs."""

    number: int
    shape: Polygon
    village: str
    grid: str

    @property
    def id(self) -> str:
        """The block's id, B000001 …"""
        return f"B{self.number:06d}"

    @property
    def path(self) -> str:
        """The path of its village."""
        return path_of(self.village)

    def at(self, east: float = 0.5, north: float = 0.5) -> Point:
        """Return the point at a fraction of the block's width and height."""
        west, south, _, _ = self.shape.bounds
        return Point(west + east * WIDTH_DEG, south + north * HEIGHT_DEG)

    def placed(self, **columns: Any) -> Row:
        """Return a row's columns that say where it stands."""
        return {
            "unit_path": self.path,
            "block_id": self.id,
            "grid_code": self.grid,
            "placed": "inside",
            **columns,
        }


def path_of(village: str) -> str:
    """Return the unit path of a village by its code."""
    return f"{COUNTY_PATH}{village[:9]}/{village}/"


def blocks() -> list[Block]:
    """Return the sixteen blocks, numbered west to east, then north to south."""
    return [_block(column, row) for row in (1, 0) for column in range(8)]


def _block(column: int, row: int) -> Block:
    # rounded, so that neighbours have their corners in common bit by bit
    west, east = (round(WEST + (column + side) * WIDTH_DEG, 7) for side in (0, 1))
    south, north = (round(SOUTH + (row + side) * HEIGHT_DEG, 7) for side in (0, 1))
    village = VILLAGES[2 * (column // 4) + row]
    grid = f"{village}{1 + column % 4 // 2:03d}"
    shape = box(west, south, east, north)
    return Block(1 + column + 8 * (1 - row), shape, village, grid)


def county_frames() -> Frames:
    """Return the whole county as frames by table name, geometry in `geom` as shapely objects."""
    rows: dict[str, list[Row]] = {
        "county": [_county()],
        "actor": list(_actors()),
        "unit": list(_units()),
        "grid": list(_grids()),
        "street": [_street()],
        "water": [_water()],
        "centre": list(_centres()),
        "hotspot": list(_hotspots()),
        "hotspot_run": [_hotspot_run()],
        "alert": [_alert()],
        "grid_coverage": list(_grid_coverage()),
        "coverage_bounds": list(_coverage_bounds()),
        "blind_ground": list(_blind_ground()),
    }
    for block in blocks():
        for name, one in _of_block(block):
            rows.setdefault(name, []).append(one)
    return {name: pd.DataFrame(lines) for name, lines in rows.items()}


def _county() -> Row:
    return {
        "code": COUNTY, "name": "试县", "profile": "cn", "metric_srid": METRIC_SRID,
        "dataset": "test", "centre_lon": WEST + 4 * WIDTH_DEG, "centre_lat": SOUTH + HEIGHT_DEG,
        "population_basis": "present", "facts": {"made_up": True},
    }  # fmt: skip


def _actors() -> Iterator[Row]:
    scopes = {
        "town_centre": f"{COUNTY_PATH}{TOWNS[0]}/",
        **dict.fromkeys(("village_centre", "chief", "worker", "cadre"), path_of(VILLAGES[0])),
    }
    for role in ROLES:
        yield {
            "name": role, "title_zh": role, "title_en": role, "role": role,
            "scope": [scopes.get(role, COUNTY_PATH)],
            "worker_id": "W000009" if role == "worker" else None,
        }  # fmt: skip


def _units() -> Iterator[Row]:
    levels: tuple[tuple[str, Callable[[Block], str], Mapping[str, str]], ...] = (
        ("county", lambda block: COUNTY, {COUNTY: "试县"}),
        ("town", lambda block: block.village[:9], dict(zip(TOWNS, ("西镇", "东镇"), strict=True))),
        (
            "village",
            lambda block: block.village,
            dict(zip(VILLAGES, ("西社区", "西北村", "东社区", "东北村"), strict=True)),
        ),
    )
    for level, code_of, names in levels:
        for code, name in names.items():
            shape = _union([block for block in blocks() if code_of(block) == code])
            yield {
                "code": code, "level": level, "kind": level, "name": name,
                "parent_code": {6: None, 9: COUNTY, 12: code[:9]}[len(code)],
                "unit_path": COUNTY_PATH + "".join(
                    f"{code[:length]}/" for length in (9, 12) if len(code) >= length
                ),
                "geom": shape, "valid_from": date(2020, 1, 1), "valid_to": None,
            }  # fmt: skip


def _union(parts: list[Block]) -> MultiPolygon:
    whole = union_all([part.shape for part in parts])
    assert isinstance(whole, Polygon)
    return MultiPolygon([whole])


def _grids() -> Iterator[Row]:
    for code in sorted({block.grid for block in blocks()}):
        parts = [block for block in blocks() if block.grid == code]
        yield {
            "code": code, "name": f"网格{code[-3:]}", "kind": "residential", "special_use": None,
            "setting": "village", "alias": None, "village_code": code[:12], "area_m2": 1e6,
            "unit_path": parts[0].path,
            "geom": _union(parts),
            "valid_from": date(2020, 1, 1), "valid_to": None,
        }  # fmt: skip


def _street() -> Row:
    middle = SOUTH + HEIGHT_DEG
    return {
        "id": "S1", "name": "大路", "kind": "primary", "length_m": 3720.0,
        "geom": LineString([(WEST, middle), (WEST + 8 * WIDTH_DEG, middle)]),
        "unit_path": COUNTY_PATH, "placed": "outside",
    }  # fmt: skip


def _water() -> Row:
    return {
        "id": "R1", "name": "小河", "kind": "river", "width_m": 20.0,
        "geom": LineString([(WEST, SOUTH + 0.002), (WEST + 8 * WIDTH_DEG, SOUTH + 0.018)]),
        "unit_path": COUNTY_PATH, "placed": "outside",
    }  # fmt: skip


def _centres() -> Iterator[Row]:
    checks = ("has_body", "has_place", "has_staff", "has_rules", "has_duties", "has_systems")
    for block in (blocks()[0], blocks()[8], blocks()[12]):
        yield {
            "id": f"C-{block.village}", "name": "综治中心", "level": "village",
            "unit_code": block.village, "geom": block.at(0.1, 0.1),
            **dict.fromkeys(checks, True), **block.placed(),
        }  # fmt: skip


def _hotspots() -> Iterator[Row]:
    block = blocks()[8]
    for cell, hot in ((block.grid, True), (blocks()[0].grid, False)):
        yield {
            "id": f"grid:90:{cell}", "cells": "grid", "window_days": 90, "cell": cell,
            "incidents": 9, "observed": 12, "expected": 4.0, "z": 4.0, "p": 0.001,
            "p_adjusted": 0.004, "hot": hot, "says": {"zh": "热点", "en": "hot"},
            "geom": MultiPolygon([block.shape]), **block.placed(),
        }  # fmt: skip


def _hotspot_run() -> Row:
    return {
        "cells": "grid", "window_days": 90, "incidents": 48, "located": 48, "coincident": 0,
        "tested": True, "says": {"zh": "已检验", "en": "tested"}, "input_version": 0,
        "computed_at": NOW,
    }  # fmt: skip


def _alert() -> Row:
    block = blocks()[8]
    return {
        "id": f"grid:{block.grid}:2026-03-01", "name": "网格001", "state": "raised",
        "cells": "grid", "cell": block.grid, "window_days": 30,
        "first_hot_on": date(2026, 3, 1), "last_hot_on": TODAY, "ended_on": None,
        "observed": 12, "expected": 4.0, "ratio": 3.0, "p_adjusted": 0.004,
        "finding": {"zh": "热点", "en": "hot", "phase": "new"}, "receiver": "worker",
        "receiver_path": block.path, "raised_at": NOW - timedelta(days=1),
        "due_at": NOW + timedelta(days=2), "geom": MultiPolygon([block.shape]),
        **block.placed(),
    }  # fmt: skip


def _grid_coverage() -> Iterator[Row]:
    for code in sorted({block.grid for block in blocks()}):
        yield {
            "grid_code": code, "unit_path": path_of(code[:12]), "open_m2": 1000.0, "seen_m2": 250.0,
            "key_places": 1, "key_places_unseen": 0, "people": 8.0, "people_unseen": 2.0,
            "households": 4.0, "households_unseen": 1.0, "cameras_built": 2, "cameras_working": 1,
            "cameras_left_out": 0, "assumed": ["range_m"], "input_version": 0, "computed_at": NOW,
        }  # fmt: skip


def _coverage_bounds() -> Iterator[Row]:
    for code in sorted({block.grid for block in blocks()}):
        yield {
            "grid_code": code, "unit_path": path_of(code[:12]), "certain_m2": 200.0,
            "possible_m2": 400.0, "people_certain": 5.0, "people_possible": 7.0,
            "places_certain": 0, "places_at_task": 0, "places_possible": 1, "cameras_unsure": 1,
            "input_version": 0, "computed_at": NOW,
        }  # fmt: skip


def _blind_ground() -> Iterator[Row]:
    for block in blocks()[::2]:
        yield {
            "id": block.grid, "name": None, "area_m2": 750.0,
            "geom": MultiPolygon([block.at(0.8, 0.8).buffer(0.0005)]), **block.placed(),
        }  # fmt: skip


def _of_block(block: Block) -> Iterator[tuple[str, Row]]:
    number = block.number
    yield "block", {
        "id": block.id, "village_code": block.village, "group_id": None, "kind": "hamlet",
        "alias": None, "area_m2": 5e5, "unit_path": block.path,
        "geom": MultiPolygon([block.shape]), "valid_from": date(2020, 1, 1), "valid_to": None,
    }  # fmt: skip
    yield "block_count", {
        "block_id": block.id, "people": 4, "households": 2, "registered": 4, "usual": 3,
        "unit_path": block.path,
    }  # fmt: skip
    yield "grid_block", {
        "block_id": block.id, "valid_from": date(2020, 1, 1), "valid_to": None,
        "grid_code": block.grid,
    }  # fmt: skip
    for make in (_building, _place, _organisation, _part, _device, _resource, _worker, _posting):
        yield make(block)
    yield from _camera(block)
    for one in (1, 2):
        yield from _home(block, f"{number:03d}{one}")
    for one in (1, 2, 3):
        yield _incident(block, one)
    yield _visit(block)


def _point(table: str, block: Block, key: str, at: Point, **columns: Any) -> tuple[str, Row]:
    name = f"{table}{block.number}"
    return table, {"id": key, "name": name, "geom": at, **block.placed(), **columns}


def _building(block: Block) -> tuple[str, Row]:
    low, high = block.at(0.4, 0.4), block.at(0.44, 0.42)
    walls = MultiPolygon([box(low.x, low.y, high.x, high.y)])
    return "building", {
        "id": f"H{block.number}", "name": None, "kind": "dwelling", "address": "一号",
        "floors": 2, "height_m": 6.0, "area_m2": 120.0, "geom": walls, **block.placed(),
    }  # fmt: skip


def _place(block: Block) -> tuple[str, Row]:
    is_key = block.number % 2 == 0
    return _point(
        "place", block, f"P{block.number}", block.at(0.3, 0.3), kind="school", is_key=is_key
    )


def _organisation(block: Block) -> tuple[str, Row]:
    return _point("organisation", block, f"O{block.number}", block.at(0.2, 0.3), kind="enterprise")


def _part(block: Block) -> tuple[str, Row]:
    return _point("part", block, f"T{block.number}", block.at(0.2, 0.2), kind="lamp", state="good")


def _device(block: Block) -> tuple[str, Row]:
    return _point(
        "device", block, f"D{block.number}", block.at(0.7, 0.2), kind="smoke", online=True
    )


def _resource(block: Block) -> tuple[str, Row]:
    return _point("resource", block, f"X{block.number}", block.at(0.7, 0.7), kind="team", amount=3)


def _camera(block: Block) -> Iterator[tuple[str, Row]]:
    states = ("networked", "built", "planned", "out_of_service")
    key = f"K{block.number}"
    yield _point(
        "camera", block, key, block.at(0.6, 0.6), device_code=None, kind="fixed",
        azimuth_deg=90.0, view_angle_deg=60.0, range_m=100.0, height_m=4.0,
        azimuth_error_deg=0.0, position_error_m=0.0, assumed=["range_m"], indoor=False,
        state=states[block.number % 4], online=block.number % 4 == 0, address=None,
    )  # fmt: skip
    seen = MultiPolygon([block.at(0.6, 0.6).buffer(0.0004)])
    yield "camera_view", {
        "id": key, "name": None, "geom": seen, "area_m2": 5000.0, "range_m": 100.0,
        "assumed": ["range_m"], **block.placed(),
    }  # fmt: skip


def _worker(block: Block) -> tuple[str, Row]:
    return _point(
        "worker", block, f"W{block.number:06d}", block.at(0.5, 0.8), post="worker",
        on_duty=block.number % 4 != 0, located_at=NOW - timedelta(minutes=5),
        home_path=block.path,
    )  # fmt: skip


def _posting(block: Block) -> tuple[str, Row]:
    worker = f"W{block.number:06d}"
    return "posting", {
        "id": f"A{block.number}", "worker_id": worker, "grid_code": block.grid,
        "unit_path": block.path, "role": "worker", "valid_from": date(2024, 1, 1), "valid_to": None,
    }  # fmt: skip


def _home(block: Block, key: str) -> Iterator[tuple[str, Row]]:
    household = f"F{key}"
    yield _point(
        "household", block, household, block.at(0.42, 0.41), address="一号",
        building_id=f"H{block.number}",
    )  # fmt: skip
    for one in (1, 2):
        yield "person", {
            "id": f"N{key}{one}", "household_id": household, "name": "某人", "sex": "f",
            "born_on": date(1980, 1, one), "relation": "head", "present": True,
            "registered": True, "usual": one == 1, "id_number": b"sealed", "phone": b"sealed",
            "unit_path": block.path, "block_id": block.id, "grid_code": block.grid,
        }  # fmt: skip


def _incident(block: Block, one: int) -> tuple[str, Row]:
    occurred = NOW - timedelta(days=10 * (one - 1), hours=1)
    is_closed = one == 3
    return _point(
        "incident", block, f"I{block.number:03d}{one}", block.at(0.25 * one, 0.5), kind="event",
        category="noise", source="grid_app", urgency=("red", "yellow", "blue")[one - 1],
        state="closed" if is_closed else "reported", occurred_at=occurred,
        reported_at=occurred + timedelta(minutes=5), due_at=occurred + timedelta(hours=24),
        dispatched_at=occurred + timedelta(minutes=15) if is_closed else None,
        received_at=occurred + timedelta(minutes=45) if is_closed else None,
        closed_at=occurred + timedelta(hours=20) if is_closed else None,
        satisfied=True if is_closed else None, address=None,
    )  # fmt: skip


def _visit(block: Block) -> tuple[str, Row]:
    return _point(
        "visit", block, f"V{block.number}", block.at(0.45, 0.45), worker_id="W000001",
        kind="no_incident", visited_at=NOW - timedelta(hours=2), result="今日无事件",
    )  # fmt: skip


def build(connection: Connection) -> None:
    """Write the county into empty tables, whatever row rules they have."""
    connection.execute(text("select set_config('gis.scope', '/', true)"))
    for name, frame in county_frames().items():
        add(connection, metadata.tables[name], _records(frame))


def add(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert rows whose geometry is given as shapely objects in degrees."""
    connection.execute(insert(table), [_written(row) for row in rows])


def _records(frame: pd.DataFrame) -> list[Row]:
    plain = frame.astype(object)
    return [
        {str(name): None if _is_missing(value) else value for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and value != value)


def _written(row: Row) -> Row:
    return {
        name: f"SRID={STORED_SRID};{value.wkt}" if isinstance(value, BaseGeometry) else value
        for name, value in row.items()
    }
