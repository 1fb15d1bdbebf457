"""What a file says of grids: which blocks or which ground they hold, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.sheets import What
from grid_boundaries.marks import has_marks
from grid_boundaries.plan_state import Grid
from grid_boundaries.tables import STORED_SRID

# letters of a code, and of a name
LONGEST: Mapping[str, int] = MappingProxyType(
    {"block_id": 64, "grid_code": 64, "village_code": 64, "grid_name": 200, "special_use": 200,
     "alias": 200}
)  # fmt: skip
MOST_NAMED = 20  # ids that a refusal names
KINDS: Mapping[str, str] = MappingProxyType(
    {"residential": "residential", "special": "special", "基础": "residential", "专属": "special",
     "基础网格": "residential", "专属网格": "special"}
)  # fmt: skip
SETTINGS: Mapping[str, str] = MappingProxyType(
    {"city": "city", "market_town": "market_town", "village": "village",
     "城市": "city", "集镇": "market_town", "农村": "village"}
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a file says.

    Parameters
    ----------
    what
        "blocks" where it names blocks, "grids" where it has polygons of grids only.
    grid_of
        Grid code by block id, None for a block in no grid; empty for "grids".
    ground
        Stored degrees, by block id, or by grid code as often as the file has it; ground in no
        grid under the code "".
    grids
        The grids it speaks of, those without a block too.
    """

    what: What
    grid_of: Mapping[str, str | None]
    ground: GeoSeries
    grids: Mapping[str, Grid]


def told(table: pd.DataFrame, ground: NDArray[Any] | None) -> Told:
    """Return what rows say.

    Parameters
    ----------
    table
        Columns by our keys, cells as text or None; see `fields.keyed`.
    ground
        Shapes in stored degrees, one a row, None where a row has none; None for a bare table.

    Raises
    ------
    Refused
        No column of grid codes; neither blocks nor ground; a block in two grids; a code or
        name that is too long or holds control characters.
    """
    if "grid_code" not in table:
        raise Refused(
            "no-grid-codes",
            "文件中没有网格编码列；列名可为 grid_code 或“网格编码”",
            "The file has no column of grid codes; it may be called grid_code or 网格编码",
            columns=[str(name) for name in table.columns][:50],
        )
    _refuse_strange(table)
    grids = _grids(table)
    if "block_id" in table and table["block_id"].notna().any():
        return _of_blocks(table, ground, grids)
    return _of_grids(table, ground, grids)


def refusal(code: str, zh: str, en: str, names: Sequence[str], **where: Any) -> Refused:
    """Return a refusal that names ids, the first twenty of them, and says how many there are."""
    shown = "、".join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")
    return Refused(
        code,
        zh.format(names=shown, count=len(names)),
        en.format(names=shown.replace("、", ", "), count=len(names)),
        **where,
        names=list(names[:500]),
        count=len(names),
    )


def _of_blocks(table: pd.DataFrame, ground: NDArray[Any] | None, grids: Mapping[str, Grid]) -> Told:
    rows = table["block_id"].notna().to_numpy()
    pairs = table.loc[rows, ["block_id", "grid_code"]].drop_duplicates()
    twice = pairs.loc[pairs["block_id"].duplicated(), "block_id"]
    if len(twice):
        raise refusal(
            "block-in-two-grids",
            "文件把同一图斑归入两个网格：{names}；请改正后再导入",
            "The file puts one block in two grids: {names}; correct it and try again",
            sorted(set(twice)),
        )
    grid_of = dict(zip(pairs["block_id"], pairs["grid_code"], strict=True))
    names = table.loc[rows, "block_id"]
    shapes = np.full(len(names), None, dtype=object) if ground is None else ground[rows]
    return Told("blocks", grid_of, _collected(_series(shapes, names)), grids)


def _of_grids(table: pd.DataFrame, ground: NDArray[Any] | None, grids: Mapping[str, Grid]) -> Told:
    if ground is None or shapely.is_missing(ground).all():
        raise Refused(
            "no-blocks-and-no-ground",
            "文件既没有图斑编号，也没有网格图形，无法得知各网格的范围",
            "The file names no blocks and has no polygons, so nobody can tell what the grids hold",
        )
    return Told("grids", {}, _series(ground, table["grid_code"].fillna("")), grids)


def _series(shapes: NDArray[Any], names: pd.Series[Any]) -> GeoSeries:
    """Return shapes by name, a name as often as it comes, without the missing ones."""
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    return GeoSeries(shapes[there].tolist(), index=names.to_numpy()[there], crs=STORED_SRID)


def _collected(ground: GeoSeries) -> GeoSeries:
    """Return one shape a name: several together, laid side by side and not melted into one."""
    if ground.index.is_unique:
        return ground
    is_copy = pd.DataFrame({"name": ground.index, "wkb": shapely.to_wkb(ground.to_list())})
    kept = ground[~is_copy.duplicated().to_numpy()]
    # not melted into one: what anybody sent could take for ever
    parts: dict[str, list[Any]] = {}
    for name, shape in kept.items():
        parts.setdefault(str(name), []).extend(shapely.get_parts(shape))
    shapes = [each[0] if len(each) == 1 else shapely.MultiPolygon(each) for each in parts.values()]
    return GeoSeries(shapes, index=list(parts), crs=ground.crs)


def _grids(table: pd.DataFrame) -> dict[str, Grid]:
    coded = table[table["grid_code"].notna()].drop_duplicates("grid_code")
    return {row["grid_code"]: _grid(row) for row in coded.to_dict("records")}


def _grid(row: Mapping[Any, Any]) -> Grid:
    code = str(row["grid_code"])
    return Grid(
        code,
        row.get("grid_name") or code,
        row.get("village_code") or "",
        KINDS.get(row.get("grid_kind") or "", "residential"),
        row.get("special_use"),
        SETTINGS.get(row.get("setting") or "", "village"),
        row.get("alias"),
    )


def _refuse_strange(table: pd.DataFrame) -> None:
    for key, most in LONGEST.items():
        cells = table[key].dropna() if key in table else pd.Series(dtype=object)
        strange = cells[[len(cell) > most or has_marks(cell) for cell in cells]]
        if len(strange):
            row = strange.index[0]
            raise Refused(
                "strange-text",
                f"第 {row} 行的 {key} 超过 {most} 个字符或含有控制字符",
                f"{key} in row {row} is over {most} characters or holds a control character",
                row=str(row),
                field=key,
            )
