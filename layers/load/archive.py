"""Zipped Shapefiles: unpacked for as long as they are read."""

from __future__ import annotations

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
