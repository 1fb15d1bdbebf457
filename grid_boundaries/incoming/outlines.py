"""Sound outlines from the rows of a file: valid, one a grid, with what was wrong before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from shapely.geometry.base import BaseGeometry

from grid_boundaries.incoming.findings import Finding, area_words
from grid_boundaries.incoming.labels import labelled
from grid_boundaries.incoming.tangle import refuse_tangled
from grid_boundaries.topology import MULTIPOLYGON, POLYGON

Mend = Callable[[Sequence[BaseGeometry]], Sequence[BaseGeometry | None]]


@dataclass(frozen=True)
class Outlines:
    """What a layer says where grids are.

    Parameters
    ----------
    grids
        Columns code (each once), name, rows (numbers in the file) and geometry: valid polygons
        and multipolygons in metres; they may overlap and leave gaps.
    findings
        What was wrong with the rows; those of rows in `grids`, and of rows left out.
    """

    grids: GeoDataFrame
    findings: tuple[Finding, ...]


def outlines(rows: GeoDataFrame, *, mend: Mend) -> Outlines:
    """Return one valid outline a grid, and what was wrong with the rows.

    Parameters
    ----------
    rows
        Columns code, name and geometry (anything, or None), indexed by row number, metres.
        Coordinates must be finite.
    mend
        Gives each of some invalid polygons made valid, or None; it may run elsewhere, for
        repair can take long.

    Raises
    ------
    TooLarge
        More vertices or crossings than can be overlaid; see `refuse_tangled`.
    """
    flat = rows.set_geometry(shapely.force_2d(rows.geometry.to_numpy()), crs=rows.crs)
    areas, no_areas = _areas(flat)
    valid, mended = _made_valid(areas, mend)
    refuse_tangled(valid.geometry.to_numpy())
    named, mislabelled = labelled(valid)
    single, copies = _without_copies(named)
    grids, united = _united(single)
    found = [*no_areas, *mended, *mislabelled, *copies, *united, *_parts_and_holes(grids)]
    return Outlines(grids, tuple(found))


def _areas(rows: GeoDataFrame) -> tuple[GeoDataFrame, list[Finding]]:
    shapes = rows.geometry.to_numpy()
    is_area = np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))
    is_area &= ~shapely.is_empty(shapes)
    found = [_no_area(row, shapes[place]) for place, row in enumerate(rows.index)
             if not is_area[place]]  # fmt: skip
    return rows[is_area], found


def _no_area(row: Any, shape: BaseGeometry | None) -> Finding:
    if shape is None or shape.is_empty:
        return Finding(
            "no-geometry", (), f"第 {row} 行没有图形", f"Row {row} has no geometry", "drop",
            facts={"row": row},
        )  # fmt: skip
    return Finding(
        "not-a-polygon", (), f"第 {row} 行不是面而是 {shape.geom_type}",
        f"Row {row} is a {shape.geom_type}, not a polygon", "drop", shape, facts={"row": row},
    )  # fmt: skip


def _made_valid(rows: GeoDataFrame, mend: Mend) -> tuple[GeoDataFrame, list[Finding]]:
    shapes = rows.geometry.to_numpy().copy()
    invalid = np.flatnonzero(~shapely.is_valid(shapes))
    if not len(invalid):
        return rows, []
    found = []
    for place, whole in zip(invalid.tolist(), mend(list(shapes[invalid])), strict=True):
        found.append(_invalid(rows.index[place], rows["code"].iloc[place], shapes[place], whole))
        shapes[place] = whole
    kept = rows.set_geometry(shapes, crs=rows.crs)
    return kept[~shapely.is_missing(shapes)], found


def _invalid(row: Any, code: Any, shape: BaseGeometry, whole: BaseGeometry | None) -> Finding:
    reason = shapely.is_valid_reason(shape)
    what_zh = "自相交" if "elf-intersection" in reason else "图形无效"
    codes = (str(code),) if code is not None and code == code else ()
    # an invalid ring is no place to measure: shown is what repair makes of it, or its box
    place = shapely.box(*shape.bounds) if whole is None else whole
    return Finding(
        "invalid-polygon", codes, f"第 {row} 行{what_zh}（{reason}）",
        f"The polygon of row {row} is invalid: {reason}", "drop" if whole is None else "mend",
        place, 0.0 if whole is None else whole.area, facts={"row": row, "reason": reason},
    )  # fmt: skip


def _without_copies(rows: GeoDataFrame) -> tuple[GeoDataFrame, list[Finding]]:
    """Leave out rows that say the same code and the same ground as one before."""
    alike = rows.assign(wkb=shapely.to_wkb(shapely.normalize(rows.geometry.to_numpy())))
    twice = alike.duplicated(["code", "wkb"]).to_numpy()
    found = [
        Finding(
            "duplicate-row", (code,), f"第 {row} 行与前面的网格 {code} 完全相同",
            f"Row {row} repeats grid {code} exactly", "drop", shape, shape.area,
            facts={"row": row},
        )
        for row, code, shape in zip(
            rows.index[twice], rows["code"][twice], rows.geometry[twice], strict=True
        )
    ]  # fmt: skip
    return rows[~twice], found


def _united(rows: GeoDataFrame) -> tuple[GeoDataFrame, list[Finding]]:
    """Make one outline of rows with one code and name; other names are other grids."""
    shapes, names = rows.geometry.to_numpy(), rows["name"].tolist()
    numbers = [int(row) for row in rows.index]
    found = list(_same_codes(rows))
    members = sorted(_places(_told_apart(rows["code"], names)).items())
    columns = {
        "code": [code for code, _ in members],
        "name": [next((names[p] for p in places if names[p]), "") for _, places in members],
        "rows": [tuple(numbers[place] for place in places) for _, places in members],
    }
    whole = _unions(shapes, [places for _, places in members])
    return GeoDataFrame(columns, geometry=whole, crs=rows.crs), found


def _unions(shapes: Any, members: Sequence[list[int]]) -> Any:
    """Return the union of the shapes at each list of positions."""
    whole = np.empty(len(members), dtype=object)
    for at, places in enumerate(members):  # a union for each of the few in several rows
        own = shapes[places]
        whole[at] = own[0] if len(own) == 1 else shapely.union_all(own)
    return whole


def _places(codes: Iterable[str]) -> dict[str, list[int]]:
    """Return the positions at which each code stands."""
    found: dict[str, list[int]] = {}
    for place, code in enumerate(codes):
        found.setdefault(code, []).append(place)
    return found


def _told_apart(codes: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """Yield codes; of rows of one code, those with another name than the first get a number."""
    known: dict[str, dict[str, int]] = {}
    for code, name in zip(codes, names, strict=True):
        own = known.setdefault(code, {})
        number = own.setdefault(name, len(own) + 1) if name or not own else 1
        yield code if number == 1 else f"{code}~{number}"


def _same_codes(rows: GeoDataFrame) -> Iterator[Finding]:
    """Yield a finding for each code that several rows have."""
    shapes, names = rows.geometry.to_numpy(), rows["name"].to_numpy()
    for code, places in _places(rows["code"]).items():
        if len(places) > 1:
            numbers = rows.index[places].astype(int).tolist()
            yield _same_code(code, numbers, set(names[places]), shapes[places])


def _same_code(code: str, rows: list[int], names: set[str], shapes: Any) -> Finding:
    shape = shapely.union_all(shapes)
    listed = [str(row) for row in rows[:5]]
    return Finding(
        "duplicate-code", (code,), f"第 {'、'.join(listed)} 行的编码都是 {code}",
        f"Rows {', '.join(listed)} all have the code {code}",
        "unite" if len(names - {""}) < 2 else "provisional", shape, shape.area,
        facts={"rows": rows[:50]},
    )  # fmt: skip


def _parts_and_holes(grids: GeoDataFrame) -> list[Finding]:
    shapes = grids.geometry.to_numpy()
    parts, owner = shapely.get_parts(shapes, return_index=True)
    codes = grids["code"].to_numpy()
    many = np.flatnonzero(np.bincount(owner, minlength=len(shapes)) > 1)
    found = [_multipart(codes[place], parts[owner == place]) for place in many]
    for part, place in zip(*_holed(parts, owner), strict=True):
        found.extend(_hole(codes[place], ring) for ring in part.interiors)
    return found


def _holed(parts: Any, owner: Any) -> tuple[Any, Any]:
    has_hole = shapely.get_num_interior_rings(parts) > 0
    return parts[has_hole], owner[has_hole]


def _multipart(code: str, parts: Any) -> Finding:
    order = np.argsort(-shapely.area(parts), kind="stable")
    lesser = shapely.multipolygons(parts[order[1:]])
    return Finding(
        "multipart", (code,), f"网格 {code} 有 {len(parts)} 个互不相连的部分",
        f"Grid {code} has {len(parts)} separate parts", "keep", lesser, lesser.area,
        facts={"parts": len(parts)},
    )  # fmt: skip


def _hole(code: str, ring: Any) -> Finding:
    hole = shapely.Polygon(ring)
    return Finding(
        "hole", (code,), f"网格 {code} 内有空洞 {area_words(hole.area)}",
        f"Grid {code} has a hole of {area_words(hole.area)}", "keep", hole, hole.area,
    )  # fmt: skip
