"""One table in every format that is taken: the same rows come out, whatever file they came in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from grid_boundaries.errors import Refused
from layers.load.description import Source
from layers.load.intake import Intake
from layers.load.readers import rows_of
from layers.load.rows import Rows
from layers.load.sniff import checked_kind
from tests.layers.load.made import zipped

# five Chinese letters: as long as a column of a Shapefile may be called in GBK
ROWS = [
    {"编号": "001", "名称": "四亩地村", "人数": 120, "日期": "2026-03-01"},
    {"编号": "002", "名称": "“引号”，逗号", "人数": 0, "日期": "2024-02-29"},
    {"编号": "003", "名称": "O'Neil & <b>{{7*7}}</b>", "人数": -1, "日期": "1999-12-31"},
]
COLUMNS = list(ROWS[0])


def points(count: int) -> list[Any]:
    return [Point(108.25 + n / 8, 33.5) for n in range(count)]


def frame(count: int) -> gpd.GeoDataFrame:
    table = pd.DataFrame(ROWS[:count], columns=COLUMNS).astype(
        {"编号": "object", "名称": "object", "人数": "int64", "日期": "object"}
    )
    return gpd.GeoDataFrame(table, geometry=points(count), crs=4326)


def as_text(path: Path, count: int, *, encoding: str, separator: str) -> Path:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow([*COLUMNS, "经度", "纬度"])
    for row, point in zip(ROWS, points(count), strict=False):
        writer.writerow([*row.values(), point.x, point.y])
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def as_geojson(path: Path, count: int, *, bom: bytes = b"") -> Path:
    features = [
        {"type": "Feature", "properties": row, "geometry": shapely.geometry.mapping(point)}
        for row, point in zip(ROWS, points(count), strict=False)
    ]
    whole = {"type": "FeatureCollection", "features": features}
    path.write_bytes(bom + json.dumps(whole, ensure_ascii=False).encode())
    return path


def as_shapefile(path: Path, count: int, *, encoding: str) -> Path:
    frame(count).to_file(path.with_suffix(".shp"), encoding=encoding)
    parts = {part.name: part.read_bytes() for part in path.parent.glob(f"{path.stem}.*")}
    return zipped(path, parts)


WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "csv": lambda folder, n: as_text(folder / "a.csv", n, encoding="utf-8", separator=","),
    "csv with a BOM": lambda folder, n: as_text(
        folder / "a.csv", n, encoding="utf-8-sig", separator=","
    ),
    "csv in GBK": lambda folder, n: as_text(folder / "a.csv", n, encoding="gbk", separator=","),
    "tsv in GB18030": lambda folder, n: as_text(
        folder / "a.tsv", n, encoding="gb18030", separator="\t"
    ),
    "txt": lambda folder, n: as_text(folder / "a.txt", n, encoding="utf-8", separator="\t"),
    "GeoJSON": lambda folder, n: as_geojson(folder / "a.geojson", n),
    "GeoJSON with a BOM": lambda folder, n: as_geojson(folder / "a.json", n, bom=b"\xef\xbb\xbf"),
    "GeoPackage": lambda folder, n: written(folder / "a.gpkg", n, "GPKG"),
    "FlatGeobuf": lambda folder, n: written(folder / "a.fgb", n, "FlatGeobuf"),
    "Shapefile in UTF-8": lambda folder, n: as_shapefile(folder / "a.zip", n, encoding="UTF-8"),
    "Shapefile in GBK": lambda folder, n: as_shapefile(folder / "a.zip", n, encoding="GBK"),
}
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
drawn = pytest.mark.parametrize(
    "write",
    [write for name, write in WRITERS.items() if not name.startswith(("csv", "tsv", "txt"))],
    ids=[name for name in WRITERS if not name.startswith(("csv", "tsv", "txt"))],
)


def written(path: Path, count: int, driver: str) -> Path:
    frame(count).to_file(path, driver=driver)
    return path


def read(path: Path) -> Rows:
    return rows_of(path, Source(into="place"))


@every_format
def test_three_rows_come_out_as_they_went_in(
    tmp_path: Path, write: Callable[[Path, int], Path]
) -> None:
    rows = read(write(tmp_path, 3))
    assert (rows.count, rows.rejected) == (3, ())
    table = rows.table[COLUMNS].sort_values("编号").astype(str)
    assert table["名称"].tolist() == [row["名称"] for row in ROWS]
    assert table["编号"].tolist() == ["001", "002", "003"]
    assert [int(float(cell)) for cell in table["人数"]] == [120, 0, -1]
    assert [cell[:10] for cell in table["日期"]] == [row["日期"] for row in ROWS]


@every_format
def test_one_row_is_no_special_case(tmp_path: Path, write: Callable[[Path, int], Path]) -> None:
    rows = read(write(tmp_path, 1))
    assert rows.count == 1
    assert rows.table["名称"].tolist() == ["四亩地村"]
    assert rows.table.index.tolist() == [1]


@every_format
def test_no_rows_are_an_empty_table_whose_counts_add_up(
    tmp_path: Path, write: Callable[[Path, int], Path]
) -> None:
    rows = read(write(tmp_path, 0))
    assert rows.count == 0
    counts = Intake("a", "place", rows).counts().iloc[0]
    assert (counts["rows_in"], counts["loaded"], counts["rejected"]) == (0, 0, 0)
    assert counts["reasons"] == {}


@drawn
def test_points_stand_where_they_were_put(
    tmp_path: Path, write: Callable[[Path, int], Path]
) -> None:
    rows = read(write(tmp_path, 3))
    assert rows.geometry is not None
    assert rows.crs == "EPSG:4326"
    by_id = dict(zip(rows.table["编号"], rows.geometry, strict=True))
    assert [by_id[code] for code in ("001", "002", "003")] == points(3)


@every_format
def test_the_kind_is_known_without_the_name(
    tmp_path: Path, write: Callable[[Path, int], Path]
) -> None:
    path = write(tmp_path, 2)
    bare = path.rename(tmp_path / "upload")
    assert checked_kind(bare) in {"text", "GeoJSON", "GeoPackage", "FlatGeobuf", "zip"}
    assert read(bare).count == 2


@every_format
@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".fgb", ".zip", ".csv", ".json"])
def test_no_format_is_read_under_the_name_of_another(
    tmp_path: Path, write: Callable[[Path, int], Path], suffix: str
) -> None:
    path = write(tmp_path, 1)
    kind = checked_kind(path)
    renamed = path.rename(tmp_path / f"renamed{suffix}")
    try:
        assert checked_kind(renamed) == kind
    except Refused as refused:
        assert refused.code == "wrong-content"
        assert kind in refused.en


@every_format
def test_half_a_file_is_refused_or_read_in_part_and_never_crashes(
    tmp_path: Path, write: Callable[[Path, int], Path]
) -> None:
    path = write(tmp_path, 3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        assert read(path).count <= 3
    except Refused as refused:
        assert refused.zh
        assert refused.en


@pytest.mark.parametrize(("suffix", "driver"), [(".gpkg", "GPKG"), (".fgb", "FlatGeobuf")])
def test_missing_and_empty_geometry_are_none_and_empty(
    tmp_path: Path, suffix: str, driver: str
) -> None:
    shapes: Any = [Point(108, 33), None, Point(108, 34)]
    holed = gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=4326)
    # an index over a missing shape is more than FlatGeobuf can write
    options: dict[str, Any] = {"SPATIAL_INDEX": "NO"} if suffix == ".fgb" else {}
    holed.to_file(tmp_path / f"a{suffix}", driver=driver, **options)
    rows = read(tmp_path / f"a{suffix}")
    assert rows.geometry is not None
    assert [shape is None for shape in rows.geometry] == [False, True, False]
    assert rows.table["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("srid", [4326, 4490, 4545, 3826])
def test_the_stated_crs_comes_with_the_rows(tmp_path: Path, srid: int) -> None:
    squares = gpd.GeoDataFrame({"n": [1]}, geometry=[box(108, 33, 108.1, 33.1)], crs=4326)
    squares.to_crs(srid).to_file(tmp_path / "a.gpkg", driver="GPKG")
    assert read(tmp_path / "a.gpkg").crs == f"EPSG:{srid}"


def test_a_file_that_states_no_crs_says_so(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame({"n": [1]}, geometry=[Point(108, 33)]).to_file(
            tmp_path / "a.fgb", driver="FlatGeobuf"
        )
    assert read(tmp_path / "a.fgb").crs == ""


def test_multipolygons_and_holes_come_whole(tmp_path: Path) -> None:
    holed = Polygon(box(108, 33, 109, 34).exterior, [box(108.2, 33.2, 108.4, 33.4).exterior])
    both = MultiPolygon([holed, box(110, 33, 111, 34)])
    gpd.GeoDataFrame({"n": [1]}, geometry=[both], crs=4326).to_file(
        tmp_path / "a.fgb", driver="FlatGeobuf"
    )
    rows = read(tmp_path / "a.fgb")
    assert rows.geometry is not None
    assert rows.geometry[0].equals(both)


def test_mixed_kinds_in_one_layer_are_all_read(tmp_path: Path) -> None:
    shapes = [Point(108, 33), box(108, 33, 109, 34)]
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=shapes, crs=4326).to_file(
        tmp_path / "a.gpkg", driver="GPKG"
    )
    rows = read(tmp_path / "a.gpkg")
    assert rows.geometry is not None
    assert [shape.geom_type for shape in rows.geometry] == ["Point", "Polygon"]
