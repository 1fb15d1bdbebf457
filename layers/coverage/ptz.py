"""PTZ cameras: what they can reach, what they see now, and what they see how much of the time.

A camera that turns never sees its whole reach at once, so the three stay apart: `reach_areas`,
`now_areas` and `expected_areas`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.checks import refuse_rows
from layers.coverage.visibility import require_cameras, visible_areas

TURN_DEG = 360.0
# a sweep counts as at least so many equal dwells
DWELLS = 24
# directions nearer than this are one direction
SAME_DEG = 1e-9
PAN = ("pan_from_deg", "pan_to_deg")


@dataclass(frozen=True)
class Look:
    """A sector of bearings, clockwise from `from_deg`, and the share of time it is watched."""

    from_deg: float
    width_deg: float
    share: float


def now_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera sees at its present bearing, ``azimuth_deg``.

    As `visible_areas`: a PTZ whose present bearing is not known is refused.
    """
    return visible_areas(cameras, buildings)


def reach_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoSeries:
    """Return the ground that each camera can see at all, turning as far as it may.

    Parameters
    ----------
    cameras
        As in `visible_areas`, with ``ptz``; where that is true also what it may look at:
        ``presets``, a list of (bearing in degrees, share of time), or ``pan_from_deg`` and
        ``pan_to_deg``, bearings of the lens's axis clockwise from one to the other, or neither, and
        it turns all round. Missing columns are as empty ones; others than PTZ stand still.
    buildings
        As in `visible_areas`.

    Returns
    -------
    GeoSeries
        One valid polygon or multipolygon a camera, in the cameras' order and index.

    Raises
    ------
    CoverageRefused
        As in `visible_areas`; presets without finite bearings or whose shares are not positive or
        do not add up to 1; one pan limit without the other.
    """
    arcs = [_joined(_cut(looks)) for looks in _looks(cameras)]
    row, sectors = _sectors(cameras, buildings, arcs)
    views = np.full(len(cameras), shapely.Polygon(), dtype=object)
    for camera, parts in pd.Series(sectors).groupby(row):
        # arcs of one camera meet nowhere but at its place
        views[int(str(camera))] = shapely.union_all(parts.to_numpy())
    return GeoSeries(views, index=cameras.index, crs=cameras.crs)


def expected_areas(cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame) -> GeoDataFrame:
    """Return the ground of each camera's reach by the share of time for which it is seen.

    Between presets the time of turning counts for nothing. Between pan limits the axis is taken to
    sweep evenly, as `DWELLS` equal dwells or more; without limits it turns evenly all round.

    Parameters and errors are those of `reach_areas`.

    Returns
    -------
    GeoDataFrame
        ``camera`` (its index label), ``share`` (over 0 up to 1) and ``geometry``: pieces that tile
        the reach of each camera; empty pieces are left out.
    """
    parts = [_cut(looks) for looks in _looks(cameras)]
    row, sectors = _sectors(cameras, buildings, parts)
    columns = {
        "camera": cameras.index.to_numpy()[row],
        "share": [part.share for some in parts for part in some],
    }
    found = GeoDataFrame(columns, geometry=sectors, crs=cameras.crs)
    return GeoDataFrame(found[~found.is_empty].reset_index(drop=True))


def _sectors(
    cameras: GeoDataFrame, buildings: GeoSeries | GeoDataFrame, parts: Sequence[Sequence[Look]]
) -> tuple[Any, Any]:
    """Return the row of each part's camera and what is seen in the part."""
    row = np.repeat(np.arange(len(parts)), [len(some) for some in parts])
    flat = [part for some in parts for part in some]
    width_deg = np.array([part.width_deg for part in flat], dtype=np.float64)
    turned = cameras.iloc[row].assign(
        azimuth_deg=np.array([part.from_deg for part in flat], dtype=np.float64) + width_deg / 2,
        view_angle_deg=width_deg,
    )
    return row, visible_areas(GeoDataFrame(turned), buildings).to_numpy()


def _looks(cameras: GeoDataFrame) -> list[list[Look]]:
    """Return what each camera looks at over time."""
    turns = _column(cameras, "ptz", False).astype(bool)
    require_cameras(cameras, bearing_unknown=turns)
    presets, low, high = (_column(cameras, name, None) for name in ("presets", *PAN))
    _require_turning(cameras, turns, presets, low, high)
    angle_deg = cameras["view_angle_deg"].to_numpy(dtype=np.float64)
    azimuth_deg = cameras["azimuth_deg"].to_numpy(dtype=np.float64)
    # lists of presets differ in length, so a camera at a time
    return [
        _looks_of(angle_deg[row], presets[row], low[row], high[row])
        if turns[row]
        else [_centred(np.nan_to_num(azimuth_deg[row]), angle_deg[row], 1.0)]
        for row in range(len(cameras))
    ]


