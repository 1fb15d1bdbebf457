"""How long the made-up county takes to make, and how exactly its blocks tile it."""

from __future__ import annotations

import json
import sys
from datetime import date
from time import process_time

import numpy as np
import shapely
from pyproj import Transformer

from gis_service.demo import demo
from gis_service.demo.outline import AREA_M2

DAY = date(2026, 11, 21)


def figures(seed: int = 1) -> dict[str, float]:
    """Return CPU seconds, rows made, and what blocks miss of the published area, m²."""
    start = process_time()
    made = demo(seed, DAY)
    seconds = process_time() - start
    forward = Transformer.from_crs(4490, made.metric_srid, always_xy=True)
    blocks = shapely.transform(
        made.frames["block"]["geom"].to_numpy(),
        lambda points: np.column_stack(forward.transform(points[:, 0], points[:, 1])),
    )
    outline = shapely.coverage_union_all(blocks)
    return {
        "demo_cpu_s": round(seconds, 2),
        "rows": sum(len(frame) for frame in made.frames.values()),
        "blocks": len(blocks),
        "area_off_m2": round(abs(float(shapely.area(blocks).sum()) - AREA_M2), 3),
        "gap_and_overlap_m2": round(abs(float(shapely.area(blocks).sum()) - outline.area), 6),
    }


if __name__ == "__main__":
    json.dump(figures(*map(int, sys.argv[1:2])), sys.stdout, indent=1)
