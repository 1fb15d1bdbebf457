"""The report on an imported layer: every fault as a finding, and the ground cut in faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from shapely import Polygon

from grid_boundaries.incoming.concerned import concerned
from grid_boundaries.incoming.faces import Faces, faces
from grid_boundaries.incoming.findings import Finding, area_words, counts, with_people
from grid_boundaries.incoming.labels import code_faults
from grid_boundaries.incoming.nesting import Ground, nested
from grid_boundaries.incoming.outlines import Outlines
from grid_boundaries.incoming.tolerance import DEFAULT, Tolerance
from grid_boundaries.topology import polygons_only

TWIN = 0.9  # two outlines that share this part of their union are one grid drawn twice


@dataclass(frozen=True)
class Report:
    """What is wrong with a layer.

    Parameters
    ----------
    grids
        Sound outlines: code, name, rows, geometry.
    homes
        Unit of each grid by code; see `nested`.
    findings
        Those of ground first, the largest first; then those of rows.
    unlisted
        Faces from rounding, under the least area that is listed.
    """

    grids: GeoDataFrame
    homes: pd.Series[str]
    faces: Faces
    findings: tuple[Finding, ...]
    unlisted: int
    bounds: Tolerance = DEFAULT

    @property
    def counts(self) -> dict[str, int]:
        """Findings by kind, and of them slivers."""
        return counts(self.findings)


def report(known: Outlines, ground: Ground, *, bounds: Tolerance = DEFAULT) -> Report:
    """Return what is wrong with a layer of outlines, on the ground that it should divide.

    Raises
    ------
    Refused
        Outlines or ground are in degrees.
    """
    grids = known.grids
    homes, foreign = nested(grids, ground, bounds)
    wide = GeoDataFrame(foreign[~foreign["is_sliver"]])
    found = faces(grids, within=ground.within, bounds=bounds, foreign=wide)
    of_ground, unlisted = _of_ground(found, bounds)
    of_ground += [*_twins(found, grids), *_off_unit(foreign)]
    of_ground.sort(key=lambda finding: -finding.area_m2)
    of_codes = [] if ground.profile is None else list(
        code_faults(grids, ground.profile, _unit_codes(ground))
    )  # fmt: skip
    every = [*of_ground, *of_codes, *known.findings]
    listed = tuple(_with_people(every, ground.blocks))
    return Report(grids, homes, found, listed, unlisted, bounds)


def _with_people(findings: list[Finding], blocks: GeoDataFrame | None) -> list[Finding]:
    if blocks is None or blocks.empty:
        return findings
    shapes = np.array([one.geometry for one in findings if one.geometry is not None], dtype=object)
    return with_people(findings, concerned(polygons_only(shapes), blocks))


def _of_ground(found: Faces, bounds: Tolerance) -> tuple[list[Finding], int]:
    """Return the findings of contested, unclaimed and outer faces, and how many are too small."""
    table, many = found.table, found.claims_of
    odd = (many != 1) | table["is_outside"].to_numpy(dtype=bool)
    small = table["area_m2"].to_numpy() < bounds.listed_from_m2
    columns = ("claimants", "geometry", "area_m2", "is_sliver", "is_outside")
    chosen = table[odd & ~small]
    rows = zip(*(chosen[name].to_numpy() for name in columns), strict=True)
    return [_of_face(*row) for row in rows], int((odd & small).sum())


def _of_face(
    codes: tuple[str, ...], shape: Polygon, area_m2: float, is_sliver: bool, is_outside: bool
) -> Finding:
    area = area_words(area_m2)
    facts = {"sliver": bool(is_sliver), "mean_width_m": round(2 * area_m2 / shape.length, 3)}
    listed_zh, listed_en = "、".join(codes), ", ".join(codes)
    if is_outside:
        return Finding(
            "outside-county", codes, f"网格 {listed_zh} 超出辖区 {area}",
            f"{area} of grid {listed_en} lie outside the territory", "clip", shape, area_m2,
            facts=facts,
        )  # fmt: skip
    if not codes:
        return Finding(
            "gap", (), f"有 {area} 不属于任何网格", f"{area} belong to no grid",
            "merge" if is_sliver else "unassign", shape, area_m2, facts=facts,
        )  # fmt: skip
    return Finding(
        "overlap", codes, f"网格 {listed_zh} 重叠 {area}", f"Grids {listed_en} overlap by {area}",
        "merge" if is_sliver else "contest", shape, area_m2, facts=facts,
    )  # fmt: skip


def _twins(found: Faces, grids: GeoDataFrame) -> Iterator[Finding]:
    """Yield the pairs of grids that are one outline drawn twice, exactly or nearly."""
    shared: dict[tuple[str, str], float] = {}
    for codes, area_m2 in zip(found.table["claimants"], found.table["area_m2"], strict=True):
        for place, first in enumerate(codes):
            for second in codes[place + 1 :]:
                shared[first, second] = shared.get((first, second), 0.0) + area_m2
    shapes = dict(zip(grids["code"], grids.geometry, strict=True))
    for (first, second), area_m2 in shared.items():
        both_m2 = shapes[first].area + shapes[second].area - area_m2
        if area_m2 >= TWIN * both_m2:
            yield Finding(
                "duplicate-outline", (first, second),
                f"网格 {first} 与 {second} 画的是同一块地",
                f"Grids {first} and {second} are drawn on the same ground", "contest",
                shapes[second], area_m2, facts={"alike": round(area_m2 / both_m2, 4)},
            )  # fmt: skip


def _unit_codes(ground: Ground) -> frozenset[str]:
    return frozenset() if ground.units is None else frozenset(ground.units["code"])


def _off_unit(foreign: GeoDataFrame) -> Iterator[Finding]:
    rows = zip(
        foreign["code"], foreign["unit"], foreign["is_sliver"], foreign.geometry, strict=True
    )
    for code, unit, is_sliver, shape in rows:
        area = area_words(shape.area)
        yield Finding(
            "outside-unit", (code,), f"网格 {code} 有 {area} 在村（社区）{unit} 内",
            f"{area} of grid {code} lie in village {unit}", "keep" if is_sliver else "part",
            shape, shape.area, facts={"unit": unit, "sliver": bool(is_sliver)},
        )  # fmt: skip
