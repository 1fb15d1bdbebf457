"""The tables of plans: drafts, what they started from, their strokes, comments and soft locks."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from grid_boundaries.tables import code, metadata

plan = Table(
    "plan",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    # draft, submitted, approved, scheduled, published, rolled_back
    Column("status", Text, nullable=False, server_default="draft"),
    code("unit_path", nullable=False),  # of the unit that the plan redraws
    Column("basis", Text, nullable=False),  # population basis of its figures
    Column("rules", JSONB, nullable=False),  # size rule by setting
    code("base_hash", nullable=False),
    Column("parent_id", BigInteger),  # the plan that it was forked from
    Column("cursor", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0"),  # one more at every change
    # the last version at which more than single blocks changed: an undo, a submission
    Column("floor_version", Integer, nullable=False, server_default="0"),
    code("created_by", nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    code("changed_by", nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("changed_what", Text, nullable=False),
    code("submitted_by"),
    Column("submitted_at", DateTime(timezone=True)),
    code("approved_by"),
    Column("approved_at", DateTime(timezone=True)),
    Column("publish_on", Date),
    Column("published_at", DateTime(timezone=True)),
    Column("accepted", JSONB, nullable=False, server_default="{}"),  # soft fault: who took it
    Column("outcome", JSONB),  # what publishing did: codes, lineage, hash
)
Index("ix_plan_unit_path", plan.c.unit_path)

# by content, so that plans of one unit from one ground share it; two units may say the same,
# such as nothing at all, and neither sees the other's
plan_base = Table(
    "plan_base",
    metadata,
    code("unit_path", primary_key=True),
    code("hash", primary_key=True),
    Column("body", LargeBinary, nullable=False),  # zlib, plan_state.state_bytes
)

stroke = Table(
    "stroke",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("plan_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),  # from 1; the plan's cursor is the last in force
    Column("version", Integer, nullable=False),  # of the plan after it
    Column("body", JSONB, nullable=False),  # strokes.wire_of
    Column("touched", ARRAY(Text), nullable=False),  # blocks and grids that it changes
    code("actor", nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("dropped", Boolean, nullable=False, server_default="false"),  # undone, then drawn over
    code("unit_path", nullable=False),
    UniqueConstraint("plan_id", "version"),
)
Index("ix_stroke_plan", stroke.c.plan_id, stroke.c.position)

plan_comment = Table(
    "plan_comment",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("plan_id", BigInteger, nullable=False, index=True),
    code("actor", nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("text", Text, nullable=False),
    code("about"),  # a block id or grid code
    code("unit_path", nullable=False),
)

# a soft lock tells the others that somebody is at a grid; they may go over it knowingly
grid_lock = Table(
    "grid_lock",
    metadata,
    Column("plan_id", BigInteger, primary_key=True),
    code("grid_code", primary_key=True),
    code("actor", nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    code("unit_path", nullable=False),
)
