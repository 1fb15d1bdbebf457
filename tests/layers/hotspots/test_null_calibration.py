"""Short form of docs/calibration.md: every test is as rarely wrong on pure chance as it says.

Seeds are fixed, so a failure is a change of the code and never bad luck.
"""

from __future__ import annotations

import numpy as np
import pytest

from bench.calibration import (
    Row,
    knox_rows,
    page,
    replay_row,
    scan_rows,
    trend_rows,
)
from bench.power import Power, known_size, power


def as_table(rows: list[Row]) -> dict[str, tuple[float, float, bool]]:
    """What was seen, its error and whether it holds, by name."""
    return {row.name: (row.share, row.error, row.holds) for row in rows}


def test_scans_of_pure_chance_are_significant_as_often_as_stated() -> None:
    table = as_table(list(scan_rows(120, repeats=99)))
    assert len(table) == 7
    assert all(holds for _, _, holds in table.values()), table


def test_knox_tables_of_pure_chance_are_significant_no_oftener_than_stated() -> None:
    table = as_table(list(knox_rows(100, repeats=99)))
    assert all(holds for _, _, holds in table.values()), table


def test_series_without_a_trend_are_significant_no_oftener_than_stated() -> None:
    table = as_table(list(trend_rows(4_000)))
    assert all(holds for _, _, holds in table.values()), table
    # long series use the five percent up
    assert table["Mann-Kendall: 30 steps"][0] >= 0.04


def test_a_replay_of_null_days_signals_as_often_as_its_recurrence_interval_says() -> None:
    row = replay_row(4, days=120, repeats=364)
    assert row.trials == 480
    assert row.holds, row


def test_a_planted_cluster_is_found_with_its_grids() -> None:
    found = power(3.0, 12, repeats=99)
    assert found.found == 1.0
    assert found.sensitivity >= 0.85
    assert found.precision >= 0.80


def test_a_scan_that_knows_the_size_finds_it_too_and_seldom_what_is_not_there() -> None:
    assert known_size(3.0, 6, repeats=59) == 1.0
    assert known_size(1.0, 40, repeats=59) <= 0.05 + 3 * (0.05 * 0.95 / 40) ** 0.5


@pytest.mark.parametrize(
    ("share", "exact", "holds"),
    [
        (0.05, True, True),
        (0.079, True, True),
        (0.081, True, False),
        (0.021, True, True),
        (0.019, True, False),
        (0.0, False, True),
        (0.081, False, False),
    ],
)
def test_a_row_holds_within_three_standard_errors(share: float, exact: bool, holds: bool) -> None:
    assert Row("x", 100, 0.05, share, 0.01, exact).holds == holds


def test_the_page_shows_what_was_measured() -> None:
    row = Row("scan: some", 1_000, 0.05, 0.0512, 0.0069, exact=True)
    bad = Row("Knox: some", 10, 0.05, 0.9, 0.01, exact=False)
    kinds = [
        Row(f"{name} | {rate}", 4, 0.05, 0.04, 0.001, False) for rate in (1, 5) for name in "ab"
    ]
    text = page([row, bad], [Power(2.0, 0.9, 0.8, 0.7)], 0.912, [(one, one) for one in kinds])
    assert "the\nfive nearest grids round each, finds 0.91.\n" in text
    assert "| scan: some | 1,000 | 5.00% | 5.12% ± 0.69% | yes |" in text
    assert "| Knox: some | 10 | ≤ 5.00% | 90.00% ± 1.00% | **no** |" in text
    assert "| 2 | 0.900 | 0.800 | 0.700 |" in text
    order = [text.index(f"| {name} | {rate} |") for name in "ab" for rate in (1, 5)]
    assert order == sorted(order)


def test_the_same_seed_gives_the_same_row() -> None:
    first, second = (list(trend_rows(50)) for _ in range(2))
    assert first == second
    assert np.isfinite([row.share for row in first]).all()
