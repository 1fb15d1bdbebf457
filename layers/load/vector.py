"""GeoPackage, FlatGeobuf and Shapefile, read by GDAL in a child that can do nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyogrio

from grid_boundaries.errors import Refused, TooLarge
from layers.load.child import run_child
from layers.load.limits import DEFAULT, Limits
from layers.load.reasons import REASONS
from layers.load.rows import Rejection, Rows
from layers.load.wkb import shapes_of

DRIVERS = {"GeoPackage": "GPKG", "FlatGeobuf": "FlatGeobuf", "Shapefile": "ESRI Shapefile"}
REFUSALS = {
    "no-layers": ("文件损坏，其中没有图层", "The file is broken: it has no layers"),
    "no-such-layer": ("文件中没有这个图层", "The file has no such layer"),
    "which-layer": ("文件中不止一个图层，请指明", "The file has several layers; name one"),
    "active-content": (
        "GeoPackage 含有触发器、视图或虚拟表",
        "The GeoPackage holds triggers, views or virtual tables",
    ),
    "drivers-not-limited": ("读取程序未能限定格式", "The reader could not be bound to one format"),
}


def vector_rows(
    path: Path, kind: str, *, layer: str = "", encoding: str = "", limits: Limits = DEFAULT
) -> Rows:
    """Return the features of one layer; rows whose geometry bytes are broken are rejected.

    Parameters
    ----------
    path
        A file that was looked at before: `kind` is what its content is, not its name.
    kind
        A key of `DRIVERS`; GDAL is started with every other driver left out.
    layer
        Name of the layer; may be empty when there is one only.
    encoding
        Of a Shapefile's attributes, where the file does not tell.

    Raises
    ------
    Refused
        No such layer, several and none named, a GeoPackage with active content, or the
        reader ran into its limits.
    TooLarge
        More features than the limit.
    """
    driver = DRIVERS[kind]
    if "\x00" in layer + encoding:
        raise Refused("forbidden-character", *REASONS["forbidden-character"], file=path.name)
    arguments = [str(path.resolve()), driver, layer, encoding, str(limits.features)]
    written, ended_well = run_child(
        "vector_child.py", arguments, limits, environment=_environment(driver)
    )
    if not ended_well or not written:
        raise Refused(
            "reader-stopped",
            "文件无法读取：内容损坏，或超出读取所允许的内存和时间",
            "The file cannot be read: it is broken, or needs more memory or time than allowed",
            file=path.name,
        )
    answer = orjson.loads(written)
    if "refused" in answer:
        raise _refusal(answer, path.name)
    return _rows(answer)


@cache
def _environment(driver: str) -> dict[str, str]:
    """Return what binds GDAL to one driver and keeps it from the network."""
    others = sorted(set(pyogrio.list_drivers()) - {driver})
    nowhere = "http://127.0.0.1:9"
    return {
        "OGR_SKIP": ",".join(others),
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_HTTP_PROXY": nowhere,
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "OGR_SQLITE_LOAD_EXTENSIONS": "",
        "SHAPE_RESTORE_SHX": "NO",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _refusal(answer: dict[str, Any], name: str) -> Refused:
    code = answer.pop("refused")
    if code == "too-many-rows":
        return TooLarge(
            code, "要素过多；请分成几个文件", "Too many features; split the file", **answer
        )
    zh, en = REFUSALS[code]
    return Refused(code, zh, en, file=name, **answer)


def _rows(answer: dict[str, Any]) -> Rows:
    parts = [None if text is None else bytes.fromhex(text) for text in answer["wkb"]]
    shapes, faults = shapes_of(parts)
    numbers = range(1, len(parts) + 1)
    table = pd.DataFrame(answer["columns"], index=numbers, dtype=object)
    good = [position not in faults for position in range(len(parts))]
    rejected = tuple(Rejection(position + 1, fault) for position, fault in faults.items())
    return Rows(table[good], rejected, shapes[good], answer["crs"])
