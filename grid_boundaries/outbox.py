"""The outbox: what changed on the map, written in the transaction that changed it."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text, func, text
from sqlalchemy.types import UserDefinedType

from grid_boundaries.tables import STORED_SRID, metadata


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Return the type's name in DDL."""
        return "xid8"


# Readers take rows with xid < pg_snapshot_xmin(pg_current_snapshot()), ordered (xid, id):
# "id > last" would lose rows that commit late.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("layer", Text, nullable=False),
    Column("touched", Geometry("Polygon", srid=STORED_SRID, spatial_index=False)),  # null: all
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("ix_outbox_order", outbox.c.xid, outbox.c.id)
Index("ix_outbox_layer", outbox.c.layer, outbox.c.xid)
Index("ix_outbox_touched", outbox.c.touched, postgresql_using="gist")
