"""Made files of every kind that the readers take."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
from shapely import Point, Polygon, box

NAMES = ["宁陕县", "四亩地村", "城关镇"]
BOW_TIE = Polygon([(108.0, 33.0), (108.1, 33.1), (108.1, 33.0), (108.0, 33.1)])


def villages() -> gpd.GeoDataFrame:
    """Three squares with Chinese names, a number and a code."""
    squares = [box(108 + n / 10, 33, 108.1 + n / 10, 33.1) for n in range(3)]
    columns = {"NAME": NAMES, "COUNT": [1.0, 2.5, None], "CODE": ["001", "002", "003"]}
    return gpd.GeoDataFrame(columns, geometry=squares, crs=4326)


def points() -> gpd.GeoDataFrame:
    """Three points with names."""
    places = [Point(108.05 + n / 10, 33.05) for n in range(3)]
    return gpd.GeoDataFrame({"NAME": NAMES}, geometry=places, crs=4326)


def geopackage(path: Path) -> Path:
    """A GeoPackage with two layers."""
    villages().to_file(path, layer="villages", driver="GPKG")
    points().to_file(path, layer="points", driver="GPKG")
    return path


def altered_geopackage(path: Path, statement: str) -> Path:
    """A GeoPackage into which somebody wrote a statement of their own."""
    geopackage(path)
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    return path


def flatgeobuf(path: Path) -> Path:
    """A FlatGeobuf file."""
    villages().to_file(path, driver="FlatGeobuf")
    return path


def shapefile_parts(folder: Path, *, encoding: str = "GBK", cpg: bool = False) -> dict[str, bytes]:
    """The parts of a Shapefile by suffix, its attributes in an encoding, by default untold."""
    villages().to_file(folder / "villages.shp", encoding=encoding)
    parts = {path.suffix: path.read_bytes() for path in folder.glob("villages.*")}
    if not cpg:
        parts.pop(".cpg", None)
    if encoding != "UTF-8":
        # the language byte of the table would tell as well; many writers leave it empty
        parts[".dbf"] = parts[".dbf"][:29] + b"\x00" + parts[".dbf"][30:]
    return parts


def zipped(path: Path, entries: Mapping[str, bytes]) -> Path:
    """A zip of the entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def zipped_shapefile(path: Path, *, stem: str = "villages", encoding: str = "GBK") -> Path:
    """A zipped Shapefile."""
    parts = shapefile_parts(path.parent, encoding=encoding)
    return zipped(path, {f"{stem}{suffix}": data for suffix, data in parts.items()})
