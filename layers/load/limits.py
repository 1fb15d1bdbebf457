"""How much one file may hold and one reader may use."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on a file and on the process that reads it; see the settings of the same names."""

    file_bytes: int = 50 * MEGABYTE
    unzipped_bytes: int = 500 * MEGABYTE
    unzip_ratio: float = 100.0
    archive_files: int = 1_000
    features: int = 200_000
    vertices: int = 100_000
    nesting: int = 8
    properties: int = 200
    property_bytes: int = 4_096
    reader_memory_bytes: int = 2_048 * MEGABYTE
    reader_cpu_s: int = 60
    reader_wall_s: int = 120


DEFAULT = Limits()
