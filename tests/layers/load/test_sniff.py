"""What a file is, by content: a false name is told, and nothing dangerous gets to a reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import Limits
from layers.load.sniff import checked_kind, content_of
from tests.layers.load.made import flatgeobuf, geopackage, zipped_shapefile

VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>CSV:/etc/passwd</SrcDataSource>'


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (VRT, "VRT"),
        (b"\xef\xbb\xbf  " + VRT, "VRT"),
        (b"<!-- harmless --><OGRVRTDataSource/>", "VRT"),
        (b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2">', "KML"),
        (b'<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="x">', "GML"),
        (b"<svg onload=alert(1)>", "SVG"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"<script>1</script>", "HTML"),
        (b'<?xml version="1.0"?><other/>', "XML"),
        (b"SQLite format 3\x00", "GeoPackage"),
        (b"fgb\x03fgb\x00", "FlatGeobuf"),
        (b"PK\x03\x04", "zip"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\xd0\xcf\x11\xe0\xa1", "an old Office file"),
        (b"\xff\xfe{\x00", "UTF-16"),
        (b"\x01\x00\x02", "binary"),
        (b' \n{"type": "Feature"}', "GeoJSON"),
        (b"\xef\xbb\xbf[1]", "GeoJSON"),
        ("编号,名称".encode("gbk"), "text"),
        (b"", "text"),
    ],
)
def test_content_is_told_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert content_of(head) == kind


@pytest.mark.parametrize("name", ["x.geojson", "x.csv", "x.gpkg", "x.zip", "x.dat", "x"])
def test_a_vrt_is_refused_under_every_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(VRT)
    with pytest.raises(Unsupported) as refused:
        checked_kind(path)
    assert refused.value.where["content"] == "VRT"
    assert "VRT" in refused.value.zh


def test_made_files_are_what_they_are(tmp_path: Path) -> None:
    assert checked_kind(geopackage(tmp_path / "a.gpkg")) == "GeoPackage"
    assert checked_kind(flatgeobuf(tmp_path / "a.fgb")) == "FlatGeobuf"
    assert checked_kind(zipped_shapefile(tmp_path / "a.zip")) == "zip"


def test_a_known_content_under_another_name_is_refused(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg").rename(tmp_path / "a.geojson")
    with pytest.raises(Unsupported) as refused:
        checked_kind(path)
    assert refused.value.en == "The content is GeoPackage, not GeoJSON"


def test_a_known_content_without_a_telling_name_is_taken(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg").rename(tmp_path / "upload")
    assert checked_kind(path) == "GeoPackage"


@pytest.mark.parametrize("path", ["http://127.0.0.1:9/x.geojson", "/vsicurl/http://x/y", "no.csv"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_kind(Path(path))
    assert refused.value.code == "no-such-file"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        checked_kind(tmp_path)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n")
    with pytest.raises(TooLarge):
        checked_kind(path, Limits(file_bytes=3))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.sampled_from([b"", b"<", b"{", b"<?xml", b"PK"]))
def test_any_bytes_are_something(data: bytes, start: bytes) -> None:
    assert content_of(start + data)
