"""Keep what is seen for certain and at most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None

PATHS = "array_remove(string_to_array(nullif(current_setting('gis.scope', true), ''), ','), '')"


def upgrade() -> None:
    """Take the schema forward."""
    op.create_table(
        "coverage_bounds",
        sa.Column("grid_code", sa.Text(collation="C"), nullable=False),
        sa.Column("unit_path", sa.Text(collation="C"), nullable=False),
        sa.Column("certain_m2", sa.Double(), nullable=False),
        sa.Column("possible_m2", sa.Double(), nullable=False),
        sa.Column("people_certain", sa.Double(), nullable=True),
        sa.Column("people_possible", sa.Double(), nullable=True),
        sa.Column("places_certain", sa.Integer(), nullable=False),
        sa.Column("places_at_task", sa.Integer(), nullable=False),
        sa.Column("places_possible", sa.Integer(), nullable=False),
        sa.Column("cameras_unsure", sa.Integer(), nullable=False),
        sa.Column("input_version", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("grid_code", name=op.f("pk_coverage_bounds")),
    )
    op.execute("grant select, insert, update, delete on coverage_bounds to gis_service")
    op.execute("alter table coverage_bounds enable row level security")
    op.execute("alter table coverage_bounds force row level security")
    seen = f"unit_path ^@ any ((select {PATHS})::text[])"
    op.execute(
        f"create policy coverage_bounds_in_scope on coverage_bounds using ({seen})"
        f" with check ({seen})"
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("coverage_bounds")
