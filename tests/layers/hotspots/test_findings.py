"""Findings: what is called hot, what is only counted, and what is said."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from grid_boundaries.errors import Refused
from layers.hotspots.findings import Base, Findings, Window, hotspots, neighbourhood_sizes
from layers.hotspots.gi_star import gi_star
from tests.layers.hotspots.maps import hex_board, with_self

QUARTER = Window(date(2026, 8, 24), date(2026, 11, 21))
BOARD = hex_board(12)
CENTRE = 6 * 12 + 6


def planted() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """One incident a cell on average, and nine more in each cell of one neighbourhood."""
    counts = np.random.default_rng(1).poisson(1.0, 144)
    counts[with_self(BOARD)[CENTRE]] += 9
    return counts


def test_a_planted_neighbourhood_is_hot_and_far_cells_are_not() -> None:
    cells = hotspots(planted(), BOARD, window=QUARTER).cells
    assert cells["hot"][CENTRE]
    near = with_self(BOARD).astype(int)
    reach = (near @ near)[CENTRE] > 0
    assert not cells["hot"][~reach].any()


def test_the_figures_are_those_of_gi_star() -> None:
    cells = hotspots(planted(), BOARD, window=QUARTER).cells
    assert cells[["z", "p", "p_adjusted"]].equals(gi_star(planted(), BOARD))
    np.testing.assert_array_equal(cells["observed"], with_self(BOARD) @ planted())
    np.testing.assert_allclose(cells["ratio"], cells["observed"] / cells["expected"])
    np.testing.assert_array_equal(cells["count"], planted())
    assert (cells["hot"] == (cells["p_adjusted"] <= 0.05)).all()


def test_every_hot_cell_and_no_other_has_its_sentence_in_both_languages() -> None:
    cells = hotspots(planted(), BOARD, window=QUARTER).cells
    assert cells["hot"].any()
    for language in ("zh", "en"):
        assert ((cells[language] != "") == cells["hot"]).all()


def test_the_sentence_says_window_members_observed_expected_ratio_and_chance() -> None:
    row = hotspots(planted(), BOARD, window=QUARTER).cells.loc[CENTRE]
    assert row["zh"] == (
        f"2026-08-24 至 2026-11-21（90 天），本单元及相邻 6 个单元共 {row['observed']} 起，"
        f"若随机分布应约 {row['expected']:.1f} 起，为 {row['ratio']:.1f} 倍；"
        "偶然达到的概率小于 0.0001，多重检验校正后小于 0.0001。"
    )
    assert row["en"] == (
        f"2026-08-24 to 2026-11-21 (90 days): {row['observed']} incidents in this cell and "
        f"6 neighbours, about {row['expected']:.1f} expected if placed by chance, "
        f"{row['ratio']:.1f} times as many; chance of this under 0.0001, "
        "under 0.0001 after correction for many tests."
    )


def test_the_base_is_named_and_a_chance_that_can_be_read_is_printed() -> None:
    counts = np.full(144, 3)
    counts[CENTRE] = 27
    found = hotspots(counts, BOARD, window=QUARTER, base=Base(np.ones(144), "户数", "households"))
    row = found.cells.loc[CENTRE]
    assert found.base == "households"
    assert "按户数应约" in row["zh"]
    assert "expected for its households" in row["en"]
    assert f"多重检验校正后为 {row['p_adjusted']:.4f}。" in row["zh"]
    assert f", {row['p_adjusted']:.4f} after correction" in row["en"]


def test_an_expectation_under_one_is_not_printed_as_nothing() -> None:
    residents = np.full(144, 1000.0)
    residents[with_self(BOARD)[CENTRE]] = 1.0
    counts = np.zeros(144, dtype=np.int64)
    counts[[CENTRE, 0]] = 20, 20
    row = hotspots(counts, BOARD, window=QUARTER, base=Base(residents)).cells.loc[CENTRE]
    assert "按人口应约 0.002 起" in row["zh"]
    assert "about 0.002 expected for its residents" in row["en"]


def test_incidents_that_follow_the_residents_are_hot_as_places_and_not_by_the_base() -> None:
    rng = np.random.default_rng(2)
    residents = np.where(with_self(BOARD)[CENTRE], 900.0, 60.0)
    counts = rng.multinomial(500, residents / residents.sum())
    assert hotspots(counts, BOARD, window=QUARTER).cells["hot"].any()
    by_base = hotspots(counts, BOARD, window=QUARTER, base=Base(residents))
    assert not by_base.cells["hot"].any()


def test_incidents_where_nobody_lives_are_set_aside_and_counted() -> None:
    residents = np.full(144, 50.0)
    residents[:12] = 0.0
    counts = np.ones(144, dtype=np.int64)
    counts[0] = 40
    found = hotspots(counts, BOARD, window=QUARTER, base=Base(residents))
    assert found.set_aside == 51
    assert found.cells["count"].sum() == 183
    assert not found.cells["hot"].any()
    compared = np.where(residents > 0, counts, 0)
    share = with_self(BOARD) @ residents / residents.sum()
    expected_p = stats.binom.sf(with_self(BOARD) @ compared - 1, compared.sum(), share)
    np.testing.assert_allclose(found.cells["p"], expected_p, rtol=1e-9)


def test_a_neighbourhood_without_residents_has_no_ratio_and_is_not_hot() -> None:
    residents = np.zeros(144)
    residents[100:] = 10.0
    found = hotspots(np.full(144, 2), BOARD, window=QUARTER, base=Base(residents))
    assert np.isnan(found.cells["ratio"][0])
    figures = found.cells[["observed", "expected", "z", "p"]].to_numpy()[0]
    assert figures.tolist() == [0.0, 0.0, 0.0, 1.0]


def assert_counts_only(found: Findings, code: str) -> None:
    """No cell is coloured, every tested column is empty, and the reason stands in both."""
    assert found.reason is not None
    assert found.reason.code == code
    assert found.reason.zh
    assert found.reason.en
    assert not found.cells["hot"].any()
    assert found.cells[["expected", "ratio", "z", "p", "p_adjusted"]].isna().all(axis=None)
    assert (found.cells[["zh", "en"]] == "").all(axis=None)


@pytest.mark.parametrize(("incidents", "thin"), [(0, True), (29, True), (30, False)])
def test_under_thirty_incidents_there_are_counts_only(incidents: int, thin: bool) -> None:
    counts = np.zeros(144, dtype=np.int64)
    counts[CENTRE] = incidents
    found = hotspots(counts, BOARD, window=QUARTER)
    assert found.cells["observed"].max() == incidents
    if thin:
        assert_counts_only(found, "few-incidents")
        assert str(incidents) in found.reason.zh if found.reason else False
    else:
        assert found.reason is None


@pytest.mark.parametrize(("side", "thin"), [(1, True), (4, True), (5, False)])
def test_under_twenty_cells_there_are_counts_only(side: int, thin: bool) -> None:
    found = hotspots(np.full(side**2, 50), hex_board(side), window=QUARTER)
    if thin:
        assert_counts_only(found, "few-cells")
    else:
        assert found.reason is None


def test_cells_and_incidents_that_cannot_be_compared_do_not_lift_the_guard() -> None:
    residents = np.zeros(144)
    residents[:19] = 5.0
    few_cells = hotspots(np.full(144, 9), BOARD, window=QUARTER, base=Base(residents))
    assert_counts_only(few_cells, "few-cells")
    counts = np.where(residents > 0, 1, 9)
    few_incidents = hotspots(counts, BOARD, window=QUARTER, base=Base(residents))
    assert_counts_only(few_incidents, "few-incidents")
    assert few_incidents.set_aside == 9 * 125


def test_no_cells_at_all_are_refused() -> None:
    with pytest.raises(Refused):
        hotspots([], hex_board(0), window=QUARTER)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, np.nan])
def test_a_level_that_is_no_rate_is_refused(level: float) -> None:
    with pytest.raises(Refused) as refusal:
        hotspots(planted(), BOARD, window=QUARTER, level=level)
    assert refusal.value.code == "fdr-level"


def test_a_stricter_level_colours_no_more_cells() -> None:
    hot = [
        hotspots(planted(), BOARD, window=QUARTER, level=level).cells["hot"].sum()
        for level in (0.5, 0.05, 1e-3, 1e-9)
    ]
    assert hot == sorted(hot, reverse=True)


def test_a_window_of_one_day_is_one_day() -> None:
    assert Window(date(2026, 3, 1), date(2026, 3, 1)).days == 1
    assert QUARTER.days == 90


def test_a_corner_has_fewer_neighbours_than_the_middle() -> None:
    sizes = neighbourhood_sizes(hex_board(3))
    assert sizes.tolist() == [3, 5, 4, 5, 7, 5, 4, 5, 3]
