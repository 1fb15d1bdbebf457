"""A Select that leaves the lower floors was narrowed by a View, and only access makes Views."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("grid_boundaries", "layers")
# what narrows: the View's own functions, a layer's `features`, or another narrowed function
NARROWS = frozenset({"narrowed", "within_scope", "all_of", "features"})
# without a row of any unit: a version, a page of a statement already narrowed
FREE = {
    "layers/tiles.py:version_statement": "names of changes, no features",
    "layers/tile_counts.py:_gathered": "sums rows of tile_count, which are narrowed when read",
}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def gives_a_select(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns).startswith("Select")


def called(function: ast.FunctionDef) -> set[str]:
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            target = node.func
            names.add(target.id if isinstance(target, ast.Name) else getattr(target, "attr", ""))
    return names


@cache
def all_functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (f"{path.relative_to(ROOT).as_posix()}:{function.name}", function)
        for floor in FLOORS
        for path in sorted((ROOT / floor).rglob("*.py"))
        for function in functions(path)
    ]


@cache
def selecting() -> list[tuple[str, ast.FunctionDef]]:
    return [(place, one) for place, one in all_functions() if gives_a_select(one)]


@cache
def narrowing_names() -> set[str]:
    """Return what narrows, and every private function that calls one that does."""
    names = set(NARROWS)
    while True:
        private = (one for _, one in all_functions() if one.name.startswith("_"))
        more = {one.name for one in private if called(one) & names} - names
        if not more:
            return names
        names |= more


@pytest.mark.parametrize("place", [place for place, _ in selecting()])
def test_a_function_that_gives_a_select_narrows_it(place: str) -> None:
    function = dict(selecting())[place]
    assert place in FREE or called(function) & narrowing_names(), f"{place} is not narrowed"


def test_the_exceptions_are_still_there() -> None:
    assert set(FREE) <= {place for place, _ in selecting()}


def test_only_access_makes_views_in_the_service() -> None:
    makers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "gis_service").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "View"
    ]
    # a check asks as nobody and as the service itself, to see whether the wall holds
    assert set(makers) <= {
        "gis_service/access.py",
        "gis_service/checks.py",
        "gis_service/loading.py",
    }


def test_no_route_opens_a_connection_of_its_own() -> None:
    for path in sorted((ROOT / "gis_service" / "routes").glob("*.py")):
        if path.name == "asking.py":
            continue
        source = path.read_text(encoding="utf-8")
        assert ".begin()" not in source, path.name
        assert ".connect()" not in source, path.name
