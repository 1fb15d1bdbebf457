"""Delimited text: every record is taken or has a reason, in whatever encoding it comes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused, TooLarge
from layers.load.limits import Limits
from layers.load.text import text_rows

TABLE = "编号,名称\n1,宁陕县\n2,四亩地村\n"
TRADITIONAL = "編號,名稱\n1,臺北市\n2,萬華區\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TABLE, "utf-8"),
        (TABLE, "utf-8-sig"),
        (TABLE, "gbk"),
        (TABLE, "gb18030"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "cp950"),
        (TRADITIONAL, "utf-8-sig"),
    ],
)
def test_a_table_reads_the_same_in_every_declared_encoding(text: str, encoding: str) -> None:
    rows = text_rows(text.encode(encoding), encoding=encoding)
    assert rows.rejected == ()
    expected = [line.split(",") for line in text.strip().split("\n")]
    assert [list(rows.table.columns), *rows.table.to_numpy().tolist()] == expected


def test_a_bom_is_no_part_of_the_first_column_even_when_plain_utf8_is_declared() -> None:
    rows = text_rows(TABLE.encode("utf-8-sig"), encoding="utf-8")
    assert list(rows.table.columns) == ["编号", "名称"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_an_undeclared_encoding_is_found_by_what_can_be_read(encoding: str) -> None:
    rows = text_rows(TABLE.encode(encoding))
    assert rows.table["名称"].tolist() == ["宁陕县", "四亩地村"]


def test_one_row_in_another_encoding_is_rejected_alone() -> None:
    data = "编号,名称\n1,好\n".encode() + "2,坏行\n".encode("gbk") + "3,好\n".encode()
    rows = text_rows(data, encoding="utf-8")
    assert rows.table["编号"].tolist() == ["1", "3"]
    assert [(r.row, r.code) for r in rows.rejected] == [(2, "not-in-encoding")]
    assert rows.rejected[0].facts["line"] == 3
    str(rows.rejected[0].facts["seen"]).encode()  # no lone surrogate is left


def test_a_header_in_another_encoding_refuses_the_file_with_a_sample() -> None:
    with pytest.raises(Refused) as refused:
        text_rows(TABLE.encode("gbk"), encoding="utf-8")
    assert refused.value.code == "header-not-read"
    assert refused.value.where["seen"]


def test_an_unknown_encoding_is_refused_by_name() -> None:
    with pytest.raises(Refused) as refused:
        text_rows(TABLE.encode(), encoding="klingon")
    assert refused.value.where["encoding"] == "klingon"


@pytest.mark.parametrize("data", [b"", b"\n\n  \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        text_rows(data)
    assert refused.value.code == "empty-file"


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        text_rows(b"a,b,a\n1,2,3\n")
    assert refused.value.where["columns"] == ["a"]


def test_a_second_header_line_is_rejected_as_such_and_counted() -> None:
    rows = text_rows("lon,lat\n经度,纬度\n121,25\n".encode(), notes_rows=1)
    assert [(r.row, r.code) for r in rows.rejected] == [(1, "notes-row")]
    assert rows.table.index.tolist() == [2]
    assert rows.count == 2


@pytest.mark.parametrize("line", ["1", "1,2,3", "1,2,3,4"])
def test_a_row_of_another_width_is_rejected(line: str) -> None:
    rows = text_rows(f"a,b\n{line}\n5,6\n".encode())
    assert [(r.row, r.code) for r in rows.rejected] == [(1, "wrong-column-count")]
    assert rows.table.to_numpy().tolist() == [["5", "6"]]


def test_an_open_quote_costs_its_own_line_and_not_the_rest_of_the_file() -> None:
    good = "".join(f"{n},x\n" for n in range(200))
    rows = text_rows(f'a,b\n1,"open\n{good}'.encode())
    assert [(r.row, r.code) for r in rows.rejected] == [(1, "bad-quotes")]
    assert len(rows.table) == 200


def test_noise_behind_a_closing_quote_costs_that_line() -> None:
    rows = text_rows(b'a,b\n"x"y,1\n2,3\n')
    assert [(r.row, r.code) for r in rows.rejected] == [(1, "bad-quotes")]
    assert rows.table.to_numpy().tolist() == [["2", "3"]]


def test_a_cell_may_hold_separator_quotes_and_line_breaks() -> None:
    rows = text_rows(b'a,b\r\n"x, ""y""\r\nz",1\r\n')
    assert rows.table["a"].tolist() == ['x, "y"\r\nz']


def test_a_nul_is_rejected() -> None:
    rows = text_rows(b"a,b\n1\x002,3\n4,5\n")
    assert [r.code for r in rows.rejected] == ["forbidden-character"]
    assert len(rows.table) == 1


def test_blank_lines_are_no_records() -> None:
    rows = text_rows(b"a,b\n\n1,2\n,\n\n3,4\n\n")
    assert rows.count == 2


def test_tabs_are_found_where_the_stated_separator_is_nowhere() -> None:
    rows = text_rows(b"a\tb\n1\t2\n", separator=",")
    assert rows.table.to_numpy().tolist() == [["1", "2"]]


def test_more_rows_than_the_limit_are_refused() -> None:
    with pytest.raises(TooLarge):
        text_rows(b"a\n1\n2\n3\n", limits=Limits(features=2))


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(cell, cell, cell), max_size=12),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_whatever_csv_writes_is_read_back(
    records: list[tuple[str, str, str]], separator: str, end: str, encoding: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *records])
    rows = text_rows(buffer.getvalue().encode(encoding), encoding=encoding, separator=separator)
    kept = [list(record) for record in records if any(part.strip() for part in record)]
    assert rows.rejected == ()
    assert rows.table.to_numpy().tolist() == kept


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.sampled_from(["utf-8", "gbk", "cp950"]))
def test_any_bytes_are_counted_or_refused(data: bytes, encoding: str) -> None:
    try:
        rows = text_rows(b"a,b\n" + data, encoding=encoding)
    except Refused:
        return
    assert rows.count == len(rows.table) + len(rows.rejected)
    numbers = [*rows.table.index, *(r.row for r in rows.rejected)]
    assert sorted(numbers) == list(range(1, rows.count + 1))
