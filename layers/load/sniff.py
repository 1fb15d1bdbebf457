"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import re
from pathlib import Path

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import DEFAULT, Limits

HEAD_BYTES = 4_096

READ = frozenset({"GeoJSON", "GeoPackage", "FlatGeobuf", "zip", "text"})
READ_HERE = (
    "可读的文件（GeoJSON、GeoPackage、FlatGeobuf、Shapefile 压缩包、CSV）",
    "a file that is read here (GeoJSON, GeoPackage, FlatGeobuf, a zipped Shapefile, CSV)",
)
BY_SUFFIX = {
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".gpkg": "GeoPackage",
    ".fgb": "FlatGeobuf",
    ".zip": "zip",
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
}
MAGIC = (
    (b"SQLite format 3\x00", "GeoPackage"),
    (b"fgb\x03fgb", "FlatGeobuf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x00\x00\x27\x0a", "a bare .shp"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
MARKUP = (
    (rb"<\s*OGRVRTDataSource", "VRT"),
    (rb"<\s*VRTDataset", "VRT"),
    (rb"<\s*(\w+:)?kml\b", "KML"),
    (rb"<\s*(\w+:)?FeatureCollection\b|opengis\.net/gml", "GML"),
    (rb"<\s*svg\b", "SVG"),
    (rb"<\s*(!doctype\s+html|html|head|body|script)\b", "HTML"),
)


def content_of(head: bytes) -> str:
    """Return what bytes are: one of `READ`, or the name of something that is not read here.

    Text without markup that does not begin like JSON is taken for a delimited table.
    """
    known = next((kind for magic, kind in MAGIC if head.startswith(magic)), None)
    if known is not None:
        return known
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _markup(text)
    if b"\x00" in head:
        return "binary"
    return "GeoJSON" if text.startswith((b"{", b"[")) else "text"


def checked_kind(path: Path, limits: Limits = DEFAULT) -> str:
    """Return the kind of a file, or refuse what is not read or is not what its name says.

    Raises
    ------
    TooLarge
        Over the limit in bytes.
    Unsupported
        Content that is not read here, or differs from the file's suffix.
    Refused
        There is no such file.
    """
    _check_size(path, limits)
    with path.open("rb") as file:
        found = content_of(file.read(HEAD_BYTES))
    expected = BY_SUFFIX.get(path.suffix.lower(), found)
    if found not in READ or found != expected:
        named_zh, named_en = (expected, expected) if expected in READ else READ_HERE
        raise Unsupported(
            "wrong-content",
            f"内容是 {found}，不是 {named_zh}",
            f"The content is {found}, not {named_en}",
            file=path.name,
            content=found,
        )
    return found


def _markup(text: bytes) -> str:
    # a comment or prolog may stand before the element that tells
    found = (kind for pattern, kind in MARKUP if re.search(pattern, text, re.IGNORECASE))
    return next(found, "XML")


def _check_size(path: Path, limits: Limits) -> None:
    if not path.is_file():
        raise Refused(
            "no-such-file",
            f"没有文件 {path.name}",
            f"There is no file {path.name}",
            file=path.name,
        )
    size_bytes = path.stat().st_size
    if size_bytes > limits.file_bytes:
        raise TooLarge(
            "file-too-large",
            f"文件 {size_bytes} 字节，超过上限 {limits.file_bytes}",
            f"The file has {size_bytes} bytes, more than {limits.file_bytes}",
            file=path.name,
        )
