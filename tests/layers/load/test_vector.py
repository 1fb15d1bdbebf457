"""Files that GDAL reads: all of it, in a child that can open nothing else and nowhere else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from grid_boundaries.errors import Refused, TooLarge
from layers.load.description import Source
from layers.load.limits import Limits
from layers.load.readers import rows_of
from layers.load.vector import vector_rows
from tests.layers.load.made import (
    NAMES,
    altered_geopackage,
    flatgeobuf,
    geopackage,
    villages,
    zipped_shapefile,
)


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """A port on this machine, and the addresses that anybody asks of it."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_args: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], paths
        server.shutdown()


@pytest.mark.parametrize("kind", ["GeoPackage", "FlatGeobuf", "zip"])
def test_every_kind_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    path = {
        "GeoPackage": lambda: geopackage(tmp_path / "a.gpkg"),
        "FlatGeobuf": lambda: flatgeobuf(tmp_path / "a.fgb"),
        "zip": lambda: zipped_shapefile(tmp_path / "a.zip"),
    }[kind]()
    layer = "villages" if kind == "GeoPackage" else ""
    rows = rows_of(path, Source(into="place", layer=layer))
    by_name = rows.table.assign(at=np.arange(3)).set_index("NAME")
    assert sorted(rows.table["NAME"]) == sorted(NAMES)
    assert by_name.loc[NAMES, "COUNT"].tolist() == [1.0, 2.5, None]
    assert by_name.loc[NAMES, "CODE"].tolist() == ["001", "002", "003"]
    assert rows.geometry is not None
    read = rows.geometry[by_name.loc[NAMES, "at"].to_numpy(dtype=int)]
    assert shapely.equals(read, villages().geometry.to_numpy()).all()
    assert rows.crs == "EPSG:4326"


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030"])
def test_shapefile_names_are_read_whatever_their_untold_encoding(
    tmp_path: Path, encoding: str
) -> None:
    path = zipped_shapefile(tmp_path / "a.zip", encoding=encoding)
    assert rows_of(path, Source(into="place")).table["NAME"].tolist() == NAMES


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    path = zipped_shapefile(tmp_path / "a.zip", encoding="GBK")
    rows = rows_of(path, Source(into="place", encoding="GB18030"))
    assert rows.table["NAME"].tolist() == NAMES


def test_a_layer_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    for layer, code in (("", "which-layer"), ("nothing", "no-such-layer")):
        with pytest.raises(Refused) as refused:
            vector_rows(path, "GeoPackage", layer=layer)
        assert refused.value.code == code
        assert sorted(refused.value.where["layers"]) == ["points", "villages"]


@pytest.mark.parametrize(
    "statement",
    [
        "create trigger t after insert on points begin delete from villages; end",
        "create view v as select * from villages",
        "create view v as with recursive n(x) as (select 1 union all select x+1 from n) "
        "select x from n",
        "create view v as select zeroblob(10000000000) as geom",
        "create virtual table f using fts5(a)",
    ],
)
def test_a_geopackage_with_active_content_is_refused(tmp_path: Path, statement: str) -> None:
    path = altered_geopackage(tmp_path / "a.gpkg", statement)
    with pytest.raises(Refused) as refused:
        vector_rows(path, "GeoPackage", layer="villages")
    assert refused.value.code == "active-content"


def test_the_child_opens_no_other_format_than_the_one_it_was_started_for(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    with pytest.raises(Refused) as refused:
        vector_rows(path, "FlatGeobuf")
    assert refused.value.code == "reader-stopped"


@pytest.mark.parametrize("kind", ["FlatGeobuf", "GeoPackage", "Shapefile"])
def test_a_vrt_that_got_past_the_door_reads_nothing(
    tmp_path: Path, kind: str, asked: tuple[int, list[str]]
) -> None:
    port, paths = asked
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    for source in (str(secret), f"/vsicurl/http://127.0.0.1:{port}/x.csv"):
        path = tmp_path / "a.vrt"
        path.write_text(
            '<OGRVRTDataSource><OGRVRTLayer name="secret">'
            f"<SrcDataSource>{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
        )
        with pytest.raises(Refused) as refused:
            vector_rows(path, kind)
        assert refused.value.code in {"reader-stopped", "active-content"}
    assert paths == []


def test_a_child_over_its_memory_is_a_refusal_and_not_a_crash(tmp_path: Path) -> None:
    limits = Limits(reader_memory_bytes=64 << 20)
    with pytest.raises(Refused) as refused:
        vector_rows(flatgeobuf(tmp_path / "a.fgb"), "FlatGeobuf", limits=limits)
    assert refused.value.code == "reader-stopped"


def test_a_child_over_its_time_is_killed(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        vector_rows(flatgeobuf(tmp_path / "a.fgb"), "FlatGeobuf", limits=Limits(reader_wall_s=0))


def test_more_features_than_the_limit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        vector_rows(flatgeobuf(tmp_path / "a.fgb"), "FlatGeobuf", limits=Limits(features=2))


@pytest.mark.parametrize("cut", [20, 200, 600])
def test_a_file_cut_short_is_refused_or_read_in_part_and_never_crashes(
    tmp_path: Path, cut: int
) -> None:
    path = flatgeobuf(tmp_path / "a.fgb")
    path.write_bytes(path.read_bytes()[:cut])
    try:
        rows = vector_rows(path, "FlatGeobuf")
    except Refused as refused:
        assert refused.code in {"reader-stopped", "no-layers"}
    else:
        assert rows.count <= 3
