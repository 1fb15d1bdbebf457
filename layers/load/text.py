"""Delimited text (CSV, TSV): decoded, cut into records, each record taken or given a reason."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from grid_boundaries.errors import Refused, TooLarge
from layers.load.encodings import UTF8, codec, refuse_unknown, text_encoding
from layers.load.limits import DEFAULT, Limits
from layers.load.rows import Rejection, Rows

# a cell may hold line breaks, but a quote left open must not swallow the rest of the file
LINES_A_RECORD = 50
UNDECODED = re.compile("[\udc80-\udcff]")


def text_rows(
    data: bytes,
    *,
    encoding: str = "",
    separator: str = ",",
    notes_rows: int = 0,
    limits: Limits = DEFAULT,
) -> Rows:
    """Return the records of a delimited table; blank lines are no records.

    Parameters
    ----------
    data
        The whole file.
    encoding
        A Python name (``"utf-8"`` also takes a BOM; ``"gbk"``, ``"gb18030"``, ``"cp950"``);
        empty for the first of UTF-8, GB18030 and Big5 in which all of it can be read.
    separator
        One character.
    notes_rows
        Records under the header that explain it (a second header line): rejected as such.

    Raises
    ------
    Refused
        Nothing but blank lines, a column named twice, an unknown encoding, or a header that
        the encoding cannot read.
    TooLarge
        More records than `limits.features`.
    """
    text = _decoded(data, encoding or text_encoding([data]).used)
    is_tabbed = separator not in text and "\t" in text
    records = _records(text, "\t" if is_tabbed else separator)
    header = _header(next(records, None))
    taken: dict[int, Sequence[str]] = {}
    rejected: list[Rejection] = []
    for number, record in enumerate(records, start=1):
        _check_count(number, limits)
        fault = "notes-row" if number <= notes_rows else _fault(record, len(header))
        if fault is None:
            taken[number] = record.cells
        else:
            rejected.append(Rejection(number, fault, {"line": record.line, **record.seen()}))
    table = pd.DataFrame(list(taken.values()), columns=header, index=list(taken), dtype=object)
    return Rows(table, tuple(rejected))


@dataclass(frozen=True)
class _Record:
    """Cells of one record, or its raw line and the fault that kept it from being cut."""

    line: int
    cells: Sequence[str]
    fault: str | None = None

    def seen(self) -> dict[str, str]:
        """Return the beginning of the record, fit to be shown."""
        start = "|".join(self.cells)[:80]
        return {"seen": UNDECODED.sub("\ufffd", start).replace("\x00", "\ufffd")}


def _decoded(data: bytes, encoding: str) -> str:
    refuse_unknown(encoding)
    name = "utf-8-sig" if codec(encoding) == UTF8 else encoding
    return data.decode(name, errors="surrogateescape")


def _records(text: str, separator: str) -> Iterator[_Record]:
    """Yield records; a line whose quotes do not pair is one faulty record of its own."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    start = 0
    while start < len(lines):
        window = lines[start : start + LINES_A_RECORD]
        reader = csv.reader(window, delimiter=separator, strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            yield _Record(start + 1, [lines[start].strip()], "bad-quotes")
            start += 1
            continue
        if any(cell.strip() for cell in cells):
            yield _Record(start + 1, cells)
        start += reader.line_num


def _header(record: _Record | None) -> list[str]:
    if record is None:
        raise Refused("empty-file", "文件没有内容", "The file is empty")
    names = [" ".join(cell.split()) for cell in record.cells]
    if record.fault or UNDECODED.search("".join(names)):
        raise Refused(
            "header-not-read",
            f"表头无法按所声明的编码读取：{record.seen()['seen']}",
            "The header cannot be read in the stated encoding",
            **record.seen(),
        )
    _check_named_once(names)
    return names


def _check_named_once(names: list[str]) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise Refused(
            "column-named-twice",
            f"表头重复：{'、'.join(twice)}",
            f"Columns are named twice: {', '.join(twice)}",
            columns=twice,
        )


def _fault(record: _Record, width: int) -> str | None:
    text = "".join(record.cells)
    if record.fault is not None:
        return record.fault
    if UNDECODED.search(text):
        return "not-in-encoding"
    if "\x00" in text:
        return "forbidden-character"
    return None if len(record.cells) == width else "wrong-column-count"


def _check_count(number: int, limits: Limits) -> None:
    if number > limits.features:
        raise TooLarge(
            "too-many-rows",
            f"超过 {limits.features} 行；请分成几个文件",
            f"More than {limits.features} rows; split the file",
            limit=limits.features,
        )
