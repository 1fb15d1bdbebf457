"""Declare enclaves and islands: of how many parts a grid rightly consists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the schema forward."""
    op.add_column(
        "grid", sa.Column("expected_parts", sa.Integer(), server_default="1", nullable=False)
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("grid", "expected_parts")
