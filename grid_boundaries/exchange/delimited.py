"""Tables for spreadsheets: which block is in which grid (block equivalency), or the grids."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from grid_boundaries.errors import Refused
from grid_boundaries.exchange.fields import named
from grid_boundaries.exchange.sheets import Sheet

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet takes UTF-8 for the system's own encoding
# a cell that begins so is computed by a spreadsheet; spaces before it are passed over
COMPUTED = re.compile(r"^'*[\s ]*[=+\-@\t\r\n＝＋－＠]")


def csv_bytes(sheet: Sheet, encoding: str) -> bytes:
    """Return a sheet's rows without their shapes, with Chinese headers.

    Text that a spreadsheet would compute gets an apostrophe before it, which `plain` takes away.

    Raises
    ------
    Refused
        A character that the encoding does not have.
    """
    table = named(sheet.table, "zh")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([guarded(cell) for cell in row] for row in table.itertuples(index=False))
    mark = BYTE_ORDER_MARK if encoding == "utf-8" else ""
    return encoded(mark + text.getvalue(), encoding)


def guarded(cell: Any) -> Any:
    """Return a cell that no spreadsheet computes."""
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and COMPUTED.match(cell) else cell


def plain(cell: Any) -> Any:
    """Return a cell as it was before `guarded`."""
    if isinstance(cell, str) and cell.startswith("'") and COMPUTED.match(cell):
        return cell[1:]
    return cell


def encoded(text: str, encoding: str) -> bytes:
    """Return text in an encoding.

    Raises
    ------
    Refused
        A character that the encoding does not have.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise not_in_encoding(
            text[error.start], encoding, text[max(0, error.start - 20) :]
        ) from None


def not_in_encoding(character: str, encoding: str, seen: str) -> Refused:
    """Return the refusal of text that an encoding cannot hold."""
    shown = character.encode("utf-8", errors="replace").decode()
    return Refused(
        "not-in-encoding",
        f"字符“{shown}”不在 {encoding.upper()} 字符集中；请改用 UTF-8",
        f"{encoding.upper()} has no character “{shown}”; use UTF-8",
        character=shown,
        seen=seen.encode("utf-8", errors="replace").decode()[:60],
    )
