"""The one MetaData, its naming convention, and the columns that tables share."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Column, Computed, Date, Index, MetaData, Table, Text

STORED_SRID = 4490  # CGCS2000, what government work must use
TILE_SRID = 3857

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def code(name: str, **options: Any) -> Column[str]:
    """Return a text column in C collation, so that a prefix of a code or path uses its index."""
    return Column(name, Text(collation="C"), **options)


def geometry_columns(shape: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    """Return `geom` in 4490 and its 3857 copy for tiles, which the database keeps in step."""
    stored = Geometry(shape, srid=STORED_SRID, spatial_index=False)
    drawn = Geometry(shape, srid=TILE_SRID, spatial_index=False)
    return (
        Column("geom", stored, nullable=nullable),
        Column("geom_3857", drawn, Computed(f"st_transform(geom, {TILE_SRID})", persisted=True)),
    )


def validity_columns() -> tuple[Column[Any], Column[Any]]:
    """Return the dates from which (inclusive) and to which (exclusive) a version is in force."""
    return (Column("valid_from", Date, nullable=False), Column("valid_to", Date))


def spatial_indexes(table: Table) -> None:
    """Give a table the GiST indexes of its stored and drawn geometry."""
    for column in ("geom", "geom_3857"):
        Index(f"ix_{table.name}_{column}", table.c[column], postgresql_using="gist")
