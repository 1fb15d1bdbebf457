"""Tasks: what a picture is good for at which distance, by pixels a metre.

"Covered" means nothing without its task: a person whom one can tell to be there at 100 m can be
recognised at 20 m only. Classes are those of IEC 62676-4:2025 and, for older papers, the four of
IEC 62676-4:2014 (DORI).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geopandas import GeoDataFrame, GeoSeries

from layers.coverage.checks import CoverageRefused, refuse_rows
from layers.coverage.visibility import require_cameras, visible_areas
from layers.coverage.walls import Floats

# wider than this no lens draws straight lines straight: its pixels lie evenly in angle
WIDEST_STRAIGHT_DEG = 120.0


@dataclass(frozen=True)
class Task:
    """A class of a standard: its name and the pixels that a metre at the object must have."""

    name: str
    zh: str
    pixels_per_m: float
    standard: str


IEC_2025 = "IEC 62676-4:2025"
DORI = "IEC 62676-4:2014"
TASKS = {
    task.name: task
    for task in (
        Task("overview", "总览", 20.0, IEC_2025),
        Task("outline", "轮廓", 40.0, IEC_2025),
        Task("discern", "辨别", 80.0, IEC_2025),
        Task("perceive", "察知", 125.0, IEC_2025),
        Task("characterise", "描述", 250.0, IEC_2025),
        Task("validate", "核实", 500.0, IEC_2025),
        Task("scrutinise", "细察", 1500.0, IEC_2025),
        Task("dori-detect", "探测", 25.0, DORI),
        Task("dori-observe", "观察", 62.5, DORI),
        Task("dori-recognise", "识别", 125.0, DORI),
        Task("dori-identify", "辨认", 250.0, DORI),
    )
}


def task_named(name: str) -> Task:
    """Return the task of this name; refuse a name that no standard knows."""
    if name not in TASKS:
        known = ", ".join(TASKS)
        raise CoverageRefused(
            "task-unknown", f"没有任务等级 {name}；可用：{known}", f"no task {name}; one of {known}"
        )
    return TASKS[name]


def task_distance_m(pixels: Floats, view_angle_deg: Floats, task: Task) -> Floats:
    """Return how far a camera reaches the task's density: pixels / (2 · density · tan(θ / 2)).

    That is the distance along the lens's axis; off the axis a straight lens is denser, so a circle
    of this radius errs to the safe side. Over `WIDEST_STRAIGHT_DEG` pixels are taken as even in
    angle: pixels / (density · θ). IEC 62676-4, annex on pixel density.

    Parameters
    ----------
    pixels
        Horizontal pixels of the picture.
    view_angle_deg
        Horizontal field of view, over 0 up to 360.
    task
        Which density is wanted.

    Returns
    -------
    ndarray
        Metres.

    Examples
    --------
    >>> float(task_distance_m(np.array([2560.0]), np.array([90.0]), TASKS["characterise"])[0])
    5.12
    """
    distance_m: Floats = np.round(pixels / (task.pixels_per_m * _width(view_angle_deg)), 9)
    return distance_m


def pixels_per_m(pixels: Floats, view_angle_deg: Floats, distance_m: Floats) -> Floats:
    """Return how many pixels a metre has at a distance: the inverse of `task_distance_m`.

    Examples
    --------
    >>> float(pixels_per_m(np.array([2560.0]), np.array([90.0]), np.array([5.12]))[0])
    250.0
    """
    density: Floats = np.round(pixels / (distance_m * _width(view_angle_deg)), 9)
    return density


def _width(view_angle_deg: Floats) -> Floats:
    """Return how wide a picture is at a distance of 1."""
    angle_rad = np.deg2rad(view_angle_deg)
    straight = np.asarray(view_angle_deg) <= WIDEST_STRAIGHT_DEG
    width: Floats = np.where(
        straight, 2 * np.tan(np.where(straight, angle_rad, 1.0) / 2), angle_rad
    )
    return width


def task_cameras(
    cameras: GeoDataFrame, task: Task, *, assumed_pixels: float | None = None
) -> GeoDataFrame:
    """Return the cameras with ``range_m`` cut to where they serve the task.

    Parameters
    ----------
    cameras
        As in `visible_areas`, with ``pixels`` (horizontal).
    task
        See `TASKS`.
    assumed_pixels
        What to take where ``pixels`` is missing; None refuses such rows.

    Returns
    -------
    GeoDataFrame
        Also with ``task`` (its name) and ``pixels_assumed``.

    Raises
    ------
    CoverageRefused
        As in `visible_areas`; pixels missing or not positive.
    """
    require_cameras(cameras)
    told = cameras["pixels"] if "pixels" in cameras.columns else np.full(len(cameras), np.nan)
    pixels = np.asarray(told, dtype=np.float64)
    assumed = np.isnan(pixels) & (assumed_pixels is not None)
    pixels = np.where(assumed, assumed_pixels or 0.0, pixels)
    refuse_rows(
        ~(np.isfinite(pixels) & (pixels > 0)),
        cameras,
        "pixels-missing",
        "缺少水平像素数，无法判断任务等级；请补充或给出假定值",
        "horizontal pixels must be over 0 to tell a task; fill them in or assume a value",
    )
    range_m = cameras["range_m"].to_numpy(dtype=np.float64)
    reach_m = task_distance_m(pixels, cameras["view_angle_deg"].to_numpy(dtype=np.float64), task)
    return cameras.assign(
        range_m=np.minimum(range_m, reach_m), task=task.name, pixels_assumed=assumed
    )


def task_areas(
    cameras: GeoDataFrame,
    buildings: GeoSeries | GeoDataFrame,
    task: Task,
    *,
    assumed_pixels: float | None = None,
) -> GeoSeries:
    """Return the ground on which each camera serves the task; the series bears the task's name."""
    views = visible_areas(task_cameras(cameras, task, assumed_pixels=assumed_pixels), buildings)
    return GeoSeries(views.rename(task.name))
