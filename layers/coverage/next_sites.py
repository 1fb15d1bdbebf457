"""Next sites: which new views add most to what standing cameras see, with what nothing can beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from grid_boundaries.errors import TooLarge
from layers.coverage.sightings import sightings
from layers.coverage.siting import best_sites
from layers.coverage.visibility import visible_areas

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
SAME_POST_M = 1.0
"""A camera no farther from a post hangs on it and takes up room."""
MOST_PAIRS = 20_000_000
VIEWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Standing:
    """Cameras that stand already.

    Parameters
    ----------
    points
        Where.
    sees
        Cameras by demands; a camera off line has an empty row.
    """

    points: GeoSeries
    sees: csr_array


@dataclass(frozen=True)
class NextSites:
    """Chosen views and what they are worth.

    Parameters
    ----------
    chosen
        Numbers of the candidates, the one that adds most first.
    adds
        What each adds to those before it.
    before, after, bound
        Weight seen without them, with them, and with any other choice at most.
    """

    chosen: Whole
    adds: Floats
    before: float
    after: float
    bound: float


@dataclass(frozen=True)
class Offer:
    """What new cameras are chosen from, beside those that stand.

    Parameters
    ----------
    sees
        Candidates by demands.
    posts
        The number of the post of each candidate, 0 or more.
    at
        The posts, by number.
    per_post
        Cameras on one post at most, with those that stand on it.
    """

    sees: csr_array
    posts: NDArray[np.integer]
    at: GeoSeries
    standing: Standing
    per_post: int


def next_sites(offer: Offer, weights: Floats, sites: int, *, within_s: float) -> NextSites:
    """Return the views that add the greatest weight to what the standing cameras see.

    Parameters
    ----------
    weights
        Of each demand.
    sites
        New views at most; fewer where more add nothing.
    within_s
        Seconds for the choice.
    """
    old = np.arange(len(offer.standing.points))
    covers = csr_array(vstack([offer.standing.sees, offer.sees], format="csr"))
    post = np.concatenate([_posts_of(offer.standing.points, offer.at), offer.posts])
    found = best_sites(
        covers,
        weights,
        min(sites, offer.sees.shape[0]),
        fixed=old,
        per_post=(post, offer.per_post),
        within_s=within_s,
    )
    seen = _is_seen(covers, old)
    left = np.where(seen, 0.0, weights)
    chosen, adds = _in_turn(offer.sees, found.chosen[len(old) :] - len(old), left)
    before = float(weights[seen].sum())
    return NextSites(chosen, adds, before, float(found.value), float(found.bound))


def views_of(candidates: GeoDataFrame, buildings: GeoSeries) -> GeoSeries:
    """Return what each candidate would see; one that stands in a house sees nothing."""
    if candidates.empty:
        return GeoSeries([], crs=candidates.crs)
    return visible_areas(candidates, buildings)


def sees_of(views: GeoSeries, demands: GeoSeries, *, most_pairs: int = MOST_PAIRS) -> csr_array:
    """Return which view sees which demand, as `sightings`, also of none.

    Raises
    ------
    TooLarge
        There are more sightings than `most_pairs`, which would not fit into memory.
    """
    parts = [csr_array((0, len(demands)))]
    left = most_pairs
    for first in range(0, len(views), VIEWS_AT_ONCE):  # all at once could take all memory
        part = sightings(GeoSeries(views.iloc[first : first + VIEWS_AT_ONCE]), demands)
        left -= part.nnz
        if left < 0:
            raise TooLarge(
                "too-many-sightings",
                f"候选视域与需求点的组合超过 {most_pairs} 对；请缩小单位、缩短距离或加大格距",
                f"Candidate views see over {most_pairs} points in all; take a smaller unit,"
                " a shorter range or larger cells",
                limit=most_pairs,
            )
        parts.append(part)
    return csr_array(vstack(parts, format="csr"))


def _is_seen(covers: csr_array, rows: Whole) -> Flags:
    seen = np.zeros(covers.shape[1], dtype=np.bool_)
    seen[covers[rows].indices] = True
    return seen


def _posts_of(points: GeoSeries, at: GeoSeries) -> Whole:
    """Return the post that each camera hangs on; a number of its own where on none."""
    post: Whole = len(at) + np.arange(len(points))
    if len(at) and len(points):
        camera, near = shapely.STRtree(at.to_numpy()).query_nearest(
            points.to_numpy(), max_distance=SAME_POST_M, all_matches=False
        )
        post[camera] = near
    return post


def _in_turn(sees: csr_array, chosen: Whole, left: Floats) -> tuple[Whole, Floats]:
    """Return sites with what each adds to those before it, always the one that adds most next."""
    rows, left = csr_array(sees[chosen]), left.copy()
    order, adds = [], []
    waiting = np.ones(len(chosen), dtype=np.bool_)
    for _ in range(len(chosen)):  # what one adds depends on those before it
        gains = np.where(waiting, rows @ left, -1.0)
        best = int(np.argmax(gains))
        order.append(best)
        adds.append(float(gains[best]))
        waiting[best] = False
        left[rows.indices[rows.indptr[best] : rows.indptr[best + 1]]] = 0.0
    return chosen[np.array(order, dtype=np.int64)], np.array(adds, dtype=np.float64)
