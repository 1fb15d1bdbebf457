"""The settings bound what a file that is sent may hold, each the bound of its name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gis_service.file_limits import file_limits
from gis_service.settings import Settings
from layers.load.limits import Limits

SETTING_OF = {
    "file_bytes": "body_limit_bytes",
    "unzipped_bytes": "unzipped_limit_bytes",
    "unzip_ratio": "unzip_ratio_limit",
    "archive_files": "unzip_files_limit",
    "features": "feature_limit",
    "vertices": "vertex_limit",
    "nesting": "nesting_limit",
    "properties": "property_limit",
    "property_bytes": "property_limit_bytes",
}
OF_THE_READER = {"reader_memory_bytes", "reader_cpu_s", "reader_wall_s"}


@pytest.mark.parametrize(("limit", "setting"), SETTING_OF.items())
def test_a_bound_is_what_its_setting_says_and_moves_no_other(
    limit: str, setting: str, tmp_path: Path
) -> None:
    usual = file_limits(Settings(data_dir=tmp_path))
    set_so = file_limits(Settings.model_validate({"data_dir": tmp_path, setting: 7}))
    assert getattr(set_so, limit) == 7
    others = {one.name for one in fields(Limits)} - {limit}
    assert all(getattr(set_so, name) == getattr(usual, name) for name in others)


def test_a_file_is_read_within_the_bounds_that_are_usual(tmp_path: Path) -> None:
    assert file_limits(Settings(data_dir=tmp_path)) == Limits()


def test_every_bound_on_a_file_has_a_setting() -> None:
    assert {one.name for one in fields(Limits)} == SETTING_OF.keys() | OF_THE_READER
