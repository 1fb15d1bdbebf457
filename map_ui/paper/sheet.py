"""Rows as a table for a spreadsheet: CSV that opens with its Chinese, and runs nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from map_ui.paper.page import words

BYTE_ORDER_MARK = "\ufeff"  # else a spreadsheet takes the Chinese for another encoding
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(cell: str) -> str:
    """Return a cell that begins with an apostrophe where a spreadsheet would see a formula."""
    return f"'{cell}" if cell.lstrip(" \u3000").startswith(FORMULA) else cell


def sheet_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], language: str) -> bytes:
    """Return rows as CSV in UTF-8 with a byte-order mark.

    Parameters
    ----------
    columns
        Words of the texts ``column.…``.
    rows
        Cells in that order: text, numbers, or None for an empty one.
    """
    said, out = words(language), io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([said(f"column.{name}") for name in columns])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
    return (BYTE_ORDER_MARK + out.getvalue()).encode()


def _cell(cell: Any) -> Any:
    if cell is None:
        return ""
    return safe_cell(cell) if isinstance(cell, str) else cell
