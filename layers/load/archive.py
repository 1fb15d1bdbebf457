"""Zipped Shapefiles: unpacked for as long as they are read, and the encoding of their table."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from grid_boundaries.errors import Refused
from layers.load.entries import checked_entries, shapefile_parts, too_large
from layers.load.limits import DEFAULT, Limits

READ_BYTES = 1 << 16


@contextmanager
def unzipped_shapefile(path: Path, *, limits: Limits = DEFAULT) -> Iterator[Path]:
    """Unpack the one Shapefile of an archive and give its .shp; nothing is left afterwards.

    Names in GBK are read right. Other files in the archive are left alone.

    Raises
    ------
    TooLarge
        Too many entries, too large when unpacked, or packed beyond the allowed ratio; by what
        really comes out, not by what the archive says.
    Unsupported
        An Office file, or an archive in the archive.
    Refused
        No archive, a name that leads elsewhere, a link, entries that overlap, no Shapefile or
        several, or a missing part (by name).
    """
    with TemporaryDirectory(prefix="gis-load-") as folder:
        try:
            with ZipFile(path) as archive:
                files = checked_entries(archive.infolist(), limits)
                parts = shapefile_parts(files)
                left = _bound_bytes(path, limits)
                for suffix, entry in parts.items():
                    left -= _unpacked(archive, entry, Path(folder) / f"layer{suffix}", left)
        # zipfile says NotImplementedError of a compression it does not know
        except (BadZipFile, NotImplementedError, EOFError, struct.error) as error:
            raise Refused(
                "broken-archive", "压缩包损坏", "The archive is broken", file=path.name
            ) from error
        yield Path(folder) / "layer.shp"


def encoding_of(shp: Path) -> str:
    """Return the encoding of a Shapefile's attributes: as its .cpg says, else as the bytes read.

    Raises
    ------
    Refused
        Neither UTF-8 nor GB18030 can read the attributes; with a sample.
    """
    stated = _stated_encoding(shp.with_suffix(".cpg"))
    if stated:
        return stated
    text = shp.with_suffix(".dbf").read_bytes()
    for encoding in ("utf-8", "gb18030"):
        try:
            text[32:].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Refused(
        "unknown-encoding",
        "属性表的编码不明；请附 .cpg 文件",
        "The encoding of the attributes is unknown; add a .cpg file",
        sample=text[-200:].decode("gb18030", errors="replace")[:60],
    )


def _stated_encoding(cpg: Path) -> str:
    """Return the name of an encoding in a .cpg file, empty where there is none."""
    text = cpg.read_text("ascii", errors="replace") if cpg.exists() else ""
    return "".join(re.findall(r"[\w./ -]", text, re.ASCII)).strip()[:20]


def _bound_bytes(path: Path, limits: Limits) -> int:
    return min(limits.unzipped_bytes, round(path.stat().st_size * limits.unzip_ratio))


def _unpacked(archive: ZipFile, entry: ZipInfo, target: Path, left_bytes: int) -> int:
    """Write an entry and return its real size; stop when more comes out than is left."""
    size = 0
    with archive.open(entry) as packed, target.open("wb") as file:
        while piece := packed.read(READ_BYTES):
            size += len(piece)
            if size > left_bytes:
                raise too_large("bytes", size, left_bytes)
            file.write(piece)
    return size
