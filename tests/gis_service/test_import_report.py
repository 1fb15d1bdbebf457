"""Imports from the command line: the report is kept and shown, accepted only when asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import shapely
from rich.console import Console
from sqlalchemy import create_engine, select

from gis_service.database import Database, enter_scope
from gis_service.import_report import import_file, show_import
from gis_service.import_requests import Sending
from gis_service.settings import Settings
from grid_boundaries.crs import gcj02_from_wgs84
from grid_boundaries.errors import Refused
from grid_boundaries.import_store import boundary_import
from grid_boundaries.plan_store import plan
from grid_boundaries.view import View
from tests.gis_service.test_imports import geojson, outlines_in_force
from tests.serving import settings_of, sqlalchemy_url


@pytest.fixture
def settings(county_database: Database, tmp_path: Path) -> Settings:
    return settings_of(county_database, tmp_path)


def written(folder: Path, body: bytes) -> Path:
    path = folder / "grids.geojson"
    path.write_bytes(body)
    return path


def kept(database: Database) -> tuple[list[Any], list[Any]]:
    """Imports and plans as they are in the database."""
    engine = create_engine(sqlalchemy_url(database.url))
    with engine.begin() as connection:
        enter_scope(connection, View("tester", ("/",)))
        imports = connection.execute(
            select(boundary_import.c.status, boundary_import.c.created_by)
        ).all()
        plans = connection.execute(select(plan.c.status, plan.c.created_by)).all()
    engine.dispose()
    return [tuple(row) for row in imports], [tuple(row) for row in plans]


def shown(told: dict[str, Any], done: dict[str, Any] | None) -> str:
    console = Console(file=io.StringIO(), width=120)
    show_import(console, told, done)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_report_is_kept_and_shown_and_no_plan_made(
    county_database: Database, settings: Settings, tmp_path: Path
) -> None:
    shapes = outlines_in_force()
    shapes.popitem()
    file = written(tmp_path, geojson(shapes))
    asked = Sending(name="[red]grids")
    told, done = import_file(county_database, settings, file, asked, accept=False)
    assert done is None
    assert kept(county_database) == ([("reported", "service")], [])
    text = shown(told, done)
    assert "[red]grids" in text  # a title is text, not markup
    assert "gap" in text
    assert "plan" not in text


def test_an_accepted_file_becomes_a_draft(
    county_database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = written(tmp_path, geojson(outlines_in_force()))
    told, done = import_file(county_database, settings, file, Sending(), accept=True)
    assert kept(county_database) == ([("accepted", "service")], [("draft", "service")])
    assert done is not None
    assert f"plan {done['plan_id']}" in shown(told, done)


def test_a_doubtful_crs_keeps_the_report_and_refuses_the_rest(
    county_database: Database, settings: Settings, tmp_path: Path
) -> None:
    shifted = {code: shapely.transform(shape, gcj02_from_wgs84)
               for code, shape in outlines_in_force().items()}  # fmt: skip
    file = written(tmp_path, geojson(shifted))
    with pytest.raises(Refused) as refused:
        import_file(county_database, settings, file, Sending(), accept=True)
    assert refused.value.code == "crs-not-confirmed"
    assert kept(county_database) == ([("reported", "service")], [])
    told, _ = import_file(county_database, settings, file, Sending(), accept=False)
    assert "GCJ-02" in shown(told, None)
    import_file(county_database, settings, file, Sending(crs="GCJ-02"), accept=True)
    assert kept(county_database)[1] == [("draft", "service")]


def test_a_file_that_is_not_there_is_refused(
    county_database: Database, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as refused:
        import_file(county_database, settings, tmp_path / "no.zip", Sending(), accept=True)
    assert refused.value.code == "no-such-file"
    assert kept(county_database) == ([], [])
