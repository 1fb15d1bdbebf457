"""Repairs invalid polygons one by one and writes each as it is done; run only as a child."""

from __future__ import annotations

import sys
from pathlib import Path

# isolated mode leaves the folder of the packages out
sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> int:
    """Read lines of hexadecimal WKB and write as many, repaired; an empty line where none is."""
    from layers.load.harness import bind

    memory_bytes, cpu_s = sys.argv[1:]
    bind(int(memory_bytes), int(cpu_s))
    import shapely

    for line in sys.stdin:
        # "linework", the default, can take minutes and gigabytes for 800 vertices
        mended = shapely.make_valid(shapely.from_wkb(line.strip()), method="structure")
        good = mended.geom_type in {"Polygon", "MultiPolygon"} and not mended.is_empty
        sys.stdout.write((shapely.to_wkb(mended, hex=True) if good else "") + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
