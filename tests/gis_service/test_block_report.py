"""First blocks from the command line: looked at or cut, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from typer.testing import CliRunner, Result

from gis_service.cli import app
from gis_service.database import Database
from grid_boundaries.errors import Refused
from tests.county import TOWNS
from tests.gis_service.test_block_cutting import run
from tests.serving import sqlalchemy_url


@pytest.fixture
def rows(county_database: Database) -> Iterator[Connection]:
    """A connection to a county whose blocks were taken away; it sees every row."""
    run(
        county_database, "delete from grid_block", "delete from block_count", "delete from block",
        "update household set block_id = null",
    )  # fmt: skip
    engine = create_engine(sqlalchemy_url(county_database.url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("select set_config('gis.scope', '/', false)"))
        yield connection
    engine.dispose()


@pytest.fixture(autouse=True)
def environment(county_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_DATABASE_URL", county_database.url)
    monkeypatch.setenv("GIS_DATA_DIR", str(tmp_path))


def called(*words: str) -> Result:
    return CliRunner().invoke(app, ["cut-blocks", *words])


def blocks(rows: Connection) -> int:
    return int(rows.execute(text("select count(*) from block")).scalar_one())


def test_a_preview_shows_what_would_be_cut_and_writes_nothing(rows: Connection) -> None:
    shown = called("--preview", "--most-people", "8")
    assert shown.exit_code == 0, shown.output
    assert "图斑 blocks" in shown.output
    assert "64 人 people" in shown.output
    assert "已写入" not in shown.output
    assert blocks(rows) == 0


def test_blocks_are_cut_and_told(rows: Connection) -> None:
    shown = called("--most-people", "8")
    assert shown.exit_code == 0, shown.output
    assert f"{blocks(rows)} 图斑 blocks" in shown.output
    assert "已写入 written" in shown.output
    facts = rows.execute(text("select facts from county")).scalar_one()
    assert [cut["most_people_per_block"] for cut in facts["blocks_cut"]] == [8.0]


def test_blocks_that_stay_crowded_are_said(rows: Connection) -> None:
    assert "16 个图斑仍超过上限" in called("--preview", "--most-people", "3").output


def test_one_town_alone_is_cut(rows: Connection) -> None:
    assert called("--unit", TOWNS[0]).exit_code == 0
    paths = rows.execute(text("select distinct unit_path from block")).scalars().all()
    assert paths
    assert all(f"/{TOWNS[0]}/" in path for path in paths)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--most-people", "0"), "field"), (("--most-people", "nan"), "not-a-number"),
        (("--unit", "610999109"), "no-such-unit"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_refused(rows: Connection, words: list[str], code: str) -> None:
    refused = called(*words).exception
    assert isinstance(refused, Refused)
    assert code in refused.code
    assert blocks(rows) == 0


def test_a_county_with_blocks_is_refused(county_database: Database) -> None:
    refused = called().exception
    assert isinstance(refused, Refused)
    assert refused.code == "blocks-exist"
