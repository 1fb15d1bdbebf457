"""The columns of an exchange file and every name that each goes by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from grid_boundaries.errors import Refused

Names = Literal["key", "short", "zh"]
# what a spreadsheet makes of a long code: the last digits are lost for good
ROUNDED = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d{2,}$")


@dataclass(frozen=True)
class Field:
    """One column.

    Parameters
    ----------
    key
        Its name in GeoJSON, GeoPackage and KML.
    short
        Its name in a Shapefile, whose names have ten characters at most.
    zh
        Its name in a table for spreadsheets.
    known_as
        Further names under which it is read.
    """

    key: str
    short: str
    zh: str
    known_as: tuple[str, ...] = ()
    is_number: bool = False


FIELDS = (
    Field("block_id", "block_id", "图斑编号", ("blockid", "block", "图斑", "图斑编码", "图斑号")),
    Field(
        "grid_code",
        "grid_code",
        "网格编码",
        ("gridcode", "code", "district", "网格编号", "所属网格"),
    ),
    Field("grid_name", "grid_name", "网格名称", ("name", "districtname", "网格名")),
    Field("village_code", "vill_code", "村社区编码", ("上级网格编码", "村编码", "社区编码")),
    Field("village_name", "vill_name", "村社区名称", ("村社区", "村名称", "社区名称")),
    Field("grid_kind", "grid_kind", "网格类型", ("kind", "网格类型(基础/专属)")),
    Field("special_use", "spec_use", "专属用途"),
    Field("setting", "setting", "规模类别"),
    Field("alias", "alias", "别名"),
    Field("people", "people", "人口数", is_number=True),
    Field("households", "households", "户数", is_number=True),
    Field("area_m2", "area_m2", "面积平方米", is_number=True),
    Field("coordinate_system", "coord_sys", "坐标系"),
)
BY_KEY: Mapping[str, Field] = MappingProxyType({field.key: field for field in FIELDS})


def named(table: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Return a table of our keys with its columns called as a kind of file calls them."""
    return table.rename(columns={key: getattr(BY_KEY[str(key)], names) for key in table.columns})


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of a table's columns under our keys, as text; the others are left out.

    Capitals, spaces, hyphens and underscores do not matter. Of two columns for one field the
    one that bears its own name counts, then the one further left.

    Raises
    ------
    Refused
        A code that a spreadsheet has rounded (``6.1E+14``), with its row.
    """
    found: dict[str, pd.Series[Any]] = {}
    for field in FIELDS:
        column = column_of(field.key, table)
        if column is not None:
            cells = table.iloc[:, column]
            found[field.key] = pd.Series(
                [_text(cell) for cell in cells], index=table.index, dtype=object
            )
    known = pd.DataFrame(found, index=table.index, dtype=object)
    for key in ("block_id", "grid_code"):
        if key in known:
            _refuse_rounded(known[key])
    return known


def column_of(key: str, table: pd.DataFrame) -> int | None:
    """Return which column of a table holds a field, by its position; None where none does.

    Capitals, spaces, hyphens and underscores do not matter.
    """
    field = BY_KEY[key]
    theirs = [_plain(str(name)) for name in table.columns]
    ours = (field.key, field.short, field.zh, *field.known_as)
    return next((theirs.index(_plain(name)) for name in ours if _plain(name) in theirs), None)


def mapping_text() -> str:
    """Return the names of every field as a small table, for whoever opens a Shapefile."""
    lines = ["field,long_name,chinese"]
    lines += [f"{field.short},{field.key},{field.zh}" for field in FIELDS]
    return "\r\n".join(lines) + "\r\n"


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).casefold().replace("（", "(").replace("）", ")")


def _text(cell: Any) -> str | None:
    if cell is None or cell != cell:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() or None


def _refuse_rounded(cells: pd.Series[Any]) -> None:
    for row, cell in cells.items():
        if cell is not None and ROUNDED.match(cell):
            raise Refused(
                "code-rounded",
                f"第 {row} 行的编码 {cell} 已被表格软件改成科学计数，末位丢失；"
                "请把该列设为文本后重新导出",
                f"The code {cell} in row {row} was rounded by a spreadsheet and has lost its last "
                "digits; export it anew and keep the column as text",
                row=str(row),
                value=cell,
            )
