"""The real city, read once a run; tests that want it say so in one line where it is not at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from layers.load.run import LoadReport, load_dataset

ROOT = Path(__file__).parent.parent
DESCRIPTION = ROOT / "gis_service" / "datasets" / "taipei.toml"


def taipei_folder() -> Path:
    """The folder of the city's files, or skip."""
    shared = Path(os.environ.get("GIS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    folder = shared / "taipei"
    if not folder.is_dir():
        pytest.skip("the Taipei files are not at GIS_SHARED_DATA")
    return folder


def taipei() -> LoadReport:
    """The city as frames."""
    return _read(taipei_folder())


@cache
def _read(folder: Path) -> LoadReport:
    return load_dataset(DESCRIPTION, folder)
