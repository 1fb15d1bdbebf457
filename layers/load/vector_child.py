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


def _chosen_layer(names: list[str], asked: str) -> str:
    if not names:
        raise SystemExit(_said({"refused": "no-layers"}))
    if asked and asked not in names:
        raise SystemExit(_said({"refused": "no-such-layer", "layers": names}))
    if not asked and len(names) != 1:
        raise SystemExit(_said({"refused": "which-layer", "layers": names}))
    return asked or names[0]


def _read(path: str, driver: str, asked: str, encoding: str, features: int) -> dict[str, Any]:
    # pyogrio would import these for data frames that nobody asks for here: a second each
    modules: Any = sys.modules
    modules.update(dict.fromkeys(("geopandas", "pandas", "pyarrow", "shapely")))
    import numpy as np
    import pyogrio  # after the environment has named the one driver

    if set(pyogrio.list_drivers()) != {driver}:
        return {"refused": "drivers-not-limited"}
    layer = _chosen_layer([str(name) for name, _ in pyogrio.list_layers(path)], asked)
    options = {"encoding": encoding} if encoding else {}
    info = pyogrio.read_info(path, layer=layer, force_feature_count=True, **options)
    if info["features"] > features:
        return {"refused": "too-many-rows", "features": int(info["features"])}
    meta, _, wkb, columns = pyogrio.raw.read(
        path, layer=layer, force_2d=True, datetime_as_string=True, **options
    )
    values = [
        column.astype(object) if column.dtype.kind in "OUSM" else column for column in columns
    ]
    return {
        "crs": meta["crs"] or "",
        "columns": {
            str(name): [None if value != value else value for value in column.tolist()]
            for name, column in zip(meta["fields"], values, strict=True)
        },
        "wkb": [None if part is None else part.hex() for part in np.asarray(wkb, dtype=object)],
    }


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
    return _said(_read(path, driver, layer, encoding, int(features)))


if __name__ == "__main__":
    sys.exit(main())
