"""The camera programme: sites, bearings and states, with planted faults and planted gaps."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gis_service.demo.adjacency import totals
from gis_service.demo.kit import roadside
from gis_service.demo.lines import Lines
from gis_service.demo.living import Living
from gis_service.demo.raster import Flags, Floats, Ints
from gis_service.demo.stored import DIGITS
from grid_boundaries.crs import gcj02_from_wgs84

STATES = ("networked", "built", "building", "planned", "out_of_service")
FAULTS = (("inside_building", 12), ("moved", 12), ("gcj02", 6), ("far_away", 6))
BUILDERS = ("安讯工程公司", "秦网通信公司", "云视科技公司")
ASSUMED = ("view_angle_deg", "range_m", "height_m")
UNSEEN_PLACES = 12
UNSEEN_GRIDS = 10
CLEAR_M = 170.0  # no camera stands nearer to what is planted as unseen


def camera_frames(
    living: Living,
    places: pd.DataFrame,
    place_xy: Floats,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the cameras, and the truth about misplaced ones, unseen places and unseen grids."""
    unseen = _unseen_places(places, place_xy, rng)
    bare = _bare_grids(living, rng)
    at, azimuth = _sites(living, places, place_xy, unseen, bare, rng)
    frame = _properties(living, azimuth, rng)
    shown, truth = _faults(living, at, rng)
    frame.insert(2, "geom", shown)
    frame["stated_code"] = _grids_at(living, at)
    truth["camera_id"] = frame["id"].to_numpy()[truth.pop("row").to_numpy()]
    return frame, {
        "misplaced_camera": truth[["camera_id", "fault", "lon", "lat"]],
        "unseen_place": pd.DataFrame({"place_id": places["id"].to_numpy()[unseen]}),
        "unseen_grid": pd.DataFrame({"grid_code": living.grid_code[bare]}),
    }


def _unseen_places(places: pd.DataFrame, place_xy: Floats, rng: np.random.Generator) -> Ints:
    # far apart, so that one gap does not empty the town round another
    key = rng.permutation(np.flatnonzero(places["is_key"].to_numpy()))
    chosen: list[int] = []
    for row in key.tolist():
        away = np.hypot(*(place_xy[chosen] - place_xy[row]).T) if chosen else np.array([np.inf])
        if away.min() > 600.0 and len(chosen) < UNSEEN_PLACES:
            chosen.append(row)
    return np.sort(np.array(chosen, dtype=np.int64))


def _bare_grids(living: Living, rng: np.random.Generator) -> Ints:
    grids = living.parting.grids
    lived = totals(living.house_grid, living.residents.astype(float), len(grids)) > 60
    fit = np.flatnonzero((grids["setting"] == "village").to_numpy() & lived)
    return np.sort(rng.choice(fit, min(UNSEEN_GRIDS, len(fit)), replace=False))


