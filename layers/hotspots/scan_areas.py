"""Clusters of the scan statistic as areas: circles of a window, and of the last weeks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from grid_boundaries.errors import TooLarge
from layers.hotspots.areas import Answer, Area
from layers.hotspots.findings import Reason, Window, too_thin
from layers.hotspots.lookout import Lookout
from layers.hotspots.scan import Cluster, scan
from layers.hotspots.sentences import scan_sentences

METHOD = "scan"
LEVEL = 0.05
LARGEST_SHARE = 0.1
"""Of the residents, or of the incidents, that a circle may hold: what one team can look after."""

REPEATS = 999
SEED = 26
MOST_CELLS = 2_000
WEEKS = 26
"""History of the prospective scan; a span is at most this divided by `SPANS_IN_HISTORY`."""

LONGEST_WEEKS = 8


def scan_answer(look: Lookout, lasting: list[Area] | None = None) -> Answer:
    """Return the clusters of a window, and those of the last weeks that are still going on.

    Parameters
    ----------
    lasting
        As `lasting_clusters` gives them, where known: they are the same for every window.

    Raises
    ------
    TooLarge
        More than `MOST_CELLS` cells.
    """
    _refuse_many(look)
    counts = look.counts()
    compared, people = _compared(look, counts)
    reason = too_thin(int(compared.sum()), int(np.count_nonzero(people)))
    areas = [] if reason is not None else _all_clusters(look, compared, people, lasting)
    facts = look.facts(
        METHOD, reason, level=LEVEL, set_aside=int(counts.sum() - compared.sum()), repeats=REPEATS,
        seed=SEED, largest_share=LARGEST_SHARE, weeks=WEEKS,
    )  # fmt: skip
    return Answer("scan", look.cells, look.window, facts, areas, counts)


def _all_clusters(
    look: Lookout,
    compared: NDArray[np.int64],
    people: NDArray[np.float64],
    lasting: list[Area] | None,
) -> list[Area]:
    more = lasting_clusters(look) if lasting is None else lasting
    return [*_clusters(look, compared, people), *more]


def lasting_clusters(look: Lookout) -> list[Area]:
    """Return the clusters in space and time that reach to the last week, by permutation.

    Each place is held against its own share of all incidents, each week against the county's:
    what is always or everywhere high is no finding. Empty where there are too few incidents.
    """
    _refuse_many(look)
    counts = look.by_week(WEEKS)
    if _few(counts) is not None:
        return []
    found = scan(
        counts, None, _middles(look), model="permutation", largest_share=LARGEST_SHARE,
        windows=(1, LONGEST_WEEKS), prospective=True, repeats=REPEATS, seed=SEED,
    )  # fmt: skip
    return [_area(look, cluster, number, weeks=WEEKS) for number, cluster in _sure(found)]


def _few(counts: NDArray[np.int64]) -> Reason | None:
    return too_thin(int(counts.sum()), len(counts))


def _clusters(
    look: Lookout, compared: NDArray[np.int64], people: NDArray[np.float64]
) -> list[Area]:
    found = scan(
        compared, people, _middles(look), model="poisson", largest_share=LARGEST_SHARE,
        repeats=REPEATS, seed=SEED,
    )  # fmt: skip
    return [_area(look, cluster, number) for number, cluster in _sure(found)]


def _sure(found: list[Cluster]) -> list[tuple[int, Cluster]]:
    """Return the clusters that pass, numbered from 1."""
    return list(enumerate((one for one in found if one.p <= LEVEL), start=1))


def _compared(
    look: Lookout, counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts where somebody lives, and residents; all cells alike where none are known."""
    if not look.has_base:
        return counts, np.ones(counts.size)
    people = look.cells.people.astype(np.float64)
    return np.where(people > 0.0, counts, 0), people


def _middles(look: Lookout) -> NDArray[np.float64]:
    return shapely.get_coordinates(shapely.centroid(look.cells.frame.geometry.to_numpy()))


def _area(look: Lookout, cluster: Cluster, number: int, weeks: int | None = None) -> Area:
    """Return a cluster as an area; with `weeks`, one of a scan over so many."""
    rows = [cluster.centre, *(row for row in cluster.members if row != cluster.centre)]
    days = look.window.days if weeks is None else 7 * (weeks - cluster.start)
    window = Window(look.window.last_day - timedelta(days=days - 1), look.window.last_day)
    place = look.place(rows)
    what = "space" if weeks is None else "space_time"
    more: dict[str, Any] = {
        "over": what, "radius_m": cluster.radius_m, "llr": cluster.llr,
        "relative_risk": cluster.relative_risk, "p_gumbel": cluster.p_gumbel,
    }  # fmt: skip
    if weeks is not None:
        more |= {"weeks": weeks - cluster.start, "recurrence_weeks": cluster.recurrence_steps}
    zh, en = scan_sentences(
        cluster, place["name"], window, look.base if weeks is None else None, weeks
    )
    return Area(
        id=f"scan:{look.cells.kind}:{days if weeks is None else what}:{number}",
        method=METHOD,
        window=window,
        observed=cluster.observed,
        expected=cluster.expected,
        ratio=cluster.ratio,
        # the highest circle of every replica was looked at: p holds for the whole map
        p=cluster.p,
        p_adjusted=cluster.p,
        zh=zh,
        en=en,
        kinds=look.kinds(rows, days=days),
        phase=None if weeks is None else "new",
        more=more,
        **place,
    )


def _refuse_many(look: Lookout) -> None:
    if len(look.cells.frame) > MOST_CELLS:
        raise TooLarge(
            "scan-cells",
            f"扫描统计最多 {MOST_CELLS} 个单元；请改用网格或村",
            f"a scan takes at most {MOST_CELLS} cells; ask for grids or villages",
            cells=len(look.cells.frame),
        )
