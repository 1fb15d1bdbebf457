"""The report on an imported layer: every fault as a finding, and the ground cut in faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from grid_boundaries.codes import CodeProfile, level, parent
from grid_boundaries.incoming.concerned import concerned, overlaid
from grid_boundaries.incoming.faces import Faces, faces
from grid_boundaries.incoming.findings import Finding, area_words, counts, with_people
from grid_boundaries.incoming.labels import code_faults
from grid_boundaries.incoming.outlines import Outlines
from grid_boundaries.incoming.tolerance import Tolerance, are_slivers
from grid_boundaries.topology import polygons_only

TWIN = 0.9  # two outlines that share this part of their union are one grid drawn twice


@dataclass(frozen=True)
class Ground:
    """What a county knows of the ground that a layer divides.

    Parameters
    ----------
    within
        The outline that grids should fill; None where there is none: then there are no gaps.
    units
        Villages: columns code and geometry, metres; None where they are not known.
    blocks
        Blocks in force: columns people, households and geometry, by id; None where there are none.
    profile
        How codes are written; None checks none.
    """

    within: Polygon | MultiPolygon | None = None
    units: GeoDataFrame | None = None
    blocks: GeoDataFrame | None = None
    profile: CodeProfile | None = None


@dataclass(frozen=True)
class Report:
    """What is wrong with a layer.

    Parameters
    ----------
    grids
        Sound outlines: code, name, rows, geometry.
    findings
        Those of ground first, the largest first; then those of rows.
    unlisted
        Faces from rounding, under the least area that is listed.
    """

    grids: GeoDataFrame
    faces: Faces
    findings: tuple[Finding, ...]
    unlisted: int
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def counts(self) -> dict[str, int]:
        """Findings by kind, and of them slivers."""
        return counts(self.findings)


def report(known: Outlines, ground: Ground, *, tolerance: Tolerance | None = None) -> Report:
    """Return what is wrong with a layer of outlines, on the ground that it should divide.

    Raises
    ------
    Refused
        Outlines or ground are in degrees.
    """
    bounds = tolerance or Tolerance()
    grids = known.grids
    foreign = _foreign(grids, ground, bounds)
    wide = None if foreign is None else foreign[~foreign["is_sliver"]]
    found = faces(grids, within=ground.within, tolerance=bounds, foreign=wide)
    of_ground, unlisted = _of_ground(found, bounds)
    of_ground += [*_twins(found, grids), *_off_unit(foreign)]
    of_ground.sort(key=lambda finding: -finding.area_m2)
    of_codes = [] if ground.profile is None else list(
        code_faults(grids, ground.profile, _unit_codes(ground))
    )  # fmt: skip
    every = [*of_ground, *of_codes, *known.findings]
    return Report(grids, found, tuple(_with_people(every, ground.blocks)), unlisted, bounds)


def _with_people(findings: list[Finding], blocks: GeoDataFrame | None) -> list[Finding]:
    if blocks is None or blocks.empty:
        return findings
    shapes = np.array([one.geometry for one in findings if one.geometry is not None], dtype=object)
    return with_people(findings, concerned(polygons_only(shapes), blocks))


def _of_ground(found: Faces, tolerance: Tolerance) -> tuple[list[Finding], int]:
    """Return the findings of contested, unclaimed and outer faces, and how many are too small."""
    table, many = found.table, found.claims_of
    odd = (many != 1) | table["is_outside"].to_numpy(dtype=bool)
    small = table["area_m2"].to_numpy() < tolerance.listed_from_m2
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


def home_units(grids: GeoDataFrame, ground: Ground) -> pd.Series[str]:
    """Return the unit of each grid by code: as its code says, else the one that holds most of it.

    Grids that meet no unit are left out.
    """
    if ground.units is None:
        return pd.Series([], index=pd.Index([], name="code"), dtype=object)
    units = ground.units["code"].to_numpy()
    shared = overlaid(grids.geometry.to_numpy(), ground.units.geometry.to_numpy())
    best = shared.sort_values(["area_m2", "b"], ascending=[False, True]).drop_duplicates("a")
    most = pd.Series(units[best["b"]], index=grids["code"].to_numpy()[best["a"]], dtype=object)
    stated = {code: _stated(code, ground.profile) for code in grids["code"]}
    known = set(units.tolist())
    said = pd.Series({code: unit for code, unit in stated.items() if unit in known}, dtype=object)
    return said.combine_first(most).rename("unit")


def _stated(code: str, profile: CodeProfile | None) -> str | None:
    if profile is None or level(code, profile) != "grid":
        return None
    return parent(code, profile)


def _foreign(grids: GeoDataFrame, ground: Ground, tolerance: Tolerance) -> GeoDataFrame | None:
    """Return the parts of grids in a unit that is not theirs: code, unit, is_sliver, geometry."""
    if ground.units is None or grids.empty:
        return None
    home = home_units(grids, ground).reindex(grids["code"])
    shapes, outlines = grids.geometry.to_numpy(), ground.units.geometry.to_numpy()
    units = ground.units["code"].to_numpy()
    shape, unit = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    away = home.to_numpy()[shape] != units[unit]
    shape, unit = shape[away], unit[away]
    parts = polygons_only(shapely.intersection(shapes[shape], outlines[unit]))
    parts, owner = shapely.get_parts(parts, return_index=True)
    kept = shapely.area(parts) >= tolerance.listed_from_m2
    parts, owner = parts[kept], owner[kept]
    columns = {"code": grids["code"].to_numpy()[shape[owner]], "unit": units[unit[owner]]}
    table = GeoDataFrame(columns, geometry=parts, crs=grids.crs)
    table["is_sliver"] = are_slivers(_array(parts), tolerance)
    return table


def _array(parts: Iterable[Any]) -> NDArray[Any]:
    return np.asarray(parts, dtype=object)


def _off_unit(foreign: GeoDataFrame | None) -> Iterator[Finding]:
    if foreign is None:
        return
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
