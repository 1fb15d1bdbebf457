"""Zipped Shapefiles: the good are unpacked and leave nothing behind, the bad never get so far."""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.archive import unzipped_shapefile
from layers.load.limits import DEFAULT, Limits
from tests.layers.load.made import shapefile_parts, zipped, zipped_shapefile


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test unpacks into a folder that must be empty again."""
    unpacking = tmp_path / "unpacking"
    unpacking.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(unpacking))
    yield
    assert list(unpacking.iterdir()) == []


def refusal(path: Path, limits: Limits = DEFAULT) -> Refused:
    with pytest.raises(Refused) as refused, unzipped_shapefile(path, limits=limits):
        pass
    return refused.value


@pytest.mark.parametrize("stem", ["villages", "folder/villages", "folder\\villages"])
def test_the_parts_lie_side_by_side_while_needed(tmp_path: Path, stem: str) -> None:
    with unzipped_shapefile(zipped_shapefile(tmp_path / "a.zip", stem=stem)) as shp:
        assert shp.exists()
        assert shp.with_suffix(".dbf").exists()
    assert not shp.exists()


def test_a_gbk_name_is_read_right(tmp_path: Path) -> None:
    path = zipped_shapefile(tmp_path / "a.zip", stem="xxxx")
    gbk = "四亩".encode("gbk")
    path.write_bytes(path.read_bytes().replace(b"xxxx", gbk))
    with unzipped_shapefile(path) as shp:
        assert shp.exists()


@pytest.mark.parametrize("suffix", [".shx", ".dbf", ".prj"])
def test_a_missing_part_is_named(tmp_path: Path, suffix: str) -> None:
    parts = shapefile_parts(tmp_path)
    del parts[suffix]
    path = zipped(tmp_path / "a.zip", {f"v{s}": data for s, data in parts.items()})
    found = refusal(path)
    assert (found.code, found.where["missing"]) == ("missing-part", [suffix])


def test_no_shapefile_and_two_shapefiles(tmp_path: Path) -> None:
    assert refusal(zipped(tmp_path / "a.zip", {"a.txt": b"x"})).code == "no-shapefile"
    parts = shapefile_parts(tmp_path)
    both = {f"{stem}{s}": data for stem in "ab" for s, data in parts.items()}
    assert refusal(zipped(tmp_path / "b.zip", both)).code == "which-shapefile"


@pytest.mark.parametrize("name", ["../v.shp", "/etc/v.shp", "a/../../v.shp", "C:\\v.shp", "..\\v"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(zipped(tmp_path / "a.zip", {name: b"x"})).code == "unsafe-name"


def test_a_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"aXb.shp": b"x"})
    path.write_bytes(path.read_bytes().replace(b"aXb.shp", b"a\x00b.shp"))
    assert refusal(path).code in {"unsafe-name", "broken-archive"}


def test_a_link_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("v.shp")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert refusal(tmp_path / "a.zip").code == "link-in-archive"


def test_an_archive_in_the_archive_and_an_office_file(tmp_path: Path) -> None:
    inner = io.BytesIO()
    zipfile.ZipFile(inner, "w").close()
    found = refusal(zipped(tmp_path / "a.zip", {"inner.zip": inner.getvalue()}))
    assert isinstance(found, Unsupported)
    found = refusal(zipped(tmp_path / "b.zip", {"[Content_Types].xml": b"<x/>"}))
    assert isinstance(found, Unsupported)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"v.shp": bytes(20_000_000)})
    found = refusal(path)
    assert isinstance(found, TooLarge)
    assert found.where["what"] == "ratio"
    assert found.where["found"] > 100


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    parts = shapefile_parts(tmp_path)
    parts[".shp"] = bytes(20_000_000)
    path = zipped(tmp_path / "a.zip", {f"v{s}": data for s, data in parts.items()})
    size = struct.pack("<I", 20_000_000)
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 2_000)))
    assert refusal(path).code in {"archive-too-large", "broken-archive"}


def test_too_many_entries_and_too_many_bytes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"{n}.txt": b"" for n in range(20)})
    assert isinstance(refusal(path, Limits(archive_files=19)), TooLarge)
    path = zipped_shapefile(tmp_path / "b.zip")
    assert isinstance(refusal(path, Limits(unzipped_bytes=100)), TooLarge)


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.shp": b"1" * 100, "b.shp": b"2" * 100})
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 3)  # where its local header lies
    path.write_bytes(data)
    assert refusal(path).code in {"overlapping-entries", "broken-archive"}


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"v.shp": b"x"})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    path.write_bytes(data)
    assert refusal(path).code == "encrypted"


@pytest.mark.parametrize("data", [b"PK\x03\x04junk", b"", b"PK\x05\x06"])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert refusal(path).code == "broken-archive"


def test_half_an_archive_is_refused(tmp_path: Path) -> None:
    path = zipped_shapefile(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path).code == "broken-archive"
