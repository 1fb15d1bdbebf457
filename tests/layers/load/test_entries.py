"""The entries of an archive: each is looked at, and the first that is not as it should be tells."""

from __future__ import annotations

import io
import stat
import struct
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.description import Source
from layers.load.entries import checked_entries, shapefile_parts
from layers.load.limits import DEFAULT, Limits
from layers.load.readers import rows_of
from tests.layers.load.made import shapefile_parts as made_parts
from tests.layers.load.made import zipped

PARTS = (".shp", ".shx", ".dbf", ".prj")


def archive(entries: Mapping[str, bytes], *, stored: bool = False) -> list[zipfile.ZipInfo]:
    buffer = io.BytesIO()
    how = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", how) as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return zipfile.ZipFile(buffer).infolist()


def code_of(entries: list[zipfile.ZipInfo], limits: Limits = DEFAULT) -> str:
    with pytest.raises(Refused) as refused:
        checked_entries(entries, limits)
    assert refused.value.zh
    assert refused.value.en
    return refused.value.code


def named(name: str) -> zipfile.ZipInfo:
    """An entry as a hostile writer makes it: with any name at all."""
    entry = zipfile.ZipInfo("x")
    entry.filename = entry.orig_filename = name
    entry.flag_bits |= 0x800
    entry.header_offset = entry.compress_size = 0
    return entry


def test_files_are_told_by_the_path_they_are_to_have() -> None:
    files = checked_entries(archive({"a/v.shp": b"1", "a/": b"", "b\\c.txt": b"2"}), DEFAULT)
    assert sorted(map(str, files)) == ["a/v.shp", "b/c.txt"]


def test_an_empty_archive_has_no_files() -> None:
    assert checked_entries([], DEFAULT) == {}
    with pytest.raises(Refused) as refused:
        shapefile_parts({})
    assert refused.value.code == "no-shapefile"


@pytest.mark.parametrize(
    "name",
    ["", ".", "./", "..", "../a", "a/../b", "/a", "//a", "\\a", "..\\a", "C:a", "c:\\a", "a\x00b"],
)
def test_a_name_that_leads_elsewhere_or_nowhere_is_refused(name: str) -> None:
    if name.endswith("/"):
        assert checked_entries([named(name)], DEFAULT) == {}
    else:
        assert code_of([named(name)]) == "unsafe-name"


@pytest.mark.parametrize(
    "name", ["a..b.shp", "...shp", "a/b.c/d.shp", "网格.shp", " a .shp", "a:b/../x"]
)
def test_odd_names_that_stay_inside_are_told_from_those_that_do_not(name: str) -> None:
    if ".." in PurePosixPath(name).parts:
        assert code_of([named(name)]) == "unsafe-name"
    else:
        assert list(checked_entries([named(name)], DEFAULT)) == [PurePosixPath(name)]


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFLNK | 0o777])
def test_a_link_is_refused_whatever_its_rights(mode: int) -> None:
    entry = named("v.shp")
    entry.external_attr = mode << 16
    assert code_of([entry]) == "link-in-archive"


def test_a_refusal_shows_the_name_without_what_cannot_be_shown() -> None:
    with pytest.raises(Refused) as refused:
        checked_entries([named("a\x00" + "b" * 200)], DEFAULT)
    shown = refused.value.where["entry"]
    assert "\x00" not in shown
    assert len(shown) <= 80


@pytest.mark.parametrize("name", ["inner.zip", "a/b.ZIP", "深/层.zip"])
def test_an_archive_in_the_archive_is_never_opened(name: str) -> None:
    inner = io.BytesIO()
    for _ in range(5):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as written:
            written.writestr("inner.zip", inner.getvalue())
        inner = outer
    with pytest.raises(Unsupported):
        checked_entries(archive({name: inner.getvalue()}), DEFAULT)


def test_an_office_file_is_told_from_a_shapefile() -> None:
    with pytest.raises(Unsupported, match="Office"):
        checked_entries(archive({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b""}), DEFAULT)


