"""Benchmarks: run by name, kept as JSON, shown between two markers of the page."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gis_service.benchmarks import (
    BEGIN,
    END,
    benchmark_names,
    machine,
    run_benchmark,
    with_table,
    write_figures,
)
from grid_boundaries.errors import NotFound

CHECKOUT = Path(__file__).parent.parent.parent


def test_the_benchmarks_of_this_checkout_are_found() -> None:
    assert {"assign", "hotspots"} <= set(benchmark_names(CHECKOUT))


def test_every_benchmark_gives_figures() -> None:
    import importlib

    for name in benchmark_names(CHECKOUT):
        assert callable(importlib.import_module(f"bench.{name}").figures)


def test_an_unknown_benchmark_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="assign"):
        run_benchmark(CHECKOUT, "nothing")


def test_figures_are_kept_and_shown(tmp_path: Path) -> None:
    page = write_figures(tmp_path, {"tiles": {"one tile, ms": 1.23456, "note": "a|b"}})
    kept = json.loads((tmp_path / "bench" / "out" / "tiles.json").read_text())
    assert kept == {"machine": machine(), "figures": {"one tile, ms": 1.23456, "note": "a|b"}}
    text = page.read_text()
    assert "| one tile, ms | 1.235 |" in text
    assert "| note | a\\|b |" in text


def test_figures_measured_before_stay_on_the_page(tmp_path: Path) -> None:
    write_figures(tmp_path, {"tiles": {"ms": 1}})
    text = write_figures(tmp_path, {"assign": {"s": 2}}).read_text()
    assert text.index("### assign") < text.index("### tiles")


def test_words_around_the_table_are_left_as_they_are(tmp_path: Path) -> None:
    page = write_figures(tmp_path, {"tiles": {"ms": 1}})
    page.write_text("before\n" + page.read_text() + "after\n")
    again = write_figures(tmp_path, {"tiles": {"ms": 2}}).read_text()
    assert again.startswith("before\n")
    assert again.endswith("after\n")
    assert again.count("### tiles") == 1


def test_a_page_without_markers_gets_them_at_its_end() -> None:
    assert with_table("words\n", "table\n") == f"words\n\n{BEGIN}\ntable\n{END}\n"


def test_the_machine_is_named_by_processor_alone() -> None:
    assert machine().endswith(" cores")
    assert socket.gethostname() not in machine()
