"""The tree of a dataset: county, towns, villages, and ready-made blocks with a grid each."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from grid_boundaries.codes import first_block_ids, next_grid_codes, path_of, profile
from grid_boundaries.tables import STORED_SRID
from layers.load.intake import Intake
from layers.load.positions import as_stored, in_metres

Frames = dict[str, pd.DataFrame]

COUNTED = ("people", "households", "registered", "usual")


def unit_frame(
    county: tuple[str, str], towns: pd.DataFrame, villages: pd.DataFrame, valid_from: date
) -> pd.DataFrame:
    """Return the rows of `unit`: the county as the union of its towns, towns, villages.

    Parameters
    ----------
    county
        Code and name.
    towns, villages
        Columns code, name, kind, geom; villages also parent_code, their town's.
    """
    code, name = county
    whole = shapely.union_all(towns["geom"].to_numpy())
    top = pd.DataFrame({"code": [code], "name": [name], "kind": ["county"], "geom": [whole]})
    above = zip(villages["parent_code"], villages["code"], strict=True)
    paths = [(code,), *((code, town) for town in towns["code"]), *((code, *two) for two in above)]
    frames = [
        top.assign(level="county", parent_code=None),
        towns.assign(level="town", parent_code=code),
        villages.assign(level="village"),
    ]
    units = pd.concat(frames, ignore_index=True).assign(valid_from=valid_from)
    units["unit_path"] = [path_of(path) for path in paths]
    units["geom"] = as_stored(units["geom"], "MultiPolygon")
    return units


def block_frames(
    intake: Intake, values: pd.DataFrame, units: pd.DataFrame, crs: CRS, valid_from: date
) -> Frames:
    """Return `block` and `block_count` of ready-made blocks, each in one village.

    A block belongs to the village that holds most of it (ties to the lowest code), for the
    outlines of the two come from different sources. A block without a count keeps none, and
    is listed.

    Parameters
    ----------
    values
        Columns alias, people, households of the rows still in the intake.
    """
    villages = units[units["level"] == "village"]
    owner = _owners(intake, _outlines(villages, crs), crs)
    values = values.loc[owner.index]
    uncounted = values.loc[values["people"].isna(), ["alias"]]
    intake.note(uncounted.index, "not-counted", uncounted.to_dict("records"))
    shapes_m = in_metres(intake.shapes, crs)
    blocks = pd.DataFrame(
        {
            "id": first_block_ids(_insides(shapes_m)),
            "village_code": owner,
            "kind": "unit",
            "alias": values["alias"],
            "area_m2": shapes_m.area,
            "unit_path": owner.map(villages.set_index("code")["unit_path"]),
            "geom": as_stored(intake.shapes, "MultiPolygon"),
            "valid_from": valid_from,
        }
    )
    counts = blocks[["id", "unit_path"]].rename(columns={"id": "block_id"})
    counted = values[[name for name in COUNTED if name in values]]
    return {
        "block": blocks.reset_index(drop=True),
        "block_count": counts.join(counted).reset_index(drop=True),
    }


def _owners(intake: Intake, villages_m: gpd.GeoSeries, crs: CRS) -> pd.Series[Any]:
    """Return the village of each block; one that meets no village leaves the intake."""
    owner = main_villages(in_metres(intake.shapes, crs), villages_m)
    nowhere = owner.index[owner.isna()]
    intake.reject(nowhere, "outside-county")
    return owner.drop(index=nowhere)


def grid_frames(
    blocks: pd.DataFrame, units: pd.DataFrame, crs: CRS, profile_name: str, setting: str
) -> Frames:
    """Return `grid` and `grid_block`: every block a residential grid of its own."""
    codes = pd.Series(None, index=blocks.index, dtype=object)
    insides = _insides(in_metres(blocks["geom"], crs))
    for village, members in blocks.groupby("village_code").indices.items():
        # numbering runs inside each village
        codes.iloc[members] = next_grid_codes(str(village), insides[members], profile(profile_name))
    names = blocks["village_code"].map(units.set_index("code")["name"])
    kept = blocks[["alias", "village_code", "area_m2", "unit_path", "geom", "valid_from"]]
    grids = kept.assign(
        code=codes,
        name=names + codes.str[-3:],
        kind="residential",
        setting=setting,
    )
    pairs = {"block_id": blocks["id"], "grid_code": codes, "valid_from": blocks["valid_from"]}
    return {"grid": grids, "grid_block": pd.DataFrame(pairs)}


def main_villages(shapes_m: gpd.GeoSeries, villages_m: gpd.GeoSeries) -> pd.Series[Any]:
    """Return the index label of the village that holds the largest part of each shape.

    Ties go to the lowest label; None where a shape meets no village. Metres, valid polygons.
    """
    shapes, outlines = shapes_m.to_numpy(), villages_m.to_numpy()
    shape, village = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(shapes[shape], outlines[village]))
    met = pd.DataFrame(
        {"shape": shape, "village": villages_m.index[village], "shared_m2": shared_m2}
    )
    met = met[met["shared_m2"] > 0].sort_values(
        ["shape", "shared_m2", "village"], ascending=[True, False, True]
    )
    largest = met.drop_duplicates("shape").set_index("shape")["village"]
    owners = largest.reindex(range(len(shapes)))
    return pd.Series(
        [None if pd.isna(owner) else owner for owner in owners], index=shapes_m.index, dtype=object
    )


def _outlines(villages: pd.DataFrame, crs: CRS) -> gpd.GeoSeries:
    outlines = gpd.GeoSeries(villages["geom"].to_numpy(), index=villages["code"], crs=STORED_SRID)
    return outlines.to_crs(crs)


def _insides(shapes_m: gpd.GeoSeries) -> npt.NDArray[np.float64]:
    """Return one point inside each shape, metres."""
    return shapely.get_coordinates(shapely.point_on_surface(shapes_m.to_numpy()))