def _sites(
    living: Living,
    places: pd.DataFrame,
    place_xy: Floats,
    unseen: Ints,
    bare: Ints,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    count = living.size.cameras
    weights = {"street": 22.0, "trunk": 1.2, "primary": 0.9, "secondary": 0.6, "lane": 0.7}
    at, along = roadside(living, 4 * count, rng, weights)
    at, along = _near_houses(living, at, along, rng)
    key = np.setdiff1d(np.flatnonzero(places["is_key"].to_numpy()), unseen)
    watch = np.repeat(place_xy[key], 2, axis=0)
    spot = watch + rng.normal(0.0, 9.0, watch.shape)
    at, along = np.concatenate([spot, at]), np.concatenate([watch - spot, along])
    kept = _outside(living, at)
    kept &= cKDTree(place_xy[unseen]).query(at)[0] > CLEAR_M
    kept &= _away_from_grids(living, at, bare)
    row = np.flatnonzero(kept)[:count]
    azimuth = np.degrees(np.arctan2(along[row, 0], along[row, 1]))
    turned = np.where(row < len(spot), 0.0, rng.choice([0.0, 180.0, 25.0, -25.0], len(row)))
    return at[row], (azimuth + turned + rng.normal(0, 4, len(row))) % 360.0


def _near_houses(
    living: Living, at: Floats, along: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    # most cameras watch where people live; a few watch the open road
    away = cKDTree(living.house_xy).query(at)[0]
    kept = (away < 45.0) | (rng.random(len(at)) < 0.12)
    order = rng.permutation(np.flatnonzero(kept))
    return at[order], along[order]


def _outside(living: Living, at: Floats) -> Flags:
    tree = shapely.STRtree(living.houses["geom"].to_numpy())
    hit = tree.query(shapely.points(at), predicate="dwithin", distance=0.3)[0]
    outside = np.ones(len(at), dtype=bool)
    outside[hit] = False
    return outside


def _away_from_grids(living: Living, at: Floats, bare: Ints) -> Flags:
    blocks = living.plan.blocks["geom"].to_numpy()
    there = shapely.union_all(blocks[np.isin(living.parting.grid, bare)])
    near = there.buffer(CLEAR_M)
    shapely.prepare(near)
    return ~shapely.intersects_xy(near, at)


def _properties(living: Living, azimuth: Floats, rng: np.random.Generator) -> pd.DataFrame:
    count = len(azimuth)
    kind = rng.choice(["fixed", "ptz", "dome"], count, p=[0.62, 0.16, 0.22])
    serial = np.arange(1, count + 1)
    types = np.where(kind == "fixed", "131", "132")
    codes = [f"{living.plan.site.code}0000{t}0{n:06d}" for n, t in zip(serial, types, strict=True)]
    frame = pd.DataFrame(
        {
            "id": [f"V{n:05d}" for n in serial],
            "name": [f"视频点位{n:05d}" for n in serial],
            "device_code": codes,
            "kind": kind,
            "site_class": rng.choice([1, 2, 3], count, p=[0.2, 0.5, 0.3]),
        }
    )
    view = _views(kind, azimuth, rng)
    progress = _contracted(_progress(living, count, rng))
    return pd.concat([frame, view, progress], axis=1).assign(address=None)


def _views(kind: Lines, azimuth: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return what each camera sees; of some only one of eight directions is known."""
    count = len(azimuth)
    all_round = kind == "dome"
    coarse = (rng.random(count) < 0.25) & ~all_round
    compass = np.round(azimuth / 45.0) * 45.0 % 360.0
    angle = np.where(all_round, 360.0, rng.choice([55.0, 70.0, 90.0], count))
    return pd.DataFrame(
        {
            "azimuth_deg": np.where(
                all_round, 0.0, np.where(coarse, compass, np.round(azimuth, 1) % 360.0)
            ),
            "view_angle_deg": np.where(coarse, 90.0, angle),
            "range_m": np.where(coarse, 80.0, rng.choice([60.0, 80.0, 100.0, 120.0], count)),
            "height_m": np.where(coarse, 4.0, np.round(rng.uniform(3.0, 8.0, count), 1)),
            "azimuth_error_deg": np.where(coarse, 22.5, 0.0),
            "position_error_m": 0.0,
            "assumed": [list(ASSUMED) if c else [] for c in coarse.tolist()],
            "indoor": False,
        }
    )


def _progress(living: Living, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return how far each camera of the building contract is, by whom and until when."""
    state = rng.choice(STATES, count, p=[0.56, 0.12, 0.13, 0.14, 0.05])
    # what stands was due before today; some of what does not is late
    stands = ~np.isin(state, ("planned", "building"))
    days = np.where(stands, -rng.integers(10, 330, count), rng.integers(-40, 220, count))
    return pd.DataFrame(
        {
            "state": state,
            "online": (state == "networked") & (rng.random(count) < 0.94),
            "builder": rng.choice(BUILDERS, count),
            "due": [living.today + timedelta(days=int(d)) for d in days],
        }
    )


def _contracted(progress: pd.DataFrame) -> pd.DataFrame:
    """Return the progress with its contracts; two of five planned cameras are only proposed."""
    serial = np.arange(len(progress))
    proposed = (progress["state"] == "planned").to_numpy() & (serial % 5 < 2)
    builder = progress["builder"].map({name: n for n, name in enumerate(BUILDERS, start=1)})
    contract = "视频建设合同第" + builder.astype(str) + "标段"
    due = progress["due"].astype(object).where(~proposed, None)
    return progress.assign(due=due, contract=contract.astype(object).where(~proposed, None))


def _grids_at(living: Living, at: Floats) -> Lines:
    """Return the grid that each camera was put up in, as its row in the ledger states it."""
    blocks = shapely.STRtree(living.plan.blocks["geom"].to_numpy())
    return np.asarray(living.ground.block_grid[blocks.nearest(shapely.points(at))], dtype=object)


def _faults(living: Living, at: Floats, rng: np.random.Generator) -> tuple[Lines, pd.DataFrame]:
    total = sum(count for _, count in FAULTS)
    rows = np.sort(rng.choice(len(at), total, replace=False))
    fault = rng.permutation(np.repeat([f for f, _ in FAULTS], [c for _, c in FAULTS]))
    moved = at.copy()
    inside, near = rows[fault == "inside_building"], rows[fault == "moved"]
    house = cKDTree(living.house_xy).query(at[inside])[1]
    moved[inside] = living.house_xy[house]
    turn, step = rng.uniform(0, 2 * np.pi, len(near)), rng.uniform(30.0, 80.0, len(near))
    moved[near] += np.column_stack([np.cos(turn), np.sin(turn)]) * step[:, None]
    far = rows[fault == "far_away"]
    moved[far] += np.array([150_000.0, -60_000.0])
    shown = living.at.points(moved)
    # a camera told in the internet maps' coordinates; swapped ones never get past the door
    shifted = rows[fault == "gcj02"]
    true = shapely.get_coordinates(living.at.points(at))
    shown[shifted] = shapely.points(np.round(gcj02_from_wgs84(true[shifted]), DIGITS))
    truth = pd.DataFrame({"row": rows, "fault": fault, "lon": true[rows, 0], "lat": true[rows, 1]})
    return shown, truth
