"""What tests of the service share besides the county: a folder for a cluster."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the database's account can reach."""
    with tempfile.TemporaryDirectory(prefix="gis-cluster-") as path:
        Path(path).chmod(0o755)
        yield Path(path) / "postgres"
