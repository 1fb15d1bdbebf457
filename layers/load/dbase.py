"""Text of a dBASE table (.dbf): in which encoding its bytes really are, whatever is stated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grid_boundaries.errors import Refused
from layers.load.encodings import TextEncoding, text_encoding

ROWS_LOOKED_AT = 5_000
HEADER_BYTES, FIELD_BYTES = 32, 32
FIELDS_END = 0x0D
LONGEST_CHARACTER = 4  # bytes, in UTF-8 and GB18030


def table_encoding(shp: Path, stated: str = "") -> TextEncoding:
    """Return the encoding in which all text of a Shapefile's table can be read.

    A character cut in two by the end of its field does not count against one.

    Parameters
    ----------
    stated
        What its sender says; empty for what its .cpg says.

    Raises
    ------
    Refused
        None can read it all; with a sample.
    """
    cells = [*dict.fromkeys(_cells(shp.with_suffix(".dbf").read_bytes()))]
    found = text_encoding(cells, stated or _stated(shp), cut_bytes=LONGEST_CHARACTER - 1)
    if found.reads_all:
        return found
    odd = max(cells, key=lambda cell: sum(byte > 127 for byte in cell))
    raise Refused(
        "unknown-encoding",
        "属性表的编码不明；请附正确的 .cpg 文件",
        "The encoding of the attributes is unknown; add a right .cpg file",
        sample=odd.decode("gb18030", errors="replace")[:60],
    )


def _stated(shp: Path) -> str:
    cpg = shp.with_suffix(".cpg")
    return cpg.read_text("ascii", errors="replace").strip()[:20] if cpg.exists() else ""


def _cells(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of every text cell, and of the names of all fields."""
    header_bytes = int.from_bytes(data[8:10], "little")
    row_bytes = int.from_bytes(data[10:12], "little")
    spans, at = [], 1
    for start in range(HEADER_BYTES, header_bytes - 1, FIELD_BYTES):
        field = data[start : start + FIELD_BYTES]
        if len(field) < FIELD_BYTES or field[0] == FIELDS_END:
            break
        yield field[:11].partition(b"\x00")[0]
        if field[11:12] == b"C":
            spans.append((at, at + field[16]))
        at += field[16]
    if row_bytes < 1:
        return
    rows = data[header_bytes : header_bytes + ROWS_LOOKED_AT * row_bytes]
    for start in range(0, len(rows) - row_bytes + 1, row_bytes):
        for first, last in spans:
            yield rows[start + first : start + last].rstrip(b" \x00")