def _looks_of(angle_deg: float, presets: Any, low_deg: Any, high_deg: Any) -> list[Look]:
    if _is_told(presets):
        return [_centred(bearing_deg, angle_deg, share) for bearing_deg, share in presets]
    if not _is_told(low_deg):
        return [Look(0.0, TURN_DEG, min(angle_deg / TURN_DEG, 1.0))]
    sweep_deg = (high_deg - low_deg) % TURN_DEG
    # at least two dwells to a view, so that none leaves a gap to the next
    dwells = max(DWELLS, int(np.ceil(2 * sweep_deg / angle_deg)))
    return [
        _centred(low_deg + sweep_deg * number / (dwells - 1), angle_deg, 1 / dwells)
        for number in range(dwells)
    ]


def _centred(bearing_deg: float, angle_deg: float, share: float) -> Look:
    if angle_deg >= TURN_DEG:
        return Look(0.0, TURN_DEG, share)
    return Look((bearing_deg - angle_deg / 2) % TURN_DEG, angle_deg, share)


def _cut(looks: Sequence[Look]) -> list[Look]:
    """Return the looks cut where any of them begins or ends, with their shares added up."""
    start = np.array([look.from_deg for look in looks])
    width, share = (
        np.array([getattr(look, name) for look in looks]) for name in ("width_deg", "share")
    )
    cuts = np.sort(np.mod(np.concatenate([start, start + width]), TURN_DEG))
    cuts = cuts[np.r_[True, np.diff(cuts) > SAME_DEG]]
    gap = np.diff(np.r_[cuts, cuts[0] + TURN_DEG])
    cuts, gap = cuts[gap > SAME_DEG], gap[gap > SAME_DEG]
    within = np.mod(cuts[:, None] + gap[:, None] / 2 - start, TURN_DEG) < width
    watched = within @ share
    return [
        Look(float(low), float(wide), min(float(total), 1.0))
        for low, wide, total in zip(cuts, gap, watched, strict=True)
        if total > 0
    ]


def _joined(parts: Sequence[Look]) -> list[Look]:
    """Return the looks that follow on each other as one, whatever their shares."""
    joined: list[Look] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last and abs(last.from_deg + last.width_deg - part.from_deg) < SAME_DEG:
            joined[-1] = Look(last.from_deg, last.width_deg + part.width_deg, 1.0)
        else:
            joined.append(part)
    return _round_the_turn(joined)


def _round_the_turn(joined: list[Look]) -> list[Look]:
    first, last = joined[0], joined[-1]
    if sum(look.width_deg for look in joined) >= TURN_DEG - SAME_DEG:
        return [Look(0.0, TURN_DEG, 1.0)]
    if (
        len(joined) > 1
        and abs(last.from_deg + last.width_deg - TURN_DEG - first.from_deg) < SAME_DEG
    ):
        return [*joined[1:-1], Look(last.from_deg, last.width_deg + first.width_deg, 1.0)]
    return joined


def _column(cameras: GeoDataFrame, name: str, absent: Any) -> Any:
    if name not in cameras.columns:
        return np.full(len(cameras), absent, dtype=object)
    return cameras[name].to_numpy(dtype=object)


def _is_told(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or not (value is None or pd.isna(value))


def _require_turning(cameras: GeoDataFrame, turns: Any, presets: Any, low: Any, high: Any) -> None:
    wrong = np.array([_is_told(some) and not _are_presets(some) for some in presets], dtype=bool)
    refuse_rows(
        turns & wrong,
        cameras,
        "presets-not-shares",
        "预置位须为（方位角，时间占比）的列表，占比为正且合计为 1",
        "presets must be (bearing, share of time) pairs with positive shares that add up to 1",
    )
    lone = np.array(
        [_is_told(a) != _is_told(b) for a, b in zip(low, high, strict=True)], dtype=bool
    )
    refuse_rows(
        turns & lone,
        cameras,
        "pan-limit-alone",
        "水平转动范围须同时给出起止方位角",
        "pan limits must both be given, or neither",
    )


def _are_presets(presets: Any) -> bool:
    if not isinstance(presets, (list, tuple)) or not presets:
        return False
    if any(len(preset) != 2 for preset in presets):
        return False
    pairs = np.array(presets, dtype=np.float64)
    shares = pairs[:, 1]
    return bool(np.isfinite(pairs).all() and (shares > 0).all() and abs(shares.sum() - 1) < 1e-6)