def test_the_limits_are_the_last_that_is_taken() -> None:
    three = archive({f"{n}.txt": b"x" * 10 for n in range(3)}, stored=True)
    assert len(checked_entries(three, Limits(archive_files=3, unzipped_bytes=30))) == 3
    for limits in (Limits(archive_files=2), Limits(unzipped_bytes=29)):
        with pytest.raises(TooLarge):
            checked_entries(three, limits)


def test_a_ratio_over_the_limit_names_what_was_found() -> None:
    with pytest.raises(TooLarge) as refused:
        checked_entries(archive({"v.shp": bytes(3_000_000)}), DEFAULT)
    assert refused.value.where["what"] == "ratio"
    assert refused.value.where["found"] > refused.value.where["limit"] == 100


def test_a_hundred_thousand_entries_are_refused_by_their_number(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"{n}": b"" for n in range(20_000)})
    started = time.process_time()
    with pytest.raises(TooLarge) as refused:
        rows_of(path, Source(into="place"))
    assert refused.value.where["what"] == "entries"
    assert time.process_time() - started < 30


def test_touching_entries_pass_and_overlapping_ones_do_not() -> None:
    first, second = named("a.txt"), named("b.txt")
    first.header_offset, first.compress_size = 0, 100
    second.header_offset, second.compress_size = 100, 10
    assert len(checked_entries([second, first], DEFAULT)) == 2
    second.header_offset = 99
    assert code_of([second, first]) == "overlapping-entries"


@pytest.mark.parametrize("suffixes", [PARTS, tuple(suffix.upper() for suffix in PARTS)])
def test_the_parts_of_one_shapefile_are_found_whatever_their_case(
    suffixes: tuple[str, ...],
) -> None:
    files = checked_entries(
        archive({f"村界{s}": b"x" for s in suffixes} | {"readme.txt": b""}), DEFAULT
    )
    assert tuple(shapefile_parts(files)) == PARTS


def test_other_files_of_the_same_stem_are_left_alone() -> None:
    given = {f"v{s}": b"x" for s in (*PARTS, ".cpg", ".sbn", ".xml", ".qpj")}
    assert tuple(shapefile_parts(checked_entries(archive(given), DEFAULT))) == (*PARTS, ".cpg")


@pytest.mark.parametrize("left_out", PARTS)
def test_each_part_that_is_missing_is_named(left_out: str) -> None:
    files = checked_entries(archive({f"v{s}": b"x" for s in PARTS if s != left_out}), DEFAULT)
    with pytest.raises(Refused) as refused:
        shapefile_parts(files)
    assert refused.value.where["missing"] == [left_out]
    assert left_out in refused.value.en


def test_parts_in_two_folders_are_two_shapefiles() -> None:
    files = checked_entries(archive({"a/v.shp": b"x", "b/v.dbf": b"x"}), DEFAULT)
    with pytest.raises(Refused) as refused:
        shapefile_parts(files)
    assert (refused.value.code, refused.value.where["found"]) == ("which-shapefile", ["a/v", "b/v"])


def test_an_entry_that_says_another_size_in_its_own_header_is_no_way_in(tmp_path: Path) -> None:
    parts = {f"v{s}": data for s, data in made_parts(tmp_path).items()}
    path = zipped(tmp_path / "a.zip", parts)
    data = bytearray(path.read_bytes())
    data[22:26] = struct.pack("<I", 7)  # the size in the first local header
    path.write_bytes(data)
    try:
        rows = rows_of(path, Source(into="place"))
    except Refused as refused:
        assert refused.code in {"broken-archive", "reader-stopped"}
    else:
        assert rows.count == 3


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.text(max_size=12), max_size=6, unique=True))
def test_any_names_are_inside_or_refused(names: list[str]) -> None:
    try:
        files = checked_entries([named(name) for name in names], DEFAULT)
    except Refused:
        return
    for path in files:
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert path.parts
