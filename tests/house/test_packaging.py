"""What is shipped: every package folder is in the list that the distribution is built from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPS = ("gis_service", "layers", "grid_boundaries", "map_ui")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LISTED = PROJECT["tool"]["setuptools"]["packages"]


def folders(top: str) -> list[str]:
    """Packages below a folder, as they are imported."""
    found = (path.parent for path in (ROOT / top).rglob("__init__.py"))
    return sorted(path.relative_to(ROOT).as_posix().replace("/", ".") for path in found)


@pytest.mark.parametrize("top", TOPS)
def test_every_package_folder_is_shipped(top: str) -> None:
    assert folders(top) == sorted(name for name in LISTED if name.split(".")[0] == top)


def test_no_package_is_listed_twice() -> None:
    assert len(LISTED) == len(set(LISTED))


@pytest.mark.parametrize("top", TOPS)
def test_every_folder_of_modules_is_a_package(top: str) -> None:
    for module in (ROOT / top).rglob("*.py"):
        assert (module.parent / "__init__.py").exists(), module


@pytest.mark.parametrize("name", LISTED)
def test_a_file_beside_the_code_is_shipped_with_it(name: str) -> None:
    folder = ROOT / name.replace(".", "/")
    data = PROJECT["tool"]["setuptools"]["package-data"]
    top = name.split(".")[0]
    patterns = data.get(top, [])
    shipped = {path for pattern in patterns for path in (ROOT / top).glob(pattern)}
    beside = [
        path for path in folder.iterdir() if path.suffix in {".toml", ".csv", ".json", ".mako"}
    ]
    assert set(beside) <= shipped
