"""Codes and names of imported grids: cleaned, and told where they are missing, wrong or garbled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from geopandas import GeoDataFrame

from grid_boundaries.codes import CodeProfile, level, parent
from grid_boundaries.incoming.findings import Finding
from grid_boundaries.marks import has_marks, without_marks

LOST = "\ufffd"
MOST_CHARACTERS = 64
FROM_FLOAT = re.compile(r"\d+\.0+")
SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
# space, control characters, marks of direction and characters for private use
UNPRINTED = re.compile("[\\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff\ue000-\uf8ff]")
CHINESE = re.compile("[\u4e00-\u9fff]")
# read in the first, written in the second
MISREAD = (
    ("gb18030", "utf-8"),
    ("latin-1", "utf-8"),
    ("cp1252", "utf-8"),
    ("latin-1", "gb18030"),
    ("cp1252", "gb18030"),
)


def clean_code(cell: Any) -> str:
    """Return a code without spaces and full-width digits, or the empty text where there is none.

    A whole number that passed through a spreadsheet ("610923100201001.0") loses its tail.
    """
    if cell is None or cell != cell:
        return ""
    text = f"{cell:.0f}" if isinstance(cell, float) else str(cell)
    plain = UNPRINTED.sub("", unicodedata.normalize("NFKC", text))[:MOST_CHARACTERS]
    return plain.partition(".")[0] if FROM_FLOAT.fullmatch(plain) else plain


def clean_name(cell: Any) -> str:
    """Return a name on one line, its white space single, without marks that turn its direction.

    The empty text where there is none.
    """
    return "" if cell is None or cell != cell else " ".join(without_marks(str(cell)).split())


def ungarbled(text: str) -> str | None:
    """Return what a text was before it was read in a wrong encoding, or None for a sound one.

    Told are UTF-8 read as GBK or Latin-1, and GBK read as Latin-1, where the way back gives
    Chinese. What was lost on the way (U+FFFD) can not be told.
    """
    if text.isascii():
        return None
    for read_in, written_in in MISREAD:
        # GBK has Chinese of its own: there it must become shorter, too
        found = _re_read(text, read_in, written_in)
        if found and CHINESE.search(found) and len(found) < len(text):
            return found
    return None


def labelled(rows: GeoDataFrame) -> tuple[GeoDataFrame, list[Finding]]:
    """Return rows with clean codes and names; rows without a code get one from their number.

    Parameters
    ----------
    rows
        Columns code and name, indexed by row number in the file.
    """
    read = [_Label.read(code, name) for code, name in zip(rows["code"], rows["name"], strict=True)]
    found = [
        finding
        for label, number, shape in zip(read, rows.index, rows.geometry.array, strict=True)
        for finding in label.faults(number, shape)
    ]
    codes = [label.code_in(number) for label, number in zip(read, rows.index, strict=True)]
    return rows.assign(code=codes, name=[label.name for label in read]), found


@dataclass(frozen=True)
class _Label:
    """Code and name of a row; the name as it was seen, and put right where it was garbled."""

    code: str
    seen: str
    right: str | None

    @classmethod
    def read(cls, code: Any, name: Any) -> _Label:
        # before white space is made single, which would take bytes of a garbled name away
        seen = "" if name is None or name != name else str(name)
        return cls(clean_code(code), seen, ungarbled(seen))

    @property
    def name(self) -> str:
        return clean_name(self.right or self.seen)

    def code_in(self, number: Any) -> str:
        """Return the code, or a provisional one from the number of the row."""
        return self.code or f"?{number}"

    def faults(self, number: Any, shape: Any) -> Iterator[Finding]:
        code = self.code_in(number)
        if not self.code:
            yield _missing(code, number, shape)
        if self.right is not None or LOST in self.name:
            yield _garbled(self.seen, self.right, code, number, shape)
        elif has_marks(" ".join(self.seen.split())):
            yield _marked(self.name, code, number, shape)


def code_faults(
    grids: GeoDataFrame, profile: CodeProfile, units: Collection[str]
) -> Iterator[Finding]:
    """Yield a finding for each code that the county's profile does not know as a grid's.

    Parameters
    ----------
    grids
        Columns code and geometry; provisional codes (``?`` and a row) are passed over.
    units
        Codes of the units in force; where there are any, a grid must hang under one.
    """
    if not profile.are_grids_nested:
        return
    for code, shape in zip(grids["code"], grids.geometry, strict=True):
        if code.startswith("?"):
            continue
        if level(code, profile) != "grid":
            yield _malformed(code, shape)
        elif units and parent(code, profile) not in units:
            yield Finding(
                "unknown-unit", (code,), f"网格 {code} 的编码所指的村（社区）不存在",
                f"The code of grid {code} names a village that does not exist",
                "alias", shape, shape.area,
            )  # fmt: skip


def _re_read(text: str, read_in: str, written_in: str) -> str | None:
    try:
        return text.encode(read_in).decode(written_in)
    except UnicodeError:
        return None


def _missing(code: str, number: Any, shape: Any) -> Finding:
    return Finding(
        "missing-code", (code,), f"第 {number} 行没有网格编码",
        f"Row {number} has no grid code", "provisional", shape, shape.area,
        facts={"row": number},
    )  # fmt: skip


def _garbled(seen: str, right: str | None, code: str, number: Any, shape: Any) -> Finding:
    name = clean_name(seen)[:40]
    facts = {"row": number, "seen": name, "right": right}
    if right is None:
        return Finding(
            "garbled-name", (code,), f"第 {number} 行名称“{name}”有字符丢失",
            f"The name “{name}” in row {number} has lost characters", "keep", shape, facts=facts,
        )  # fmt: skip
    return Finding(
        "garbled-name", (code,), f"第 {number} 行名称“{name}”是乱码，应为“{right[:40]}”",
        f"The name “{name}” in row {number} is garbled and should be “{right[:40]}”",
        "correct", shape, facts=facts,
    )  # fmt: skip


def _marked(name: str, code: str, number: Any, shape: Any) -> Finding:
    return Finding(
        "marks-in-name", (code,),
        f"第 {number} 行名称含有控制字符或改变书写方向的字符，应为“{name[:40]}”",
        f"The name in row {number} holds control characters or marks of direction and should be "
        f"“{name[:40]}”",
        "correct", shape, facts={"row": number, "right": name},
    )  # fmt: skip


def _malformed(code: str, shape: Any) -> Finding:
    how_zh, how_en = "不符合本县编码规则", "does not follow the county's rule"
    if SCIENTIFIC.fullmatch(code):
        how_zh = "被表格软件改成科学计数，末位已丢失"
        how_en = "was turned into a float by a spreadsheet and has lost digits"
    return Finding(
        "malformed-code", (code,), f"网格编码 {code} {how_zh}",
        f"The grid code {code} {how_en}", "alias", shape, shape.area,
    )  # fmt: skip
