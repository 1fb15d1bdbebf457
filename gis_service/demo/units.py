"""The 92 published units of the county, as the product's own table of facts gives them."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd

COUNTY_CODE = "610923"


def published_units() -> pd.DataFrame:
    """Return code, name, parent_code, kind, level and unit_path of county, towns and villages."""
    source = files("gis_service.datasets").joinpath("ningshan_units.csv")
    with source.open(encoding="utf-8") as stream:
        units = pd.read_csv(stream, dtype=str)
    levels = {"county": "county", "town": "town"}
    units["level"] = units["kind"].map(levels).fillna("village")
    path = {"": "/"}
    for code, parent in zip(units["code"], units["parent_code"].fillna(""), strict=True):
        path[code] = f"{path[parent]}{code}/"
    units["unit_path"] = units["code"].map(path)
    return units
