"""Reads one layer of a vector file with GDAL and writes plain JSON; run only as a child."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

# isolated mode leaves the folder of the packages out
sys.path.insert(0, str(Path(__file__).parents[2]))

# triggers that writers of GeoPackages put there themselves; on reading none ever fires
STANDARD_TRIGGERS = ("rtree_", "gpkg_", "trigger_insert_feature_count_", "trigger_delete_feature_")


def _odd_parts(path: str) -> list[str]:
    """Return triggers, views and virtual tables that no GeoPackage needs."""
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as database:
        database.execute("pragma trusted_schema = off")
        parts = database.execute("select type, name, coalesce(sql, '') from sqlite_master")
        return [f"{kind} {name}" for kind, name, text in parts if _is_odd(kind, name, text)]


def _is_odd(kind: str, name: str, text: str) -> bool:
    if kind == "view":
        return True
    if kind == "trigger":
        return not name.startswith(STANDARD_TRIGGERS)
    is_virtual = "virtual" in text[:40].lower()
    return is_virtual and "using rtree" not in text.lower()


def _layer_fault(names: list[str], asked: str) -> str:
    if not names:
        return "no-layers"
    if asked:
        return "" if asked in names else "no-such-layer"
    return "" if len(names) == 1 else "which-layer"


def _opened(path: str, driver: str, asked: str, encoding: str, features: int) -> dict[str, Any]:
    """Return the whole of the layer asked for, or why not."""
    # pyogrio would import these for data frames that nobody asks for here: a second each
    modules: Any = sys.modules
    modules.update(dict.fromkeys(("geopandas", "pandas", "pyarrow", "shapely")))
    import pyogrio  # after the environment has named the one driver

    if set(pyogrio.list_drivers()) != {driver}:
        return {"refused": "drivers-not-limited"}
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    fault = _layer_fault(names, asked)
    if fault:
        return {"refused": fault, "layers": names}
    options = {"layer": asked or names[0], **({"encoding": encoding} if encoding else {})}
    info = pyogrio.read_info(path, force_feature_count=True, **options)
    if info["features"] > features:
        return {"refused": "too-many-rows", "features": int(info["features"])}
    return _all_of(pyogrio.raw.read(path, force_2d=True, datetime_as_string=True, **options))


def _all_of(read: tuple[Any, ...]) -> dict[str, Any]:
    meta, _, wkb, columns = read
    fields = zip(meta["fields"], columns, strict=True)
    return {
        "crs": meta["crs"] or "",
        "columns": {str(name): _plain(column) for name, column in fields},
        "wkb": [None if part is None else part.hex() for part in wkb.tolist()],
    }


def _plain(column: Any) -> list[Any]:
    """Return a column's values as JSON has them, None for those that are not there."""
    values = column.astype(object) if column.dtype.kind in "OUSM" else column
    return [None if value != value else value for value in values.tolist()]


def _said(answer: dict[str, Any]) -> int:
    import orjson

    sys.stdout.buffer.write(orjson.dumps(answer, default=str))
    sys.stdout.buffer.flush()
    return 0


def main() -> int:
    """Read what the arguments name and write it; see `layers.load.vector`."""
    from layers.load.harness import bind

    memory_bytes, cpu_s, path, driver, layer, encoding, features = sys.argv[1:]
    bind(int(memory_bytes), int(cpu_s))
    if driver == "GPKG":
        odd = _odd_parts(path)
        if odd:
            return _said({"refused": "active-content", "parts": odd[:10]})
    return _said(_opened(path, driver, layer, encoding, int(features)))


if __name__ == "__main__":
    sys.exit(main())
