"""Text of a dBASE table (.dbf): in which encoding its bytes really are, whatever is stated."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grid_boundaries.errors import Refused

GUESSES = ("utf-8", "gb18030")
ROWS_LOOKED_AT = 5_000
HEADER_BYTES, FIELD_BYTES = 32, 32
FIELDS_END = 0x0D
# how .cpg files write the code pages of Chinese Windows
NUMBERS = {"936": "gbk", "54936": "gb18030", "65001": "utf-8", "950": "cp950"}


@dataclass(frozen=True)
class TextEncoding:
    """The encoding of a table's text.

    Parameters
    ----------
    stated
        As the .cpg says; empty where there is none.
    used
        Name that Python and GDAL know.
    """

    stated: str
    used: str

    @property
    def is_wrongly_stated(self) -> bool:
        """Whether the bytes cannot be read as stated."""
        return bool(self.stated) and _codec(self.stated) != _codec(self.used)


def text_encoding(shp: Path) -> TextEncoding:
    """Return the encoding in which all text of a Shapefile's table can be read.

    The stated one is tried first, then UTF-8, then GB18030; a character cut in two by the end
    of its field does not count against one.

    Raises
    ------
    Refused
        None of them can read it; with a sample.
    """
    cpg, data = shp.with_suffix(".cpg"), shp.with_suffix(".dbf").read_bytes()
    stated = cpg.read_text("ascii", errors="replace").strip()[:20] if cpg.exists() else ""
    cells = [*dict.fromkeys(_cells(data))]
    for name in (stated, *GUESSES):
        codec = _codec(name)
        if codec and all(_is_read(cell, codec) for cell in cells):
            return TextEncoding(stated, codec)
    odd = max(cells, key=lambda cell: sum(byte > 127 for byte in cell))
    raise Refused(
        "unknown-encoding",
        "属性表的编码不明；请附正确的 .cpg 文件",
        "The encoding of the attributes is unknown; add a right .cpg file",
        sample=odd.decode("gb18030", errors="replace")[:60],
    )


def _codec(name: str) -> str | None:
    plain = name.lower().removeprefix("cp").removeprefix("ansi ").strip()
    try:
        return codecs.lookup(NUMBERS.get(plain, name)).name if name else None
    except (LookupError, ValueError):  # no such name; a name with a NUL
        return None


def _is_read(cell: bytes, codec: str) -> bool:
    # the last field of a full cell may end within a character
    for cut in range(4):
        try:
            cell[: len(cell) - cut].decode(codec)
        except UnicodeDecodeError as error:
            if error.start < len(cell) - 4:
                return False
        except (UnicodeError, LookupError):  # a codec that gives no text, such as zlib
            return False
        else:
            return True
    return False


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
