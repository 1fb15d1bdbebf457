"""Boundaries from elsewhere, in three steps: a report, a repaired preview, a decision."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely.geometry.base import BaseGeometry

from gis_service.errors import json_bytes
from gis_service.import_requests import Sending
from gis_service.personal_numbers import without_personal_numbers
from gis_service.plan_area import own_path
from gis_service.planning import Desk
from grid_boundaries import import_records as records
from grid_boundaries.crs import in_degrees, in_metres
from grid_boundaries.file_crs import asked_crs, in_stored_degrees
from grid_boundaries.import_records import Record
from grid_boundaries.incoming.acceptance import LayerGrid
from grid_boundaries.incoming.cover import Cover, cover_bytes, cover_from, cover_of
from grid_boundaries.incoming.crosswalk import crosswalk, matches
from grid_boundaries.incoming.findings import Finding, counts
from grid_boundaries.incoming.fitting import divided, fitted
from grid_boundaries.incoming.outlines import Outlines, outlines
from grid_boundaries.incoming.owners import shares
from grid_boundaries.incoming.preview import BLOCK_COLUMNS, preview
from grid_boundaries.incoming.projection import Projection, projection
from grid_boundaries.incoming.report import Report, report
from grid_boundaries.incoming.tolerance import Tolerance
from grid_boundaries.tables import STORED_SRID
from layers.import_ground import ImportGround, grids_in_force, import_ground
from layers.load.encodings import TextEncoding
from layers.load.limits import Limits
from layers.load.outlines import OutlineFile, outlines_of
from layers.load.readers import uploaded
from layers.load.reasons import REASONS
from layers.load.repair import repaired
from layers.load.rows import Rejection
from layers.read import the_county

# repair takes time with the square of the vertices: seconds for the first, a minute for all
MENDED_VERTICES, MENDED_IN_ALL = 1_000, 20_000
UNNAMED = "import"
DECIMALS = 7  # of degrees in GeoJSON: a centimetre


def read_upload(name: str, body: bytes, asked: Sending, limits: Limits) -> OutlineFile:
    """Return what a file that was sent holds; nothing of it stays on the disk.

    Parameters
    ----------
    name
        As its sender calls it; see `layers.load.readers.uploaded`.

    Raises
    ------
    Refused
        As `uploaded` and `outlines_of`.
    """
    read = uploaded(name, body, encoding=asked.encoding, layer=asked.layer, limits=limits)
    found = outlines_of(read, code=asked.code_column, name=asked.name_column)
    names = np.array(
        [None if cell is None else without_personal_numbers(str(cell))
         for cell in found.rows["name"]],
        dtype=object,
    )  # fmt: skip
    return replace(found, rows=GeoDataFrame(found.rows.assign(name=names)))


def take_in(desk: Desk, file: OutlineFile, asked: Sending) -> dict[str, Any]:
    """Report on a layer, keep the report and the repaired preview, and return the report."""
    counting = desk.counting(the_county(desk.connection).population_basis)
    unit = asked.unit or own_path(desk.connection, desk.view).strip("/").rpartition("/")[2]
    ground = import_ground(desk.connection, counting, unit)
    placed, rows = _placed(file, asked, ground)
    file, rows = _on_maps(file, rows)
    bounds = Tolerance(asked.narrower_than_m, asked.smaller_than_m2)
    known = outlines(rows, mend=_mended)
    read = Outlines(known.grids, (*_of_file(file, placed), *known.findings))
    found = report(read, ground.ground, bounds=bounds)
    cover = cover_of(preview(shares(found.faces)), _layer_grids(found))
    findings = [*found.findings, *_divided(cover, ground)]
    number = records.keep_import(
        desk.connection,
        {
            "title": asked.name or UNNAMED,
            "unit_path": ground.unit_path,
            "summary": _summary(file, found, findings, placed, cover),
            "findings": zlib.compress(_findings_json(findings, ground.srid), 6),
            "cover": cover_bytes(cover),
            "created_by": desk.view.actor,
            "created_at": desk.now,
        },
    )
    return described(records.import_row(desk.connection, desk.view, number))


def described(row: Record) -> dict[str, Any]:
    """Return an import as it is answered: the report without its single findings."""
    names = ("id", "title", "status", "unit_path", "created_by", "created_at", "decided_by",
             "decided_at", "reason", "plan_id")  # fmt: skip
    return {**{name: getattr(row, name) for name in names}, **row.summary}


def findings_of(desk: Desk, row: Record) -> bytes:
    """Return the findings of an import as GeoJSON."""
    return zlib.decompress(records.import_body(desk.connection, desk.view, row.id, "findings"))


def preview_of(desk: Desk, row: Record) -> bytes:
    """Return the repaired blocks of an import as GeoJSON."""
    blocks = kept_cover(desk, row).blocks
    rows = zip(*(blocks[name] for name in BLOCK_COLUMNS), strict=True)
    properties = [dict(zip(BLOCK_COLUMNS, row, strict=True)) for row in rows]
    return collection(blocks.geometry, properties)


def crosswalk_of(desk: Desk, row: Record, other: Record | None) -> dict[str, Any]:
    """Return how the grids of an import lie in those of another one, or in those in force."""
    srid, view = desk.srid, desk.view
    mine = kept_cover(desk, row)
    if other is None:
        theirs = grids_in_force(desk.connection, view, row.unit_path, srid)
    else:
        theirs = _one_each(kept_cover(desk, other), srid)
    counting = desk.counting(the_county(desk.connection).population_basis)
    ground = import_ground(desk.connection, counting, row.unit_path.strip("/").rpartition("/")[2])
    table = crosswalk(_one_each(mine, srid), theirs, ground.ground.blocks)
    best = matches(table).reset_index()
    return {
        "from": row.id, "to": "in-force" if other is None else other.id,
        "rows": _plain(table), "matches": _plain(best),
    }  # fmt: skip


def kept_cover(desk: Desk, row: Record) -> Cover:
    """Return the repaired layer of an import."""
    return cover_from(records.import_body(desk.connection, desk.view, row.id, "cover"))


def _placed(
    file: OutlineFile, asked: Sending, ground: ImportGround
) -> tuple[Projection, GeoDataFrame]:
    """Return how coordinates are read, and the rows in metres."""
    shapes = list(file.rows.geometry)
    stated = asked_crs(asked.crs) if asked.crs else ""
    placed = projection(shapes, stated or file.crs, ground.limits, ground.srid)
    # whoever states a CRS is believed, and told what fits better
    used = stated or placed.suspected
    if not used:
        return placed, file.rows.set_geometry(np.full(len(shapes), None), crs=ground.srid)
    degrees = GeoSeries(in_stored_degrees(shapes, used), index=file.rows.index, crs=STORED_SRID)
    sound = in_metres(degrees.where(_on_earth(degrees)), ground.srid)
    return placed, GeoDataFrame(file.rows.set_geometry(sound))


def _mended(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry | None]:
    """Return polygons made valid in a child; too large ones are left to those who drew them."""
    sizes = shapely.get_num_coordinates(np.asarray(shapes, dtype=object))
    small = (sizes <= MENDED_VERTICES) & (np.cumsum(sizes) <= MENDED_IN_ALL)
    chosen = [shape for shape, is_small in zip(shapes, small, strict=True) if is_small]
    done = iter(repaired(chosen))
    return [next(done) if is_small else None for is_small in small]


def _on_earth(degrees: GeoSeries) -> Any:
    west, south, east, north = degrees.bounds.to_numpy().T
    return (west >= -180) & (east <= 180) & (south >= -89) & (north <= 89)


def _on_maps(file: OutlineFile, rows: GeoDataFrame) -> tuple[OutlineFile, GeoDataFrame]:
    """Take out the rows whose coordinates are no place on any map."""
    lost = rows.geometry.isna() & file.rows.geometry.notna()
    odd = tuple(Rejection(int(number), "out-of-range") for number in rows.index[lost])
    kept = GeoDataFrame(file.rows[~lost])
    return replace(file, rows=kept, rejected=(*file.rejected, *odd)), GeoDataFrame(rows[~lost])


def _of_file(file: OutlineFile, placed: Projection) -> Iterator[Finding]:
    """Yield what is wrong with the file as a whole, and with rows that could not be read."""
    if placed.is_doubtful:
        yield _crs_differs(placed)
    if file.encoding.is_odd:
        yield _text_encoding(file.encoding)
    yield from map(_row_rejected, file.rejected)


def _crs_differs(placed: Projection) -> Finding:
    shift = "" if placed.shift_m is None else f" {placed.shift_m:,.0f} m"
    return Finding(
        "crs-differs", (),
        f"坐标声明为 {placed.declared or '（无）'}，实际像是 {placed.suspected}，相差{shift}",
        f"The coordinates are declared {placed.declared or '(nothing)'} but look like "
        f"{placed.suspected}, off by{shift}",
        "confirm", facts={"declared": placed.declared, "suspected": placed.suspected,
                          "shift_m": placed.shift_m},
    )  # fmt: skip


def _text_encoding(encoding: TextEncoding) -> Finding:
    return Finding(
        "text-encoding", (), *encoding.sentences,
        "correct", facts={"stated": encoding.stated, "used": encoding.used},
    )  # fmt: skip


def _row_rejected(one: Rejection) -> Finding:
    zh, en = REASONS[one.code]
    return Finding(
        "row-rejected", (), f"第 {one.row} 行：{zh}", f"Row {one.row}: {en}", "drop",
        facts={"row": one.row, "code": one.code, **one.facts},
    )  # fmt: skip


def _layer_grids(found: Report) -> dict[str, LayerGrid]:
    return {
        code: LayerGrid(code, name, str(found.homes.get(code, "")))
        for code, name in zip(found.grids["code"], found.grids["name"], strict=True)
    }


def _divided(cover: Cover, ground: ImportGround) -> list[Finding]:
    blocks = ground.ground.blocks
    if blocks is None:
        return []
    return list(divided(blocks, fitted(blocks, cover.in_metres(ground.srid))))


def _summary(
    file: OutlineFile, found: Report, findings: list[Finding], placed: Projection, cover: Cover
) -> dict[str, Any]:
    kinds = cover.blocks["kind"].value_counts()
    return {
        "kind": file.kind,
        "rows": len(file.rows) + len(file.rejected),
        "grids": len(found.grids),
        "columns": dict(file.columns),
        "crs": {"declared": placed.declared, "suspected": placed.suspected,
                "shift_m": placed.shift_m, "on_limits": list(placed.on_limits)},
        "tolerance": {"narrower_than_m": found.bounds.narrower_than_m,
                      "smaller_than_m2": found.bounds.smaller_than_m2,
                      "listed_from_m2": found.bounds.listed_from_m2},
        "findings": counts(findings), "unlisted": found.unlisted,
        "blocks": {str(kind): int(number) for kind, number in kinds.items()},
    }  # fmt: skip


def _findings_json(findings: list[Finding], srid: int) -> bytes:
    shapes = GeoSeries(np.array([one.geometry for one in findings], dtype=object), crs=srid)
    return collection(in_degrees(shapes), [one.wire for one in findings])


def collection(shapes: GeoSeries, properties: Sequence[Mapping[str, Any]], **members: Any) -> bytes:
    """Return shapes in stored degrees as GeoJSON, with further members beside the features."""
    features = [
        {"type": "Feature", "id": number, "geometry": geometry, "properties": one}
        for number, (geometry, one) in enumerate(
            zip(_geometries(shapes), properties, strict=True), start=1
        )
    ]
    return json_bytes({"type": "FeatureCollection", **members, "features": features})


def _geometries(shapes: GeoSeries) -> list[Any]:
    values = shapes.to_numpy()
    rounded = shapely.transform(values, lambda points: np.round(points, DECIMALS))
    return [None if shape is None else shapely.geometry.mapping(shape) for shape in rounded]


def _one_each(cover: Cover, srid: int) -> GeoDataFrame:
    """Return one polygon a grid of a repaired layer, in metres."""
    blocks = cover.in_metres(srid)
    owned = blocks[blocks["code"].notna()]
    shapes, codes = [], []
    for code, part in owned.groupby("code"):
        codes.append(code)
        shapes.append(shapely.coverage_union_all(part.geometry.to_numpy()))
    return GeoDataFrame({"code": codes}, geometry=shapes, crs=blocks.crs)


def _plain(table: Any) -> list[dict[str, Any]]:
    rounded = table.round({"area_m2": 2, "people": 1, "households": 1})
    records_of: list[dict[str, Any]] = rounded.astype(object).to_dict("records")
    return [
        {name: None if value is None or value != value else value for name, value in one.items()}
        for one in records_of
    ]
