"""Assignment of a real city's accidents, beside the counts published with the data."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoSeries

from grid_boundaries.blocks import block_frame
from grid_boundaries.crs import metres_from_lonlat
from grid_boundaries.topology import overlaps
from layers.assign import assign_flagged

CITY = Path(os.environ.get("GIS_SHARED_DATA", "../shared/data")) / "taipei"
METRIC_SRID = 3826

pytestmark = pytest.mark.skipif(not CITY.is_dir(), reason=f"the city's open data is not at {CITY}")

ACCIDENTS_A_DISTRICT = {
    "中山區": 2900, "大安區": 2415, "中正區": 2217, "信義區": 2164, "內湖區": 2069, "士林區": 2061,
    "萬華區": 1726, "文山區": 1631, "大同區": 1539, "北投區": 1394, "松山區": 1348, "南港區": 872,
}  # fmt: skip


def outlines(layer: str) -> geopandas.GeoDataFrame:
    """Return a layer in metres; its one bow-tie is mended, as the loader's repair does."""
    frame = geopandas.read_file(CITY / "boundaries.gpkg", layer=layer).to_crs(METRIC_SRID)
    mended = shapely.make_valid(np.asarray(frame.geometry.array), method="structure")
    return frame.set_geometry(GeoSeries(mended, index=frame.index, crs=METRIC_SRID))


def test_accidents_fall_into_the_districts_and_villages_counted_by_others() -> None:
    villages = outlines("villages")
    accidents = pd.read_csv(CITY / "incidents_accidents_2024.tsv", sep="\t", dtype=str)
    lonlat = accidents[["GoogleLng", "GoogleLat"]].astype(float).to_numpy()
    points = metres_from_lonlat(lonlat, METRIC_SRID)
    found, how = assign_flagged(points, villages.geometry, villages["VILLCODE"].to_numpy())
    assert len(found) == 22_357
    assert (how == "inside").sum() == 22_336
    per_village = pd.Series(found[how == "inside"]).value_counts()
    assert per_village.head(3).tolist() == [383, 240, 222]
    assert len(per_village) == len(villages)
    towns = villages.set_index("VILLCODE")["TOWNNAME"]
    assert per_village.groupby(towns).sum().to_dict() == ACCIDENTS_A_DISTRICT


def test_statistical_units_become_blocks_of_the_villages_named_beside_them() -> None:
    units, villages = outlines("units"), outlines("villages")
    made = block_frame(units.geometry, GeoSeries(villages.set_index("VILLCODE").geometry))
    assert made.blocks["village_code"].tolist() == units["VILLCODE"].tolist()
    assert made.blocks["village_share"].mean() == pytest.approx(0.973, abs=0.0005)
    assert (made.blocks["village_share"] >= 0.95).mean() == pytest.approx(0.833, abs=0.0005)
    assert len(made.findings) == (made.blocks["village_share"] < 0.95).sum()
    assert made.blocks["area_m2"].sum() / 1e6 == pytest.approx(269.292, abs=0.01)
    assert overlaps(units.geometry).empty
