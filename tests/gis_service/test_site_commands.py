"""Next sites and service posts from the command line: a table, JSON, points on a map."""

from __future__ import annotations

import io
import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from rich.console import Console

from gis_service.counties import Progress
from gis_service.database import Database
from gis_service.settings import Settings
from gis_service.site_report import (
    asked_by,
    found_posts,
    found_sites,
    show_posts,
    show_sites,
    written,
)
from gis_service.site_requests import NextSitesAsked, ServicePostsAsked
from grid_boundaries.errors import NotFound, Refused
from tests.county import TOWNS, VILLAGES
from tests.gis_service.test_cli import assert_refused, gis_service
from tests.serving import settings_of

ROUND = {"range_m": 250.0, "field_of_view_deg": 360.0}
ROUND_WORDS = ("--range", "250", "--angle", "360")


@pytest.fixture
def settings(reading_database: Database, tmp_path: Path) -> Settings:
    return settings_of(reading_database, tmp_path)


def run(database: Database, folder: Path, *words: str) -> CompletedProcess[str]:
    urls = {"database_url": database.url, "database_owner_url": database.owner_url or ""}
    return gis_service(*words, data_dir=folder, **urls)


def steps() -> tuple[list[tuple[str, int, int]], Progress]:
    told: list[tuple[str, int, int]] = []
    return told, lambda *step: told.append(step)


def shown(show: Any, answer: Any) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    show(console, answer)
    return console.export_text()


# ------------------------------------------------------------------ in this process


def test_sites_of_a_village_with_steps_on_the_way(
    reading_database: Database, settings: Settings
) -> None:
    told, progress = steps()
    asked = asked_by(NextSitesAsked, unit=VILLAGES[0], sites=2, **ROUND)
    found = found_sites(reading_database, settings, asked, progress)
    assert (found["value"], found["total"], len(found["sites"])) == (8.0, 16.0, 2)
    assert [in_all for _, _, in_all in told] == [100] * 5
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    text = shown(show_sites, found)
    for words in ("立杆", "已证明", "Proven", "0 → 8 / 16", "未计地形", "Terrain is not counted"):
        assert words in text


def test_posts_of_a_town(reading_database: Database, settings: Settings) -> None:
    _, progress = steps()
    asked = asked_by(ServicePostsAsked, goal="nearest", sites=2, unit=TOWNS[0])
    found = found_posts(reading_database, settings, asked, progress)
    assert (found["people"], found["people_unreached"]) == (32.0, 32.0)
    text = shown(show_posts, found)
    for words in ("minutes_mean", "无路可达", "people unreached", "4.5 km/h"):
        assert words in text


def test_what_is_written_can_be_read(reading_database: Database, settings: Settings) -> None:
    asked = asked_by(NextSitesAsked, unit=VILLAGES[0], sites=2, **ROUND)
    found = found_sites(reading_database, settings, asked, steps()[1])
    assert json.loads(written(found, "sites", "json"))["value"] == 8.0
    features = json.loads(written(found, "sites", "geojson"))["features"]
    assert [one["properties"]["number"] for one in features] == [1, 2]


def test_options_that_are_not_given_keep_what_is_usual() -> None:
    asked = asked_by(NextSitesAsked, sites=2, unit=None, at=None, range_m=None)
    assert (asked.unit, asked.at, asked.range_m, asked.per_post) == (None, ["poles"], 50.0, 2)


@pytest.mark.parametrize(
    "options", [{}, {"sites": 0}, {"sites": 1, "target_share": 0.5}, {"sites": 1, "at": ["moon"]}]
)
def test_options_out_of_bounds_are_refused(options: Any) -> None:
    with pytest.raises(Refused) as caught:
        asked_by(NextSitesAsked, **options)
    assert caught.value.code == "bad-field"


def test_a_unit_that_is_not_there_is_refused(
    reading_database: Database, settings: Settings
) -> None:
    with pytest.raises(NotFound):
        asked = asked_by(NextSitesAsked, unit="nowhere", sites=1)
        found_sites(reading_database, settings, asked, steps()[1])
    with pytest.raises(NotFound):
        posts = asked_by(ServicePostsAsked, unit="nowhere", goal="worst", sites=1)
        found_posts(reading_database, settings, posts, steps()[1])


# ------------------------------------------------------------------ as a person types it


def test_a_person_gets_a_table_of_sites(reading_database: Database, tmp_path: Path) -> None:
    words = ("next-sites", "--unit", VILLAGES[0], "--sites", "2", *ROUND_WORDS)
    done = run(reading_database, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "立杆" in done.stdout
    assert "Proven" in done.stdout


def test_a_program_gets_json_alone(reading_database: Database, tmp_path: Path) -> None:
    words = ("next-sites", "--share", "0.5", "--unit", VILLAGES[0], *ROUND_WORDS)
    done = run(reading_database, tmp_path, *words, "--format", "json")
    assert json.loads(done.stdout)["least_sites"] == 2
    points = run(
        reading_database, tmp_path, "posts", "worst", "--sites", "1", "--format", "geojson"
    )
    assert json.loads(points.stdout) == {"type": "FeatureCollection", "features": []}


def test_what_cannot_be_asked_is_one_sentence(reading_database: Database, tmp_path: Path) -> None:
    done = run(reading_database, tmp_path, "next-sites")
    assert_refused(done, "须且只能给一个", "give one of sites")
    done = run(reading_database, tmp_path, "posts", "all")
    assert_refused(done, "须给出 limit_minutes", "needs limit_minutes")
    done = run(reading_database, tmp_path, "next-sites", "--sites", "1", "--unit", "nowhere")
    assert_refused(done, "没有这个单位", "There is no such unit")
